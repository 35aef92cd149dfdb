/* The figures of an analysis as JSON (interface.md, "JSON of r2m analyze --json"). */
#ifndef R2M_MERGE_REPORT_H
#define R2M_MERGE_REPORT_H

#include "merge/evaluation/metrics.h"
#include "merge/merge.h"

/* The whole document, indented, final newline; with_spectra adds "sigma" arrays. free() it.
 * "norm", "real", "fake" and "cross" are of the raw task vectors, also with real.normalize;
 * "norm" and "cos_task_vectors" of a specialist are over all shared tensors. What is not known
 * (a vector's stable rank, figures of an analysis that has not ended) is null. */
char *report_json(const struct plan *plan, const struct analysis *analysis,
                  const struct preview *preview, bool with_spectra);

/* What merge --json prints; notes as of merge_notes, warnings of the table; metrics of an
 * evaluation, or NULL. free() it. */
char *report_merge_json(const char *output, const struct merge_result *result,
                        const struct string_list *notes, const struct string_list *warnings,
                        const struct metrics *metrics);

#endif
