/* Names of layers without what all of them share, for axes. */
#ifndef R2M_RENDER_SHORT_NAMES_H
#define R2M_RENDER_SHORT_NAMES_H

#include "analysis/tensor_table.h"

/* names[count] gets new strings: "0.self_attn.q_proj" for
 * "backbone.encoder.layers.0.self_attn.q_proj.weight", "patch_embedding" where there is no number
 * of a layer; less is left out where names would become the same. */
void short_names(const struct tensor_table *table, const size_t *layers, size_t count,
                 char **names);

#endif
