#include "analysis/tridiagonal.h"

#include "analysis/support/memory.h"

#include <cblas.h>
#include <lapacke.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Squares of squares stay within float64 up to here. */
enum { EXPONENT_LIMIT = 400 };

static int outcome(lapack_int info) {
    if (info == 0)
        return 0;
    return info > 0 ? TRIDIAGONAL_DIVERGED : TRIDIAGONAL_NO_MEMORY;
}

/* Scales by a power of two, which rounds nothing, where the weights are extraordinarily small or
 * large. The largest element of such a matrix is on its diagonal. */
static double rescale(double *square, size_t n) {
    double largest = 0;
    int exponent;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, square[i * n + i]);
    frexp(largest, &exponent);
    if (largest == 0 || abs(exponent) <= EXPONENT_LIMIT)
        return 1;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            square[i * n + j] = ldexp(square[i * n + j], -exponent);
    return ldexp(1, exponent);
}

static lapack_int reduce(struct tridiagonal *t) {
    lapack_int n = (lapack_int)t->n;
    lapack_int info = LAPACKE_dsytrd(LAPACK_COL_MAJOR, 'L', n, t->reflectors, n, t->diagonal,
                                     t->side, t->factors);
    if (info != 0)
        return info;
    double *side = memory_array(t->n, sizeof *side); /* destroyed by the search for values */
    memcpy(side, t->side, (t->n - 1) * sizeof *side);
    memcpy(t->own_values, t->diagonal, t->n * sizeof *t->own_values);
    info = LAPACKE_dsterf(n, t->own_values, side);
    for (size_t i = 0; i < t->n; i++)
        t->values[i] = t->unit * t->own_values[i];
    free(side);
    return info;
}

int tridiagonal_make(double *square, size_t n, struct tridiagonal *t) {
    *t = (struct tridiagonal){.n = n, .reflectors = square};
    double *rows = memory_array(5 * n, sizeof *rows);
    t->diagonal = rows;
    t->side = rows + n;
    t->factors = rows + 2 * n;
    t->own_values = rows + 3 * n;
    t->values = rows + 4 * n;
    t->unit = rescale(square, n);
    int status = n <= INT_MAX ? outcome(reduce(t)) : TRIDIAGONAL_NO_MEMORY;
    if (status != 0)
        tridiagonal_free(t);
    return status;
}

void tridiagonal_free(struct tridiagonal *t) {
    free(t->reflectors);
    free(t->diagonal);
    *t = (struct tridiagonal){0};
}

static bool all_finite(const double *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

/* Vectors of T by inverse iteration from its values: the columns of n x count, column-major. */
static lapack_int inverse_iteration(const struct tridiagonal *t, size_t first, size_t count,
                                    double *columns) {
    lapack_int n = (lapack_int)t->n;
    lapack_int *scratch = memory_array(2 * t->n + count, sizeof *scratch);
    lapack_int *blocks = scratch, *ends = scratch + t->n, *failed = scratch + 2 * t->n;
    for (size_t i = 0; i < t->n; i++)
        blocks[i] = 1; /* T is one block, whose end is n */
    ends[0] = n;
    lapack_int info = LAPACKE_dstein(LAPACK_COL_MAJOR, n, t->diagonal, t->side, (lapack_int)count,
                                     t->own_values + first, blocks, ends, columns, n, failed);
    free(scratch);
    /* Where T falls apart into blocks of zeros it divides by zero. */
    return info == 0 && !all_finite(columns, t->n * count) ? 1 : info;
}

/* The same by relatively robust representations: slower, for values too close for the above. */
static lapack_int robust_vectors(const struct tridiagonal *t, size_t first, size_t count,
                                 double *columns) {
    lapack_int n = (lapack_int)t->n, found = 0;
    lapack_logical careful = 1;
    lapack_int *support = memory_array(2 * count, sizeof *support);
    double *rows = memory_array(3 * t->n, sizeof *rows);
    memcpy(rows, t->diagonal, t->n * sizeof *rows);
    memcpy(rows + t->n, t->side, (t->n - 1) * sizeof *rows);
    lapack_int info =
        LAPACKE_dstemr(LAPACK_COL_MAJOR, 'V', 'I', n, rows, rows + t->n, 0, 0,
                       (lapack_int)first + 1, (lapack_int)(first + count), &found, rows + 2 * t->n,
                       columns, n, (lapack_int)count, support, &careful);
    free(support);
    free(rows);
    return info == 0 && (size_t)found != count ? 1 : info;
}

/* columns (n x count) := Q columns. LAPACK's own answer on how much workspace is best leaves out
 * what blocks of reflectors need, and with less it applies them one by one, at half the speed. */
static lapack_int apply_reflectors(const struct tridiagonal *t, size_t count, double *columns) {
    enum { BLOCK = 64, BLOCK_FACTORS = (BLOCK + 1) * BLOCK };
    lapack_int n = (lapack_int)t->n, k = (lapack_int)count;
    size_t length = count * BLOCK + BLOCK_FACTORS;
    double *workspace = malloc(length * sizeof *workspace);
    if (workspace == NULL)
        return LAPACK_WORK_MEMORY_ERROR;
    lapack_int info = LAPACKE_dormtr_work(LAPACK_COL_MAJOR, 'L', 'L', 'N', n, k, t->reflectors, n,
                                          t->factors, columns, n, workspace, (lapack_int)length);
    free(workspace);
    return info;
}

int tridiagonal_vectors(const struct tridiagonal *t, size_t first, size_t count, double *vectors) {
    lapack_int n = (lapack_int)t->n, k = (lapack_int)count;
    double *columns = malloc(t->n * count * sizeof *columns + 1);
    lapack_int info = LAPACK_WORK_MEMORY_ERROR;
    if (columns != NULL)
        info = inverse_iteration(t, first, count, columns);
    if (info > 0)
        info = robust_vectors(t, first, count, columns);
    if (info == 0)
        info = apply_reflectors(t, count, columns);
    for (size_t c = 0; info == 0 && c < count; c++)
        cblas_dcopy(n, columns + c * t->n, 1, vectors + c, k);
    free(columns);
    return outcome(info);
}
