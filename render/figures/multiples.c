/* Small multiples: the spectra of all layers of one kind over depth, with the same axes. */
#include "analysis/layer_kinds.h"
#include "analysis/support/memory.h"
#include "merge/layer_order.h"
#include "render/figures/figures.h"

#include <math.h>
#include <stdlib.h>

enum { PANEL_LIMIT = 30, COLUMN_LIMIT = 6 };
#define THINNING 1.03 /* from one index drawn to the next, where that is more than one */

/* A small picture shows no more than indexes at equal steps of the log axis; the first, the last
 * and those at the cut stay. */
static void thin(struct chart_curve *curve) {
    size_t kept = 0;
    double next = 0;
    for (size_t k = 0; k < curve->count; k++)
        if (curve->x[k] >= next || k + 1 == curve->count || fabs(curve->x[k] - curve->cut) <= 1) {
            curve->x[kept] = curve->x[k];
            curve->y[kept++] = curve->y[k];
            next = curve->x[k] * THINNING;
        }
    curve->count = kept;
}

/* "91%", mean over the specialists; free() it. NULL: not known yet. */
static char *kept_text(const struct figure_source *source, size_t layer) {
    return source->preview->complete
               ? memory_format("%.0f%%", 100 * layer_kept(source->preview, layer))
               : NULL;
}

/* The spectrum of one layer without what all panels share. */
static struct chart *panel(const struct figure_source *source, const struct layer_kind *kind,
                           size_t at) {
    size_t layer = kind->layers[at];
    struct spectrum_view view = spectrum_view_default();
    struct chart *chart = figure_spectrum(source->analysis, source->preview, layer, &view);
    free(chart->title);
    free(chart->subtitle);
    chart->title = kind->numbered ? memory_format("block %.0f", kind->depths[at])
                                  : memory_string(source->analysis->table->layers[layer].name);
    chart->subtitle = kept_text(source, layer);
    free(chart->y.label);
    chart->y.label = memory_string("singular value \u03c3");
    for (size_t i = 0; i < chart->line_count; i++) {
        free(chart->lines[i].label);
        chart->lines[i].label = NULL;
    }
    for (size_t c = 0; c < chart->curve_count; c++) {
        struct chart_curve *curve = &chart->curves[c];
        free(curve->name);
        curve->name = memory_string(
            source->analysis->table->specialists[curve->colour - CHART_SPECIALIST].name);
        thin(curve);
    }
    return chart;
}

static void arrange(struct page *page) {
    page->columns =
        (size_t)fmin(fmax(round(sqrt(1.5 * (double)page->chart_count)), 1), COLUMN_LIMIT);
    page->height = 0.3 + 0.28 * ceil((double)page->chart_count / (double)page->columns);
    page->height = fmax(page->height, 0.8);
    page_set_least(page, 0.85, 0.7);
}

struct page *figure_multiples(const struct figure_source *source, size_t subject) {
    struct layer_kinds *kinds = layer_kinds_with_depth(source->analysis->table);
    const struct layer_kind *kind = &kinds->kinds[subject];
    size_t shown = kind->count < PANEL_LIMIT ? kind->count : PANEL_LIMIT;
    char *title = memory_format("%s: residual spectra over depth", kind->name);
    struct page *page = page_create(title);
    free(title);
    page->subtitle =
        memory_string("vertical lines and shade: rank cut and what it discards; beside "
                      "each title: energy kept, mean");
    for (size_t p = 0; p < shown; p++) /* evenly, first and last among them */
        page_add(page, panel(source, kind, shown > 1 ? p * (kind->count - 1) / (shown - 1) : 0));
    if (shown < kind->count)
        page_add_note(page, memory_format("%zu of %zu layers are shown, evenly over the depth.",
                                          shown, kind->count));
    page_share_axes(page);
    arrange(page);
    layer_kinds_free(kinds);
    return page;
}
