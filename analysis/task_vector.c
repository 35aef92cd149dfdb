#include "analysis/task_vector.h"

#include "analysis/checkpoint/lora/update.h"
#include "analysis/differences.h"
#include "analysis/support/vector.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

enum {
    STRIP_ELEMENTS = 1 << 18, /* 2 MiB of doubles */
    STRIP_MINIMUM = 32        /* rows or columns, so that dsyrk has something to do */
};

VECTOR_LOOP static void add_scaled(double *restrict target, double factor,
                                   const double *restrict source, size_t count) {
    for (size_t i = 0; i < count; i++)
        target[i] += factor * source[i];
}

/* Whether the weights of specialist j add anything; updates of adapters are added by themselves. */
static bool takes_part(const struct layer *layer, const double *coefficients, size_t j) {
    const struct tensor *tensor = layer->specialists[j];
    return coefficients[j] != 0 && tensor != layer->base && tensor->update == NULL;
}

/* All but the updates of adapters; sums differences, so that a specialist equal to the base adds
 * exactly 0. */
static void combine_weights(const struct layer *layer, size_t specialist_count,
                            const double *coefficients, uint64_t first, size_t count,
                            double *target) {
    _Alignas(CACHE_LINE) double rows[SPECIALIST_LIMIT * DIFFERENCES_PIECE];
    unsigned char specialists[SPECIALIST_LIMIT] = {0};
    size_t rows_count = 0;
    for (size_t j = 0; j < specialist_count; j++)
        if (takes_part(layer, coefficients, j))
            specialists[rows_count++] = (unsigned char)j;
    struct differences differences = differences_of(layer, specialists, rows_count);
    memset(target, 0, count * sizeof *target);
    for (size_t done = 0; done < count && rows_count > 0; done += DIFFERENCES_PIECE) {
        size_t rest = count - done, piece = rest < DIFFERENCES_PIECE ? rest : DIFFERENCES_PIECE;
        differences_read(&differences, first + done, piece, rows);
        for (size_t i = 0; i < rows_count; i++)
            add_scaled(target + done, coefficients[specialists[i]], rows + i * DIFFERENCES_PIECE,
                       piece);
    }
}

/* The update of specialist j, NULL where it has none or takes no part. */
static const struct update *update_of(const struct layer *layer, const double *coefficients,
                                      size_t j) {
    return coefficients[j] != 0 ? layer->specialists[j]->update : NULL;
}

void task_vector_combine(const struct layer *layer, size_t specialist_count,
                         const double *coefficients, uint64_t first, size_t count, double *target) {
    combine_weights(layer, specialist_count, coefficients, first, count, target);
    for (size_t j = 0; j < specialist_count; j++)
        if (update_of(layer, coefficients, j) != NULL)
            update_add(layer->specialists[j]->update, coefficients[j], first, count, target);
}

void task_vector_block(const struct layer *layer, size_t specialist_count,
                       const double *coefficients, size_t row, size_t rows, size_t col, size_t cols,
                       double *target) {
    uint64_t width = layer->cols;
    if (cols == layer->cols) {
        task_vector_combine(layer, specialist_count, coefficients, row * width, rows * cols,
                            target);
        return;
    }
    for (size_t r = 0; r < rows; r++)
        combine_weights(layer, specialist_count, coefficients, (row + r) * width + col, cols,
                        target + r * cols);
    for (size_t j = 0; j < specialist_count; j++)
        if (update_of(layer, coefficients, j) != NULL)
            update_add_block(layer->specialists[j]->update, coefficients[j], row, rows, col, cols,
                             target, cols);
}

void specialist_read(const struct layer *layer, size_t specialist, uint64_t first, size_t count,
                     double *values) {
    const struct tensor *tensor = layer->specialists[specialist];
    const struct tensor *whole = tensor->update != NULL ? layer->base : tensor;
    tensor_read(whole, first, count, values);
    if (tensor->update != NULL)
        update_add(tensor->update, 1, first, count, values);
}

size_t task_vector_strip_of(size_t side, size_t length) {
    size_t strip = STRIP_ELEMENTS / side > STRIP_MINIMUM ? STRIP_ELEMENTS / side : STRIP_MINIMUM;
    return strip < length ? strip : length;
}

size_t task_vector_strip(const struct layer *layer) {
    bool tall = layer->rows >= layer->cols;
    return tall ? task_vector_strip_of(layer->cols, layer->rows)
                : task_vector_strip_of(layer->rows, layer->cols);
}

bool task_vector_square(const struct layer *layer, size_t specialist_count,
                        const double *coefficients, double *target) {
    bool tall = layer->rows >= layer->cols;
    size_t n = tall ? layer->cols : layer->rows, length = tall ? layer->rows : layer->cols;
    size_t strip = task_vector_strip(layer);
    double *block = malloc(strip * n * sizeof *block);
    if (block == NULL)
        return false;
    memset(target, 0, n * n * sizeof *target);
    for (size_t first = 0; first < length; first += strip) {
        size_t count = length - first < strip ? length - first : strip;
        if (tall)
            task_vector_block(layer, specialist_count, coefficients, first, count, 0, n, block);
        else
            task_vector_block(layer, specialist_count, coefficients, 0, n, first, count, block);
        cblas_dsyrk(CblasRowMajor, CblasUpper, tall ? CblasTrans : CblasNoTrans, (int)n, (int)count,
                    1.0, block, (int)(tall ? n : count), 1.0, target, (int)n);
    }
    free(block);
    return true;
}

int task_vector_reduce(const struct layer *layer, size_t specialist_count,
                       const double *coefficients, struct tridiagonal *tridiagonal) {
    size_t n = layer_max_rank(layer);
    double *square = malloc(n * n * sizeof *square);
    if (square != NULL && task_vector_square(layer, specialist_count, coefficients, square))
        return tridiagonal_make(square, n, tridiagonal);
    free(square);
    return TRIDIAGONAL_NO_MEMORY;
}
