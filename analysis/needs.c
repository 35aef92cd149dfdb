#include "analysis/needs.h"

#include "analysis/support/memory.h"
#include "analysis/task_vector.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#define MIB 1048576.0

/* The share of dgemm's speed that the reductions reach (make bench measures it), and bytes a second
 * from the page cache. */
#define BLAS_SHARE 0.6
#define READ_RATE 4e9

/* What stands in memory whatever is worked on: the program, its libraries and, for each worker, the
 * buffers of BLAS; in bytes, measured. */
enum { PROGRAM_BYTES = 24 << 20, WORKER_BYTES = 12 << 20 };

double reduction_operations(const struct layer *layer) {
    double n = (double)layer_max_rank(layer);
    return n * (double)layer->elements + 4.0 / 3 * n * n * n;
}

uint64_t reduction_memory(const struct layer *layer, size_t vectors) {
    enum { LAPACK_BLOCK = 64 };
    uint64_t n = layer_max_rank(layer);
    return (n * n + n * task_vector_strip(layer) + n * (LAPACK_BLOCK + 2 * vectors)) * 8;
}

uint64_t layer_bytes(const struct layer *layer, size_t specialist_count) {
    uint64_t bytes = layer->base != NULL ? layer->base->bytes : 0;
    for (size_t i = 0; i < specialist_count; i++)
        if (layer->specialists[i] != NULL && layer->specialists[i] != layer->base)
            bytes += layer->specialists[i]->bytes;
    return bytes;
}

uint64_t analysis_result_bytes(const struct tensor_table *table) {
    uint64_t n = table->specialist_count, values = 0;
    for (size_t l = 0; l < table->layer_count; l++)
        values += n * n + 2 * n * layer_max_rank(&table->layers[l]); /* sigma, cumulative */
    return values * sizeof(double);
}

static int by_size_descending(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a < b) - (a > b);
}

void memory_sort(uint64_t *bytes, size_t count) {
    qsort(bytes, count, sizeof *bytes, by_size_descending);
}

uint64_t memory_in_flight(const uint64_t *bytes, size_t count, unsigned workers) {
    uint64_t sum = PROGRAM_BYTES + (uint64_t)workers * WORKER_BYTES;
    for (size_t i = 0; i < count && i < workers; i++)
        sum += bytes[i];
    return sum;
}

bool memory_refuse(const char *who, uint64_t needed, uint64_t allowed, struct error *error) {
    return error_set(error, ERROR_INPUT, "%s needs at least %.0f MiB of memory, %.0f are allowed",
                     who, ceil((double)needed / MIB), floor((double)allowed / MIB));
}

/* Bytes while a spectrum of the layer is computed. */
static uint64_t spectrum_memory(const struct layer *layer) {
    return layer->role == ROLE_MATRIX ? reduction_memory(layer, 0) : 0;
}

/* The layer whose spectrum takes most. */
static const struct layer *largest_layer(const struct tensor_table *table) {
    const struct layer *largest = table->layers;
    for (size_t l = 1; l < table->layer_count; l++)
        if (spectrum_memory(&table->layers[l]) > spectrum_memory(largest))
            largest = &table->layers[l];
    return largest;
}

static bool refuse(const struct tensor_table *table, uint64_t needed, uint64_t allowed,
                   struct error *error) {
    char *who = memory_format("%s: tensor %s: the analysis", checkpoint_path(table->base),
                              largest_layer(table)->name);
    memory_refuse(who, needed, allowed, error);
    free(who);
    return false;
}

bool analysis_needs(const struct tensor_table *table, const struct work_limits *limits,
                    struct analysis_needs *needs, struct error *error) {
    size_t n = table->specialist_count, count = 0;
    uint64_t *bytes = memory_array(table->matrix_count * n, sizeof *bytes);
    *needs = (struct analysis_needs){.passes = table->matrix_count > 0 ? 2 : 1};
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        bool is_matrix = layer->role == ROLE_MATRIX;
        needs->read_bytes += layer_bytes(layer, n) * (1 + (is_matrix ? n : 0));
        needs->operations += is_matrix ? reduction_operations(layer) * (double)n : 0;
        for (size_t i = 0; is_matrix && i < n; i++)
            bytes[count++] = spectrum_memory(layer);
    }
    memory_sort(bytes, count);
    uint64_t results = analysis_result_bytes(table);
    needs->threads = limits->threads;
    needs->memory_bytes = results + memory_in_flight(bytes, count, needs->threads);
    while (needs->threads > 1 && limits->memory > 0 && needs->memory_bytes > limits->memory)
        needs->memory_bytes = results + memory_in_flight(bytes, count, --needs->threads);
    free(bytes);
    return limits->memory == 0 || needs->memory_bytes <= limits->memory ||
           refuse(table, needs->memory_bytes, limits->memory, error);
}

/* Operations a second of one thread, as BLAS does them now. */
static double measure_speed(void) {
    enum { SIDE = 384, ROUNDS = 3 };
    double *matrix = memory_array(3 * SIDE * SIDE, sizeof *matrix), best = 0;
    struct timespec begin, end;
    for (int round = 0; round < ROUNDS; round++) {
        clock_gettime(CLOCK_MONOTONIC, &begin);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, SIDE, SIDE, SIDE, 1, matrix, SIDE,
                    matrix + SIDE * SIDE, SIDE, 0, matrix + 2 * SIDE * SIDE, SIDE);
        clock_gettime(CLOCK_MONOTONIC, &end);
        best = fmax(best, 2.0 * SIDE * SIDE * SIDE /
                              ((double)(end.tv_sec - begin.tv_sec) +
                               1e-9 * (double)(end.tv_nsec - begin.tv_nsec)));
    }
    free(matrix);
    return best;
}

double work_seconds(uint64_t read_bytes, double operations, unsigned threads) {
    return operations / (measure_speed() * BLAS_SHARE * threads) +
           (double)read_bytes / (READ_RATE * threads);
}
