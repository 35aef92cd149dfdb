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

/* How A is gone through: in chunks of columns, each in strips of rows. */
struct walk {
    size_t columns, rows; /* of a chunk, of a strip of it */
    size_t product;       /* elements of what stands between the two products */
};

/* A V V^T: a chunk is all columns, a strip is done with at once. U U^T A: sums over all rows stand
 * between the products, so a chunk is as many columns as these have room for; its rows are runs
 * long enough to be read well. */
static struct walk walk_of(const struct layer *layer, size_t count) {
    enum { PRODUCT = 1 << 19, RUN = 1 << 10 };
    bool right = layer->rows >= layer->cols;
    size_t columns = layer->cols;
    if (!right && count > 0) {
        size_t room = PRODUCT / count > RUN ? PRODUCT / count : RUN;
        columns = room < columns ? room : columns;
    }
    size_t rows = task_vector_strip_of(columns, layer->rows);
    return (struct walk){columns, rows, count * (right ? rows : columns)};
}

uint64_t low_rank_memory(const struct layer *layer, size_t count) {
    struct walk walk = walk_of(layer, count);
    return (walk.rows * walk.columns + walk.product) * sizeof(double);
}

/* One call of low_rank_add. */
struct application {
    const struct low_rank *low_rank;
    const struct layer *layer;
    size_t specialist_count;
    const double *coefficients;
    double factor; /* of A, and of the products but for their sign */
    double *target;
    struct walk walk;
    double *strip, *product;
};

/* The strip of A; where the products are to be subtracted from A itself, A is added to target. */
static void read_strip(const struct application *all, size_t row, size_t rows, size_t col,
                       size_t cols) {
    size_t width = all->layer->cols;
    task_vector_block(all->layer, all->specialist_count, all->coefficients, row, rows, col, cols,
                      all->strip);
    for (size_t r = 0; all->low_rank->complement && r < rows; r++)
        cblas_daxpy((int)cols, all->factor, all->strip + r * cols, 1,
                    all->target + (row + r) * width + col, 1);
}

/* A V V^T, sign: of the products. */
static void apply_right(const struct application *all, double sign) {
    const struct low_rank *low_rank = all->low_rank;
    size_t rows = all->layer->rows, strip = all->walk.rows;
    int n = (int)all->layer->cols, k = (int)low_rank->count;
    for (size_t row = 0; row < rows; row += strip) {
        size_t now = rows - row < strip ? rows - row : strip;
        int m = (int)now;
        read_strip(all, row, now, 0, all->layer->cols);
        if (k == 0)
            continue;
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, m, k, n, 1, all->strip, n,
                    low_rank->vectors, k, 0, all->product, k);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, m, n, k, sign * all->factor,
                    all->product, k, low_rank->vectors, k, 1, all->target + row * all->layer->cols,
                    n);
    }
}

/* A chunk of U U^T A. */
static void apply_left(const struct application *all, double sign, size_t col, size_t cols) {
    const struct low_rank *low_rank = all->low_rank;
    size_t rows = all->layer->rows, strip = all->walk.rows;
    int n = (int)cols, k = (int)low_rank->count;
    for (size_t row = 0; row < rows; row += strip) {
        size_t now = rows - row < strip ? rows - row : strip;
        read_strip(all, row, now, col, cols);
        cblas_dgemm(CblasRowMajor, CblasTrans, CblasNoTrans, k, n, (int)now, 1,
                    low_rank->vectors + row * low_rank->count, k, all->strip, n, row > 0,
                    all->product, n);
    }
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, n, k, sign * all->factor,
                low_rank->vectors, k, all->product, n, 1, all->target + col, (int)all->layer->cols);
}

bool low_rank_add(const struct low_rank *low_rank, const struct layer *layer,
                  size_t specialist_count, const double *coefficients, double factor,
                  double *target) {
    struct walk walk = walk_of(layer, low_rank->count);
    struct application all = {.low_rank = low_rank,
                              .layer = layer,
                              .specialist_count = specialist_count,
                              .coefficients = coefficients,
                              .factor = factor,
                              .target = target,
                              .walk = walk,
                              .strip = malloc(walk.rows * walk.columns * sizeof(double)),
                              .product = malloc(walk.product * sizeof(double) + 1)};
    bool enough = all.strip != NULL && all.product != NULL;
    double sign = low_rank->complement ? -1 : 1;
    if (enough && (low_rank->right || low_rank->count == 0))
        apply_right(&all, sign);
    else
        for (size_t col = 0; enough && col < layer->cols; col += walk.columns)
            apply_left(&all, sign, col,
                       layer->cols - col < walk.columns ? layer->cols - col : walk.columns);
    free(all.strip);
    free(all.product);
    return enough;
}

void low_rank_free(struct low_rank *low_rank) {
    free(low_rank->vectors);
    *low_rank = (struct low_rank){0};
}
