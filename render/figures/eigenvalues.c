/* The Real core: the eigenvalues behind it and its weights (method.md section 2). */
#include "analysis/support/memory.h"
#include "render/figures/figures.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Rounding counts as 0. */
static double counted(const struct real_core *core, size_t i) {
    double noise = (double)core->n * DBL_EPSILON * fabs(core->eigenvalues[0]);
    return core->eigenvalues[i] > noise ? core->eigenvalues[i] : 0;
}

struct chart *figure_eigenvalues(const struct figure_source *source, size_t unused) {
    const struct real_core *core = source->analysis->core;
    size_t n = core->n, k = core->settings.rank;
    double total = 0;
    (void)unused;
    struct chart *chart =
        chart_create(core->settings.center ? "Eigenvalues of the centred Gram matrix"
                                           : "Eigenvalues of the Gram matrix");
    for (size_t i = 0; i < n; i++)
        total += counted(core, i);
    chart->subtitle =
        memory_format("\u2016core\u2016 %.4g, \u2016mean task vector\u2016 %.4g, cosine %.3f",
                      core->core_norm, core->mean_norm, core->cos_core_mean);
    chart->x.label = memory_string("eigenvalue, largest first");
    chart->y.label = memory_string("share of their sum");
    chart_set_bars(chart, n, 2, true);
    chart->bars.names[0] = memory_format("Real, k = %zu", k);
    chart->bars.names[1] = memory_string("residuals");
    chart->bars.colours[0] = CHART_REAL;
    chart->bars.colours[1] = CHART_CROSS;
    for (size_t i = 0; i < n; i++) {
        chart->bars.categories[i] = memory_format("%zu", i + 1);
        chart->bars.values[i * 2 + (i >= k)] = total > 0 ? counted(core, i) / total : 0;
    }
    chart_fit(chart);
    return chart;
}

/* In the place of numbers: the eigenvalues themselves and their shares. */
static void write_values(struct chart_bars *bars, const struct real_core *core) {
    for (size_t i = 0; i < core->n; i++) {
        double share = bars->values[2 * i] + bars->values[2 * i + 1];
        free(bars->categories[i]);
        bars->categories[i] = memory_format("%.3g (%.1f %%)", counted(core, i), 100 * share);
    }
}

/* w of every specialist, and its part p in the core. */
static struct chart *weights_chart(const struct figure_source *source) {
    const struct real_core *core = source->analysis->core;
    struct chart *chart = chart_create("Weights of the task vectors in the core");
    chart->x.label = memory_string("specialist");
    chart->y.label = memory_string("weight; share of the core");
    chart_set_bars(chart, core->n, 2, false);
    chart->bars.names[0] = memory_string("weight w");
    chart->bars.names[1] = memory_string("part p of the core");
    chart->bars.colours[0] = CHART_REAL;
    chart->bars.colours[1] = CHART_CROSS;
    for (size_t i = 0; i < core->n; i++) {
        chart->bars.categories[i] = memory_string(source->analysis->table->specialists[i].name);
        chart->bars.values[2 * i] = core->weights[i];
        chart->bars.values[2 * i + 1] = core->parts[i];
    }
    chart_fit(chart);
    return chart;
}

struct page *figure_real_core(const struct figure_source *source, size_t unused) {
    (void)unused;
    struct page *page = page_create("The Real core");
    struct chart *eigenvalues = figure_eigenvalues(source, 0);
    write_values(&eigenvalues->bars, source->analysis->core);
    page->subtitle = eigenvalues->subtitle;
    eigenvalues->subtitle = NULL;
    page->columns = 2;
    page->width = 1.25;
    page_add(page, eigenvalues);
    page_add(page, weights_chart(source));
    return page;
}
