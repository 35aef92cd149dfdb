/* Whole singular value decompositions, for the methods that recombine singular vectors. */
#ifndef R2M_MERGE_METHODS_SINGULAR_H
#define R2M_MERGE_METHODS_SINGULAR_H

#include "analysis/support/error.h"

#include <stdint.h>

/* A = U diag(sigma) V^T, thin: n = min(rows, cols), all row-major. */
struct singular {
    size_t rows, cols, n;
    double *u;     /* rows x n */
    double *sigma; /* [n], descending */
    double *vt;    /* n x cols */
};

/* matrix (rows x cols) is kept. LAPACK's gesdd, gesvd where it does not converge. */
bool singular_make(const double *matrix, size_t rows, size_t cols, struct singular *singular,
                   struct error *error);

/* What singular_make takes: bytes, with its result, and operations. */
uint64_t singular_memory(size_t rows, size_t cols);
double singular_operations(size_t rows, size_t cols);

/* Replaces matrix by the nearest one with orthonormal columns (rows >= cols) or rows: U V^T of its
 * decomposition (the orthogonal factor of the polar decomposition). */
bool singular_orthonormal(double *matrix, size_t rows, size_t cols, struct error *error);

/* target (rows x cols) = U diag(sigma) V^T over the first count columns of u (rows x stride) and
 * rows of vt. U is overwritten by U diag(sigma). */
void singular_product(double *u, size_t stride, const double *sigma, const double *vt, size_t rows,
                      size_t cols, size_t count, double *target);

void singular_free(struct singular *singular);

#endif
