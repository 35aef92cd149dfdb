#include "analysis/factors.h"

#include "analysis/checkpoint/lora/update.h"

#include <cblas.h>
#include <lapacke.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* L or R^T: size x rank, column-major; after the QR its triangle and, below, the reflectors. */
struct side {
    size_t size;
    double *columns;
    double *scales; /* [rank] of the reflectors */
};

struct factors {
    size_t rank;
    struct side left, right;
    double *core; /* rank x rank, row-major: T_L T_R^T; after the SVD undefined */
    double *sigma;
    double *u, *vt; /* rank x rank, row-major: of the core; NULL when only values are asked for */
};

static const struct update *update_of(const struct layer *layer, const double *coefficients,
                                      size_t specialist) {
    return coefficients[specialist] != 0 ? layer->specialists[specialist]->update : NULL;
}

size_t factors_rank(const struct layer *layer, size_t specialist_count,
                    const double *coefficients) {
    size_t rank = 0;
    for (size_t j = 0; j < specialist_count; j++) {
        const struct update *update = update_of(layer, coefficients, j);
        if (update != NULL)
            rank += update->rank;
        else if (coefficients[j] != 0 && layer->specialists[j] != layer->base)
            return SIZE_MAX;
    }
    return rank <= layer_max_rank(layer) / 2 ? rank : SIZE_MAX;
}

static void release(struct factors *factors) {
    free(factors->left.columns);
    free(factors->left.scales);
    free(factors->right.columns);
    free(factors->right.scales);
    free(factors->core);
    free(factors->sigma);
    free(factors->u);
    free(factors->vt);
}

static bool take_memory(struct factors *factors, const struct layer *layer, bool vectors) {
    size_t rank = factors->rank;
    factors->left = (struct side){layer->rows, malloc(layer->rows * rank * sizeof(double)),
                                  malloc(rank * sizeof(double))};
    factors->right = (struct side){layer->cols, malloc(layer->cols * rank * sizeof(double)),
                                   malloc(rank * sizeof(double))};
    factors->core = calloc(rank * rank, sizeof(double));
    factors->sigma = malloc(rank * sizeof(double));
    factors->u = vectors ? calloc(rank * rank, sizeof(double)) : NULL;
    factors->vt = vectors ? calloc(rank * rank, sizeof(double)) : NULL;
    return factors->left.columns != NULL && factors->left.scales != NULL &&
           factors->right.columns != NULL && factors->right.scales != NULL &&
           factors->core != NULL && factors->sigma != NULL &&
           (!vectors || (factors->u != NULL && factors->vt != NULL));
}

/* Columns at.. of L, of one update. */
static void put_left(const struct factors *factors, const struct update *update, double factor,
                     size_t at, double *row) {
    size_t rows = factors->left.size;
    for (size_t i = 0; i < rows; i++) {
        update_left(update, i, 1, row);
        for (size_t k = 0; k < update->rank; k++)
            factors->left.columns[(at + k) * rows + i] = factor * row[k];
    }
}

/* L and R^T; the rows of R are the columns of R^T. */
static void stack(const struct factors *factors, const struct layer *layer, size_t specialist_count,
                  const double *coefficients) {
    double *row = factors->sigma; /* room for rank numbers, not yet in use */
    size_t at = 0;
    for (size_t j = 0; j < specialist_count; j++) {
        const struct update *update = update_of(layer, coefficients, j);
        if (update == NULL)
            continue;
        put_left(factors, update, coefficients[j], at, row);
        update_right(update, 0, layer->cols, factors->right.columns + at * layer->cols);
        at += update->rank;
    }
}

static lapack_int reduce(const struct side *side, size_t rank) {
    return LAPACKE_dgeqrf(LAPACK_COL_MAJOR, (lapack_int)side->size, (lapack_int)rank, side->columns,
                          (lapack_int)side->size, side->scales);
}

/* core = T_L T_R^T; both triangles are upper ones. */
static void multiply_triangles(const struct factors *factors) {
    size_t rank = factors->rank, rows = factors->left.size, cols = factors->right.size;
    for (size_t k = 0; k < rank; k++)
        for (size_t j = 0; j <= k; j++)
            factors->core[k * rank + j] = factors->right.columns[k * cols + j];
    /* Column-major T_L is row-major T_L^T, a lower triangle. */
    cblas_dtrmm(CblasRowMajor, CblasLeft, CblasLower, CblasTrans, CblasNonUnit, (int)rank,
                (int)rank, 1, factors->left.columns, (int)rows, factors->core, (int)rank);
}

static lapack_int decompose(const struct factors *factors) {
    lapack_int rank = (lapack_int)factors->rank;
    return LAPACKE_dgesdd(LAPACK_ROW_MAJOR, factors->u != NULL ? 'A' : 'N', rank, rank,
                          factors->core, rank, factors->sigma, factors->u, rank, factors->vt, rank);
}

/* Everything but vectors of the weight's size. Release factors in every case. */
static bool make(struct factors *factors, const struct layer *layer, size_t specialist_count,
                 const double *coefficients, bool vectors, struct error *error) {
    lapack_int status = LAPACK_WORK_MEMORY_ERROR;
    if (take_memory(factors, layer, vectors)) {
        stack(factors, layer, specialist_count, coefficients);
        status = reduce(&factors->left, factors->rank);
        if (status == 0)
            status = reduce(&factors->right, factors->rank);
        if (status == 0) {
            multiply_triangles(factors);
            status = decompose(factors);
        }
    }
    return status == 0 || error_set(error, ERROR_INPUT,
                                    status > 0 ? "LAPACK gesdd did not converge (info %d)"
                                               : "not enough memory for its factors (info %d)",
                                    (int)status);
}

bool factors_spectrum(const struct layer *layer, size_t specialist_count,
                      const double *coefficients, struct spectrum *spectrum, struct error *error) {
    struct factors factors = {.rank = factors_rank(layer, specialist_count, coefficients)};
    bool good =
        factors.rank == 0 || make(&factors, layer, specialist_count, coefficients, false, error);
    if (good)
        spectrum_of_values(factors.sigma, factors.rank, layer->rows, layer->cols, spectrum);
    release(&factors);
    return good;
}

/* columns (size x count, column-major) = Q times the first count vectors of the core. */
static lapack_int rotate(const struct factors *factors, bool right, size_t count, double *columns) {
    const struct side *side = right ? &factors->right : &factors->left;
    size_t rank = factors->rank, size = side->size;
    memset(columns, 0, size * count * sizeof *columns);
    for (size_t c = 0; c < count; c++)
        for (size_t k = 0; k < rank; k++)
            columns[c * size + k] = right ? factors->vt[c * rank + k] : factors->u[k * rank + c];
    return LAPACKE_dormqr(LAPACK_COL_MAJOR, 'L', 'N', (lapack_int)size, (lapack_int)count,
                          (lapack_int)rank, side->columns, (lapack_int)size, side->scales, columns,
                          (lapack_int)size);
}

bool factors_vectors(const struct layer *layer, size_t specialist_count, const double *coefficients,
                     bool right, size_t count, double *vectors, struct error *error) {
    struct factors factors = {.rank = factors_rank(layer, specialist_count, coefficients)};
    size_t size = right ? layer->cols : layer->rows;
    if (factors.rank == 0 || count == 0)
        return error_set(error, ERROR_INPUT, "a combination of nothing has no singular vectors");
    double *columns = malloc(size * count * sizeof *columns);
    bool good = make(&factors, layer, specialist_count, coefficients, true, error);
    if (good && (columns == NULL || rotate(&factors, right, count, columns) != 0))
        good = error_set(error, ERROR_INPUT, "not enough memory for its singular vectors");
    for (size_t c = 0; good && c < count; c++)
        cblas_dcopy((int)size, columns + c * size, 1, vectors + c, (int)count);
    free(columns);
    release(&factors);
    return good;
}
