/* adapter_config.json of a PEFT adapter: how its factors become changes of weights.
 *
 *     {"peft_type": "LORA", "r": 16, "lora_alpha": 32, "use_rslora": false,
 *      "rank_pattern": {"layers.0.fc1": 8}, "alpha_pattern": {"layers.0.fc1": 4}, ...}
 *
 * The update of a module is alpha / rank * B A, with use_rslora alpha / sqrt(rank) * B A. A pattern
 * is a regular expression for the end of a module's name, after a dot or from its start; the first
 * that matches counts. What turns the update into anything but a sum (DoRA), or changes the base
 * as well (PiSSA), and adapters of other types are refused by name. */
#ifndef R2M_ANALYSIS_CHECKPOINT_ADAPTER_CONFIG_H
#define R2M_ANALYSIS_CHECKPOINT_ADAPTER_CONFIG_H

#include "analysis/checkpoint/format.h"

enum { ADAPTER_CONFIG_LIMIT = 1 << 20 }; /* bytes of the file */

struct module_pattern;

struct module_patterns {
    struct module_pattern *items;
    size_t count;
    size_t bytes; /* of their compiled forms */
};

struct adapter_config {
    double rank, alpha;
    bool rank_stabilised, transposed;
    struct module_patterns ranks, alphas;
    uint64_t trials; /* of patterns so far; they end at a limit */
};

/* True for a JSON object with a member peft_type. */
bool adapter_config_recognise(const struct mapping *file);

/* Reads checkpoint->file; errors name checkpoint->path. config must be freed in every case. */
bool adapter_config_read(const struct checkpoint *checkpoint, struct adapter_config *config,
                         struct error *error);

/* Rank and scale of the module of that name. false: the patterns take too long. */
bool adapter_config_module(struct adapter_config *config, const char *module, size_t length,
                           double *rank, double *scale);

void adapter_config_free(struct adapter_config *config);

#endif
