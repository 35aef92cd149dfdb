#include "analysis/low_rank_factors.h"

#include "analysis/factors.h"

#include <cblas.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool too_little_memory(const struct layer *layer, struct error *error) {
    return error_set(error, ERROR_INPUT, "tensor %s: not enough memory for its singular vectors",
                     layer->name);
}

size_t low_rank_factors_rank(const struct layer *layer, size_t specialist_count,
                             const double *coefficients, size_t rank) {
    size_t known = factors_rank(layer, specialist_count, coefficients);
    return known < rank ? known : rank;
}

/* The eigenvectors of the count largest values of the square. */
static bool square_vectors(const struct layer *layer, size_t specialist_count,
                           const double *coefficients, size_t count, double *vectors,
                           struct error *error) {
    struct tridiagonal reduced = {0};
    size_t n = layer_max_rank(layer);
    int status = task_vector_reduce(layer, specialist_count, coefficients, &reduced);
    if (status == 0)
        status = tridiagonal_vectors(&reduced, n - count, count, vectors);
    tridiagonal_free(&reduced);
    if (status == 0)
        return true;
    if (status != TRIDIAGONAL_DIVERGED)
        return too_little_memory(layer, error);
    return error_set(error, ERROR_INPUT,
                     "tensor %s: the search for its singular vectors did not converge",
                     layer->name);
}

/* vectors: n x count, orthonormal columns. */
static bool find_vectors(const struct layer *layer, size_t specialist_count,
                         const double *coefficients, size_t count, double *vectors,
                         struct error *error) {
    struct error own = {0};
    bool right = layer->rows >= layer->cols;
    if (factors_rank(layer, specialist_count, coefficients) == SIZE_MAX)
        return square_vectors(layer, specialist_count, coefficients, count, vectors, error);
    if (factors_vectors(layer, specialist_count, coefficients, right, count, vectors, &own))
        return true;
    error_set(error, own.kind, "tensor %s: %s", layer->name, own.message);
    error_free(&own);
    return false;
}

/* target (columns x rows) = source (rows x columns), transposed. */
static void transpose(const double *source, size_t rows, size_t columns, double *target) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            target[c * rows + r] = source[r * columns + c];
}

/* Both factors from the residual and its vectors. */
static void project(const struct layer *layer, const double *residual, const double *vectors,
                    double factor, struct low_rank_factors *factors) {
    int m = (int)layer->rows, n = (int)layer->cols, k = (int)factors->rank;
    if (m >= n) {
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, k, n, factor, residual, n,
                    vectors, k, 0, factors->left, k);
        transpose(vectors, layer->cols, factors->rank, factors->right);
    } else {
        memcpy(factors->left, vectors, layer->rows * factors->rank * sizeof *vectors);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, m, factor, vectors, k, residual,
                    n, 0, factors->right, n);
    }
}

bool low_rank_factors_make(const struct layer *layer, size_t specialist_count,
                           const double *coefficients, size_t rank, double factor,
                           const struct low_rank *kept, struct low_rank_factors *factors,
                           struct error *error) {
    size_t count = low_rank_factors_rank(layer, specialist_count, coefficients, rank);
    *factors = (struct low_rank_factors){.rank = count};
    if (count == 0)
        return true;
    bool known = kept != NULL && !kept->complement && kept->count == count;
    size_t size = layer_max_rank(layer) * count * sizeof(double);
    double *vectors = malloc(size);
    double *residual = malloc((size_t)layer->elements * sizeof *residual);
    factors->left = malloc(layer->rows * count * sizeof *factors->left);
    factors->right = malloc(layer->cols * count * sizeof *factors->right);
    bool enough =
        vectors != NULL && residual != NULL && factors->left != NULL && factors->right != NULL;
    bool good = enough && known;
    if (!enough)
        too_little_memory(layer, error);
    else if (known)
        memcpy(vectors, kept->vectors, size);
    else
        good = find_vectors(layer, specialist_count, coefficients, count, vectors, error);
    if (good) {
        task_vector_combine(layer, specialist_count, coefficients, 0, (size_t)layer->elements,
                            residual);
        project(layer, residual, vectors, factor, factors);
    }
    free(vectors);
    free(residual);
    if (!good)
        low_rank_factors_free(factors);
    return good;
}

void low_rank_factors_free(struct low_rank_factors *factors) {
    free(factors->left);
    free(factors->right);
    *factors = (struct low_rank_factors){0};
}
