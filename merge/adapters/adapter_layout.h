/* A specialist's truncated residual as a PEFT LoRA adapter: which of its tensors an adapter can
 * hold, at which rank, under which names; and the adapter_config.json that says so.
 *
 * PEFT adds alpha / r * B A to the weight of a module. Here alpha is r, so B A is the whole term,
 * eta a_i s_i T_r(R_i,l) of the plan: base + core + the adapters of all specialists is the merge.
 * A module is what has a parameter `weight` of at least two dimensions:
 *     a matrix          lora_A r x in, lora_B out x r (a Linear)
 *     a kernel          lora_A r x in x kernel, lora_B out x r x 1 (a Conv1d, 2d, 3d)
 *     an embedding      lora_embedding_A r x entries, lora_embedding_B width x r; told from a
 * matrix by its name: its last part holds "embed", or is wte, wpe or shared Biases, gains and
 * parameters of other names have no place in an adapter. */
#ifndef R2M_MERGE_ADAPTERS_ADAPTER_LAYOUT_H
#define R2M_MERGE_ADAPTERS_ADAPTER_LAYOUT_H

#include "analysis/checkpoint/writer.h"
#include "merge/preview.h"

struct adapter_module {
    char *name; /* as in the base, without .weight */
    size_t layer, rank;
    bool embedding;
    size_t dimensions; /* of the base's tensor */
    const uint64_t *shape;
};

struct adapter_layout {
    size_t specialist;
    struct adapter_module *modules;
    size_t count;
    size_t rank;               /* the largest */
    struct tensor_spec *specs; /* [2 * count] A and B of each module, float32 */
    size_t left_out;           /* tensors with a residual that no adapter can hold */
    double left_out_share;     /* of the specialist's contribution, in [0, 1] */
};

/* preview is complete. Ranks are the plan's, or what adapters add up to where that is less. */
void adapter_layout_make(const struct plan *plan, const struct analysis *analysis,
                         const struct preview *preview, size_t specialist,
                         struct adapter_layout *layout);
void adapter_layout_free(struct adapter_layout *layout);

/* Size of both factors of a module in float32, and of all. */
uint64_t adapter_layout_bytes(const struct adapter_layout *layout);

/* The text of adapter_config.json; base: what base_model_name_or_path says. free() it. */
char *adapter_config_text(const struct adapter_layout *layout, const char *base);

#endif
