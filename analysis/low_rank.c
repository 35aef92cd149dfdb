#include "analysis/low_rank.h"

#include "analysis/factors.h"

#include <cblas.h>
#include <lapacke.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>

/* Eigenvectors first..last (0-based, ascending order) of the n x n symmetric square, as the columns
 * of an n x count row-major matrix: LAPACK's column-major result, transposed. */
static lapack_int eigenvectors(double *square, size_t n, size_t first, size_t count,
                               double *vectors) {
    lapack_int size = (lapack_int)n, found = 0;
    lapack_int *support = malloc(2 * n * sizeof *support);
    double *values = malloc(n * sizeof *values), *columns = malloc(n * count * sizeof *columns);
    lapack_int status = LAPACK_WORK_MEMORY_ERROR;
    if (support != NULL && values != NULL && columns != NULL)
        status = LAPACKE_dsyevr(LAPACK_COL_MAJOR, 'V', 'I', 'L', size, square, size, 0, 0,
                                (lapack_int)first + 1, (lapack_int)(first + count), 0, &found,
                                values, columns, size, support);
    if (status == 0 && (size_t)found != count)
        status = 1;
    if (status == 0)
        for (size_t k = 0; k < count; k++)
            cblas_dcopy(size, columns + k * n, 1, vectors + k, (int)count);
    free(support);
    free(values);
    free(columns);
    return status;
}

/* The same from the updates that make up the residual, of rank known. */
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

bool low_rank_prepare(const struct layer *layer, size_t specialist_count,
                      const double *coefficients, size_t rank, struct low_rank *low_rank,
                      struct error *error) {
    size_t n = layer_max_rank(layer);
    size_t known = factors_rank(layer, specialist_count, coefficients);
    if (known != SIZE_MAX)
        return prepare_factors(layer, specialist_count, coefficients, rank, known, low_rank, error);
    bool complement = rank > n / 2;
    size_t count = complement ? n - rank : rank;
    *low_rank = (struct low_rank){
        .right = layer->rows >= layer->cols, .complement = complement, .n = n, .count = count};
    double *square = n <= INT_MAX ? malloc(n * n * sizeof *square) : NULL;
    low_rank->vectors = malloc(n * count * sizeof *low_rank->vectors);
    lapack_int status = LAPACK_WORK_MEMORY_ERROR;
    if (square != NULL && low_rank->vectors != NULL &&
        task_vector_square(layer, specialist_count, coefficients, square))
        status = eigenvectors(square, n, complement ? 0 : n - rank, count, low_rank->vectors);
    free(square);
    if (status == 0)
        return true;
    low_rank_free(low_rank);
    return error_set(error, ERROR_INPUT,
                     status > 0 ? "tensor %s: LAPACK dsyevr did not converge (info %d)"
                                : "tensor %s: not enough memory for its eigenvectors (info %d)",
                     layer->name, (int)status);
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
