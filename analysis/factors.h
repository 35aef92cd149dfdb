/* Where only adapters take part in a combination of task vectors, it is a sum of updates,
 *
 *     sum_j c_j s_j B_j A_j = [c_1 s_1 B_1, c_2 s_2 B_2, ...] [A_1; A_2; ...] = L R,
 *
 * of rank at most K = the sum of their ranks: with L = Q_L T_L and R^T = Q_R T_R (QR) its singular
 * values are those of the K x K matrix T_L T_R^T, and its vectors are Q_L and Q_R times that
 * matrix's. Nothing is lost, and nothing of the weight's size is made. */
#ifndef R2M_ANALYSIS_FACTORS_H
#define R2M_ANALYSIS_FACTORS_H

#include "analysis/spectrum.h"
#include "analysis/tensor_table.h"

/* K of a matrix layer; SIZE_MAX where a whole model takes part, or K is above half of the smaller
 * side, where the factors save nothing. 0: the combination is 0. */
size_t factors_rank(const struct layer *layer, size_t specialist_count, const double *coefficients);

/* The spectrum of the combination; factors_rank is not SIZE_MAX. */
bool factors_spectrum(const struct layer *layer, size_t specialist_count,
                      const double *coefficients, struct spectrum *spectrum, struct error *error);

/* Its first count singular vectors, at most factors_rank and not 0: right ones (cols x count,
 * row-major) or left ones (rows x count). Errors have no tensor's name. */
bool factors_vectors(const struct layer *layer, size_t specialist_count, const double *coefficients,
                     bool right, size_t count, double *vectors, struct error *error);

#endif
