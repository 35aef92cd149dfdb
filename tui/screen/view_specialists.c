/* View 2: what each specialist brings, and what the core is made of. */
#include "tui/screen/layers.h"

#include "merge/text.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMN_NAME,
    COLUMN_NORM,
    COLUMN_REAL,
    COLUMN_RESIDUAL,
    COLUMN_SCALE,
    COLUMN_BEFORE,
    COLUMN_AFTER,
    COLUMN_PART,
    COLUMN_WEIGHT,
    COLUMN_PATH
};

#define WEIGHT_STEP 0.1
#define CORE_VANISHED 0.05 /* core over mean, method.md section 2 */
#define NEARLY_MEAN 0.995  /* cosine of core and mean */
enum { MATRIX_CELL = 6 };

static const struct column columns[] = {
    {"Specialist", 10, 0, 24, false, COLUMN_NAME, 0},
    {"norm", 8, 1, 0, true, COLUMN_NORM, 0},
    {"Real%", 5, 2, 0, true, COLUMN_REAL, 0},
    {"residual", 8, 3, 0, true, COLUMN_RESIDUAL, 0},
    {"scale", 6, 4, 0, true, COLUMN_SCALE, 0},
    {"before%", 7, 5, 0, true, COLUMN_BEFORE, 0},
    {"after%", 6, 6, 0, true, COLUMN_AFTER, 0},
    {"core%", 5, 7, 0, true, COLUMN_PART, 0},
    {"weight", 7, 0, 0, true, COLUMN_WEIGHT, 0},
    {"file", 16, 8, 90, false, COLUMN_PATH, 0},
};

struct specialists_view {
    struct list list;
};

static void *open_view(struct app *app) {
    struct specialists_view *view = memory_array(1, sizeof *view);
    list_resize(&view->list, app->table->specialist_count + app->roster.count);
    return view;
}

static void close_view(void *state) {
    free(state);
}

/* Whether the number of a column is known yet. */
static bool is_known(const struct app *app, int column) {
    bool of_core = column == COLUMN_NORM || column == COLUMN_REAL || column == COLUMN_PART;
    return of_core ? app->analysis->core != NULL
                   : app->preview->complete || column == COLUMN_WEIGHT;
}

static double number_of(const struct app *app, const struct preview *preview, size_t i,
                        int column) {
    const struct preview_specialist *one = &preview->specialists[i];
    const struct real_core *core = app->analysis->core;
    switch (column) {
    case COLUMN_NORM:
        return one->task_norm;
    case COLUMN_REAL:
        return 100 * energy_real_share(app->table, core, app->analysis->gram, i);
    case COLUMN_RESIDUAL:
        return one->residual_norm;
    case COLUMN_SCALE:
        return one->scale;
    case COLUMN_BEFORE:
        return 100 * one->share_before;
    case COLUMN_AFTER:
        return 100 * one->share_after;
    case COLUMN_PART:
        return 100 * core->parts[i];
    default:
        return app->plan->config.specialists[i].weight;
    }
}

static void fill_number(struct app *app, size_t i, int column, struct list_cell *cell) {
    static const char *const formats[] = {
        [COLUMN_NORM] = "%.4g",  [COLUMN_REAL] = "%.1f",   [COLUMN_RESIDUAL] = "%.4g",
        [COLUMN_SCALE] = "%.3f", [COLUMN_BEFORE] = "%.1f", [COLUMN_AFTER] = "%.1f",
        [COLUMN_PART] = "%.0f",  [COLUMN_WEIGHT] = "%.4g"};
    if (!is_known(app, column)) {
        snprintf(cell->text, sizeof cell->text, "%s", theme_glyphs()->pending);
        return;
    }
    double now = number_of(app, app->preview, i, column);
    snprintf(cell->text, sizeof cell->text, formats[column], now);
    cell->style = changed_style(app, now, number_of(app, app->before, i, column), ELEMENT_TEXT);
}

/* A specialist that is switched off: its name, its file, and that it is off. */
static void fill_off(const struct config_specialist *one, int column, int width,
                     struct list_cell *cell) {
    char *path = error_quote(one->path, strlen(one->path));
    const char *text = column == COLUMN_NAME     ? one->name
                       : column == COLUMN_PATH   ? path
                       : column == COLUMN_WEIGHT ? "off"
                                                 : "";
    text_shorten(text, width, cell->text);
    cell->style = ELEMENT_QUIET;
    free(path);
}

static void fill(void *context, size_t row, int column, int width, struct list_cell *cell) {
    struct app *app = context;
    size_t on = app->table->specialist_count;
    if (row >= on) {
        fill_off(&app->roster.off[row - on], column, width, cell);
        return;
    }
    const struct table_specialist *one = &app->table->specialists[row];
    char cut[TEXT_ROOM];
    if (column == COLUMN_NAME) {
        snprintf(cell->text, sizeof cell->text, "%s", text_shorten(one->name, width, cut));
        cell->style = specialist_style(row) | STYLE_BOLD;
    } else if (column == COLUMN_PATH) {
        char *path = error_quote(one->path, strlen(one->path));
        snprintf(cell->text, sizeof cell->text, "%s", text_shorten(path, width, cut));
        cell->style = ELEMENT_QUIET;
        free(path);
    } else {
        fill_number(app, row, column, cell);
    }
}

/* N x N cosines with names; returns the columns used. */
static int draw_matrix(struct app *app, struct surface *surface, struct rect rect,
                       const char *title, const double *cosines) {
    size_t n = app->table->specialist_count;
    char text[TEXT_ROOM];
    surface_text(surface, rect.row, rect.col, rect.width, ELEMENT_HEADER, title);
    for (size_t i = 0; i < n && 7 + (int)(i + 1) * MATRIX_CELL <= rect.width + 1; i++)
        surface_right(surface, rect.row + 1, rect.col + 7 + (int)i * MATRIX_CELL, MATRIX_CELL - 1,
                      specialist_style(i),
                      text_shorten(app->table->specialists[i].name, MATRIX_CELL - 1, text));
    for (size_t i = 0; i < n && (int)i + 2 < rect.height; i++) {
        const char *name = app->table->specialists[i].name;
        int row = rect.row + 2 + (int)i;
        surface_text(surface, row, rect.col, 6, specialist_style(i), text_shorten(name, 6, text));
        for (size_t j = 0; j < n; j++) {
            int col = rect.col + 7 + (int)j * MATRIX_CELL;
            snprintf(text, sizeof text, "%.2f", cosines[i * n + j]);
            if (col + MATRIX_CELL <= rect.col + rect.width + 1)
                surface_right(surface, row, col, MATRIX_CELL - 1,
                              i == j ? ELEMENT_QUIET : ELEMENT_TEXT, text);
        }
    }
    return 7 + (int)n * MATRIX_CELL;
}

/* Cosines between task vectors (residuals false) or residuals, over all matrices. */
static void compute_cosines(const struct app *app, bool residuals, double *cosines) {
    size_t n = app->table->specialist_count;
    double *sum = memory_array(n * n, sizeof *sum), *rows = memory_array(n * n, sizeof *rows);
    energy_gram_sum(app->table, app->analysis->gram, true, sum);
    for (size_t i = 0; i < n; i++)
        residual_coefficients(app->analysis->core, app->layer, i, rows + i * n);
    energy_cosines(sum, n, residuals ? rows : NULL, cosines);
    free(sum);
    free(rows);
}

static void draw_matrices(struct app *app, struct surface *surface, struct rect rect) {
    size_t n = app->table->specialist_count;
    double *cosines = memory_array(n * n, sizeof *cosines);
    compute_cosines(app, false, cosines);
    int used = draw_matrix(app, surface, rect, "Cosines of task vectors", cosines);
    used = used > 24 ? used + 3 : 27;
    compute_cosines(app, true, cosines);
    if (used * 2 <= rect.width + 3) {
        rect.col += used;
        rect.width -= used;
    } else {
        rect.row += (int)n + 3;
        rect.height -= (int)n + 3;
    }
    if (rect.height >= 3)
        draw_matrix(app, surface, rect, "Cosines of residuals", cosines);
    free(cosines);
}

/* What the core is, in words. */
static void verdict(const struct app *app, char text[TEXT_ROOM]) {
    const struct real_core *core = app->analysis->core;
    size_t most = 0;
    for (size_t i = 1; i < core->n; i++)
        most = core->parts[i] > core->parts[most] ? i : most;
    const char *name = app->table->specialists[most].name;
    if (core->n == 1)
        snprintf(text, TEXT_ROOM, "One specialist: the core is its whole task vector.");
    else if (core->core_mean_ratio < CORE_VANISHED)
        snprintf(text, TEXT_ROOM,
                 "The core almost vanishes: nearly all of the change is in the "
                 "residuals. Try real.center false (view 4).");
    else if (core->parts[most] > 0.6 && core->n > 2)
        snprintf(text, TEXT_ROOM,
                 "The core is mostly %s (%.0f%%), hardly shared. Try "
                 "real.normalize true (view 4).",
                 name, 100 * core->parts[most]);
    else if (core->cos_core_mean > NEARLY_MEAN)
        snprintf(text, TEXT_ROOM, "The core is nearly the plain mean of the task vectors.");
    else
        snprintf(text, TEXT_ROOM, "The core leans towards %s (%.0f%% of it).", name,
                 100 * core->parts[most]);
}

/* An eigenvalue; rounding counts as 0 (method.md section 2). */
static double counted(const struct real_core *core, size_t i) {
    double noise = (double)core->n * DBL_EPSILON * fabs(core->eigenvalues[0]);
    return fabs(core->eigenvalues[i]) > noise ? core->eigenvalues[i] : 0;
}

static void draw_core(struct app *app, struct surface *surface, struct rect *rect) {
    const struct real_core *core = app->analysis->core;
    char text[TEXT_ROOM];
    int used =
        surface_print(surface, rect->row, rect->col, rect->width, ELEMENT_HEADER, "Real core");
    surface_print(surface, rect->row++, rect->col + used + 2, rect->width - used - 2, ELEMENT_TEXT,
                  "|core| %.4g   |mean| %.4g   core/mean %.3f   cosine %.3f", core->core_norm,
                  core->mean_norm, core->core_mean_ratio, core->cos_core_mean);
    int length = snprintf(text, sizeof text, "Eigenvalues");
    for (size_t i = 0; i < core->n && length < (int)sizeof text - 20; i++)
        length +=
            snprintf(text + length, sizeof text - (size_t)length, "%s%.4g%s", i == 0 ? "  " : ", ",
                     counted(core, i), i + 1 == core->settings.rank ? " |" : "");
    surface_text(surface, rect->row++, rect->col, rect->width, ELEMENT_TEXT, text);
    verdict(app, text);
    rect->row += surface_wrap(surface, (struct rect){rect->row, rect->col, 3, rect->width},
                              ELEMENT_GOOD, text);
}

static void draw_warnings(struct app *app, struct surface *surface, struct rect *rect, int end) {
    const struct string_list *warnings = &app->preview->warnings;
    for (size_t i = 0; i < warnings->count && rect->row < end; i++) {
        surface_text(surface, rect->row, rect->col, 2, ELEMENT_WARNING, "! ");
        rect->row += surface_wrap(
            surface, (struct rect){rect->row, rect->col + 2, end - rect->row, rect->width - 2},
            ELEMENT_WARNING, warnings->items[i]);
    }
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct specialists_view *view = state;
    int rows = (int)view->list.count + 1;
    struct pair_layout layout = layout_stack(body, rows < body.height / 2 ? rows : body.height / 2);
    struct rect detail = layout.detail;
    int end = detail.row + detail.height;
    layout.list.col = 1, layout.list.width -= 2;
    list_draw(&view->list, surface, layout.list, columns, sizeof columns / sizeof *columns, true,
              fill, app);
    surface_row(surface, layout.border_row, 0, body.width, ELEMENT_BORDER,
                theme_glyphs()->horizontal);
    detail.col = 1, detail.width -= 2;
    if (app->analysis->core == NULL) {
        surface_text(surface, detail.row, detail.col, detail.width, ELEMENT_QUIET,
                     app->analysis->stage == ANALYSIS_FAILED
                         ? "The analysis failed: nothing is known; see :messages."
                         : "The weights are being read.");
        return;
    }
    draw_core(app, surface, &detail);
    draw_warnings(app, surface, &detail, end);
    detail.row++;
    detail.height = end - detail.row;
    if (detail.height >= 3)
        draw_matrices(app, surface, detail);
}

static struct list *list_of(void *state) {
    return &((struct specialists_view *)state)->list;
}

static void row_text(struct app *app, void *state, size_t row, char text[TEXT_ROOM]) {
    (void)state;
    size_t on = app->table->specialist_count;
    const char *name =
        row < on ? app->table->specialists[row].name : app->roster.off[row - on].name;
    snprintf(text, TEXT_ROOM, "%s", name);
}

static void moved(struct app *app, void *state) {
    size_t cursor = ((struct specialists_view *)state)->list.cursor;
    if (cursor < app->table->specialist_count)
        app->specialist = cursor;
}

static void changed(struct app *app, void *state) {
    struct list *list = &((struct specialists_view *)state)->list;
    list_resize(list, app->table->specialist_count + app->roster.count);
    if (list->cursor < app->table->specialist_count)
        list_select(list, app->specialist);
}

static unsigned set_weight(struct app *app, double weight) {
    struct error error = {0};
    bool good = plan_set_weight(app->plan, app->specialist, weight, &error);
    if (good)
        app_say(app, STATUS_INFO, "weight of %s: %.4g, its part %.1f%%",
                app->table->specialists[app->specialist].name, weight,
                100 * app->plan->shares[app->specialist]);
    return app_edited(app, good, &error);
}

static unsigned step_weight(struct app *app, double step) {
    double weight = app->plan->config.specialists[app->specialist].weight + step;
    weight = round(weight * 1e9) / 1e9; /* 0.1 + 0.2 is 0.3 */
    return set_weight(app, weight > 0 ? weight : 0);
}

static unsigned accept_weight(struct app *app, const char *text) {
    double weight;
    if (number_parse(text, &weight))
        return set_weight(app, weight);
    app_say(app, STATUS_ERROR, "a weight is a number, such as 0.5");
    return DIRTY_SCREEN | PROMPT_STAYS;
}

static unsigned ask_weight(struct app *app) {
    char text[NUMBER_TEXT];
    number_text(app->plan->config.specialists[app->specialist].weight, text);
    prompt_open(&app->prompt, (struct prompt_use){.label = "weight: ", .accept = accept_weight},
                text);
    return DIRTY_SCREEN;
}

static unsigned act(struct app *app, void *state, enum action action) {
    size_t cursor = ((struct specialists_view *)state)->list.cursor;
    bool of_weight =
        action == ACTION_WEIGHT_UP || action == ACTION_WEIGHT_DOWN || action == ACTION_WEIGHT_SET;
    if (of_weight && cursor >= app->table->specialist_count) {
        app_say(app, STATUS_INFO, "it is switched off; Space switches it on");
        return DIRTY_SCREEN;
    }
    switch (action) {
    case ACTION_WEIGHT_UP:
        return step_weight(app, WEIGHT_STEP);
    case ACTION_WEIGHT_DOWN:
        return step_weight(app, -WEIGHT_STEP);
    case ACTION_WEIGHT_SET:
        return ask_weight(app);
    case ACTION_SPECIALIST_ADD:
        return roster_ask_add(app);
    case ACTION_SPECIALIST_REMOVE:
        return roster_remove(app, cursor);
    case ACTION_SPECIALIST_SWITCH:
        return roster_switch(app, cursor);
    default:
        return NOT_MINE;
    }
}

const struct view_ops view_specialists = {.name = "specialists",
                                          .title = "Specialists",
                                          .open = open_view,
                                          .close = close_view,
                                          .draw = draw,
                                          .act = act,
                                          .list = list_of,
                                          .row_text = row_text,
                                          .moved = moved,
                                          .changed = changed};
