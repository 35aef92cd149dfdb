/* Linear combinations of task vectors, the one place where weights are read for arithmetic.
 *
 * Everything that R2M adds to the base (core, residual, merged delta) is
 *     sum_j coefficients[j] * (theta_j,l - theta_0,l)
 * (a base that is NULL counts as 0) with N numbers per layer, computed in float64 from the mapped
 * files, piece by piece. */
#ifndef R2M_ANALYSIS_TASK_VECTOR_H
#define R2M_ANALYSIS_TASK_VECTOR_H

#include "analysis/tensor_table.h"
#include "analysis/tridiagonal.h"

/* Elements [first, first + count) of the combination, row-major; layer is shared
 * (layer_is_shared). target: count doubles. */
void task_vector_combine(const struct layer *layer, size_t specialist_count,
                         const double *coefficients, uint64_t first, size_t count, double *target);

/* The same for a block of the matrix view: rows [row, row + rows), columns [col, col + cols);
 * target: rows x cols, row-major, contiguous. */
void task_vector_block(const struct layer *layer, size_t specialist_count,
                       const double *coefficients, size_t row, size_t rows, size_t col, size_t cols,
                       double *target);

/* Elements [first, first + count) of theta_i itself: the base's and its update where specialist i
 * is an adapter. It must have the tensor. */
void specialist_read(const struct layer *layer, size_t specialist, uint64_t first, size_t count,
                     double *values);

/* How many rows or columns of side elements, of length there are, to take at a time: a few MiB in
 * float64. */
size_t task_vector_strip_of(size_t side, size_t length);

/* How many rows (rows >= cols) or columns (rows < cols) of the matrix view to take at a time: a
 * strip of a few MiB in float64. */
size_t task_vector_strip(const struct layer *layer);

/* target (n x n, n = min(rows, cols)) = A^T A when rows >= cols, else A A^T, A the combination's
 * matrix view: its upper triangle, row-major, and zeros below; float64, read once, strip by strip.
 * Returns false when memory is short. */
bool task_vector_square(const struct layer *layer, size_t specialist_count,
                        const double *coefficients, double *target);

/* That square, reduced: its values and vectors follow. 0, or why not (tridiagonal.h). */
int task_vector_reduce(const struct layer *layer, size_t specialist_count,
                       const double *coefficients, struct tridiagonal *tridiagonal);

#endif
