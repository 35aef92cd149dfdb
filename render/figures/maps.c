/* Maps: a quantity over layers and specialists, and cosines between specialists. */
#include "analysis/energy.h"
#include "analysis/support/memory.h"
#include "render/figures/figures.h"
#include "render/figures/matrix_layers.h"

#include <math.h>
#include <stdlib.h>

/* ---- layers x specialists ---- */

/* NAN where there is nothing to show. */
typedef double quantity(const struct figure_source *source, size_t layer, size_t specialist);

static struct chart *layers_map(const struct figure_source *source, const char *title,
                                const char *subtitle, const char *label, size_t rows,
                                quantity *of) {
    const struct tensor_table *table = source->analysis->table;
    struct chart *chart = chart_create(title);
    size_t count, *layers = matrix_layers(table, &count);
    chart->subtitle = memory_string(subtitle);
    chart->x.label = memory_string(MATRIX_LAYERS_LABEL);
    chart_set_map(chart, rows, count, label);
    short_names(table, layers, count, chart->map.columns);
    for (size_t row = 0; row < rows; row++) {
        chart->map.rows[row] = memory_string(
            rows > 1 || table->specialist_count == 1 ? table->specialists[row].name : "all");
        for (size_t column = 0; column < count; column++)
            chart->map.values[row * count + column] = of(source, layers[column], row);
    }
    free(layers);
    chart_fit(chart);
    return chart;
}

static double share(const struct figure_source *source, size_t layer, size_t specialist) {
    const struct preview_cell *cells = preview_cell_at(source->preview, layer, 0);
    double sum = 0;
    for (size_t i = 0; i < source->preview->specialist_count; i++)
        sum += cells[i].share_after;
    return sum > 0 ? cells[specialist].share_after : NAN;
}

static double real_share(const struct figure_source *source, size_t layer, size_t specialist) {
    const struct analysis *analysis = source->analysis;
    struct energy_split split =
        energy_split_layer(analysis->core, analysis_gram(analysis, layer), specialist);
    double total = split.real + split.fake + split.cross;
    return total > 0 ? split.real / total : NAN;
}

static double kept(const struct figure_source *source, size_t layer, size_t specialist) {
    return preview_cell_at(source->preview, layer, specialist)->kept;
}

static double dominance(const struct figure_source *source, size_t layer, size_t unused) {
    (void)unused;
    return source->preview->dominance[layer];
}

struct chart *figure_map_share(const struct figure_source *source, size_t unused) {
    (void)unused;
    return layers_map(source, "Shares of the residual term",
                      "after norm matching; the shares of a layer add up to 1", "share",
                      source->preview->specialist_count, share);
}

struct chart *figure_map_real(const struct figure_source *source, size_t unused) {
    (void)unused;
    return layers_map(source, "Real share of the task vectors",
                      "energy on the Real subspace over the energy of the task vector",
                      "Real share", source->preview->specialist_count, real_share);
}

struct chart *figure_map_kept(const struct figure_source *source, size_t unused) {
    (void)unused;
    return layers_map(source, "Energy kept by the ranks",
                      "share of the residual's energy below the rank cut", "kept energy",
                      source->preview->specialist_count, kept);
}

struct chart *figure_map_dominance(const struct figure_source *source, size_t unused) {
    (void)unused;
    return layers_map(source, "Dominance of the layers",
                      "0: equal shares after norm matching; 1: a single specialist contributes",
                      "dominance", 1, dominance);
}

/* ---- specialists x specialists ---- */

static struct chart *cosines(const struct figure_source *source, const char *title,
                             const double *values) {
    const struct tensor_table *table = source->analysis->table;
    size_t n = table->specialist_count;
    struct chart *chart = chart_create(title);
    chart->subtitle = memory_string("over all matrices");
    chart_set_map(chart, n, n, "cosine");
    chart->map.colours = CHART_DIVERGING;
    chart->map.minimum = -1;
    chart->map.maximum = 1;
    for (size_t i = 0; i < n; i++) {
        chart->map.rows[i] = memory_string(table->specialists[i].name);
        chart->map.columns[i] = memory_string(table->specialists[i].name);
        for (size_t j = 0; j < n; j++)
            chart->map.values[i * n + j] = values[i * n + j];
    }
    chart_fit(chart);
    return chart;
}

struct chart *figure_cosines_tasks(const struct figure_source *source, size_t unused) {
    const struct analysis *analysis = source->analysis;
    size_t n = analysis->table->specialist_count;
    double sum[SPECIALIST_LIMIT * SPECIALIST_LIMIT], values[SPECIALIST_LIMIT * SPECIALIST_LIMIT];
    (void)unused;
    energy_gram_sum(analysis->table, analysis->gram, true, sum);
    energy_cosines(sum, n, NULL, values);
    return cosines(source, "Cosines between task vectors", values);
}

struct chart *figure_cosines_residuals(const struct figure_source *source, size_t unused) {
    const struct analysis *analysis = source->analysis;
    double values[SPECIALIST_LIMIT * SPECIALIST_LIMIT];
    (void)unused;
    energy_residual_cosines(analysis->table, analysis->core, analysis->gram, values);
    return cosines(source, "Cosines between residuals", values);
}
