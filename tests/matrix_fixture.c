#include "tests/matrix_fixture.h"

#include <cblas.h>
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

double random_uniform(uint64_t *state) {
    *state += 0x9E3779B97F4A7C15ULL; /* splitmix64 */
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    z ^= z >> 31;
    return (double)(z >> 11) * 0x1p-52 - 1;
}

double random_normal(uint64_t *state) {
    double u = (random_uniform(state) + 1) / 2 + 1e-300, v = random_uniform(state);
    return sqrt(-2 * log(u)) * cos(M_PI * v);
}

/* rows x count with orthonormal columns, row-major. */
static double *orthonormal(size_t rows, size_t count, uint64_t *state) {
    double *q = memory_array(rows * count, sizeof *q), *tau = memory_array(count, sizeof *tau);
    for (size_t i = 0; i < rows * count; i++)
        q[i] = random_normal(state);
    LAPACKE_dgeqrf(LAPACK_ROW_MAJOR, (int)rows, (int)count, q, (int)count, tau);
    LAPACKE_dorgqr(LAPACK_ROW_MAJOR, (int)rows, (int)count, (int)count, q, (int)count, tau);
    free(tau);
    return q;
}

double *matrix_with_spectrum(size_t rows, size_t cols, const double *sigma, uint64_t seed) {
    size_t n = rows < cols ? rows : cols;
    double *u = orthonormal(rows, n, &seed), *v = orthonormal(cols, n, &seed);
    double *matrix = memory_array(rows * cols, sizeof *matrix);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n; k++)
            u[r * n + k] *= sigma[k];
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)cols, (int)n, 1, u, (int)n,
                v, (int)n, 0, matrix, (int)cols);
    free(u);
    free(v);
    return matrix;
}

double *matrix_truncated(const double *matrix, size_t rows, size_t cols, size_t rank) {
    size_t n = rows < cols ? rows : cols;
    double *a = memory_array(rows * cols, sizeof *a), *s = memory_array(n, sizeof *s);
    double *u = memory_array(rows * n, sizeof *u), *vt = memory_array(n * cols, sizeof *vt);
    memcpy(a, matrix, rows * cols * sizeof *a);
    LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', (int)rows, (int)cols, a, (int)cols, s, u, (int)n, vt,
                   (int)cols);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n; k++)
            u[r * n + k] *= k < rank ? s[k] : 0;
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)rows, (int)cols, (int)n, 1, u,
                (int)n, vt, (int)cols, 0, a, (int)cols);
    free(s);
    free(u);
    free(vt);
    return a;
}

static struct tensor *memory_tensor(const double *values, size_t rows, size_t cols) {
    struct tensor *tensor = memory_array(1, sizeof *tensor);
    uint64_t *shape = memory_array(2, sizeof *shape);
    shape[0] = rows;
    shape[1] = cols;
    tensor->name = "layer";
    tensor->name_length = 5;
    tensor->dtype = DTYPE_F64;
    tensor->rank = 2;
    tensor->shape = shape;
    tensor->elements = rows * cols;
    tensor->bytes = rows * cols * sizeof(double);
    tensor->data = (const unsigned char *)values;
    return tensor;
}

struct layer memory_layer(const double *const *task_vectors, size_t specialist_count, size_t rows,
                          size_t cols) {
    /* one more than needed: NULL tells memory_layer_free where the list ends */
    const struct tensor **specialists = memory_array(specialist_count + 1, sizeof(struct tensor *));
    for (size_t s = 0; s < specialist_count; s++)
        specialists[s] = memory_tensor(task_vectors[s], rows, cols);
    struct tensor *base = memory_tensor(memory_array(rows * cols, sizeof(double)), rows, cols);
    struct layer layer = {.role = ROLE_MATRIX, .rows = rows, .cols = cols};
    layer.name = memory_string("layer");
    layer.base = layer.like = base;
    layer.specialists = specialists;
    layer.elements = rows * cols;
    return layer;
}

static void memory_tensor_free(const struct tensor *tensor) {
    free((void *)tensor->shape);
    free((void *)tensor);
}

void memory_layer_free(struct layer *layer) {
    for (size_t s = 0; layer->specialists[s] != NULL; s++)
        memory_tensor_free(layer->specialists[s]);
    free(layer->specialists);
    free((void *)layer->base->data);
    memory_tensor_free(layer->base);
    free(layer->name);
}
