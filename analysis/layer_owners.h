/* Which rank (ranks.h) works on which layer: reads it, finds its spectra, merges it. What several
 * ranks need of it, its Gram matrix and singular values, they get from its owner. */
#ifndef R2M_ANALYSIS_LAYER_OWNERS_H
#define R2M_ANALYSIS_LAYER_OWNERS_H

#include "analysis/tensor_table.h"

/* Shares the layers out, the most work first. units[layer_count]: layers of one unit (below
 * unit_count) go to one rank; NULL: each layer is one. */
void layer_owners_share(struct tensor_table *table, const size_t *units, size_t unit_count);

/* [layer_count]; free() it. */
size_t *layer_owners(const struct tensor_table *table);

#endif
