#include "analysis/checkpoint/format.h"
#include "analysis/checkpoint/lora/update.h"

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

bool tensor_is_plain(const struct tensor *tensor) {
    return tensor->strides == NULL && !tensor->swapped;
}

static size_t element_bytes(const struct tensor *tensor) {
    return dtype_bits(tensor->dtype) / 8;
}

/* Bytes that are swapped together: an element, or the real or the imaginary half of one. */
static size_t word_bytes(enum dtype dtype) {
    return dtype == DTYPE_C64 ? 4 : dtype_bits(dtype) / 8;
}

static void swap_words(unsigned char *bytes, size_t count, size_t width) {
    for (size_t i = 0; i < count; i++, bytes += width)
        for (size_t low = 0, high = width - 1; low < high; low++, high--) {
            unsigned char kept = bytes[low];
            bytes[low] = bytes[high];
            bytes[high] = kept;
        }
}

/* count elements, step bytes apart. */
static void gather_row(const unsigned char *source, size_t step, size_t count, size_t width,
                       unsigned char *target) {
    switch (width) { /* constants make loads and stores of the copies */
    case 2:
        for (size_t i = 0; i < count; i++)
            memcpy(target + 2 * i, source + step * i, 2);
        break;
    case 4:
        for (size_t i = 0; i < count; i++)
            memcpy(target + 4 * i, source + step * i, 4);
        break;
    default:
        for (size_t i = 0; i < count; i++)
            memcpy(target + width * i, source + step * i, width);
    }
}

/* Row by row of the last dimension, the index counting like an odometer. rank > 0. */
static void gather(const struct tensor *tensor, uint64_t first, size_t count,
                   unsigned char *target) {
    uint64_t index[TENSOR_RANK_LIMIT], offset = 0;
    size_t last = tensor->rank - 1, width = element_bytes(tensor);
    for (size_t d = tensor->rank; d-- > 0; first /= tensor->shape[d]) {
        index[d] = first % tensor->shape[d];
        offset += index[d] * tensor->strides[d];
    }
    while (count > 0) {
        uint64_t left = tensor->shape[last] - index[last];
        size_t run = left < count ? (size_t)left : count;
        gather_row(tensor->data + offset * width, tensor->strides[last] * width, run, width,
                   target);
        target += run * width;
        count -= run;
        index[last] += run;
        offset += run * tensor->strides[last];
        for (size_t d = last; d > 0 && index[d] == tensor->shape[d]; d--) {
            offset += tensor->strides[d - 1] - index[d] * tensor->strides[d];
            index[d] = 0;
            index[d - 1]++;
        }
    }
}

void tensor_copy(const struct tensor *tensor, uint64_t first, size_t count, void *bytes) {
    size_t length = (size_t)((uint64_t)count * dtype_bits(tensor->dtype) / 8);
    if (count == 0)
        return;
    if (tensor->strides != NULL && tensor->rank > 0)
        gather(tensor, first, count, bytes);
    else
        memcpy(bytes, tensor->data + first * dtype_bits(tensor->dtype) / 8, length);
    size_t word = word_bytes(tensor->dtype);
    if (tensor->swapped && word > 1)
        swap_words(bytes, length / word, word);
}

/* Elements that fit a piece of the stack. */
enum { PIECE_BYTES = 1 << 14 };

static size_t piece_elements(const struct tensor *tensor, uint64_t first) {
    size_t fit = PIECE_BYTES * 8 / dtype_bits(tensor->dtype) / 8 * 8;
    return tensor->elements - first < fit ? (size_t)(tensor->elements - first) : fit;
}

bool tensor_equal(const struct tensor *one, const struct tensor *other) {
    unsigned char a[PIECE_BYTES], b[PIECE_BYTES];
    if (one->dtype != other->dtype || !tensor_same_shape(one, other))
        return false;
    if (tensor_is_plain(one) && tensor_is_plain(other))
        return one->bytes == 0 || memcmp(one->data, other->data, one->bytes) == 0;
    for (uint64_t first = 0; first < one->elements;) {
        size_t count = piece_elements(one, first);
        tensor_copy(one, first, count, a);
        tensor_copy(other, first, count, b);
        if (memcmp(a, b, count * element_bytes(one)) != 0)
            return false;
        first += count;
    }
    return true;
}

void tensor_digest(const struct tensor *tensor, char sha256[SHA256_TEXT]) {
    unsigned char piece[PIECE_BYTES];
    if (tensor_is_plain(tensor)) {
        digest_memory(tensor->data, tensor->bytes, sha256);
        return;
    }
    struct digest *digest = digest_begin();
    for (uint64_t first = 0; first < tensor->elements;) {
        size_t count = piece_elements(tensor, first);
        tensor_copy(tensor, first, count, piece);
        digest_add(digest, piece, count * element_bytes(tensor));
        first += count;
    }
    digest_end(digest, sha256);
}

void tensor_read(const struct tensor *tensor, uint64_t first, size_t count, double *values) {
    unsigned char piece[PIECE_BYTES];
    size_t width = element_bytes(tensor);
    if (tensor->update != NULL) {
        memset(values, 0, count * sizeof *values);
        update_add(tensor->update, 1, first, count, values);
        return;
    }
    if (tensor_is_plain(tensor)) {
        dtype_widen(tensor->dtype, tensor->data + first * width, count, values);
        return;
    }
    for (size_t done = 0, fit; done < count; done += fit) {
        fit = count - done < PIECE_BYTES / width ? count - done : PIECE_BYTES / width;
        tensor_copy(tensor, first + done, fit, piece);
        dtype_widen(tensor->dtype, piece, fit, values + done);
    }
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

static bool same_strides(const struct tensor *one, const struct tensor *other) {
    if (one->strides == NULL || other->strides == NULL)
        return one->strides == other->strides;
    return memcmp(one->strides, other->strides, one->rank * sizeof *one->strides) == 0;
}

bool tensor_same_elements(const struct tensor *one, const struct tensor *other) {
    return one->data != NULL && one->data == other->data && one->elements > 0 &&
           one->dtype == other->dtype && tensor_same_shape(one, other) && same_strides(one, other);
}
