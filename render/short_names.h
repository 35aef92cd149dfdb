/* Names of layers without what all of them share, for axes. */
#ifndef R2M_RENDER_SHORT_NAMES_H
#define R2M_RENDER_SHORT_NAMES_H

#include "analysis/tensor_table.h"

/* names[count] gets new strings: the layers' names less the dotted parts that all of them begin or
 * end with: "0.self_attn.q_proj" for "backbone.encoder.layers.0.self_attn.q_proj.weight". */
void short_names(const struct tensor_table *table, const size_t *layers, size_t count,
                 char **names);

#endif
