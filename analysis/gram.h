/* The Gram pass: G_l[i][j] = <tau_i,l, tau_j,l> for every shared layer (method.md section 1).
 *
 * Every weight is read exactly once, accumulated in float64 in a fixed order (the same bytes for
 * any number of threads). The pass also finds values that are not finite: nothing later has to
 * look for them. */
#ifndef R2M_ANALYSIS_GRAM_H
#define R2M_ANALYSIS_GRAM_H

#include "analysis/cache/known.h"
#include "analysis/support/pool.h"
#include "analysis/support/progress.h"
#include "analysis/tensor_table.h"

struct gram_pass;

/* Starts reading; progress counts bytes (may be NULL). notifier as in pool.h. known (may be NULL),
 * ready: its products are taken over, only others are computed, with no reading where there is
 * none; what is found is added to it, layer by layer. */
struct gram_pass *gram_start(const struct tensor_table *table, struct pool *pool,
                             struct known *known, struct progress *progress,
                             struct notifier notifier);

/* True when nothing is left to read. */
bool gram_finished(struct gram_pass *pass);

/* Waits for the end, at most seconds (negative: for ever). */
bool gram_wait(struct gram_pass *pass, double seconds);

/* After the end, together with all ranks (ranks.h; each has read its layers): G of all layers,
 * layer_count x N x N, zero for layers that are not shared; owned by the pass. NULL with an error
 * that lists, for each file and tensor, how many values are NaN or infinite and where the first one
 * is (heads are checked too). */
const double *gram_result(struct gram_pass *pass, struct error *error);

/* Stops and releases; NULL is accepted. */
void gram_free(struct gram_pass *pass);

/* Quadratic form a^T G b, G: n x n. */
double gram_form(const double *gram, size_t n, const double *a, const double *b);

#endif
