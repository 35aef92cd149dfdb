/* Figures along depth: a panel for each kind of matrix, all with the same axes. */
#include "analysis/support/memory.h"
#include "render/figures/depth.h"

#include <math.h>

enum { PANEL_LIMIT = 24 }; /* kinds on a page */
#define LOG_FROM 5.0       /* largest over smallest rank from which a log axis says more */

/* Panels side by side, in rows that leave little empty. */
static void arrange(struct page *page) {
    static const size_t columns[] = {1, 1, 2, 3, 2, 3, 3, 4, 4, 3};
    size_t count = page->chart_count;
    page->columns = count < sizeof columns / sizeof *columns ? columns[count] : 4;
    page->height = 0.3 + 0.42 * ceil((double)count / (double)page->columns);
    page_set_least(page, 1, 0.8);
}

/* A panel for each of the first kinds; what is not shown is said. */
static void add_kinds(struct page *page, const struct figure_source *source,
                      const struct layer_kinds *kinds, depth_measure *measured, bool parts) {
    for (size_t k = 0; k < kinds->count && k < PANEL_LIMIT; k++)
        page_add(page, depth_kind_chart(source, &kinds->kinds[k], measured, parts));
    if (kinds->count > PANEL_LIMIT)
        page_add_note(page, memory_format("The first %d of %zu kinds of matrices are shown.",
                                          PANEL_LIMIT, kinds->count));
    if (kinds->lone > 0)
        page_add_note(page, memory_format("Not shown: %zu %s alone in its kind.", kinds->lone,
                                          kinds->lone == 1 ? "matrix" : "matrices, each"));
}

struct page *figure_real_depth(const struct figure_source *source, size_t unused) {
    (void)unused;
    struct page *page = page_create("Real share of the task vectors along depth");
    page->subtitle = memory_string("energy of the Real part over the energy of the task vector, in "
                                   "whole blocks and in each kind of matrix");
    page_add(page, depth_block_chart(source, depth_real, "whole blocks"));
    struct layer_kinds *kinds = layer_kinds_with_depth(source->analysis->table);
    add_kinds(page, source, kinds, depth_real, false);
    layer_kinds_free(kinds);
    for (size_t i = 0; i < page->chart_count; i++) {
        page->charts[i]->y.label = memory_string("Real share of \u2016\u03c4\u2016\u00b2");
        depth_fit_shares(page->charts[i]);
    }
    page_share_axes(page);
    arrange(page);
    return page;
}

/* ---- ranks ---- */

/* The largest rank that each layer of the kind could have. */
static void add_largest(struct chart *chart, const struct figure_source *source,
                        const struct layer_kind *kind) {
    struct chart_curve *curve = chart_add_curve(chart, "largest rank", CHART_NEUTRAL, kind->count);
    for (size_t at = 0; at < kind->count; at++) {
        curve->x[at] = kind->depths[at];
        curve->y[at] = (double)layer_max_rank(&source->analysis->table->layers[kind->layers[at]]);
    }
}

/* Logarithmic where all ranks can be shown so and differ by much. */
static void fit_ranks(struct page *page) {
    double least = INFINITY, most = 1;
    for (size_t p = 0; p < page->chart_count; p++)
        for (size_t c = 0; c < page->charts[p]->curve_count; c++)
            for (size_t at = 0; at < page->charts[p]->curves[c].count; at++) {
                least = fmin(least, page->charts[p]->curves[c].y[at]);
                most = fmax(most, page->charts[p]->curves[c].y[at]);
            }
    bool log = least >= 1 && most >= LOG_FROM * least;
    for (size_t p = 0; p < page->chart_count; p++) {
        struct chart *chart = page->charts[p];
        depth_fit(chart);
        chart->y = (struct chart_axis){.label = memory_string("rank"),
                                       .scale = log ? CHART_LOG : CHART_LINEAR,
                                       .minimum = log ? least / 1.4 : 0,
                                       .maximum = most * (log ? 1.4 : 1.05)};
    }
}

struct page *figure_ranks(const struct figure_source *source, size_t unused) {
    (void)unused;
    struct page *page = page_create("Ranks kept of the residuals along depth");
    page->subtitle = memory_string("for each kind of matrix, with the largest rank there could be");
    struct layer_kinds *kinds = layer_kinds_with_depth(source->analysis->table);
    add_kinds(page, source, kinds, depth_rank, true);
    for (size_t k = 0; k < page->chart_count; k++)
        add_largest(page->charts[k], source, &kinds->kinds[k]);
    layer_kinds_free(kinds);
    fit_ranks(page);
    page_share_axes(page);
    arrange(page);
    return page;
}
