#include "merge/merge.h"

#include "merge/config/config_parts.h"
#include "merge/output_layout.h"
#include "merge/recipe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* An upper estimate of a tensor's line in the header: name, dtype, shape, two offsets. */
enum { HEADER_LINE_BYTES = 64, HEADER_SIZE_BYTES = 12 };

/* What a merge of one layer costs. */
struct cost {
    uint64_t output_bytes, memory_bytes, read_bytes;
    double operations;
};

/* The rank that a cell will get; where only the spectrum tells, the most expensive one. */
static size_t likely_rank(struct rank_rule rule, size_t full) {
    return rank_rule_is_shape_only(rule) ? rank_rule_resolve(rule, full, NULL) : full / 2;
}

static uint64_t layer_bytes(const struct layer *layer, size_t n) {
    uint64_t bytes = layer->base != NULL ? layer->base->bytes : 0;
    for (size_t i = 0; i < n; i++)
        if (layer->specialists[i] != NULL && layer->specialists[i] != layer->base)
            bytes += layer->specialists[i]->bytes;
    return bytes;
}

/* One truncation T_r: the square (m n^2), its eigenvectors (9 n^3 at most), the product
 * (4 m n r). */
static double truncation_operations(double m, double n, double rank) {
    return m * n * n + 9 * n * n * n + 4 * m * n * rank;
}

/* One spectrum: the square and its eigenvalues. */
static double spectrum_operations(double m, double n) {
    return m * n * n + 4.0 / 3 * n * n * n;
}

static void add_matrix_cost(struct cost *cost, const struct plan *plan, size_t l, bool spectra) {
    const struct layer *layer = &plan->table->layers[l];
    size_t full = layer_max_rank(layer), specialists = plan->table->specialist_count;
    double n = (double)full, m = (double)layer->elements / n;
    uint64_t bytes = layer_bytes(layer, specialists), square = (uint64_t)full * full * 8;
    bool truncates = false;
    for (size_t i = 0; i < specialists; i++) {
        size_t rank = likely_rank(plan_rule(plan, l, i), full);
        if (spectra) {
            cost->operations += spectrum_operations(m, n);
            cost->read_bytes += bytes;
        }
        if (rank == 0 || rank == full)
            continue;
        truncates = true;
        cost->operations += truncation_operations(m, n, (double)rank);
        cost->read_bytes += 2 * bytes; /* for the square, for the product */
    }
    if (spectra || truncates)
        cost->memory_bytes += 4 * square; /* square, eigenvectors, LAPACK's workspace */
    if (truncates)
        cost->memory_bytes += layer->elements * 8;
}

/* Adds what one layer takes, beside room for its tensor. */
static void add_layer_cost(struct cost *cost, const struct plan *plan,
                           const struct output_part *part, bool spectra) {
    const struct layer *layer = &plan->table->layers[part->layer];
    struct cost own = {.memory_bytes = 2 * RECIPE_PIECE * 8};
    own.memory_bytes += part->transposed ? layer->elements * 8 : 0;
    own.read_bytes = 2 * layer_bytes(layer, plan->table->specialist_count);
    if (layer->role == ROLE_MATRIX)
        add_matrix_cost(&own, plan, part->layer, spectra);
    cost->read_bytes += own.read_bytes;
    cost->operations += own.operations;
    if (cost->memory_bytes < own.memory_bytes) /* one part after another */
        cost->memory_bytes = own.memory_bytes;
}

static struct cost tensor_cost(const struct plan *plan, const struct output_layout *layout,
                               size_t index, bool spectra) {
    const struct tensor_spec *spec = &layout->specs[index];
    uint64_t header = spec->name_length + HEADER_LINE_BYTES + HEADER_SIZE_BYTES * spec->rank;
    uint64_t output = output_layout_bytes(layout, index);
    struct cost cost = {.output_bytes = output + header};
    for (size_t p = layout->first_part[index]; p < layout->first_part[index + 1]; p++)
        add_layer_cost(&cost, plan, &layout->parts[p], spectra);
    cost.memory_bytes += output;
    return cost;
}

static int by_size_descending(const void *one, const void *other) {
    uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
    return (a < b) - (a > b);
}

static uint64_t free_bytes_for(const char *path) {
    struct statvfs disk;
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/') /* a folder to be made in another one */
        length--;
    char *bare = memory_text(path, length), *folder = path_folder(bare);
    bool known = statvfs(folder, &disk) == 0;
    free(folder);
    free(bare);
    return known ? (uint64_t)disk.f_bavail * disk.f_frsize : 0;
}

bool merge_estimate(const struct plan *plan, const struct analysis *analysis, const char *path,
                    struct merge_estimate *estimate, struct error *error) {
    size_t workers = pool_threads(analysis->pool);
    bool spectra = merge_needs_spectra(plan);
    struct output_layout layout = {0};
    if (!merge_check_output(plan, path, error) ||
        !output_layout_make(plan->table, &plan->config.settings, path, &layout, error)) {
        output_layout_free(&layout);
        return false;
    }
    uint64_t *memory = memory_array(layout.count, sizeof *memory);
    *estimate =
        (struct merge_estimate){.tensors = layout.count, .free_bytes = free_bytes_for(path)};
    for (size_t i = 0; i < layout.count; i++) {
        struct cost cost = tensor_cost(plan, &layout, i, spectra);
        memory[i] = cost.memory_bytes;
        estimate->output_bytes += cost.output_bytes;
        estimate->read_bytes += cost.read_bytes;
        estimate->operations += cost.operations;
    }
    qsort(memory, layout.count, sizeof *memory, by_size_descending);
    for (size_t i = 0; i < layout.count && i < workers; i++)
        estimate->memory_bytes += memory[i];
    free(memory);
    output_layout_free(&layout);
    return true;
}
