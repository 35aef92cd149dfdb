#include "analysis/low_rank.h"

#include "analysis/factors.h"

#include <cblas.h>
#include <stdint.h>
#include <stdlib.h>

/* From the updates that make up the residual, of rank known. */
static bool prepare_factors(const struct layer *layer, size_t specialist_count,
                            const double *coefficients, size_t rank, size_t known,
                            struct low_rank *low_rank, struct error *error) {
    struct error own = {0};
    bool all = rank >= known; /* nothing is discarded */
    size_t n = layer_max_rank(layer);
    *low_rank = (struct low_rank){
        .right = layer->rows >= layer->cols, .complement = all, .n = n, .count = all ? 0 : rank};
    if (all)
        return true;
    low_rank->vectors = malloc(n * rank * sizeof *low_rank->vectors);
    if (low_rank->vectors == NULL)
        return error_set(error, ERROR_INPUT, "tensor %s: not enough memory for its vectors",
                         layer->name);
    if (factors_vectors(layer, specialist_count, coefficients, low_rank->right, rank,
                        low_rank->vectors, &own))
        return true;
    low_rank_free(low_rank);
    error_set(error, own.kind, "tensor %s: %s", layer->name, own.message);
    error_free(&own);
    return false;
}

int low_rank_take(const struct tridiagonal *tridiagonal, const struct layer *layer, size_t rank,
                  struct low_rank *low_rank) {
    size_t n = tridiagonal->n;
    bool complement = rank > n / 2;
    size_t count = complement ? n - rank : rank;
    *low_rank = (struct low_rank){
        .right = layer->rows >= layer->cols, .complement = complement, .n = n, .count = count};
    low_rank->vectors = malloc(n * count * sizeof *low_rank->vectors);
    int status = TRIDIAGONAL_NO_MEMORY;
    if (low_rank->vectors != NULL)
        status =
            tridiagonal_vectors(tridiagonal, complement ? 0 : n - rank, count, low_rank->vectors);
    if (status != 0)
        low_rank_free(low_rank);
    return status;
}

bool low_rank_prepare(const struct layer *layer, size_t specialist_count,
                      const double *coefficients, size_t rank, struct low_rank *low_rank,
                      struct error *error) {
    size_t known = factors_rank(layer, specialist_count, coefficients);
    struct tridiagonal reduced = {0};
    if (known != SIZE_MAX)
        return prepare_factors(layer, specialist_count, coefficients, rank, known, low_rank, error);
    int status = task_vector_reduce(layer, specialist_count, coefficients, &reduced);
    if (status == 0)
        status = low_rank_take(&reduced, layer, rank, low_rank);
    tridiagonal_free(&reduced);
    if (status == 0)
        return true;
    return error_set(error, ERROR_INPUT,
                     status == TRIDIAGONAL_DIVERGED
                         ? "tensor %s: the search for its eigenvectors did not converge"
                         : "tensor %s: not enough memory for its eigenvectors",
                     layer->name);
}

/* strip (rows x cols, all columns) := strip V V^T, product: rows x count. */
static void project_rows(const struct low_rank *low_rank, const double *strip, size_t rows,
                         size_t cols, double factor, double *product, double *target) {
    int m = (int)rows, n = (int)cols, k = (int)low_rank->count;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, k, n, 1, strip, n, low_rank->vectors,
                k, 0, product, k);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, factor, product, k,
                low_rank->vectors, k, 1, target, n);
}

/* strip (rows x cols, all rows) := U U^T strip, product: count x cols; target has leading dimension
 * stride. */
static void project_columns(const struct low_rank *low_rank, const double *strip, size_t rows,
                            size_t cols, double factor, double *product, double *target,
                            size_t stride) {
    int m = (int)rows, n = (int)cols, k = (int)low_rank->count;
    cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, m, 1, low_rank->vectors, k, strip, n,
                0, product, n);
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, n, k, factor, low_rank->vectors, k,
                product, n, 1, target, (int)stride);
}

/* target (rows x cols, leading dimension stride) += factor * strip */
static void add_strip(const double *strip, size_t rows, size_t cols, double factor, double *target,
                      size_t stride) {
    for (size_t r = 0; r < rows; r++)
        cblas_daxpy((int)cols, factor, strip + r * cols, 1, target + r * stride, 1);
}

bool low_rank_add(const struct low_rank *low_rank, const struct layer *layer,
                  size_t specialist_count, const double *coefficients, double factor,
                  double *target) {
    size_t length = low_rank->right ? layer->rows : layer->cols; /* cut into strips of wide */
    size_t wide = task_vector_strip(layer);
    double *strip = malloc(wide * low_rank->n * sizeof *strip);
    double *product = malloc(wide * low_rank->count * sizeof *product + 1);
    bool enough = strip != NULL && product != NULL;
    double sign = low_rank->complement ? -factor : factor;
    for (size_t at = 0; enough && at < length; at += wide) {
        size_t now = length - at < wide ? length - at : wide;
        size_t rows = low_rank->right ? now : layer->rows;
        size_t cols = low_rank->right ? layer->cols : now;
        double *place = target + (low_rank->right ? at * layer->cols : at);
        task_vector_block(layer, specialist_count, coefficients, low_rank->right ? at : 0, rows,
                          low_rank->right ? 0 : at, cols, strip);
        if (low_rank->complement)
            add_strip(strip, rows, cols, factor, place, layer->cols);
        if (low_rank->count == 0)
            continue;
        if (low_rank->right)
            project_rows(low_rank, strip, rows, cols, sign, product, place);
        else
            project_columns(low_rank, strip, rows, cols, sign, product, place, layer->cols);
    }
    free(strip);
    free(product);
    return enough;
}

void low_rank_free(struct low_rank *low_rank) {
    free(low_rank->vectors);
    *low_rank = (struct low_rank){0};
}
