/* A truncated residual as a product, for adapters: T_r(A) = left right, with the r first singular
 * directions in the smaller side's factor (low_rank.h):
 *
 *     rows >= cols:  left = A V_r,  right = V_r^T        rows < cols:  left = U_r,  right = U_r^T A
 *
 * Where adapters alone make up A, r is at most the rank that they add up to. */
#ifndef R2M_ANALYSIS_LOW_RANK_FACTORS_H
#define R2M_ANALYSIS_LOW_RANK_FACTORS_H

#include "analysis/low_rank.h"

struct low_rank_factors {
    size_t rank;   /* r; 0: A is 0 */
    double *left;  /* rows x r, row-major */
    double *right; /* r x cols, row-major */
};

/* coefficients: the residual's, see real_core.h; 0 < rank <= min(rows, cols); factor multiplies the
 * product; kept: that truncation, where it is known already, or NULL. The whole residual is held
 * once in float64. Errors name the layer. */
bool low_rank_factors_make(const struct layer *layer, size_t specialist_count,
                           const double *coefficients, size_t rank, double factor,
                           const struct low_rank *kept, struct low_rank_factors *factors,
                           struct error *error);

/* The rank that it will have: rank, or what the adapters add up to where that is less. */
size_t low_rank_factors_rank(const struct layer *layer, size_t specialist_count,
                             const double *coefficients, size_t rank);

void low_rank_factors_free(struct low_rank_factors *factors);

#endif
