/* Singular values of one matrix and what they tell (method.md sections 3, 6, 7). */
#ifndef R2M_ANALYSIS_SPECTRUM_H
#define R2M_ANALYSIS_SPECTRUM_H

#include "analysis/support/error.h"

#include <stdbool.h>
#include <stddef.h>

struct spectrum {
    size_t rows, cols;
    size_t count;       /* min(rows, cols) */
    double *sigma;      /* [count] descending, >= 0 */
    double *cumulative; /* [count + 1] cumulative[r] = sum of the first r sigma^2 */
    double median;      /* of sigma */
    double noise_edge;  /* Marchenko-Pastur; kept because it takes an integration to find */
};

/* From the eigenvalues (ascending) of the square A^T A or A A^T of a rows x cols matrix: square
 * roots, descending. Agrees with gesdd to 1e-6 * sigma_1 (section 7). A value that rounding made
 * negative counts as 0. */
struct spectrum spectrum_from_eigenvalues(const double *values, size_t rows, size_t cols);

/* The reference: LAPACK gesdd on the matrix itself (rows x cols row-major; destroyed), gesvd when
 * that does not converge. */
bool spectrum_reference(double *matrix, size_t rows, size_t cols, struct spectrum *spectrum,
                        struct error *error);

/* From the values themselves (descending; at most min(rows, cols), copied); the others are 0. */
void spectrum_of_values(const double *values, size_t count, size_t rows, size_t cols,
                        struct spectrum *spectrum);

void spectrum_free(struct spectrum *spectrum);

/* sum sigma^2. */
double spectrum_total(const struct spectrum *spectrum);

/* Share of the energy in the first rank values, in [0, 1]; 1 for a zero matrix. */
double spectrum_kept(const struct spectrum *spectrum, size_t rank);

/* Smallest rank that keeps at least share of the energy; 0 for a zero matrix. */
size_t spectrum_energy_rank(const struct spectrum *spectrum, double share);

/* sum sigma^2 / sigma_1^2, and exp(entropy of sigma / sum sigma); 0 for a zero matrix. */
double spectrum_stable_rank(const struct spectrum *spectrum);
double spectrum_effective_rank(const struct spectrum *spectrum);

/* Noise edges, in units of sigma: Gavish-Donoho omega(beta) * median(sigma), and
 * Marchenko-Pastur s (sqrt(m) + sqrt(n)) with s from the median of the spectrum:
 * s^2 = median(sigma)^2 / (max(m, n) * mu_beta), mu_beta the median of the Marchenko-Pastur law
 * (peers.md section 3), found by numerical integration. */
double spectrum_gavish_donoho(const struct spectrum *spectrum);
double spectrum_marchenko_pastur(const struct spectrum *spectrum);

/* Number of singular values above threshold. */
size_t spectrum_count_above(const struct spectrum *spectrum, double threshold);

#endif
