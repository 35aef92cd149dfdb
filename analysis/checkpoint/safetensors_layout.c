#include "analysis/checkpoint/safetensors.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int compare_spans(const void *one, const void *other) {
    const struct span *a = one, *b = other;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return a->end < b->end ? -1 : a->end > b->end;
}

static bool in_order(const struct span *spans, size_t count) {
    for (size_t i = 1; i < count; i++)
        if (compare_spans(&spans[i - 1], &spans[i]) > 0)
            return false;
    return true;
}

/* A sorted copy, or NULL where the spans are in order already, as most writers leave them. */
static struct span *sorted_copy(const struct span *spans, size_t count) {
    if (in_order(spans, count))
        return NULL;
    struct span *copy = memory_array(count, sizeof *copy);
    memcpy(copy, spans, count * sizeof *copy);
    qsort(copy, count, sizeof *copy, compare_spans);
    return copy;
}

/* The span begins where the last one, if any, ended. */
static bool check_place(const struct checkpoint *checkpoint, const struct span *span,
                        const struct span *last, struct error *error) {
    const struct tensor *tensor = &checkpoint->tensors[span->tensor];
    uint64_t free_from = last != NULL ? last->end : 0;
    if (span->begin > free_from)
        return tensor_fail(checkpoint, tensor, error,
                           "begins at byte %" PRIu64 " of the data, but the one before it ends at "
                           "%" PRIu64 ": there is a hole",
                           span->begin, free_from);
    if (span->begin < free_from) {
        const struct tensor *before = &checkpoint->tensors[last->tensor];
        char *name = error_quote(before->name, before->name_length);
        tensor_fail(checkpoint, tensor, error, "overlaps tensor %s", name);
        free(name);
        return false;
    }
    if (span->end < span->begin)
        return tensor_fail(checkpoint, tensor, error,
                           "data_offsets [%" PRIu64 ", %" PRIu64 "] run backwards", span->begin,
                           span->end);
    return true;
}

/* The span is as long as dtype and shape demand. */
static bool check_size(struct checkpoint *checkpoint, const struct span *span,
                       struct error *error) {
    struct tensor *tensor = &checkpoint->tensors[span->tensor];
    const char *problem = tensor_measure(tensor);
    if (problem != NULL)
        return tensor_fail(checkpoint, tensor, error, "%s", problem);
    if (tensor->bytes == span->end - span->begin)
        return true;
    char shape[TENSOR_RANK_LIMIT * 22 + 3];
    return tensor_fail(checkpoint, tensor, error,
                       "%s %s needs %" PRIu64 " bytes, its data_offsets span %" PRIu64,
                       dtype_name(tensor->dtype), tensor_shape_text(tensor, shape, sizeof shape),
                       tensor->bytes, span->end - span->begin);
}

static bool check_end(const struct checkpoint *checkpoint, uint64_t end, uint64_t data_bytes,
                      struct error *error) {
    if (end > data_bytes)
        return checkpoint_fail(checkpoint, error,
                               "truncated: the tensors need %" PRIu64 " bytes of data, the file "
                               "has %" PRIu64,
                               end, data_bytes);
    if (end < data_bytes)
        return checkpoint_fail(checkpoint, error, "%" PRIu64 " bytes follow the last tensor's data",
                               data_bytes - end);
    return true;
}

bool safetensors_check_layout(struct checkpoint *checkpoint, const struct span *spans,
                              uint64_t data_bytes, struct error *error) {
    size_t count = checkpoint->count;
    struct span *copy = sorted_copy(spans, count);
    const struct span *sorted = copy != NULL ? copy : spans;
    bool good = true;
    for (size_t i = 0; i < count && good; i++)
        good = check_place(checkpoint, &sorted[i], i > 0 ? &sorted[i - 1] : NULL, error) &&
               check_size(checkpoint, &sorted[i], error);
    good = good && check_end(checkpoint, count > 0 ? sorted[count - 1].end : 0, data_bytes, error);
    free(copy);
    return good;
}
