/* Matrices for tests: known spectra, and layers that lie in memory instead of a file. */
#ifndef R2M_TESTS_MATRIX_FIXTURE_H
#define R2M_TESTS_MATRIX_FIXTURE_H

#include "analysis/tensor_table.h"

/* Deterministic numbers in (-1, 1) and, roughly, of a standard normal law. */
double random_uniform(uint64_t *state);
double random_normal(uint64_t *state);

/* rows x cols row-major with the given singular values (min(rows, cols) of them): random
 * orthonormal factors. free() it. */
double *matrix_with_spectrum(size_t rows, size_t cols, const double *sigma, uint64_t seed);

/* T_r(A) by LAPACK gesdd, the independent truth; same shape. free() it. */
double *matrix_truncated(const double *matrix, size_t rows, size_t cols, size_t rank);

/* A float64 matrix layer with a zero base and specialist_count task vectors, given as arrays of
 * rows x cols; nothing is copied except the list. Release with memory_layer_free. */
struct layer memory_layer(const double *const *task_vectors, size_t specialist_count, size_t rows,
                          size_t cols);
void memory_layer_free(struct layer *layer);

#endif
