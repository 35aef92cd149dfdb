/* Norm matching and eta: the scales at which the residuals enter the merge
 * (method.md sections 4 and 5). Plain arithmetic on norms. */
#ifndef R2M_MERGE_NORM_MATCH_H
#define R2M_MERGE_NORM_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include "merge/config/settings.h"

/* A residual norm at or below this share of the task vector's counts as 0. */
#define NORM_MATCH_VANISHED 1e-6

/* Whether n_i counts as 0. */
bool norm_match_vanished(double residual_norm, double task_norm);

/* residual_norms[n]: n_i; task_norms[n]: ||tau_i||, to tell rounding from residual.
 * scales[n]: s_i = nbar / n_i, 0 where n_i vanished, all 1 with NORM_MATCH_NONE.
 * Returns nbar, the mean of the n_i (vanished ones count as 0). */
double norm_match_scales(enum norm_match rule, const double *residual_norms,
                         const double *task_norms, size_t n, double *scales);

/* eta of the merge: unit alpha ||core|| / nbar (0 when nbar is 0), script alpha ||core||,
 * absolute alpha. */
double norm_match_eta(enum eta_rule rule, double alpha, double core_norm, double nbar);

#endif
