#include "merge/merge.h"

#include "analysis/low_rank.h"
#include "merge/config/config_parts.h"
#include "merge/methods/method.h"
#include "merge/output_layout.h"
#include "merge/recipe.h"

#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* Bytes a second to a disk. */
#define WRITE_RATE 6e8

/* An upper estimate of a tensor's line in the header: name, dtype, shape, two offsets. */
enum { HEADER_LINE_BYTES = 64, HEADER_SIZE_BYTES = 12 };

/* What a tensor of the output costs. Memory is that of its worker, in bytes. */
struct cost {
    uint64_t output_bytes, read_bytes;
    uint64_t spectrum_memory; /* largest reduction of a residual of its layers */
    uint64_t write_memory;    /* with the vectors of its truncations at hand */
    uint64_t vector_bytes;    /* those vectors */
    double spectra, products; /* operations of the reductions, and of what is made with them */
};

/* The rank that a cell will get; where only the spectrum tells, the most expensive one. */
static size_t likely_rank(struct rank_rule rule, size_t full) {
    return rank_rule_is_shape_only(rule) ? rank_rule_resolve(rule, full, NULL) : full / 2;
}

/* The vectors of a truncation (2 n^2 r), the product with them (4 m n r). */
static double truncation_operations(double m, double n, double rank) {
    return 2 * n * n * rank + 4 * m * n * rank;
}

static uint64_t larger(uint64_t one, uint64_t other) {
    return one > other ? one : other;
}

static void add_matrix_cost(struct cost *cost, const struct plan *plan, size_t l, bool spectra) {
    const struct layer *layer = &plan->table->layers[l];
    size_t full = layer_max_rank(layer), specialists = plan->table->specialist_count;
    double n = (double)full, m = (double)layer->elements / n;
    uint64_t bytes = layer_bytes(layer, specialists), product = 0;
    for (size_t i = 0; spectra && i < specialists; i++) {
        size_t rank = likely_rank(plan_rule(plan, l, i), full);
        bool truncates = rank > 0 && rank < full;
        uint64_t count = truncates ? (rank > full / 2 ? full - rank : rank) : 0;
        cost->read_bytes += bytes;
        cost->spectra += reduction_operations(layer);
        cost->spectrum_memory = larger(cost->spectrum_memory, reduction_memory(layer, count));
        if (!truncates)
            continue;
        cost->read_bytes += bytes;
        cost->products += truncation_operations(m, n, (double)count);
        cost->vector_bytes += full * count * 8;
        product = larger(product, low_rank_memory(layer, count));
    }
    if (cost->vector_bytes > 0)
        cost->write_memory += layer->elements * 8 + product;
}

static void add_method_cost(struct cost *cost, const struct plan *plan, const struct layer *layer) {
    size_t n = plan->table->specialist_count;
    const struct method_row *method = method_row(plan->config.settings.method);
    const struct method_cost own = method->price(layer, n);
    cost->write_memory += layer->elements * 8 + own.memory;
    cost->read_bytes += (own.readings - 1) * layer_bytes(layer, n);
    cost->products += own.operations;
}

/* Adds what one layer takes, beside room for its tensor. */
static void add_layer_cost(struct cost *cost, const struct plan *plan,
                           const struct output_part *part, bool spectra) {
    const struct layer *layer = &plan->table->layers[part->layer];
    struct cost own = {.write_memory = 2 * RECIPE_PIECE * 8};
    own.write_memory += part->transposed ? layer->elements * 8 : 0;
    own.read_bytes = 2 * layer_bytes(layer, plan->table->specialist_count);
    if (layer->role == ROLE_MATRIX)
        add_matrix_cost(&own, plan, part->layer, spectra);
    if (method_for_layer(&plan->config.settings, layer) != NULL)
        add_method_cost(&own, plan, layer);
    cost->read_bytes += own.read_bytes;
    cost->spectra += own.spectra;
    cost->products += own.products;
    cost->vector_bytes += own.vector_bytes; /* the rest: one part after another */
    cost->write_memory = larger(cost->write_memory, own.write_memory);
    cost->spectrum_memory = larger(cost->spectrum_memory, own.spectrum_memory);
}

static struct cost tensor_cost(const struct plan *plan, const struct output_layout *layout,
                               size_t index, bool spectra) {
    const struct tensor_spec *spec = &layout->specs[index];
    uint64_t header = spec->name_length + HEADER_LINE_BYTES + HEADER_SIZE_BYTES * spec->rank;
    uint64_t output = output_layout_bytes(layout, index);
    struct cost cost = {.output_bytes = output + header};
    for (size_t p = layout->first_part[index]; p < layout->first_part[index + 1]; p++)
        add_layer_cost(&cost, plan, &layout->parts[p], spectra);
    cost.write_memory += output;
    return cost;
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

/* What the tensors cost together, and each one's memory by phase, the largest first. */
struct sums {
    struct cost cost;
    uint64_t *spectrum, *write, *rewrite; /* rewrite: a reduction made again before the write */
    size_t count;
    uint64_t results; /* of the analysis */
};

static struct sums add_up(const struct plan *plan, const struct output_layout *layout) {
    size_t count = layout->count;
    bool spectra = merge_needs_spectra(plan);
    struct sums sums = {.count = count,
                        .spectrum = memory_array(3 * count, sizeof(uint64_t)),
                        .results = analysis_result_bytes(plan->table)};
    sums.write = sums.spectrum + count;
    sums.rewrite = sums.write + count;
    for (size_t i = 0; i < count; i++) {
        struct cost cost = tensor_cost(plan, layout, i, spectra);
        sums.spectrum[i] = cost.spectrum_memory;
        sums.write[i] = cost.write_memory;
        sums.rewrite[i] = cost.write_memory + cost.spectrum_memory;
        sums.cost.output_bytes += cost.output_bytes;
        sums.cost.read_bytes += cost.read_bytes;
        sums.cost.vector_bytes += cost.vector_bytes;
        sums.cost.spectra += cost.spectra;
        sums.cost.products += cost.products;
    }
    for (size_t phase = 0; phase < 3; phase++)
        memory_sort(sums.spectrum + phase * count, count);
    return sums;
}

/* Peak of that many workers, in the spectra pass or while they write. */
static uint64_t peak_of(const struct sums *sums, unsigned workers, bool again) {
    const uint64_t *write = again ? sums->rewrite : sums->write;
    return sums->results + larger(memory_in_flight(sums->spectrum, sums->count, workers),
                                  memory_in_flight(write, sums->count, workers));
}

/* Chooses workers and room for vectors within the memory: workers come first, because vectors can
 * be found again. false when even one is too many. */
static bool fit(const struct sums *sums, const struct work_limits *limits,
                struct merge_estimate *estimate) {
    uint64_t vectors = sums->cost.vector_bytes, peak = 0;
    bool again = limits->memory == 0 || limits->drops_vectors;
    unsigned workers = limits->threads;
    if (limits->memory > 0) {
        again = again || peak_of(sums, workers, false) + vectors > limits->memory;
        while (workers > 1 && peak_of(sums, workers, again) > limits->memory)
            workers--;
    }
    bool late = again || peak_of(sums, workers, true) + vectors <= limits->memory;
    peak = peak_of(sums, workers, late);
    uint64_t room = !limits->drops_vectors && limits->memory > peak ? limits->memory - peak : 0;
    estimate->threads = workers;
    estimate->late = late;
    estimate->vector_bytes = room < vectors ? room : vectors;
    estimate->memory_bytes = peak + estimate->vector_bytes;
    estimate->passes = sums->cost.spectra == 0 ? 2 : again && vectors > 0 ? 4 : 3;
    estimate->operations = sums->cost.spectra * (estimate->passes - 2) + sums->cost.products;
    return limits->memory == 0 || peak <= limits->memory;
}

bool merge_estimate(const struct plan *plan, const struct work_limits *limits, const char *path,
                    struct merge_estimate *estimate, struct error *error) {
    struct output_layout layout = {0};
    if (!merge_check_output(plan, path, error) ||
        !output_layout_make(plan->table, &plan->config.settings, path, &layout, error)) {
        output_layout_free(&layout);
        return false;
    }
    struct sums sums = add_up(plan, &layout);
    *estimate = (struct merge_estimate){.tensors = layout.count,
                                        .output_bytes = sums.cost.output_bytes,
                                        .read_bytes = sums.cost.read_bytes,
                                        .free_bytes = free_bytes_for(path)};
    bool good = fit(&sums, limits, estimate);
    free(sums.spectrum);
    output_layout_free(&layout);
    if (good)
        return true;
    char *who = memory_format("%s: the merge", path);
    memory_refuse(who, estimate->memory_bytes, limits->memory, error);
    free(who);
    return false;
}

double merge_expected_seconds(const struct merge_estimate *estimate) {
    return work_seconds(estimate->read_bytes, estimate->operations, estimate->threads) +
           (double)estimate->output_bytes / WRITE_RATE;
}
