#include "analysis/checkpoint/format.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Multiplied from left to right, so that [2^63, 2, 0] overflows although its product is 0. */
const char *tensor_measure(struct tensor *tensor) {
    uint64_t bits;
    tensor->elements = 1;
    for (size_t d = 0; d < tensor->rank; d++)
        if (__builtin_mul_overflow(tensor->elements, tensor->shape[d], &tensor->elements))
            return "the product of its sizes overflows";
    if (__builtin_mul_overflow(tensor->elements, (uint64_t)dtype_bits(tensor->dtype), &bits))
        return "its size in bits overflows";
    if (bits % 8 != 0)
        return "its elements do not fill whole bytes";
    tensor->bytes = bits / 8;
    return NULL;
}

void tensor_read(const struct tensor *tensor, uint64_t first, size_t count, double *values) {
    size_t width = dtype_bits(tensor->dtype) / 8;
    dtype_widen(tensor->dtype, tensor->data + first * width, count, values);
}

bool tensor_same_shape(const struct tensor *one, const struct tensor *other) {
    return one->rank == other->rank &&
           (one->rank == 0 ||
            memcmp(one->shape, other->shape, one->rank * sizeof *one->shape) == 0);
}

char *tensor_shape_text(const struct tensor *tensor, char *buffer, size_t size) {
    size_t used = (size_t)snprintf(buffer, size, "[");
    for (size_t d = 0; d < tensor->rank && used < size; d++)
        used += (size_t)snprintf(buffer + used, size - used, "%s%" PRIu64, d > 0 ? ", " : "",
                                 tensor->shape[d]);
    if (used < size)
        snprintf(buffer + used, size - used, "]");
    return buffer;
}
