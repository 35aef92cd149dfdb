/* View 6: plans that were measured, in this session and before, with their settings and metrics. */
#include "render/page.h"
#include "tui/screen/history.h"
#include "tui/screen/places.h"

#include <stdlib.h>
#include <string.h>

enum { WIDE = 110 }; /* columns from which the plot stands beside the table */

/* ---- what is listed ---- */

const struct measured_plan *history_plan(const struct history_view *view, size_t row) {
    return &view->plans.items[view->rows[row] - view->records.items];
}

struct sweep_goal history_goal(const struct app *app, const char *metric) {
    const char *chosen = app->plan->config.eval.metric;
    bool lower = metric_is_cost(metric);
    if (chosen != NULL && strcmp(chosen + (chosen[0] == '-'), metric) == 0)
        lower = chosen[0] == '-';
    return (struct sweep_goal){(char *)metric, lower};
}

/* The first setting, of every plan. */
static const char *method_of(const struct sweep_record *record) {
    return record->settings.count > 0 ? record->settings.items[0] : "";
}

/* Whether plans have different values, or of one method some have none. (What other methods do not
 * look at, they do not have.) */
static bool differs(const struct history_view *view, const struct sweep_axis *axis) {
    const struct sweep_record *const *rows = view->results.rows;
    size_t count = view->results.row_count;
    for (size_t r = 0; r < count; r++)
        for (size_t other = 0; other < r && axis->values.count == 1; other++)
            if (strcmp(method_of(rows[r]), method_of(rows[other])) == 0 &&
                sweep_axis_place(axis, rows[r]) != sweep_axis_place(axis, rows[other]))
                return true;
    return axis->values.count > 1;
}

static void forget_rows(struct history_view *view) {
    sweep_results_free(&view->results);
    free(view->records.items);
    free(view->axes);
    free(view->rows);
    view->results = (struct sweep_results){0};
}

/* The metric that eval.metric names, else the one that stays chosen. */
static void choose_metric(const struct app *app, struct history_view *view) {
    const char *chosen = app->plan->config.eval.metric;
    size_t count = view->results.metrics.count;
    view->metric = view->metric < count ? view->metric : 0;
    for (size_t m = 0; m < count && chosen != NULL && view->axis_count == 0; m++)
        if (strcmp(view->results.metrics.items[m], chosen + (chosen[0] == '-')) == 0)
            view->metric = m;
}

/* Everything that follows from the plans; the cursor stays in its row of the screen. */
static void list_plans(struct app *app, struct history_view *view) {
    forget_rows(view);
    size_t count = view->plans.count, cursor = view->list.cursor;
    view->records = (struct sweep_records){
        .items = memory_array(count, sizeof *view->records.items), .count = count};
    for (size_t i = 0; i < count; i++)
        view->records.items[i] = view->plans.items[i].record;
    view->results = sweep_results_make(&view->records);
    count = view->results.row_count;
    view->rows = memory_array(count, sizeof(const struct sweep_record *));
    for (size_t r = 0; r < count; r++)
        view->rows[r] = view->results.rows[r];
    choose_metric(app, view);
    view->axes = memory_array(view->results.axis_count, sizeof(const struct sweep_axis *));
    view->axis_count = 0;
    for (size_t a = 0; a < view->results.axis_count && count > 0; a++)
        if (differs(view, &view->results.axes[a]))
            view->axes[view->axis_count++] = &view->results.axes[a];
    view->axis = view->axis < view->axis_count ? view->axis : 0;
    list_resize(&view->list, count);
    history_make_columns(app, view);
    if (view->list.sorted == 0) { /* that column is gone */
        view->sort_column = 0;
        history_sort_by(app, view, view->columns[0].id);
    } else {
        history_order(app, view);
    }
    list_select(&view->list, cursor);
}

static void *open_view(struct app *app) {
    struct history_view *view = memory_array(1, sizeof *view);
    char *folder = place_state();
    char *path = folder != NULL ? memory_format("%s/measured.jsonl", folder) : NULL;
    size_t ignored = measured_read(path, &app->plan->config, &view->plans);
    if (ignored > 0)
        app_say(app, STATUS_WARNING, "%s: %zu lines are no measured plans", path, ignored);
    list_plans(app, view);
    free(path);
    free(folder);
    return view;
}

static void close_view(void *state) {
    struct history_view *view = state;
    forget_rows(view);
    measured_free(&view->plans);
    free(view);
}

void view_history_add(struct app *app, const struct export_job *job, const char *error) {
    struct history_view *view = app->states[VIEW_HISTORY];
    struct error trouble = {0};
    const struct sweep_record result = {.metrics = job->evaluation.metrics,
                                        .seconds = job->evaluation.seconds,
                                        .error = (char *)error,
                                        .output = job->evaluation.output};
    if (!measured_add(&view->plans, &job->plan->config, &result, &trouble))
        app_say(app, STATUS_WARNING, "not kept for later sessions: %s", trouble.message);
    error_free(&trouble);
    list_plans(app, view);
    for (size_t row = 0; row < view->list.count; row++)
        if (history_plan(view, row) == &view->plans.items[view->plans.count - 1])
            list_select(&view->list, row);
}

bool history_is_present(const struct app *app, const struct history_view *view, size_t row) {
    struct string_list settings = {0};
    config_assignments(&app->plan->config, &settings);
    const struct string_list *own = &view->rows[row]->settings;
    bool same = settings.count == own->count;
    for (size_t i = 0; i < settings.count && same; i++)
        same = strcmp(settings.items[i], own->items[i]) == 0;
    string_list_free(&settings);
    return same;
}

char *history_settings_text(const struct history_view *view, size_t row) {
    struct string_list settings = {0};
    for (size_t a = 0; a < view->axis_count; a++) {
        size_t place = sweep_axis_place(view->axes[a], view->rows[row]);
        if (place == view->axes[a]->values.count)
            continue;
        char *text = memory_format("%s=%s", view->axes[a]->key, view->axes[a]->values.items[place]);
        string_list_add(&settings, text);
        free(text);
    }
    char *text = sweep_settings_text(&settings);
    string_list_free(&settings);
    return text;
}

/* ---- drawing ---- */

static void draw_empty(const struct app *app, struct surface *surface, struct rect rect) {
    rect = (struct rect){rect.row + 1, 2, rect.height - 1, rect.width - 4};
    surface_paragraph(surface, &rect, ELEMENT_TEXT,
                      "No plan of these files has been measured yet.");
    surface_paragraph(
        surface, &rect, ELEMENT_QUIET,
        app->plan->config.eval.command != NULL
            ? "! merges the plan to a temporary file, runs eval.command on it, and lists it here."
            : "Say how a merged file is measured, :set eval.command=CMD {}, and press !: the plan "
              "is merged to a temporary file, CMD runs on it, and its metrics are listed here.");
}

static void draw_border(struct surface *surface, struct rect body,
                        const struct pair_layout *layout) {
    const struct glyphs *glyphs = theme_glyphs();
    if (layout->border_row >= 0)
        surface_row(surface, layout->border_row, body.col, body.width, ELEMENT_BORDER,
                    glyphs->horizontal);
    if (layout->border_col >= 0)
        surface_column(surface, body.row, layout->border_col, body.height, ELEMENT_BORDER,
                       glyphs->vertical);
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct history_view *view = state;
    int rows = (int)view->list.count + 1, half = body.height / 2;
    struct pair_layout layout = body.width >= WIDE ? layout_pair(body, body.width / 2)
                                                   : layout_stack(body, rows < half ? rows : half);
    if (view->list.count == 0) {
        draw_empty(app, surface, body);
        return;
    }
    history_draw_table(app, view, surface, layout.list);
    draw_border(surface, body, &layout);
    history_draw_detail(app, view, surface, layout.detail);
}

static void status(struct app *app, void *state, char left[TEXT_ROOM], char right[TEXT_ROOM]) {
    const struct history_view *view = state;
    (void)app;
    left[0] = right[0] = '\0';
    if (view->list.count == 0)
        return;
    char *settings = history_settings_text(view, view->list.cursor);
    snprintf(left, TEXT_ROOM, "%.1000s", settings);
    list_position(&view->list, right);
    free(settings);
}

/* ---- keys ---- */

/* The settings of a measured plan on the files as they are. */
static unsigned restore(struct app *app, struct history_view *view) {
    struct config config = {0};
    struct error error = {0};
    const struct measured_plan *plan = history_plan(view, view->list.cursor);
    if (!config_parse(plan->config, "the measured plan", NULL, &config, &error))
        return app_edited(app, false, &error);
    char *settings = history_settings_text(view, view->list.cursor);
    char *what =
        memory_format("plan measured before%s%.200s", *settings != '\0' ? ": " : "", settings);
    bool good = plan_take(app->plan, &config, what, &error);
    config_free(&config);
    if (good)
        app_say(app, STATUS_INFO, "%s; u takes it back", what);
    free(what);
    free(settings);
    return app_edited(app, good, &error);
}

static unsigned forget(struct app *app, struct history_view *view) {
    struct error error = {0};
    size_t index = (size_t)(view->rows[view->list.cursor] - view->records.items);
    if (!measured_remove(&view->plans, index, &error))
        app_say(app, STATUS_WARNING, "still kept for later sessions: %s", error.message);
    else
        app_say(app, STATUS_INFO, "forgotten");
    error_free(&error);
    list_plans(app, view);
    return DIRTY_SCREEN;
}

static unsigned next(size_t *chosen, size_t count) {
    *chosen = count > 0 ? (*chosen + 1) % count : 0;
    return DIRTY_SCREEN;
}

const char *history_disabled(const struct app *app) {
    enum view_id view = app->view < VIEW_HELP ? app->view : app->view_below;
    const struct history_view *history = app->states[VIEW_HISTORY];
    return view == VIEW_HISTORY && history->list.count == 0 ? "no plan was measured; ! measures one"
                                                            : NULL;
}

/* How one is measured comes first where none was. */
static bool hinted(const void *state, enum action action) {
    return action == ACTION_EVALUATE && ((const struct history_view *)state)->list.count == 0;
}

static unsigned act(struct app *app, void *state, enum action action) {
    struct history_view *view = state;
    switch (action) {
    case ACTION_RESTORE:
        return restore(app, view);
    case ACTION_FORGET:
        return forget(app, view);
    case ACTION_PLOT_SETTING:
        view->shows_output = false;
        return next(&view->axis, view->axis_count);
    case ACTION_PLOT_METRIC:
        view->shows_output = false;
        return next(&view->metric, view->results.metrics.count);
    case ACTION_OUTPUT:
        view->shows_output = !view->shows_output;
        return DIRTY_SCREEN;
    case ACTION_SORT:
        history_sort_next(app, view);
        return DIRTY_SCREEN;
    case ACTION_SORT_TURN:
        history_sort_by(app, view, view->sort_column);
        return DIRTY_SCREEN;
    default:
        return NOT_MINE;
    }
}

static unsigned click(struct app *app, void *state, int row, int col) {
    struct history_view *view = state;
    size_t column = list_title_at(&view->list, view->columns, view->column_count, row, col);
    if (column < view->column_count)
        history_sort_by(app, view, view->columns[column].id);
    return DIRTY_SCREEN;
}

static struct page *figure(struct app *app, void *state) {
    struct chart *chart = history_chart(app, state);
    return chart != NULL ? page_of_chart(chart) : NULL;
}

static struct list *list_of(void *state) {
    return &((struct history_view *)state)->list;
}

static void row_text(struct app *app, void *state, size_t row, char text[TEXT_ROOM]) {
    (void)app;
    char *settings = history_settings_text(state, row);
    snprintf(text, TEXT_ROOM, "%.1000s", settings);
    free(settings);
}

const struct view_ops view_history = {.name = "history",
                                      .title = "History",
                                      .open = open_view,
                                      .close = close_view,
                                      .draw = draw,
                                      .act = act,
                                      .list = list_of,
                                      .row_text = row_text,
                                      .click = click,
                                      .figure = figure,
                                      .hinted = hinted,
                                      .status = status};
