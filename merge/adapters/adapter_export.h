/* The truncated residuals of a plan, each as a PEFT LoRA adapter in a folder of its own:
 * FOLDER/NAME/adapter_config.json and adapter_model.safetensors (adapter_layout.h). What stands in
 * them is the plan's term of that specialist, scales included:
 *
 *     base + core_scale core + sum of the adapters = the merge     (in the tensors that they hold)
 *
 * and the merge with alpha 0 is the base with the core. */
#ifndef R2M_MERGE_ADAPTERS_ADAPTER_EXPORT_H
#define R2M_MERGE_ADAPTERS_ADAPTER_EXPORT_H

#include "merge/adapters/adapter_layout.h"
#include "merge/merge.h"

struct adapter_result {
    size_t modules; /* 0: the specialist has no residual there; nothing is written */
    size_t rank;    /* the largest */
    uint64_t bytes; /* of the weights */
    size_t left_out;
    double left_out_share;
};

/* Whether adapters can be written to that folder: the method has residuals, the names of the
 * specialists can be folders, no adapter there is an input, and none exists unless overwrite. */
bool adapters_check(const struct plan *plan, const char *folder, bool overwrite,
                    struct error *error);

/* Writes them, one after another. A folder that is new appears with all of them or not at all; in
 * one that is there each takes its place by itself, and an error or progress->cancel leaves those
 * before it: nothing is there to go on from. The analysis must be DONE, or have its core
 * when !merge_needs_spectra; vectors kept by merge_wish are used. results: [N]. progress (may be
 * NULL) counts bytes. */
bool adapters_write(const struct plan *plan, const struct analysis *analysis, struct pool *pool,
                    const char *folder, bool overwrite, struct progress *progress,
                    struct adapter_result *results, struct error *error);

/* What the adapters lack, a sentence for each specialist that lacks something. */
void adapters_notes(const struct plan *plan, const struct adapter_result *results,
                    struct string_list *notes);

#endif
