/* Matrix layers in the order of what stands out in them, and who leads there. */
#ifndef R2M_MERGE_LAYER_ORDER_H
#define R2M_MERGE_LAYER_ORDER_H

#include "merge/preview.h"

/* The specialist with the largest share of a layer after norm matching. */
size_t layer_leader(const struct preview *preview, size_t layer);

/* Mean over the specialists of what is kept of the residuals' energy, in [0, 1]. */
double layer_kept(const struct preview *preview, size_t layer);

/* Indexes of matrix layers, at most limit of them; equal ones stay in the order of the table.
 * Returns their number. Most dominated first, those without dominance left out; or least kept
 * first. The preview has to be complete. */
size_t layers_most_dominated(const struct tensor_table *table, const struct preview *preview,
                             size_t *layers, size_t limit);
size_t layers_least_kept(const struct tensor_table *table, const struct preview *preview,
                         size_t *layers, size_t limit);

#endif
