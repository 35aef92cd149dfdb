/* lapack: what the machine and LAPACK reach, one `NAME VALUE UNIT` a line: dgemm on all processors,
 * and singular values with vectors by sgesdd of the shapes of CLIP ViT-L/14, as many at a time as
 * there are processors. */
#include "analysis/support/memory.h"
#include "analysis/support/pool.h"

#include <cblas.h>
#include <lapacke.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { SIDE = 1024, LONG_SIDE = 4096, ROUNDS = 4 };

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void multiply(void *context, size_t item) {
    double *matrix = memory_array(3 * SIDE * SIDE, sizeof *matrix);
    (void)context;
    (void)item;
    for (int i = 0; i < 2 * SIDE * SIDE; i++)
        matrix[i] = (double)(i % 7);
    cblas_dgemm(CblasColMajor, CblasTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1, matrix, SIDE,
                matrix + SIDE * SIDE, SIDE, 0, matrix + 2 * SIDE * SIDE, SIDE);
    free(matrix);
}

/* context: the number of rows. */
static void decompose(void *context, size_t item) {
    size_t rows = *(const size_t *)context, count = rows * SIDE;
    float *matrix = memory_array(2 * count, sizeof *matrix), *u = matrix + count;
    float *vt = memory_array(SIDE * SIDE, sizeof *vt), *sigma = memory_array(SIDE, sizeof *sigma);
    unsigned state = (unsigned)item + 1;
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        matrix[i] = (float)(state >> 8) / (float)(1 << 24) - 0.5F;
    }
    LAPACKE_sgesdd(LAPACK_COL_MAJOR, 'S', (lapack_int)rows, SIDE, matrix, (lapack_int)rows, sigma,
                   u, (lapack_int)rows, vt, SIDE);
    free(matrix);
    free(vt);
    free(sigma);
}

/* Seconds of one item when every processor runs one; the least of some rounds. */
static double each(struct pool *pool, batch_work *work, void *context) {
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        double start = now();
        pool_run(pool, pool_threads(pool), work, context);
        double seconds = (now() - start) / pool_threads(pool);
        best = seconds < best ? seconds : best;
    }
    return best;
}

int main(void) {
    struct pool *pool = pool_create(0);
    size_t square = SIDE, tall = LONG_SIDE;
    printf("dgemm %.4g GFLOP/s\n", 2e-9 * SIDE * SIDE * SIDE / each(pool, multiply, NULL));
    printf("sgesdd_of_96_x_3_squares_and_48_x_3_tall %.4g s\n",
           288 * each(pool, decompose, &square) + 144 * each(pool, decompose, &tall));
    pool_free(pool);
    return 0;
}
