#include "analysis/differences.h"

#include "analysis/support/vector.h"

#include <string.h>

/* Its bytes can be taken as they lie, beside those of dtype. */
static bool is_alike(const struct tensor *tensor, enum dtype dtype) {
    return tensor->dtype == dtype && tensor->update == NULL && tensor_is_plain(tensor);
}

struct differences differences_of(const struct layer *layer, const unsigned char *specialists,
                                  size_t count) {
    struct differences all = {.base = layer->base, .count = count};
    all.alike = layer->base != NULL && is_alike(layer->base, layer->base->dtype);
    all.bytes[0] = all.alike ? layer->base->data : NULL;
    for (size_t i = 0; i < count; i++) {
        all.tensors[i] = layer->specialists[specialists[i]];
        all.bytes[i + 1] = all.tensors[i]->data;
        all.alike = all.alike && is_alike(all.tensors[i], layer->base->dtype);
    }
    return all;
}

/* One after another, whatever they are. */
static void read_each(const struct differences *all, uint64_t first, size_t count, double *rows) {
    double base[DIFFERENCES_PIECE] = {0};
    if (all->base != NULL)
        tensor_read(all->base, first, count, base);
    for (size_t i = 0; i < all->count; i++) {
        double *row = rows + i * DIFFERENCES_PIECE;
        if (all->tensors[i]->update != NULL)
            memcpy(row, base, count * sizeof *row);
        else
            tensor_read(all->tensors[i], first, count, row);
        for (size_t k = 0; k < count; k++)
            row[k] -= base[k];
    }
}

void differences_read(const struct differences *all, uint64_t first, size_t count, double *rows) {
    if (all->alike)
        dtype_subtract(all->base->dtype, all->bytes, all->count, first, count, rows);
    else
        read_each(all, first, count, rows);
}

void differences_fetch(const struct differences *all, uint64_t first, size_t count) {
    size_t width = all->alike ? dtype_bits(all->base->dtype) / 8 : 0;
    for (size_t i = 0; i <= all->count; i++) {
        const unsigned char *bytes = all->bytes[i];
        for (size_t at = 0; at < count * width; at += CACHE_LINE)
            __builtin_prefetch(bytes + first * width + at);
    }
}
