/* The eigenproblem of a square A^T A (or A A^T) in float64: its values are the squared singular
 * values of A, its vectors the right (left) singular vectors (method.md section 7).
 *
 * Almost all of the work is the reduction Q^T square Q = T to tridiagonal form; it is done once and
 * serves values and vectors. */
#ifndef R2M_ANALYSIS_TRIDIAGONAL_H
#define R2M_ANALYSIS_TRIDIAGONAL_H

#include <stddef.h>

struct tridiagonal {
    size_t n;
    double *reflectors;      /* n x n, what makes up Q */
    double *factors;         /* n, of the reflectors */
    double *diagonal, *side; /* n and n - 1 elements of T */
    double *own_values;      /* n eigenvalues of T, ascending */
    double *values;          /* n of the square: unit times those of T */
    double unit;             /* a power of two, 1 but for extraordinary sizes */
};

/* What functions below return: 0, or why not. */
enum { TRIDIAGONAL_NO_MEMORY = -1, TRIDIAGONAL_DIVERGED = 1 };

/* Reduces square (symmetric positive semidefinite, n x n, from malloc; its upper triangle,
 * row-major, is what counts), which belongs to tridiagonal from then on, and finds the values. On
 * failure all is released. */
int tridiagonal_make(double *square, size_t n, struct tridiagonal *tridiagonal);
void tridiagonal_free(struct tridiagonal *tridiagonal);

/* The eigenvectors of the values first..first + count - 1 as columns of vectors, n x count,
 * row-major. They depend on nothing but the square and which are asked for. */
int tridiagonal_vectors(const struct tridiagonal *tridiagonal, size_t first, size_t count,
                        double *vectors);

#endif
