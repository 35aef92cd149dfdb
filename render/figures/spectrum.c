/* The spectrum of a layer: residuals with their rank cuts, task vectors, the base; singular values
 * or the energy they add up to. */
#include "analysis/support/memory.h"
#include "render/figures/figures.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SPECIALIST_NAME = 24, EDGE_NAME = 12 }; /* characters of names in the legend, at a line */

struct spectrum_view spectrum_view_default(void) {
    return (struct spectrum_view){.x = CHART_LOG, .y = CHART_LOG, .selected = -1};
}

const char *spectrum_of_text(enum spectrum_of of) {
    static const char *const texts[] = {[SPECTRUM_RESIDUALS] = "residuals",
                                        [SPECTRUM_TASKS] = "task vectors",
                                        [SPECTRUM_BASE] = "base",
                                        [SPECTRUM_COMPARED] = "residual, task vector, base"};
    return texts[of];
}

/* A curve to be: a spectrum, and how it is drawn. */
struct source {
    const struct spectrum *spectrum; /* NULL: not ready */
    const struct preview_cell *cell; /* of a residual: its cut; else NULL */
    const char *name, *what;         /* "fs", "task vector" */
    int colour;
    bool selected;
};

/* y of singular value k (from 0). */
static double height(const struct spectrum_view *view, const struct spectrum *spectrum, size_t k) {
    if (view->cumulative)
        return spectrum_kept(spectrum, k + 1);
    double scale = view->relative && spectrum->sigma[0] > 0 ? spectrum->sigma[0] : 1;
    return spectrum->sigma[k] / scale;
}

static bool in_zoom(const struct spectrum_view *view, size_t index) {
    return view->zoom_max <= 0 ||
           ((double)index >= view->zoom_min && (double)index <= view->zoom_max);
}

/* "fs r=102 91%", "fs task vector", "base" */
static char *curve_name(const struct source *source) {
    char name[SPECIALIST_NAME * 4 + 4];
    chart_shorten(source->name, SPECIALIST_NAME, false, name, sizeof name);
    const char *gap = name[0] != '\0' && source->what[0] != '\0' ? " " : "";
    return source->cell != NULL && source->cell->ready
               ? memory_format("%s%s%s r=%zu %.0f%%", name, gap, source->what, source->cell->rank,
                               100 * source->cell->kept)
               : memory_format("%s%s%s", name, gap, source->what);
}

static void add_curve(struct chart *chart, const struct spectrum_view *view,
                      const struct source *source) {
    const struct spectrum *spectrum = source->spectrum;
    if (spectrum == NULL)
        return;
    char *name = curve_name(source);
    struct chart_curve *curve = chart_add_curve(chart, name, source->colour, spectrum->count);
    free(name);
    curve->count = 0;
    for (size_t k = 0; k < spectrum->count; k++)
        if (in_zoom(view, k + 1)) {
            curve->x[curve->count] = (double)(k + 1);
            curve->y[curve->count++] = height(view, spectrum, k);
        }
    curve->cut =
        source->cell != NULL && source->cell->ready ? (double)source->cell->rank : INFINITY;
    curve->selected = source->selected;
}

/* ---- lines ---- */

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

/* Of one curve, which the labels name where none is selected. */
static void add_edges(struct chart *chart, const struct spectrum_view *view,
                      const struct source *source) {
    const struct spectrum *spectrum = source->spectrum;
    const struct {
        const char *name;
        double value;
    } edges[] = {{"GD", spectrum_gavish_donoho(spectrum)},
                 {"MP", spectrum_marchenko_pastur(spectrum)}};
    double scale = view->relative && spectrum->sigma[0] > 0 ? spectrum->sigma[0] : 1;
    bool named = !source->selected && source->name[0] != '\0';
    char name[EDGE_NAME * 4 + 4];
    chart_shorten(source->name, EDGE_NAME, false, name, sizeof name);
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++) {
        char *label = memory_format("%s%s%s", edges[i].name, named ? " " : "", named ? name : "");
        chart_add_line(chart, false, edges[i].value / scale, label, CHART_NEUTRAL, true);
        free(label);
    }
}

/* ---- what is shown ---- */

static struct source residual_source(const struct analysis *analysis, const struct preview *preview,
                                     size_t layer, size_t i) {
    return (struct source){
        .spectrum = analysis->spectra != NULL ? spectra_get(analysis->spectra, layer, i) : NULL,
        .cell = preview_cell_at(preview, layer, i),
        .name = analysis->table->specialists[i].name,
        .what = "",
        .colour = CHART_SPECIALIST + (int)i};
}

static struct source task_source(const struct analysis *analysis, const struct raw_spectra *raw,
                                 size_t layer, size_t i) {
    return (struct source){.spectrum = raw != NULL ? raw_spectra_task(raw, layer, i) : NULL,
                           .name = analysis->table->specialists[i].name,
                           .what = "",
                           .colour = CHART_SPECIALIST + (int)i};
}

static struct source base_source(const struct raw_spectra *raw, size_t layer) {
    return (struct source){.spectrum = raw != NULL ? raw_spectra_base(raw, layer) : NULL,
                           .name = "",
                           .what = "base",
                           .colour = CHART_NEUTRAL};
}

/* The curves of the view in sources[SPECIALIST_LIMIT]; returns their number. The first selected
 * one (else the first) has the edges. */
static size_t sources_of(const struct analysis *analysis, const struct preview *preview,
                         size_t layer, const struct spectrum_view *view, struct source *sources) {
    size_t n = analysis->table->specialist_count;
    size_t one = view->selected >= 0 ? (size_t)view->selected : 0;
    if (view->of == SPECTRUM_BASE) {
        sources[0] = base_source(view->raw, layer);
        sources[0].selected = true;
        return 1;
    }
    if (view->of == SPECTRUM_COMPARED) {
        sources[0] = residual_source(analysis, preview, layer, one);
        sources[1] = task_source(analysis, view->raw, layer, one);
        sources[2] = base_source(view->raw, layer);
        sources[0].what = "residual";
        sources[0].selected = true;
        sources[1].what = "task vector";
        sources[1].colour = CHART_CROSS;
        return 3;
    }
    for (size_t i = 0; i < n; i++) {
        sources[i] = view->of == SPECTRUM_TASKS ? task_source(analysis, view->raw, layer, i)
                                                : residual_source(analysis, preview, layer, i);
        sources[i].selected = view->selected == (int)i;
    }
    return n;
}

static void describe(struct chart *chart, const struct layer *matrix,
                     const struct spectrum_view *view) {
    bool residuals = view->of == SPECTRUM_RESIDUALS;
    chart->subtitle =
        residuals ? memory_format("%zu \u00d7 %zu, residual spectrum with rank cut and kept "
                                  "energy",
                                  matrix->rows, matrix->cols)
                  : memory_format("%zu \u00d7 %zu, %s", matrix->rows, matrix->cols,
                                  spectrum_of_text(view->of));
    chart->x.scale = view->x;
    chart->y.scale = view->cumulative ? CHART_LINEAR : view->y;
    chart->x.label = memory_string("index of the singular value");
    chart->y.label = memory_format("%s%s",
                                   view->cumulative ? "share of the energy up to the index"
                                   : view->relative ? "singular value \u03c3 / \u03c3\u2081"
                                                    : "singular value \u03c3",
                                   residuals ? " of the residual" : "");
}

struct chart *figure_spectrum(const struct analysis *analysis, const struct preview *preview,
                              size_t layer, const struct spectrum_view *view) {
    const struct layer *matrix = &analysis->table->layers[layer];
    struct source sources[SPECIALIST_LIMIT + 3] = {0};
    if (matrix->role != ROLE_MATRIX)
        return NULL;
    struct chart *chart = chart_create(matrix->name);
    size_t count = sources_of(analysis, preview, layer, view, sources), edges_of = 0;
    describe(chart, matrix, view);
    for (size_t i = 0; i < count; i++) {
        add_curve(chart, view, &sources[i]);
        edges_of = sources[i].selected ? i : edges_of;
    }
    if (view->noise_edges && !view->cumulative && sources[edges_of].spectrum != NULL)
        add_edges(chart, view, &sources[edges_of]);
    if (view->of == SPECTRUM_RESIDUALS || view->of == SPECTRUM_COMPARED)
        add_cuts(chart, preview_cell_at(preview, layer, 0), analysis->table->specialist_count,
                 view);
    if (view->cursor > 0)
        chart_add_line(chart, true, (double)view->cursor, NULL, CHART_NEUTRAL, true);
    chart_fit(chart);
    if (view->cumulative)
        chart->y.maximum = fmin(chart->y.maximum, 1.02);
    return chart;
}

struct chart *figure_layer_spectrum(const struct figure_source *source, size_t layer) {
    struct spectrum_view view = spectrum_view_default();
    view.noise_edges = true;
    return figure_spectrum(source->analysis, source->preview, layer, &view);
}
