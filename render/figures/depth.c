#include "render/figures/depth.h"

#include "analysis/layer_names.h"
#include "analysis/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct depth_amount depth_real(const struct figure_source *source, size_t layer,
                               size_t specialist) {
    const struct analysis *analysis = source->analysis;
    if (analysis->core == NULL)
        return (struct depth_amount){0, 0};
    struct energy_split split =
        energy_split_layer(analysis->core, analysis_gram(analysis, layer), specialist);
    return (struct depth_amount){split.real, split.real + split.fake + split.cross};
}

struct depth_amount depth_contribution(const struct figure_source *source, size_t layer,
                                       size_t specialist) {
    const struct preview *preview = source->preview;
    double whole = 0;
    for (size_t i = 0; i < preview->specialist_count; i++)
        whole += preview_cell_at(preview, layer, i)->contribution;
    return (struct depth_amount){preview_cell_at(preview, layer, specialist)->contribution, whole};
}

struct depth_amount depth_rank(const struct figure_source *source, size_t layer,
                               size_t specialist) {
    const struct preview_cell *cell = preview_cell_at(source->preview, layer, specialist);
    return (struct depth_amount){(double)cell->rank, (double)cell->max_rank};
}

/* ---- curves ---- */

static double ratio(struct depth_amount amount) {
    return amount.whole > 0 ? amount.part / amount.whole : 0;
}

static struct chart_curve *specialist_curve(struct chart *chart, const struct figure_source *source,
                                            size_t i, size_t count) {
    struct chart_curve *curve = chart_add_curve(chart, source->analysis->table->specialists[i].name,
                                                CHART_SPECIALIST + (int)i, count);
    curve->marked = true;
    return curve;
}

void depth_fit(struct chart *chart) {
    chart_fit(chart);
    const struct chart_curve *curve = &chart->curves[0];
    chart->x.whole = true;
    chart->x.minimum = curve->count > 0 ? curve->x[0] - 0.5 : 0;
    chart->x.maximum = curve->count > 0 ? curve->x[curve->count - 1] + 0.5 : 1;
}

void depth_fit_shares(struct chart *chart) {
    depth_fit(chart);
    chart->y.maximum = fmax(chart->y.maximum, 1); /* beyond where a cross term is negative */
}

struct chart *depth_kind_chart(const struct figure_source *source, const struct layer_kind *kind,
                               depth_measure *measured, bool parts) {
    struct chart *chart = chart_create(kind->name);
    for (size_t i = 0; i < source->analysis->table->specialist_count; i++) {
        struct chart_curve *curve = specialist_curve(chart, source, i, kind->count);
        for (size_t at = 0; at < kind->count; at++) {
            struct depth_amount amount = measured(source, kind->layers[at], i);
            curve->x[at] = kind->depths[at];
            curve->y[at] = parts ? amount.part : ratio(amount);
        }
    }
    chart->x.label = memory_string(kind->numbered ? "block" : "layers in order of depth");
    return chart;
}

/* ---- whole blocks ---- */

/* Bytes of a name before the number of its block; 0: it is in none. */
static size_t before_number(const char *name) {
    size_t length = layer_module_length(name);
    while (length > 0 && name[length - 1] >= '0' && name[length - 1] <= '9')
        length--;
    return length > 0 && name[length - 1] == '.' && name[length] != '.' ? length : 0;
}

struct blocks {
    size_t *of_layer; /* [layer_count] which block; layer_count: none */
    double *numbers;  /* [count] by the names where all are of one stack, else 0, 1, 2, ... */
    size_t count;
    const char *label; /* of the numbers */
};

static bool same_block(const char *one, const char *other) {
    size_t length = layer_module_length(one);
    return layer_module_length(other) == length && memcmp(one, other, length) == 0;
}

/* Blocks by name. */
static void find_by_name(struct blocks *blocks, const struct tensor_table *table) {
    const char *last = NULL;
    bool one_stack = true;
    for (size_t l = 0; l < table->layer_count; l++) {
        const char *name = table->layers[l].name;
        size_t start = before_number(name);
        blocks->of_layer[l] = table->layer_count;
        if (table->layers[l].role != ROLE_MATRIX || start == 0)
            continue;
        if (last == NULL || !same_block(last, name)) {
            one_stack &= last == NULL || strncmp(last, name, start) == 0;
            blocks->numbers[blocks->count++] = strtod(name + start, NULL);
        }
        blocks->of_layer[l] = blocks->count - 1;
        last = name;
    }
    blocks->label = one_stack ? "block" : "blocks in order of depth";
    for (size_t b = 0; b < blocks->count && !one_stack; b++)
        blocks->numbers[b] = (double)b;
}

/* Every matrix by itself. */
static void take_matrices(struct blocks *blocks, const struct tensor_table *table) {
    blocks->count = 0;
    blocks->label = "matrices in order of depth";
    for (size_t l = 0; l < table->layer_count; l++)
        if (table->layers[l].role == ROLE_MATRIX) {
            blocks->numbers[blocks->count] = (double)blocks->count;
            blocks->of_layer[l] = blocks->count++;
        }
}

static struct blocks blocks_find(const struct tensor_table *table) {
    struct blocks blocks = {.of_layer = memory_array(table->layer_count, sizeof(size_t)),
                            .numbers = memory_array(table->layer_count, sizeof(double))};
    find_by_name(&blocks, table);
    if (blocks.count < 2)
        take_matrices(&blocks, table);
    return blocks;
}

static void blocks_release(struct blocks *blocks) {
    free(blocks->of_layer);
    free(blocks->numbers);
}

/* A curve of one specialist over the blocks, each taken as a whole. */
static void add_block_curve(struct chart *chart, const struct figure_source *source,
                            const struct blocks *blocks, depth_measure *measured,
                            size_t specialist) {
    struct chart_curve *curve = specialist_curve(chart, source, specialist, blocks->count);
    struct depth_amount *sums = memory_array(blocks->count, sizeof *sums);
    for (size_t l = 0; l < source->analysis->table->layer_count; l++)
        if (blocks->of_layer[l] < blocks->count) {
            struct depth_amount amount = measured(source, l, specialist);
            sums[blocks->of_layer[l]].part += amount.part;
            sums[blocks->of_layer[l]].whole += amount.whole;
        }
    for (size_t b = 0; b < blocks->count; b++) {
        curve->x[b] = blocks->numbers[b];
        curve->y[b] = ratio(sums[b]);
    }
    free(sums);
}

struct chart *depth_block_chart(const struct figure_source *source, depth_measure *measured,
                                const char *title) {
    struct blocks blocks = blocks_find(source->analysis->table);
    struct chart *chart = chart_create(title);
    for (size_t i = 0; i < source->analysis->table->specialist_count; i++)
        add_block_curve(chart, source, &blocks, measured, i);
    chart->x.label = memory_string(blocks.label);
    blocks_release(&blocks);
    return chart;
}
