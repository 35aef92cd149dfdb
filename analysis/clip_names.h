/* CLIP as OpenAI and open_clip name its tensors, and as Hugging Face does; the mapping is that of
 * Hugging Face's own conversion script. The names differ in every part, and the first kind stacks
 * the three projections of an attention: in_proj_weight (3d x d), rows q, k, v in that order. */
#ifndef R2M_ANALYSIS_CLIP_NAMES_H
#define R2M_ANALYSIS_CLIP_NAMES_H

#include "analysis/table_parts.h"

/* all: names of every file, [1 + N], the base's first. Where the base is such a CLIP
 *  - every stacked projection of any file becomes its parts, in_proj_weight.q, .k and .v, so that
 *    both kinds give the same layers;
 *  - a specialist of the other kind gets names of the base's kind under the prefix that it has, and
 *    its projections out of the towers are transposed, as the kinds differ in that, too. Position
 *    ids, which the first kind does not know, become foreign.
 * Otherwise nothing changes. */
void clip_names_align(struct tensor_table *table, struct names *all);

#endif
