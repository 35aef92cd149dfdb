#include "render/figures/matrix_layers.h"

#include "analysis/support/memory.h"

size_t *matrix_layers(const struct tensor_table *table, size_t *count) {
    size_t *layers = memory_array(table->matrix_count, sizeof *layers);
    *count = 0;
    for (size_t l = 0; l < table->layer_count; l++)
        if (table->layers[l].role == ROLE_MATRIX)
            layers[(*count)++] = l;
    return layers;
}
