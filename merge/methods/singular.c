#include "merge/methods/singular.h"

#include <cblas.h>
#include <lapacke.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 64 }; /* columns that LAPACK takes at a time */

void singular_free(struct singular *singular) {
    free(singular->u);
    free(singular->sigma);
    free(singular->vt);
    *singular = (struct singular){0};
}

/* The copy, U, V^T, and what gesdd works with: 4 n^2, or a block of rows and columns. */
uint64_t singular_memory(size_t rows, size_t cols) {
    uint64_t n = rows < cols ? rows : cols, both = (uint64_t)rows + cols;
    return ((uint64_t)rows * cols + both * n + 4 * n * n + BLOCK * both) * sizeof(double);
}

/* Golub and Van Loan's count for the thin decomposition of a tall matrix. */
double singular_operations(size_t rows, size_t cols) {
    double n = (double)(rows < cols ? rows : cols), m = (double)(rows < cols ? cols : rows);
    return 6 * m * n * n + 20 * n * n * n;
}

/* A row-major matrix is its transpose in LAPACK's order: U and V^T change places. */
static lapack_int decompose(const double *matrix, double *copy, struct singular *to) {
    lapack_int m = (lapack_int)to->cols, n = (lapack_int)to->rows, k = (lapack_int)to->n;
    memcpy(copy, matrix, to->rows * to->cols * sizeof *copy);
    lapack_int status =
        LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'S', m, n, copy, m, to->sigma, to->vt, m, to->u, k);
    if (status <= 0)
        return status;
    double *work = malloc(to->n * sizeof *work);
    memcpy(copy, matrix, to->rows * to->cols * sizeof *copy); /* gesdd destroyed it */
    status = work == NULL ? LAPACK_WORK_MEMORY_ERROR
                          : LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'S', 'S', m, n, copy, m, to->sigma,
                                           to->vt, m, to->u, k, work);
    free(work);
    return status;
}

bool singular_make(const double *matrix, size_t rows, size_t cols, struct singular *singular,
                   struct error *error) {
    size_t n = rows < cols ? rows : cols;
    lapack_int status = LAPACK_WORK_MEMORY_ERROR;
    *singular = (struct singular){.rows = rows, .cols = cols, .n = n};
    if (rows > INT_MAX || cols > INT_MAX)
        return error_set(error, ERROR_INPUT, "a matrix of %zu x %zu is larger than LAPACK takes",
                         rows, cols);
    double *copy = malloc(rows * cols * sizeof *copy);
    singular->u = malloc(rows * n * sizeof *singular->u);
    singular->sigma = malloc(n * sizeof *singular->sigma);
    singular->vt = malloc(n * cols * sizeof *singular->vt);
    if (copy != NULL && singular->u != NULL && singular->sigma != NULL && singular->vt != NULL)
        status = decompose(matrix, copy, singular);
    free(copy);
    if (status == 0)
        return true;
    singular_free(singular);
    return error_set(error, ERROR_INPUT,
                     status > 0 ? "LAPACK gesdd and gesvd did not converge (info %d)"
                                : "not enough memory for the singular vectors (info %d)",
                     (int)status);
}

bool singular_orthonormal(double *matrix, size_t rows, size_t cols, struct error *error) {
    struct singular parts;
    if (!singular_make(matrix, rows, cols, &parts, error))
        return false;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)cols, (int)parts.n, 1,
                parts.u, (int)parts.n, parts.vt, (int)cols, 0, matrix, (int)cols);
    singular_free(&parts);
    return true;
}

void singular_product(double *u, size_t stride, const double *sigma, const double *vt, size_t rows,
                      size_t cols, size_t count, double *target) {
    for (size_t row = 0; row < rows; row++)
        for (size_t j = 0; j < count; j++)
            u[row * stride + j] *= sigma[j];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)cols, (int)count, 1, u,
                (int)stride, vt, (int)cols, 0, target, (int)cols);
}
