/* A rank from the spectrum alone: how many directions a residual has once noise is taken out.
 *
 * 1. Noise edge: below the Marchenko-Pastur edge of the spectrum a singular value cannot be told
 *    from those of noise (spectrum.h). Those above are `above`.
 * 2. Shrinkage: noise also enlarges the values above the edge. Their size without it, the best one
 *    in Frobenius norm (Gavish and Donoho 2017, "Optimal Shrinkage of Singular Values"), is
 *        eta(y) = sqrt((y^2 - beta - 1)^2 - 4 beta) / y,   y = (1 + sqrt(beta)) sigma / edge,
 *    beta = min(m, n) / max(m, n); eta is 0 at the edge and nears y far above it.
 * 3. Effective rank of what is left: p_j = eta_j^2 / sum eta^2, directions = exp(-sum p_j ln p_j),
 *    the number of equal values with the same entropy; rank is the nearest whole number.
 *
 * So k equal values above the edge give k, pure noise gives about 0, the rank never exceeds that of
 * the edge alone, and scaling or transposing the matrix changes nothing. Flat spectra get larger
 * ranks than steep ones: one rule spends unequal ranks on layers and specialists. */
#ifndef R2M_ANALYSIS_AUTO_RANK_H
#define R2M_ANALYSIS_AUTO_RANK_H

#include "analysis/spectrum.h"

struct auto_rank {
    double edge;       /* noise edge, in units of sigma */
    size_t above;      /* values above it */
    double directions; /* effective rank of the shrunk values; 0 when above is 0 */
    size_t rank;       /* directions, rounded; 0 <= rank <= above */
};

struct auto_rank auto_rank(const struct spectrum *spectrum);

#endif
