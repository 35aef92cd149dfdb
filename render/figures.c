#include "render/figures.h"

#include "analysis/support/memory.h"
#include "render/short_names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPECIALIST_NAME = 24 }; /* characters of a specialist's name in a legend */

struct spectrum_view spectrum_view_default(void) {
    return (struct spectrum_view){.x = CHART_LOG, .y = CHART_LOG, .selected = -1};
}

static const char *specialist_name(const struct analysis *analysis, size_t i) {
    return analysis->table->specialists[i].name;
}

static bool in_zoom(const struct spectrum_view *view, size_t index) {
    return view->zoom_max <= 0 ||
           ((double)index >= view->zoom_min && (double)index <= view->zoom_max);
}

/* "fs r=102 91%" */
static char *curve_name(const struct analysis *analysis, const struct preview_cell *cell,
                        size_t specialist) {
    char name[SPECIALIST_NAME * 4 + 4];
    chart_shorten(specialist_name(analysis, specialist), SPECIALIST_NAME, false, name, sizeof name);
    return cell->ready ? memory_format("%s r=%zu %.0f%%", name, cell->rank, 100 * cell->kept)
                       : memory_format("%s", name);
}

static void add_spectrum(struct chart *chart, const struct analysis *analysis,
                         const struct preview_cell *cell, const struct spectrum *spectrum,
                         const struct spectrum_view *view, size_t specialist) {
    char *name = curve_name(analysis, cell, specialist);
    struct chart_curve *curve =
        chart_add_curve(chart, name, CHART_SPECIALIST + (int)specialist, spectrum->count);
    free(name);
    curve->count = 0;
    for (size_t k = 0; k < spectrum->count; k++)
        if (in_zoom(view, k + 1)) {
            curve->x[curve->count] = (double)(k + 1);
            curve->y[curve->count++] = spectrum->sigma[k];
        }
    curve->cut = cell->ready ? (double)cell->rank : INFINITY;
    curve->selected = view->selected == (int)specialist;
}

/* The rank that all cells of a layer share, or -1. */
static long common_rank(const struct preview_cell *cells, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!cells[i].ready || cells[i].rank != cells[0].rank)
            return -1;
    return (long)cells[0].rank;
}

/* The cut lies after index rank: drawn at rank itself, so that full rank is still on the axis. */
static void add_cut(struct chart *chart, size_t rank, int colour) {
    char label[32];
    snprintf(label, sizeof label, "r=%zu", rank);
    chart_add_line(chart, true, (double)(rank > 0 ? rank : 1), label, colour, false);
}

/* The selected specialist's cut; without one, one line where all agree, else one each. */
static void add_cuts(struct chart *chart, const struct preview_cell *cells, size_t count,
                     const struct spectrum_view *view) {
    long common = common_rank(cells, count);
    if (view->selected < 0 && common >= 0) {
        add_cut(chart, (size_t)common, CHART_NEUTRAL);
        return;
    }
    for (size_t i = 0; i < count; i++)
        if (cells[i].ready && (view->selected < 0 || view->selected == (int)i))
            add_cut(chart, cells[i].rank, CHART_SPECIALIST + (int)i);
}

static void add_edges(struct chart *chart, const struct spectrum *spectrum) {
    chart_add_line(chart, false, spectrum_gavish_donoho(spectrum), "GD", CHART_NEUTRAL, true);
    chart_add_line(chart, false, spectrum_marchenko_pastur(spectrum), "MP", CHART_NEUTRAL, true);
}

struct chart *figure_spectrum(const struct analysis *analysis, const struct preview *preview,
                              size_t layer, const struct spectrum_view *view) {
    const struct layer *matrix = &analysis->table->layers[layer];
    size_t edges_of = view->selected >= 0 ? (size_t)view->selected : 0;
    if (matrix->role != ROLE_MATRIX)
        return NULL;
    struct chart *chart = chart_create(matrix->name);
    chart->subtitle =
        memory_format("%zu \u00d7 %zu, residual spectrum with rank cut and kept energy",
                      matrix->rows, matrix->cols);
    chart->x.scale = view->x;
    chart->y.scale = view->y;
    chart->x.label = memory_string("index of the singular value");
    chart->y.label = memory_string("singular value \u03c3 of the residual");
    for (size_t i = 0; i < analysis->table->specialist_count; i++) {
        const struct spectrum *spectrum =
            analysis->spectra != NULL ? spectra_get(analysis->spectra, layer, i) : NULL;
        const struct preview_cell *cell = preview_cell_at(preview, layer, i);
        if (spectrum == NULL)
            continue;
        add_spectrum(chart, analysis, cell, spectrum, view, i);
        if (view->noise_edges && i == edges_of)
            add_edges(chart, spectrum);
    }
    add_cuts(chart, preview_cell_at(preview, layer, 0), analysis->table->specialist_count, view);
    chart_fit(chart);
    return chart;
}

/* ---- bars along depth ---- */

/* The chart with a category for each matrix layer; *layers gets their indexes (free it). */
static struct chart *depth_chart(const struct analysis *analysis, const char *title, size_t series,
                                 bool stacked, size_t **layers) {
    const struct tensor_table *table = analysis->table;
    struct chart *chart = chart_create(title);
    size_t count = 0;
    *layers = memory_array(table->matrix_count, sizeof **layers);
    for (size_t l = 0; l < table->layer_count; l++)
        if (table->layers[l].role == ROLE_MATRIX)
            (*layers)[count++] = l;
    chart_set_bars(chart, count, series, stacked);
    short_names(table, *layers, count, chart->bars.categories);
    chart->x.label = memory_string("matrix layers, in order of depth");
    return chart;
}

static void name_series(struct chart *chart, size_t s, const char *name, int colour) {
    chart->bars.names[s] = memory_string(name);
    chart->bars.colours[s] = colour;
}

struct chart *figure_energy(const struct analysis *analysis, size_t specialist) {
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

struct chart *figure_contributions(const struct analysis *analysis, const struct preview *preview,
                                   bool after) {
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
