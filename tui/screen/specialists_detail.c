/* Below the table of specialists: the core and what it is made of, who dominates and where,
 * cosines. */
#include "merge/layer_order.h"
#include "tui/screen/specialists.h"

#include "merge/text.h"
#include "render/short_names.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MATRIX_CELL = 6, MATRIX_NAME = 7, WORST_LAYERS = 3 };

/* The first of count entries that are seen, so that the selected one is. */
static size_t window(size_t selected, size_t count, int room) {
    size_t seen = room > 0 ? (size_t)room : 0;
    if (seen >= count || selected < seen / 2)
        return 0;
    return selected - seen / 2 + seen > count ? count - seen : selected - seen / 2;
}

/* N x N cosines with names, the part around the selected specialist where they are too many;
 * returns the columns that all would take. */
static int draw_matrix(struct app *app, struct surface *surface, struct rect rect,
                       const char *title, const double *cosines) {
    size_t n = app->table->specialist_count;
    int columns = (rect.width - MATRIX_NAME) / MATRIX_CELL, rows = rect.height - 2;
    size_t left = window(app->specialist, n, columns), top = window(app->specialist, n, rows);
    char text[TEXT_ROOM];
    surface_text(surface, rect.row, rect.col, rect.width, ELEMENT_HEADER, title);
    for (size_t j = left; j < n && (int)(j - left) < columns; j++)
        surface_right(surface, rect.row + 1, rect.col + MATRIX_NAME + (int)(j - left) * MATRIX_CELL,
                      MATRIX_CELL - 1, specialist_style(j),
                      text_shorten(app->table->specialists[j].name, MATRIX_CELL - 1, text));
    for (size_t i = top; i < n && (int)(i - top) < rows; i++) {
        int row = rect.row + 2 + (int)(i - top);
        unsigned bold = i == app->specialist ? STYLE_BOLD : 0;
        surface_text(surface, row, rect.col, MATRIX_NAME - 1, specialist_style(i) | bold,
                     text_shorten(app->table->specialists[i].name, MATRIX_NAME - 1, text));
        for (size_t j = left; j < n && (int)(j - left) < columns; j++) {
            snprintf(text, sizeof text, "%.2f", cosines[i * n + j]);
            surface_right(surface, row, rect.col + MATRIX_NAME + (int)(j - left) * MATRIX_CELL,
                          MATRIX_CELL - 1, (i == j ? ELEMENT_QUIET : ELEMENT_TEXT) | bold, text);
        }
    }
    return MATRIX_NAME + (int)n * MATRIX_CELL;
}

/* Cosines between task vectors (residuals false) or residuals, over all matrices. */
static void compute_cosines(const struct app *app, bool residuals, double *cosines) {
    size_t n = app->table->specialist_count;
    double *sum = memory_array(n * n, sizeof *sum);
    energy_gram_sum(app->table, app->analysis->gram, true, sum);
    if (residuals)
        energy_residual_cosines(app->table, app->analysis->core, app->analysis->gram, cosines);
    else
        energy_cosines(sum, n, NULL, cosines);
    free(sum);
}

/* Both side by side where there is room, else one below the other, residuals first where asked. */
static void draw_matrices(struct app *app, struct surface *surface, struct rect rect,
                          bool residuals_first) {
    static const char *const titles[] = {"Cosines of task vectors", "Cosines of residuals"};
    size_t n = app->table->specialist_count;
    double *cosines = memory_array(n * n, sizeof *cosines);
    int needed = MATRIX_NAME + (int)n * MATRIX_CELL, used = needed > 24 ? needed + 3 : 27;
    bool beside = used * 2 <= rect.width + 3;
    for (int which = 0; which < 2 && rect.height >= 3; which++) {
        bool residuals = (which == 1) != (residuals_first && !beside);
        compute_cosines(app, residuals, cosines);
        draw_matrix(app, surface, rect, titles[residuals], cosines);
        int step = (int)n + 3;
        if (beside)
            rect.col += used, rect.width -= used;
        else
            rect.row += step, rect.height -= step;
    }
    free(cosines);
}

/* An eigenvalue; rounding counts as 0 (method.md section 2). */
static double counted(const struct real_core *core, size_t i) {
    double noise = (double)core->n * DBL_EPSILON * fabs(core->eigenvalues[0]);
    return fabs(core->eigenvalues[i]) > noise ? core->eigenvalues[i] : 0;
}

/* "Eigenvalues  6.437 in the core, then 1.884, 0.7562". */
static void eigenvalues_text(const struct real_core *core, char text[TEXT_ROOM]) {
    int length = snprintf(text, TEXT_ROOM, "Eigenvalues ");
    for (size_t i = 0; i < core->n && length < TEXT_ROOM - 40; i++)
        length += snprintf(text + length, TEXT_ROOM - (size_t)length, "%s %.4g%s",
                           i == 0                     ? ""
                           : i == core->settings.rank ? ", then"
                                                      : ",",
                           counted(core, i), i + 1 == core->settings.rank ? " in the core" : "");
}

static void draw_core(struct app *app, struct surface *surface, struct rect *rect) {
    const struct real_core *core = app->analysis->core;
    char text[TEXT_ROOM];
    int used =
        surface_print(surface, rect->row, rect->col, rect->width, ELEMENT_HEADER, "Real core");
    surface_print(surface, rect->row++, rect->col + used + 2, rect->width - used - 2, ELEMENT_TEXT,
                  "|core| %.4g   |mean| %.4g   core/mean %.3f   cosine %.3f", core->core_norm,
                  core->mean_norm, core->core_mean_ratio, core->cos_core_mean);
    rect->height--;
    eigenvalues_text(core, text);
    surface_paragraph(surface, rect, ELEMENT_TEXT, text);
    core_verdict(app, text);
    surface_paragraph(surface, rect, ELEMENT_GOOD, text);
}

static void draw_warnings(struct app *app, struct surface *surface, struct rect *rect) {
    const struct string_list *warnings = &app->preview->warnings;
    for (size_t i = 0; i < warnings->count && rect->height > 0; i++) {
        struct rect text = {rect->row, rect->col + 2, rect->height, rect->width - 2};
        surface_text(surface, rect->row, rect->col, 2, ELEMENT_WARNING, "! ");
        surface_paragraph(surface, &text, ELEMENT_WARNING, warnings->items[i]);
        rect->row = text.row, rect->height = text.height;
    }
}

/* Who dominates, and where. */
static void draw_dominance(const struct app *app, struct surface *surface, struct rect *rect) {
    size_t layers[WORST_LAYERS] = {0};
    char text[TEXT_ROOM], name[TEXT_ROOM], who[TEXT_ROOM], *names[WORST_LAYERS];
    if (!app->preview->complete || app->table->specialist_count < 2)
        return;
    size_t count = layers_most_dominated(app->table, app->preview, layers, WORST_LAYERS);
    if (count == 0)
        return;
    short_names(app->table, layers, count, names);
    int length = snprintf(text, sizeof text, "Least equal after matching:");
    for (size_t k = 0; k < count; k++) {
        size_t leader = layer_leader(app->preview, layers[k]);
        length += snprintf(text + length, sizeof text - (size_t)length, "%s %s (%s %.0f%%)",
                           k > 0 ? "," : "", text_shorten_name(names[k], 24, name),
                           text_shorten(app->table->specialists[leader].name, 16, who),
                           100 * preview_cell_at(app->preview, layers[k], leader)->share_after);
        free(names[k]);
    }
    surface_paragraph(surface, rect, ELEMENT_TEXT, text);
}

/* What is amiss, and the key that mends it. */
static void draw_remedy(const struct app *app, struct surface *surface, struct rect *rect) {
    const struct remedy *remedy = remedy_find(app);
    char text[TEXT_ROOM];
    if (remedy == NULL)
        return;
    snprintf(text, sizeof text, "m mends: %s (%s).", remedy->assignment, remedy->does);
    surface_paragraph(surface, rect, ELEMENT_WARNING, text);
}

/* What is amiss comes before what is merely of interest. */
static void draw_summary(struct app *app, struct surface *surface, struct rect *detail) {
    draw_core(app, surface, detail);
    draw_warnings(app, surface, detail);
    draw_remedy(app, surface, detail);
    draw_dominance(app, surface, detail);
}

void specialists_draw_detail(struct app *app, struct surface *surface, struct rect detail,
                             enum specialists_page page) {
    if (page == PAGE_SUMMARY) {
        draw_summary(app, surface, &detail);
        detail.row++, detail.height--;
    }
    if (detail.height >= 3)
        draw_matrices(app, surface, detail, page == PAGE_RESIDUALS);
}
