#include "analysis/tensor_view.h"

#include "analysis/checkpoint/lora/update.h"

#include <string.h>

/* Elements from one index of a dimension to the next. */
static uint64_t stride_of(const struct tensor *tensor, size_t dimension) {
    uint64_t stride = 1;
    if (tensor->strides != NULL)
        return tensor->strides[dimension];
    for (size_t d = dimension + 1; d < tensor->rank; d++)
        stride *= tensor->shape[d];
    return stride;
}

static struct update *copy_update(struct arena *arena, const struct update *whole) {
    struct update *copy = arena_take(arena, sizeof *copy);
    *copy = *whole;
    return copy;
}

static const struct update *update_rows(struct arena *arena, const struct update *whole,
                                        uint64_t first, uint64_t rows) {
    struct update *view = copy_update(arena, whole);
    view->first_row += (size_t)first;
    view->rows = (size_t)rows;
    return view;
}

static const struct update *update_transposed(struct arena *arena, const struct update *whole) {
    struct update *view = copy_update(arena, whole);
    view->transposed = !whole->transposed;
    view->rows = whole->cols;
    view->cols = whole->rows;
    view->first_row = whole->first_col;
    view->first_col = whole->first_row;
    return view;
}

const struct tensor *tensor_view_rows(struct arena *arena, const struct tensor *whole,
                                      uint64_t first, uint64_t rows) {
    struct tensor *view = arena_take(arena, sizeof *view);
    uint64_t *shape = arena_take(arena, whole->rank * sizeof *shape);
    size_t width = dtype_bits(whole->dtype) / 8;
    memcpy(shape, whole->shape, whole->rank * sizeof *shape);
    shape[0] = rows;
    *view = *whole;
    view->shape = shape;
    view->elements = whole->shape[0] > 0 ? whole->elements / whole->shape[0] * rows : 0;
    view->bytes = view->elements * width;
    if (whole->update != NULL)
        view->update = update_rows(arena, whole->update, first, rows);
    else if (view->elements > 0)
        view->data += first * stride_of(whole, 0) * width;
    return view;
}

const struct tensor *tensor_view_transposed(struct arena *arena, const struct tensor *whole) {
    struct tensor *view = arena_take(arena, sizeof *view);
    uint64_t *shape = arena_take(arena, 2 * sizeof *shape);
    uint64_t *strides = arena_take(arena, 2 * sizeof *strides);
    for (size_t d = 0; d < 2; d++) {
        shape[d] = whole->shape[1 - d];
        strides[d] = stride_of(whole, 1 - d);
    }
    *view = *whole;
    view->shape = shape;
    if (whole->update != NULL)
        view->update = update_transposed(arena, whole->update);
    else
        view->strides = strides;
    return view;
}
