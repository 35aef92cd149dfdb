/* Tied tensors: one parameter of the model under several names. */
#include "analysis/table_parts.h"

#include <stdlib.h>

/* The layer's tensor in that file; NULL where the file itself has none. */
static const struct tensor *own_tensor(const struct layer *layer, size_t file) {
    if (layer->origins[file].whole == NULL)
        return NULL;
    return file == 0 ? layer->base : layer->specialists[file - 1];
}

/* Whether every file that has the layer has the first one too, of the same elements. */
static bool follows(const struct tensor_table *table, const struct layer *layer,
                    const struct layer *first) {
    for (size_t file = 0; file <= table->specialist_count; file++) {
        const struct tensor *own = own_tensor(layer, file), *there = own_tensor(first, file);
        if (own != NULL && (there == NULL || !tensor_same_elements(own, there)))
            return false;
    }
    return true;
}

/* The order of two tensors in the first file that has both. */
static bool stands_behind(const struct tensor_table *table, const struct layer *layer,
                          const struct layer *first) {
    size_t file = 0;
    while (file < table->specialist_count &&
           (own_tensor(layer, file) == NULL || own_tensor(first, file) == NULL))
        file++;
    return layer->origins[file].whole > first->origins[file].whole;
}

/* A tensor that is tied to a head or a buffer stays what it is. */
static bool is_tied_to(const struct tensor_table *table, const struct layer *layer,
                       const struct layer *first) {
    return layer_is_shared(first) && (layer_is_shared(layer) || layer->role == ROLE_HEAD) &&
           follows(table, layer, first) &&
           (!follows(table, first, layer) || stands_behind(table, layer, first));
}

/* A layer under the place of its elements in the first specialist. */
struct placed {
    const unsigned char *data;
    size_t layer;
};

static int compare_placed(const void *one, const void *other) {
    const struct placed *a = one, *b = other;
    if (a->data != b->data)
        return a->data < b->data ? -1 : 1;
    return (a->layer > b->layer) - (a->layer < b->layer);
}

/* Ties the layer to one of the others that begin at the same place. */
static void tie(struct tensor_table *table, struct layer *layer, const struct placed *others,
                size_t count) {
    for (size_t i = 0; i < count; i++)
        if (&table->layers[others[i].layer] != layer &&
            is_tied_to(table, layer, &table->layers[others[i].layer])) {
            layer->twin = others[i].layer;
            layer->role = ROLE_TIED;
            return;
        }
}

void tie_layers(struct tensor_table *table) {
    struct placed *placed = memory_array(table->layer_count, sizeof *placed);
    size_t count = 0;
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct tensor *tensor = table->layers[l].specialists[0];
        table->layers[l].twin = l;
        if (tensor != NULL && tensor->data != NULL)
            placed[count++] = (struct placed){tensor->data, l};
    }
    qsort(placed, count, sizeof *placed, compare_placed);
    for (size_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && placed[end].data == placed[first].data;)
            end++;
        for (size_t i = first; i < end && end - first > 1; i++)
            tie(table, &table->layers[placed[i].layer], placed + first, end - first);
    }
    for (size_t l = 0; l < table->layer_count; l++) /* what a twin is tied to, in its place */
        while (table->layers[table->layers[l].twin].role == ROLE_TIED)
            table->layers[l].twin = table->layers[table->layers[l].twin].twin;
    free(placed);
}
