/* The plan's numbers on one page, beside small charts of what they mean along depth. */
#include "analysis/support/memory.h"
#include "merge/findings.h"
#include "merge/text.h"
#include "render/figures/depth.h"

#include <math.h>
#include <stdlib.h>

#define LEAST_WIDTH 7.6  /* inches, for three columns of facts */
#define LEAST_HEIGHT 3.8 /* inches, of one figure */

enum { SPECIALISTS_SHOWN = 16, FINDINGS_SHOWN = 6 };

/* ---- facts ---- */

static void add_number(struct page *page, const char *name, double value) {
    char text[16];
    page_add_fact(page, name, chart_number(value, 4, text, sizeof text));
}

/* Every setting that the method looks at, by its name in the config. */
static void add_settings(struct page *page, const struct plan *plan) {
    size_t count;
    const struct settings_field *fields = settings_fields(&count);
    char text[FIELD_TEXT];
    for (size_t f = 0; f < count; f++)
        if (fields[f].effect != EFFECT_OUTPUT &&
            settings_field_applies(&plan->config.settings, &fields[f]))
            page_add_fact(
                page, fields[f].path,
                settings_field_text(&plan->config.settings, &fields[f], text, sizeof text));
    if (plan->config.settings.method != METHOD_R2M)
        return; /* the ranks are the method's own */
    page_add_fact(page, "residual.rank", rank_rule_format(plan->config.rank, text, sizeof text));
    if (plan->config.override_count > 0)
        add_number(page, "residual.overrides", (double)plan->config.override_count);
}

static void add_sizes(struct page *page, const struct tensor_table *table) {
    double weights = 0;
    for (size_t l = 0; l < table->layer_count; l++)
        weights += layer_is_shared(&table->layers[l]) ? (double)table->layers[l].elements : 0;
    add_number(page, "specialists N", (double)table->specialist_count);
    add_number(page, "matrices", (double)table->matrix_count);
    add_number(page, "weights in common", weights);
}

static void add_results(struct page *page, const struct figure_source *source) {
    const struct real_core *core = source->analysis->core;
    const struct preview *preview = source->preview;
    if (core != NULL) {
        add_number(page, "core norm \u2016\u03c4_core\u2016", core->core_norm);
        add_number(page, "mean norm \u2016mean \u03c4\u2016", core->mean_norm);
        add_number(page, "core / mean", core->core_mean_ratio);
        add_number(page, "cos(core, mean)", core->cos_core_mean);
    }
    if (preview->complete) {
        add_number(page, "mean residual norm nbar", preview->nbar);
        add_number(page, "\u03b7", preview->eta);
        add_number(page, "\u2016\u03b7 \u03c4_res\u2016, at most", preview->residual_term);
    }
}

/* ---- the specialists ---- */

enum column { NAME, WEIGHT, NORM, PART, REAL, RESIDUAL, SCALE, BEFORE, AFTER, COLUMNS };

static const char *const titles[COLUMNS] = {
    [NAME] = "specialist",   [WEIGHT] = "weight",       [NORM] = "\u2016\u03c4\u2016",
    [PART] = "part of core", [REAL] = "Real share",     [RESIDUAL] = "\u2016T(R)\u2016",
    [SCALE] = "scale s",     [BEFORE] = "share before", [AFTER] = "share after"};

static char *number(double value) {
    char text[16];
    return memory_string(chart_number(value, 4, text, sizeof text));
}

static char *percent(double share) {
    return memory_format("%.1f%%", 100 * share);
}

static void fill_row(char **cells, const struct figure_source *source, size_t i) {
    const struct analysis *analysis = source->analysis;
    const struct preview_specialist *whole = &source->preview->specialists[i];
    bool complete = source->preview->complete;
    cells[NAME] = memory_string(analysis->table->specialists[i].name);
    cells[WEIGHT] = number(source->plan->shares[i]);
    cells[NORM] = number(whole->task_norm);
    cells[PART] = analysis->core != NULL ? percent(analysis->core->parts[i]) : memory_string("");
    cells[REAL] =
        analysis->core != NULL
            ? percent(energy_real_share(analysis->table, analysis->core, analysis->gram, i))
            : memory_string("");
    cells[RESIDUAL] = number(complete ? whole->residual_norm : NAN);
    cells[SCALE] = number(complete ? whole->scale : NAN);
    cells[BEFORE] = complete ? percent(whole->share_before) : memory_string("");
    cells[AFTER] = complete ? percent(whole->share_after) : memory_string("");
}

static void add_specialists(struct page *page, const struct figure_source *source) {
    size_t n = source->analysis->table->specialist_count;
    size_t shown = n < SPECIALISTS_SHOWN ? n : SPECIALISTS_SHOWN;
    page_set_table(page, shown + 1, COLUMNS);
    for (size_t c = 0; c < COLUMNS; c++)
        page->table.cells[c] = memory_string(titles[c]);
    for (size_t i = 0; i < shown; i++)
        fill_row(page->table.cells + (i + 1) * COLUMNS, source, i);
    if (shown < n)
        page_add_note(page, memory_format("The table leaves out %zu specialists.", n - shown));
}

/* ---- charts ---- */

/* A figure as a small chart, with a title that fits. */
static void add_figure(struct page *page, struct chart *chart, const char *title, char *subtitle) {
    free(chart->title);
    free(chart->subtitle);
    chart->title = memory_string(title);
    chart->subtitle = subtitle;
    page_add(page, chart);
}

/* In greys, the page's colours stand for specialists, and by number alone. */
static void add_eigenvalues(struct page *page, const struct figure_source *source) {
    struct chart *chart = figure_eigenvalues(source, 0);
    chart->bars.colours[0] = CHART_NEUTRAL;
    chart->bars.colours[1] = CHART_CROSS;
    for (size_t i = 0; i < chart->bars.category_count; i++) {
        free(chart->bars.categories[i]);
        chart->bars.categories[i] = memory_format("%zu", i + 1);
    }
    add_figure(page, chart, "Eigenvalues",
               memory_format("dark: Real subspace, k = %u", source->analysis->core->settings.rank));
}

static void add_depth(struct page *page, const struct figure_source *source,
                      depth_measure *measured, const char *title, const char *label) {
    struct chart *chart = depth_block_chart(source, measured, title);
    chart->y.label = memory_string(label);
    depth_fit_shares(chart);
    page_add(page, chart);
}

static void add_findings(struct page *page, const struct figure_source *source) {
    struct finding_list list = findings_make(source->plan, source->analysis, source->preview);
    for (size_t i = 0; i < list.count && i < FINDINGS_SHOWN; i++)
        page_add_note(page, memory_format("! %s: %s", list.items[i].what, list.items[i].text));
    if (list.count > FINDINGS_SHOWN)
        page_add_note(page, memory_format("! %zu more warnings", list.count - FINDINGS_SHOWN));
    if (list.count == 0)
        page_add_note(page, memory_string("Nothing about this plan looks amiss."));
    findings_free(&list);
}

struct page *figure_overview(const struct figure_source *source, size_t unused) {
    (void)unused;
    struct page *page = page_create("The merge in numbers");
    page->subtitle = memory_format("base %s", path_file_name(source->plan->config.base));
    page->width = 1.3;
    page->height = 1.85 + 0.05 * (double)source->analysis->table->specialist_count;
    page->least_width = LEAST_WIDTH;
    page->least_height = page->height * LEAST_HEIGHT;
    page->columns = 3;
    page->one_legend = true;
    add_settings(page, source->plan);
    add_sizes(page, source->analysis->table);
    add_results(page, source);
    add_specialists(page, source);
    add_depth(page, source, depth_real, "Real share", "Real share of \u2016\u03c4\u2016\u00b2");
    add_depth(page, source, depth_contribution, "Share after matching", "share of residual energy");
    add_depth(page, source, depth_rank, "Ranks kept", "rank / largest rank");
    add_eigenvalues(page, source);
    add_figure(page, figure_cosines_tasks(source, 0), "Cosines, task vectors", NULL);
    add_figure(page, figure_cosines_residuals(source, 0), "Cosines, residuals", NULL);
    add_findings(page, source);
    return page;
}
