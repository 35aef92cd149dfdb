/* View 2: what each specialist brings, and what the core is made of. */
#include "render/figures/figures.h"
#include "tui/screen/pictures.h"
#include "tui/screen/specialists.h"

#include "merge/text.h"

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
    COLUMN_BAR_BEFORE,
    COLUMN_BAR_AFTER,
    COLUMN_PATH
};

#define WEIGHT_STEP 0.1

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
    {"before matching", 20, 9, 0, false, COLUMN_BAR_BEFORE, 0},
    {"after matching", 20, 10, 0, false, COLUMN_BAR_AFTER, 0},
    {"file", 16, 8, 90, false, COLUMN_PATH, 0},
};

struct specialists_view {
    struct list list;
    enum specialists_page page;
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

/* A bar of a share of the whole model. */
static void fill_bar(const struct app *app, size_t i, int column, struct list_cell *cell) {
    const struct preview_specialist *one = &app->preview->specialists[i];
    cell->style = specialist_style(i);
    cell->bar = !app->preview->complete      ? NAN
                : column == COLUMN_BAR_AFTER ? one->share_after
                                             : one->share_before;
}

/* The whole path where there is room for it, else the file's name. */
static const char *shorten_path(const char *path, int width, char buffer[TEXT_ROOM]) {
    return text_shorten(text_width(path) <= width ? path : path_file_name(path), width, buffer);
}

/* A specialist that is switched off: its name, its file, and that it is off. */
static void fill_off(const struct config_specialist *one, int column, int width,
                     struct list_cell *cell) {
    char *path = error_quote(one->path, strlen(one->path));
    const char *text = column == COLUMN_NAME     ? one->name
                       : column == COLUMN_PATH   ? path
                       : column == COLUMN_WEIGHT ? "off"
                                                 : "";
    (column == COLUMN_PATH ? shorten_path : text_shorten)(text, width, cell->text);
    cell->style = ELEMENT_QUIET;
    free(path);
}

static void fill(void *context, size_t row, int column, int width, struct list_cell *cell) {
    struct app *app = context;
    size_t on = app->table->specialist_count;
    if (row >= on) {
        fill_off(&app->roster.off[row - on].specialist, column, width, cell);
        return;
    }
    const struct table_specialist *one = &app->table->specialists[row];
    char cut[TEXT_ROOM];
    if (column == COLUMN_NAME) {
        snprintf(cell->text, sizeof cell->text, "%s", text_shorten(one->name, width, cut));
        cell->style = specialist_style(row) | STYLE_BOLD;
    } else if (column == COLUMN_PATH) {
        char *path = error_quote(one->path, strlen(one->path));
        snprintf(cell->text, sizeof cell->text, "%s", shorten_path(path, width, cut));
        cell->style = ELEMENT_QUIET;
        free(path);
    } else if (column == COLUMN_BAR_BEFORE || column == COLUMN_BAR_AFTER) {
        fill_bar(app, row, column, cell);
    } else {
        fill_number(app, row, column, cell);
    }
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct specialists_view *view = state;
    int rows = (int)view->list.count + 1;
    struct pair_layout layout = layout_stack(body, rows < body.height / 2 ? rows : body.height / 2);
    struct rect detail = layout.detail;
    layout.list.col = 1, layout.list.width -= 2;
    list_draw(&view->list, surface, layout.list, columns, sizeof columns / sizeof *columns, true,
              fill, app);
    surface_row(surface, layout.border_row, 0, body.width, ELEMENT_BORDER,
                theme_glyphs()->horizontal);
    detail.col = 1, detail.width -= 2;
    if (app->analysis->core != NULL)
        specialists_draw_detail(app, surface, detail, view->page);
    else
        surface_text(surface, detail.row, detail.col, detail.width, ELEMENT_QUIET,
                     app->analysis->stage == ANALYSIS_FAILED
                         ? "The analysis failed: nothing is known; see :messages."
                         : "The weights are being read.");
}

static struct list *list_of(void *state) {
    return &((struct specialists_view *)state)->list;
}

static void row_text(struct app *app, void *state, size_t row, char text[TEXT_ROOM]) {
    (void)state;
    size_t on = app->table->specialist_count;
    const char *name =
        row < on ? app->table->specialists[row].name : app->roster.off[row - on].specialist.name;
    snprintf(text, TEXT_ROOM, "%s", name);
}

/* The whole name of a row, which the table may shorten, and its place: the table may be longer than
 * its pane. */
static void status(struct app *app, void *state, char left[TEXT_ROOM], char right[TEXT_ROOM]) {
    const struct list *list = list_of(state);
    row_text(app, state, list->cursor, left);
    list_position(list, right);
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
    char *note = good ? plan_weight_note(app->plan, app->specialist) : NULL;
    if (note != NULL)
        app_say(app, STATUS_WARNING, "%s: Space leaves it out", note);
    else if (good)
        app_say(app, STATUS_INFO, "weight of %s: %.4g, its part %.1f%%",
                app->table->specialists[app->specialist].name, weight,
                100 * app->plan->shares[app->specialist]);
    free(note);
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

static unsigned mend(struct app *app) {
    const struct remedy *remedy = remedy_find(app);
    struct error error = {0};
    bool good = plan_set(app->plan, remedy->assignment, &error);
    if (good)
        app_say(app, STATUS_INFO, "%s; u takes it back", remedy->assignment);
    return app_edited(app, good, &error);
}

static unsigned act(struct app *app, void *state, enum action action) {
    struct specialists_view *view = state;
    size_t cursor = view->list.cursor;
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
    case ACTION_MEND:
        return mend(app);
    case ACTION_PAGE:
        view->page = (enum specialists_page)((view->page + 1) % PAGE_COUNT);
        return DIRTY_SCREEN;
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

static struct page *figure(struct app *app, void *state) {
    (void)state;
    return pictures_page(app, "energy");
}

const struct view_ops view_specialists = {.name = "specialists",
                                          .title = "Specialists",
                                          .open = open_view,
                                          .close = close_view,
                                          .draw = draw,
                                          .act = act,
                                          .list = list_of,
                                          .row_text = row_text,
                                          .status = status,
                                          .moved = moved,
                                          .changed = changed,
                                          .figure = figure};
