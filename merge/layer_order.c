#include "merge/layer_order.h"

size_t layer_leader(const struct preview *preview, size_t layer) {
    size_t most = 0;
    for (size_t i = 1; i < preview->specialist_count; i++)
        if (preview_cell_at(preview, layer, i)->share_after >
            preview_cell_at(preview, layer, most)->share_after)
            most = i;
    return most;
}

double layer_kept(const struct preview *preview, size_t layer) {
    double sum = 0;
    for (size_t i = 0; i < preview->specialist_count; i++)
        sum += preview_cell_at(preview, layer, i)->kept;
    return sum / (double)preview->specialist_count;
}

/* What a layer is put in order by, greatest first. */
typedef double layer_measure(const struct preview *preview, size_t layer);

static double dominance(const struct preview *preview, size_t layer) {
    return preview->dominance[layer];
}

static double dropped(const struct preview *preview, size_t layer) {
    return 1 - layer_kept(preview, layer);
}

#define ROUNDING 1e-9 /* below that a measure is none */

/* The limit greatest ones above rounding, by insertion: limit is small. */
static size_t greatest(const struct tensor_table *table, const struct preview *preview,
                       layer_measure *measure, size_t *layers, size_t limit) {
    size_t count = 0;
    for (size_t l = 0; l < table->layer_count; l++) {
        double value = measure(preview, l);
        if (table->layers[l].role != ROLE_MATRIX || !(value > ROUNDING))
            continue;
        size_t at = count < limit ? count++ : limit;
        for (; at > 0 && measure(preview, layers[at - 1]) < value; at--)
            if (at < limit)
                layers[at] = layers[at - 1];
        if (at < limit)
            layers[at] = l;
    }
    return count;
}

size_t layers_most_dominated(const struct tensor_table *table, const struct preview *preview,
                             size_t *layers, size_t limit) {
    return greatest(table, preview, dominance, layers, limit);
}

size_t layers_least_kept(const struct tensor_table *table, const struct preview *preview,
                         size_t *layers, size_t limit) {
    return greatest(table, preview, dropped, layers, limit);
}
