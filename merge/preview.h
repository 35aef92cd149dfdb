/* What the merge will do, from Gram matrices and spectra alone: no weight is read, well under a
 * millisecond, so every key press may ask for it (method.md sections 4 to 6). */
#ifndef R2M_MERGE_PREVIEW_H
#define R2M_MERGE_PREVIEW_H

#include "analysis/analysis.h"
#include "merge/plan.h"

/* One (layer, specialist). Valid when ready. Vectors: rank and max_rank 0, kept 1. */
struct preview_cell {
    bool ready; /* its spectrum is there, or not needed */
    size_t rank, max_rank;
    double kept;                      /* share of the residual's energy below the cut */
    double residual_norm;             /* ||T(R_i,l)|| */
    double scale;                     /* s_i, or s_i,l with norm_match layer; 1 until complete */
    double contribution;              /* c_il = (a_i s_i)^2 ||T(R_i,l)||^2 */
    double share_before, share_after; /* within the layer, s = 1 and s = s_i; they sum to 1, or
                                         are all 0 when nothing contributes; 0 until all cells of
                                         the layer are ready */
};

struct preview_specialist {
    double task_norm;                 /* ||tau_i|| over all shared tensors, raw */
    double residual_norm;             /* n_i */
    double scale;                     /* s_i (1 with norm_match layer: see the cells) */
    double share_before, share_after; /* over the whole model */
    bool vanished;                    /* its residual counted as 0 */
};

struct preview {
    size_t layer_count, specialist_count;
    bool complete; /* all cells ready: whole-model figures are final; else they are not shown */
    struct preview_cell *cells;             /* [layer_count x N] */
    double *dominance;                      /* [layer_count], of share_after */
    struct preview_specialist *specialists; /* [N] */
    double nbar, eta, core_norm, mean_norm;
    double residual_term;        /* bound on ||eta tau_res||: eta * sum_i sqrt(sum_l c_il), which
                                    is eta * sum a_i s_i n_i but with norm_match layer */
    struct string_list warnings; /* weight 0, dominating specialist, vanished
                                    residual, the core's */
};

/* Makes room for a table; reuse it for every preview_compute. */
struct preview *preview_create(const struct tensor_table *table);

/* Fills it. Before the Gram pass has ended no cell is ready. */
void preview_compute(struct preview *preview, const struct plan *plan,
                     const struct analysis *analysis);

const struct preview_cell *preview_cell_at(const struct preview *preview, size_t layer,
                                           size_t specialist);

/* ||R_i,l||^2 before any truncation, from the Gram matrix. */
double preview_residual_energy(const struct analysis *analysis, size_t layer, size_t specialist);

/* Whether one of three or more specialists makes more than half of the residual energy before
 * matching (section 4). */
bool preview_dominates(const struct preview *preview, size_t specialist);

void preview_free(struct preview *preview);

#endif
