/* The right side of the Layers view below the spectrum: bars, values. */
#include "tui/screen/layers.h"
#include "tui/screen/rank_proposal.h"

#include <math.h>

bool layer_energy(const struct app *app, size_t layer, size_t specialist,
                  struct energy_split *split) {
    const struct analysis *analysis = app->analysis;
    if (analysis->gram == NULL || analysis->core == NULL)
        return false;
    *split = energy_split_layer(analysis->core, analysis_gram(analysis, layer), specialist);
    return true;
}

unsigned changed_style(const struct app *app, double now, double before, unsigned otherwise) {
    return app_is_fresh(app) && now != before ? ELEMENT_CHANGED : otherwise;
}

/* Columns of the bars: name, split bar, Real %, [Fake %, cross %], before, after. */
struct bar_columns {
    int name, split, numbers, before, after, bar; /* columns from the left edge, bar widths */
    int split_width;
    bool wide;
};

static struct bar_columns bar_columns(int width) {
    struct bar_columns at = {.name = 1, .wide = width >= 76};
    int names = width < 60 ? 6 : 12, numbers = at.wide ? 16 : 4;
    int rest = width - 1 - names - numbers - 2 * 6;
    at.split = at.name + names;
    at.bar = width < 60 ? rest / 4 : rest * 3 / 10;
    at.split_width = rest - 2 * at.bar;
    at.numbers = at.split + at.split_width;
    at.before = at.numbers + numbers + 2;
    at.after = at.before + at.bar + 5;
    return at;
}

/* Real, Fake and cross parts of the energy side by side. */
static void draw_split(struct surface *surface, int row, int col, int width,
                       const struct energy_split *split) {
    double whole = split->real + split->fake + fabs(split->cross);
    int real = whole > 0 ? (int)(width * split->real / whole + 0.5) : 0;
    int fake = whole > 0 ? (int)(width * (split->real + split->fake) / whole + 0.5) - real : 0;
    int cross = whole > 0 ? width - real - fake : 0;
    surface_row(surface, row, col, real, ELEMENT_REAL, theme_glyphs()->eighths[8]);
    surface_row(surface, row, col + real, fake, ELEMENT_FAKE, theme_glyphs()->light);
    surface_row(surface, row, col + real + fake, cross, ELEMENT_CROSS, theme_glyphs()->middle);
}

/* What one row of bars shows. */
struct bar_row {
    bool split_known, before_known, after_known;
    struct energy_split split;
    double before, after;             /* shares */
    double older_before, older_after; /* and before the last edit */
};

static void draw_energy(struct surface *surface, int row, int left, const struct bar_columns *at,
                        const struct bar_row *bars) {
    const struct energy_split *split = &bars->split;
    double total = split->real + split->fake + split->cross;
    double scale = total > 0 ? 100 / total : 0;
    if (!bars->split_known) {
        surface_text(surface, row, left + at->split, 3, ELEMENT_QUIET, theme_glyphs()->pending);
        return;
    }
    draw_split(surface, row, left + at->split, at->split_width, split);
    surface_print(surface, row, left + at->numbers, 4, ELEMENT_TEXT, "%4.0f", split->real * scale);
    if (at->wide)
        surface_print(surface, row, left + at->numbers + 4, 12, ELEMENT_TEXT, " %4.0f %5.0f",
                      split->fake * scale, split->cross * scale);
}

static void draw_share(const struct app *app, struct surface *surface, int row, int col, int width,
                       double share, double older, bool known, size_t specialist) {
    if (!known) {
        surface_right(surface, row, col + width, 4, ELEMENT_QUIET, theme_glyphs()->pending);
        return;
    }
    surface_bar(surface, row, col, width, specialist_style(specialist), share);
    surface_print(surface, row, col + width, 4, changed_style(app, share, older, ELEMENT_TEXT),
                  "%4.0f", 100 * share);
}

static void draw_bar_row(const struct app *app, struct surface *surface, int row, int left,
                         const struct bar_columns *at, const struct bar_row *bars,
                         size_t specialist) {
    char name[TEXT_ROOM];
    int room = at->split - at->name - 1;
    unsigned style = specialist_style(specialist);
    style |= specialist == app->specialist ? STYLE_REVERSE | STYLE_BOLD : 0;
    surface_text(surface, row, left + at->name, room, style,
                 text_shorten(app->table->specialists[specialist].name, room, name));
    draw_energy(surface, row, left, at, bars);
    draw_share(app, surface, row, left + at->before, at->bar, bars->before, bars->older_before,
               bars->before_known, specialist);
    draw_share(app, surface, row, left + at->after, at->bar, bars->after, bars->older_after,
               bars->after_known, specialist);
}

static bool layer_ready(const struct app *app) {
    for (size_t i = 0; i < app->preview->specialist_count; i++)
        if (!preview_cell_at(app->preview, app->layer, i)->ready)
            return false;
    return true;
}

static struct bar_row layer_bars(const struct app *app, size_t specialist) {
    const struct preview_cell *cell = preview_cell_at(app->preview, app->layer, specialist);
    const struct preview_cell *older = preview_cell_at(app->before, app->layer, specialist);
    struct bar_row bars = {.before = cell->share_before,
                           .after = cell->share_after,
                           .older_before = older->share_before,
                           .older_after = older->share_after};
    bars.split_known = layer_energy(app, app->layer, specialist, &bars.split);
    bars.before_known = layer_ready(app);
    bars.after_known = bars.before_known && app->preview->complete;
    return bars;
}

/* Over the matrices of the whole model cross is 0. */
static struct bar_row model_bars(const struct app *app, size_t specialist) {
    const struct preview_specialist *one = &app->preview->specialists[specialist];
    const struct preview_specialist *older = &app->before->specialists[specialist];
    struct bar_row bars = {.before = one->share_before,
                           .after = one->share_after,
                           .older_before = older->share_before,
                           .older_after = older->share_after,
                           .before_known = app->preview->complete,
                           .after_known = app->preview->complete,
                           .split_known = app->analysis->core != NULL};
    if (bars.split_known)
        bars.split.real =
            energy_real_share(app->table, app->analysis->core, app->analysis->gram, specialist);
    bars.split.fake = 1 - bars.split.real;
    return bars;
}

static void draw_bar_header(struct surface *surface, struct rect rect,
                            const struct bar_columns *at) {
    const char *energy = at->split_width >= 15 ? "Real|Fake|cross" : "Real|Fake";
    bool room = at->bar >= 12;
    surface_text(surface, rect.row, rect.col + at->split, at->split_width, ELEMENT_HEADER, energy);
    surface_text(surface, rect.row, rect.col + at->numbers, at->wide ? 16 : 4, ELEMENT_HEADER,
                 at->wide ? " Re%  Fk%   x%" : " Re%");
    surface_text(surface, rect.row, rect.col + at->before, at->bar + 4, ELEMENT_HEADER,
                 room ? "share before, %" : "before %");
    surface_text(surface, rect.row, rect.col + at->after, at->bar + 4, ELEMENT_HEADER,
                 room ? "share after, %" : "after %");
}

/* The layer's bars, and below them the whole model's where there is room for both. */
void layers_draw_bars(struct app *app, struct surface *surface, struct rect rect) {
    struct bar_columns at = bar_columns(rect.width);
    size_t n = app->table->specialist_count, rows = (size_t)(rect.height - 1);
    size_t first = app->specialist >= rows ? app->specialist - rows + 1 : 0;
    draw_bar_header(surface, rect, &at);
    for (size_t i = first; i < n && i < first + rows; i++) {
        struct bar_row bars = layer_bars(app, i);
        draw_bar_row(app, surface, rect.row + 1 + (int)(i - first), rect.col, &at, &bars, i);
    }
    if (rows < 2 * n + 2)
        return;
    int row = rect.row + (int)n + 2;
    surface_text(surface, row, rect.col + 1, rect.width, ELEMENT_HEADER, "Whole model");
    for (size_t i = 0; i < n; i++) {
        struct bar_row bars = model_bars(app, i);
        draw_bar_row(app, surface, row + 1 + (int)i, rect.col, &at, &bars, i);
    }
}

static int draw_value(struct surface *surface, struct rect *rect, const char *what,
                      const char *value, unsigned style) {
    if (rect->height < 1)
        return 0;
    surface_text(surface, rect->row, rect->col, 18, ELEMENT_QUIET, what);
    surface_right(surface, rect->row, rect->col + 18, rect->width - 19, style, value);
    rect->row++;
    rect->height--;
    return 1;
}

/* Numbers that follow from the spectrum alone. */
static void draw_spectrum_values(struct surface *surface, struct rect *rect,
                                 const struct spectrum *spectrum, size_t rank) {
    char text[64];
    double first = spectrum->sigma[0];
    double last = rank > 0 ? spectrum->sigma[rank - 1] : 0;
    snprintf(text, sizeof text, "%.3g, %.3g", first, last);
    draw_value(surface, rect, "sigma_1, sigma_r", text, ELEMENT_TEXT);
    snprintf(text, sizeof text, "%.1f, %.1f", spectrum_stable_rank(spectrum),
             spectrum_effective_rank(spectrum));
    draw_value(surface, rect, "stable, effective", text, ELEMENT_TEXT);
    snprintf(text, sizeof text, "%zu, %zu",
             spectrum_count_above(spectrum, spectrum_gavish_donoho(spectrum)),
             spectrum_count_above(spectrum, spectrum_marchenko_pastur(spectrum)));
    draw_value(surface, rect, "gd, mp give", text, ELEMENT_TEXT);
    snprintf(text, sizeof text, "%zu, %zu", spectrum_energy_rank(spectrum, 0.9),
             spectrum_energy_rank(spectrum, 0.99));
    draw_value(surface, rect, "e90, e99 give", text, ELEMENT_TEXT);
}

/* What rule auto gives here, and why. */
static void draw_proposal(struct surface *surface, struct rect *rect,
                          const struct spectrum *spectrum) {
    char why[TEXT_ROOM], text[TEXT_ROOM];
    snprintf(text, sizeof text, "auto gives %.200s", rank_proposal_text(spectrum, why));
    surface_paragraph(surface, rect, ELEMENT_QUIET, text);
}

/* Singular value and kept energy of every specialist at the cursor. */
static void draw_cursor_values(const struct app *app, const struct layers_view *view,
                               struct surface *surface, struct rect *rect) {
    char text[64], name[TEXT_ROOM];
    size_t at = view->spectrum.cursor, n = app->table->specialist_count;
    if (at == 0 || rect->height < 2)
        return;
    snprintf(text, sizeof text, "at index %zu", at);
    draw_value(surface, rect, text, "sigma, kept", ELEMENT_HEADER);
    for (size_t i = 0; i < n && rect->height > 0; i++) {
        const struct spectrum *spectrum = layers_spectrum_read(app, &view->spectrum, i);
        if (spectrum == NULL || at > spectrum->count)
            continue;
        snprintf(text, sizeof text, "%.3g, %.1f%%", spectrum->sigma[at - 1],
                 100 * spectrum_kept(spectrum, at));
        surface_text(surface, rect->row, rect->col, 16, specialist_style(i),
                     text_shorten(app->table->specialists[i].name, 16, name));
        draw_value(surface, rect, "", text, ELEMENT_TEXT);
    }
}

void layers_draw_values(struct app *app, const struct layers_view *view, struct surface *surface,
                        struct rect rect) {
    const struct preview_cell *cell = preview_cell_at(app->preview, app->layer, app->specialist);
    const struct preview_cell *older = preview_cell_at(app->before, app->layer, app->specialist);
    const struct spectrum *spectrum =
        app->analysis->spectra != NULL
            ? spectra_get(app->analysis->spectra, app->layer, app->specialist)
            : NULL;
    char text[64], form[FIELD_TEXT];
    struct rank_rule rule = plan_rule(app->plan, app->layer, app->specialist);
    const char *name = app->table->specialists[app->specialist].name;
    surface_text(surface, rect.row, rect.col, rect.width,
                 specialist_style(app->specialist) | STYLE_BOLD, name);
    rect.row++, rect.height--;
    if (cell->max_rank > 0) {
        snprintf(text, sizeof text, "%zu of %zu", cell->rank, cell->max_rank);
        draw_value(surface, &rect, "rank", cell->ready ? text : theme_glyphs()->pending,
                   changed_style(app, (double)cell->rank, (double)older->rank, ELEMENT_TEXT));
        draw_value(surface, &rect, "rule", rank_rule_format(rule, form, sizeof form), ELEMENT_TEXT);
    }
    snprintf(text, sizeof text, "%.1f%%", 100 * cell->kept);
    draw_value(surface, &rect, "kept energy", cell->ready ? text : theme_glyphs()->pending,
               changed_style(app, cell->kept, older->kept, ELEMENT_TEXT));
    snprintf(text, sizeof text, "%.4g", cell->residual_norm);
    draw_value(surface, &rect, "norm of T(R)", cell->ready ? text : theme_glyphs()->pending,
               changed_style(app, cell->residual_norm, older->residual_norm, ELEMENT_TEXT));
    snprintf(text, sizeof text, "%s%.4g", theme_glyphs()->times, cell->scale);
    draw_value(surface, &rect, "norm matching",
               app->preview->complete ? text : theme_glyphs()->pending,
               changed_style(app, cell->scale, older->scale, ELEMENT_TEXT));
    snprintf(text, sizeof text, "%.3g", cell->contribution);
    draw_value(surface, &rect, "contribution",
               app->preview->complete ? text : theme_glyphs()->pending,
               changed_style(app, cell->contribution, older->contribution, ELEMENT_TEXT));
    if (spectrum != NULL)
        draw_spectrum_values(surface, &rect, spectrum, cell->rank);
    draw_cursor_values(app, view, surface, &rect);
    if (spectrum != NULL)
        draw_proposal(surface, &rect, spectrum);
}
