/* Rank truncation T_r of one residual matrix (method.md section 3), prepared so that it can be
 * applied in blocks: A is never held whole.
 *
 * For rows >= cols:  T_r(A) = A V_r V_r^T,   V_r the top eigenvectors of A^T A.
 * For rows <  cols:  T_r(A) = U_r U_r^T A,   U_r the top eigenvectors of A A^T.
 * Where only adapters make up A, the vectors come from their factors (factors.h).
 * When r is above half of n, the discarded vectors are held instead and A V_d V_d^T is
 * subtracted from A: less arithmetic, the same result. */
#ifndef R2M_ANALYSIS_LOW_RANK_H
#define R2M_ANALYSIS_LOW_RANK_H

#include "analysis/task_vector.h"

struct low_rank {
    bool right;      /* vectors act on columns (A V V^T), else on rows (U U^T A) */
    bool complement; /* vectors are the discarded ones */
    size_t n;        /* min(rows, cols) */
    size_t count;    /* number of vectors */
    double *vectors; /* n x count, row-major, orthonormal columns */
};

/* coefficients: the residual's, see real_core.h. 0 < rank < n. Errors name the layer. */
bool low_rank_prepare(const struct layer *layer, size_t specialist_count,
                      const double *coefficients, size_t rank, struct low_rank *low_rank,
                      struct error *error);

/* The same from the reduced square of the combination, not of adapters only. 0, or why not
 * (tridiagonal.h). */
int low_rank_take(const struct tridiagonal *tridiagonal, const struct layer *layer, size_t rank,
                  struct low_rank *low_rank);

/* target (rows x cols of the layer, row-major) += factor * T_r(A). False when memory is short. */
bool low_rank_add(const struct low_rank *low_rank, const struct layer *layer,
                  size_t specialist_count, const double *coefficients, double factor,
                  double *target);

/* Bytes that low_rank_add takes with so many vectors: a few MiB, more with a thousand of them. */
uint64_t low_rank_memory(const struct layer *layer, size_t count);

void low_rank_free(struct low_rank *low_rank);

#endif
