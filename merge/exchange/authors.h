/* The YAML of the method's authors (their merge script's --cfg) as a config, in and out.
 *
 *     tasks, weight_root      specialists: WEIGHT_ROOT/TASK.pth, else .safetensors, .pt, none
 *     model                   base: a file or a model folder
 *     merge_method            CORE r2m, CART cart, AVG average, TA task_arithmetic, TM ties
 *     initial_rank_ratio      residual.rank.ratio (CART: cart.ratio)
 *     real_rank_ratio         real.rank, at most the number of tasks
 *     real_blend_beta         real.blend
 *     eta_norm_alpha          alpha; without it prior
 *     prior                   lambda of CART, TA and TM
 *
 * Other fields that their script or test harness knows are let pass without effect, as the script
 * does. What the file does not say has its default: `eta` too (preset script is what the script
 * computes). Relative paths start at the file's folder where that leads to something, else at the
 * current one, as in the script. */
#ifndef R2M_MERGE_EXCHANGE_AUTHORS_H
#define R2M_MERGE_EXCHANGE_AUTHORS_H

#include "merge/config/config.h"

/* Whether a file is such a YAML: no JSON object, and its name ends in .yaml or .yml or a line
 * begins with one of the fields tasks or weight_root. */
bool authors_recognise(const char *path, const char *text);

/* Like config_parse; every problem is listed as `NAME: line N: FIELD: reason`. Without a `model`
 * the config has no base yet. */
bool authors_parse(const char *text, const char *name, const char *folder, struct config *config,
                   struct error *error);

/* The config as such a file, paths relative to folder; what it cannot hold is added to lost, a line
 * each. NULL with an error: the method has no name there, or a path is not UTF-8. */
char *authors_text(const struct config *config, const char *folder, struct string_list *lost,
                   struct error *error);

#endif
