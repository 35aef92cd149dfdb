#include "merge/merge.h"

#include "analysis/layer_owners.h"
#include "analysis/support/ranks.h"
#include "merge/output_layout.h"

#include <stdlib.h>

/* units[count] of the output's tensors: their shards or, where those are too few or there are none,
 * each tensor alone. Returns the number of units. */
static size_t units_of_tensors(const struct output_layout *layout, uint64_t shard_bytes,
                               size_t *units) {
    size_t shards = writer_shards(layout->specs, layout->count, shard_bytes, units);
    if (shards >= ranks_count())
        return shards;
    for (size_t t = 0; t < layout->count; t++)
        units[t] = t;
    return layout->count;
}

/* The units of the layers, in the first tensor that has them; what no tensor has comes last, each
 * alone. Returns the number of units. */
static size_t units_of_layers(const struct output_layout *layout, const size_t *tensor_units,
                              size_t unit_count, size_t *units, size_t layer_count) {
    for (size_t l = 0; l < layer_count; l++)
        units[l] = SIZE_MAX;
    for (size_t t = 0; t < layout->count; t++)
        for (size_t p = layout->first_part[t]; p < layout->first_part[t + 1]; p++)
            if (units[layout->parts[p].layer] == SIZE_MAX)
                units[layout->parts[p].layer] = tensor_units[t];
    for (size_t l = 0; l < layer_count; l++)
        if (units[l] == SIZE_MAX)
            units[l] = unit_count++;
    return unit_count;
}

bool merge_share_out(const struct plan *plan, const char *path, struct tensor_table *table,
                     struct error *error) {
    struct output_layout layout = {0};
    bool good = output_layout_make(table, &plan->config.settings, path, &layout, error);
    if (good) {
        size_t *tensors = memory_array(layout.count, sizeof *tensors);
        size_t *layers = memory_array(table->layer_count, sizeof *layers);
        size_t count = units_of_tensors(&layout, plan->config.settings.shard_bytes, tensors);
        count = units_of_layers(&layout, tensors, count, layers, table->layer_count);
        layer_owners_share(table, layers, count);
        free(layers);
        free(tensors);
    }
    output_layout_free(&layout);
    return good;
}
