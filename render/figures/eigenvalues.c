/* The eigenvalues behind the Real core (method.md section 2). */
#include "analysis/support/memory.h"
#include "render/figures/figures.h"

#include <float.h>
#include <math.h>

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
    chart->x.label = memory_string("eigenvalue (share), largest first");
    chart->y.label = memory_string("share of their sum");
    chart_set_bars(chart, n, 2, true);
    chart->bars.names[0] = memory_format("Real subspace, k = %zu", k);
    chart->bars.names[1] = memory_string("left to the residuals");
    chart->bars.colours[0] = CHART_REAL;
    chart->bars.colours[1] = CHART_FAKE;
    for (size_t i = 0; i < n; i++) {
        double value = counted(core, i), share = total > 0 ? value / total : 0;
        chart->bars.categories[i] = memory_format("%.3g (%.1f %%)", value, 100 * share);
        chart->bars.values[i * 2 + (i >= k)] = share;
    }
    chart_fit(chart);
    return chart;
}
