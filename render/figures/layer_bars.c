/* Bars along the matrix layers: energies, contributions. */
#include "render/figures/figures.h"

#include "analysis/support/memory.h"
#include "render/figures/matrix_layers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *specialist_name(const struct analysis *analysis, size_t i) {
    return analysis->table->specialists[i].name;
}

/* ---- bars along depth ---- */

/* The chart with a category for each matrix layer; *layers gets their indexes (free it). */
static struct chart *depth_chart(const struct analysis *analysis, const char *title, size_t series,
                                 bool stacked, size_t **layers) {
    const struct tensor_table *table = analysis->table;
    struct chart *chart = chart_create(title);
    size_t count;
    *layers = matrix_layers(table, &count);
    chart_set_bars(chart, count, series, stacked);
    short_names(table, *layers, count, chart->bars.categories);
    chart->x.label = memory_string(MATRIX_LAYERS_LABEL);
    return chart;
}

static void name_series(struct chart *chart, size_t s, const char *name, int colour) {
    chart->bars.names[s] = memory_string(name);
    chart->bars.colours[s] = colour;
}

struct chart *figure_energy(const struct figure_source *source, size_t specialist) {
    const struct analysis *analysis = source->analysis;
    static const struct {
        const char *name;
        int colour;
    } parts[] = {{"Real", CHART_REAL}, {"Fake", CHART_FAKE}, {"cross", CHART_CROSS}};
    size_t *layers;
    char *title = memory_format("%s: Real and Fake energy of the task vector",
                                specialist_name(analysis, specialist));
    struct chart *chart = depth_chart(analysis, title, 3, true, &layers);
    free(title);
    chart->subtitle = memory_string("share of the layer's energy; the three parts add up to 1, "
                                    "cross may be negative");
    chart->y.label = memory_string("share of \u2016\u03c4\u2016\u00b2 in the layer");
    for (size_t s = 0; s < 3; s++)
        name_series(chart, s, parts[s].name, parts[s].colour);
    for (size_t c = 0; c < chart->bars.category_count && analysis->core != NULL; c++) {
        struct energy_split split =
            energy_split_layer(analysis->core, analysis_gram(analysis, layers[c]), specialist);
        double total = split.real + split.fake + split.cross;
        double values[] = {split.real, split.fake, split.cross};
        for (size_t s = 0; s < 3 && total > 0; s++)
            chart->bars.values[c * 3 + s] = values[s] / total;
    }
    free(layers);
    chart_fit(chart);
    return chart;
}

static struct chart *contributions(const struct figure_source *source, bool after) {
    const struct analysis *analysis = source->analysis;
    const struct preview *preview = source->preview;
    size_t *layers, n = analysis->table->specialist_count;
    struct chart *chart =
        depth_chart(analysis,
                    after ? "Contributions to the residual term after norm matching"
                          : "Contributions to the residual term before norm matching",
                    n, true, &layers);
    chart->y.label = memory_string("share of residual energy");
    for (size_t i = 0; i < n; i++) {
        const struct preview_specialist *whole = &preview->specialists[i];
        char *name = memory_format("%s %.0f%%", specialist_name(analysis, i),
                                   100 * (after ? whole->share_after : whole->share_before));
        name_series(chart, i, preview->complete ? name : specialist_name(analysis, i),
                    CHART_SPECIALIST + (int)i);
        free(name);
    }
    if (preview->complete)
        chart->subtitle = memory_string("in the legend: share over the whole model");
    for (size_t c = 0; c < chart->bars.category_count; c++)
        for (size_t i = 0; i < n; i++) {
            const struct preview_cell *cell = preview_cell_at(preview, layers[c], i);
            chart->bars.values[c * n + i] = after ? cell->share_after : cell->share_before;
        }
    free(layers);
    chart_fit(chart);
    return chart;
}

struct chart *figure_contributions_before(const struct figure_source *source, size_t unused) {
    (void)unused;
    return contributions(source, false);
}

struct chart *figure_contributions_after(const struct figure_source *source, size_t unused) {
    (void)unused;
    return contributions(source, true);
}
