/* mergekit's YAML for the methods that both have, with parameters that give the same weights:
 *
 *     average          linear: weight a_i, normalize true
 *     task_arithmetic  task_arithmetic: weight lambda N a_i, normalize false
 *     ties             ties: weight N a_i, density, lambda where it is not 1, normalize true; both
 *                      trim tensor by tensor and let the weights vote
 *     dare             dare_linear: weight lambda N a_i, density 1 - drop, rescale; the draws
 *                      differ, so the weights are alike, not equal
 *
 * Arithmetic in float32, and the output's dtype as `out_dtype` (the base's where it has one alone).
 * mergekit has no r2m, cart, tsv_m, iso_c. */
#ifndef R2M_MERGE_EXCHANGE_MERGEKIT_H
#define R2M_MERGE_EXCHANGE_MERGEKIT_H

#include "merge/config/config.h"

/* The config as such a file, paths relative to folder; what it cannot hold or does differently is
 * added to lost. NULL with an error: mergekit lacks the method, or a path is not UTF-8. */
char *mergekit_text(const struct config *config, const struct tensor_table *table,
                    const char *folder, struct string_list *lost, struct error *error);

#endif
