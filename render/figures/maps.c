/* Maps: a quantity over layers and specialists, and cosines between specialists. */
#include "analysis/energy.h"
#include "analysis/support/memory.h"
#include "render/figures/figures.h"
#include "render/figures/matrix_layers.h"

#include <math.h>
#include <stdlib.h>

/* ---- layers x specialists ---- */

/* In percent; NAN where there is nothing to show. */
typedef double quantity(const struct figure_source *source, size_t layer, size_t specialist);

struct layers_map {
    const char *title, *subtitle, *label;
    quantity *of;
    enum chart_colours colours;
};

/* Round ends, wide enough that what hardly differs looks alike: least, or the next whole ten above
 * the greatest; from 0, or as far below it where the colours part there. */
static void set_range(struct chart_map *map, double least) {
    double greatest = least;
    for (size_t i = 0; i < map->row_count * map->column_count; i++)
        greatest = fmax(greatest, fabs(map->values[i])); /* fmax passes over NAN */
    map->maximum = greatest > least ? 10 * ceil(greatest / 10 - 1e-9) : least;
    map->minimum = map->colours == CHART_DIVERGING ? -map->maximum : 0;
}

static struct chart *layers_map(const struct figure_source *source, const struct layers_map *what,
                                double least) {
    const struct tensor_table *table = source->analysis->table;
    struct chart *chart = chart_create(what->title);
    size_t count, *layers = matrix_layers(table, &count), n = table->specialist_count;
    chart->subtitle = memory_string(what->subtitle);
    chart->x.label = memory_string(MATRIX_LAYERS_LABEL);
    chart_set_map(chart, n, count, what->label);
    chart->map.colours = what->colours;
    short_names(table, layers, count, chart->map.columns);
    for (size_t row = 0; row < n; row++) {
        chart->map.rows[row] = memory_string(table->specialists[row].name);
        for (size_t column = 0; column < count; column++)
            chart->map.values[row * count + column] = what->of(source, layers[column], row);
    }
    free(layers);
    set_range(&chart->map, least);
    chart_fit(chart);
    return chart;
}

static double share(const struct figure_source *source, size_t layer, size_t specialist) {
    const struct preview_cell *cells = preview_cell_at(source->preview, layer, 0);
    double sum = 0;
    for (size_t i = 0; i < source->preview->specialist_count; i++)
        sum += cells[i].share_after;
    return sum > 0 ? 100 * cells[specialist].share_after : NAN;
}

static double real_share(const struct figure_source *source, size_t layer, size_t specialist) {
    const struct analysis *analysis = source->analysis;
    struct energy_split split =
        energy_split_layer(analysis->core, analysis_gram(analysis, layer), specialist);
    double total = split.real + split.fake + split.cross;
    return total > 0 ? 100 * split.real / total : NAN;
}

/* Of a residual that is nothing, nothing can be kept. */
static double kept(const struct figure_source *source, size_t layer, size_t specialist) {
    const struct spectrum *spectrum = spectra_get(source->analysis->spectra, layer, specialist);
    return spectrum != NULL && spectrum->count > 0 && spectrum->sigma[0] > 0
               ? 100 * preview_cell_at(source->preview, layer, specialist)->kept
               : NAN;
}

/* The formula of a layer's dominance (method.md section 4) with each share in place of the greatest
 * one. */
static double dominance(const struct figure_source *source, size_t layer, size_t specialist) {
    double equal = 100 / (double)source->preview->specialist_count;
    return equal < 100 ? (share(source, layer, specialist) - equal) / (1 - equal / 100) : 0;
}

struct chart *figure_map_share(const struct figure_source *source, size_t unused) {
    static const struct layers_map what = {"Shares of the residual term",
                                           "after norm matching; those of a layer add up to 100 %",
                                           "share / %", share, CHART_SEQUENTIAL};
    (void)unused;
    return layers_map(source, &what, fmin(200 / (double)source->preview->specialist_count, 100));
}

struct chart *figure_map_real(const struct figure_source *source, size_t unused) {
    static const struct layers_map what = {
        "Real share of the task vectors",
        "energy on the Real subspace over the energy of the task vector", "Real share / %",
        real_share, CHART_SEQUENTIAL};
    (void)unused;
    return layers_map(source, &what, 100);
}

struct chart *figure_map_kept(const struct figure_source *source, size_t unused) {
    static const struct layers_map what = {"Energy kept by the ranks",
                                           "share of the residual's energy up to the rank cut",
                                           "kept energy / %", kept, CHART_SEQUENTIAL};
    (void)unused;
    return layers_map(source, &what, 100);
}

struct chart *figure_map_dominance(const struct figure_source *source, size_t unused) {
    static const struct layers_map what = {
        "Dominance in the layers",
        "share above an equal one; 100: alone; the greatest is the layer's dominance",
        "dominance / %", dominance, CHART_DIVERGING};
    (void)unused;
    return layers_map(source, &what, 25);
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
    chart->map.decimals = 2;
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
