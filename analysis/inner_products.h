/* Inner products of every pair of a few vectors, piece after piece: the arithmetic of the Gram
 * pass. Fast enough that the pass waits for memory, not for this. */
#ifndef R2M_ANALYSIS_INNER_PRODUCTS_H
#define R2M_ANALYSIS_INNER_PRODUCTS_H

#include <stdbool.h>
#include <stddef.h>

/* Partial sums of one pair, each over every LANES-th element. */
enum { INNER_LANES = 8 };
struct inner_sum {
    double lane[INNER_LANES];
};

/* sums[i * n + j] += the products of rows i and j, for i <= j, first <= j. rows: n x count doubles,
 * row i from rows + i * stride on; count is a multiple of INNER_LANES (fill up with zeros). */
void inner_products_add(const double *rows, size_t n, size_t first, size_t stride, size_t count,
                        struct inner_sum *sums);

/* The sum over the lanes. */
double inner_sum_total(const struct inner_sum *sum);

#endif
