/* The table of the History view: when, metrics, and the settings in which the plans differ. */
#include "tui/screen/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { COLUMN_WHEN = 1, COLUMN_METRIC = 100, COLUMN_SETTING = 200 };
enum { METRIC_WIDTH = 8, METRIC_DIGITS = 5, WHEN_WIDTH = 13, SHOWN_METRICS = 12 };

struct fill_context {
    struct app *app;
    struct history_view *view;
};

/* ---- columns ---- */

/* The last two words of a setting's path. */
static const char *brief(const char *key) {
    const char *at = key + strlen(key);
    for (int dots = 0; at > key; at--)
        if (at[-1] == '.' && ++dots == 2)
            break;
    return at;
}

static int setting_width(const struct sweep_axis *axis, const char *title) {
    int width = text_width(title) + 2; /* room for the sign of the order */
    for (size_t i = 0; i < axis->values.count; i++) {
        int needed = text_width(axis->values.items[i]);
        width = needed > width ? needed : width;
    }
    return width < HISTORY_TITLE ? width : HISTORY_TITLE;
}

static void add_column(struct history_view *view, const char *title, struct column column) {
    if (view->column_count == HISTORY_COLUMNS)
        return;
    char *own = view->titles[view->column_count], cut[TEXT_ROOM];
    snprintf(own, HISTORY_TITLE, "%.15s", text_shorten(title, HISTORY_TITLE - 1, cut));
    column.title = own;
    view->columns[view->column_count++] = column;
}

void history_make_columns(struct app *app, struct history_view *view) {
    const struct string_list *metrics = &view->results.metrics;
    (void)app;
    view->column_count = 0;
    add_column(view, "measured",
               (struct column){.width = WHEN_WIDTH, .priority = 50, .id = COLUMN_WHEN});
    for (size_t m = 0; m < metrics->count && m < SHOWN_METRICS; m++)
        add_column(view, metrics->items[m],
                   (struct column){.width = METRIC_WIDTH,
                                   .priority = m == view->metric ? 0 : 60 + (int)m,
                                   .right = true,
                                   .id = COLUMN_METRIC + (int)m});
    for (size_t a = 0; a < view->axis_count; a++) {
        const char *title = brief(view->axes[a]->key);
        add_column(view, title,
                   (struct column){.width = setting_width(view->axes[a], title),
                                   .priority = a == view->axis ? 1 : 10 + (int)a,
                                   .right = true,
                                   .id = COLUMN_SETTING + (int)a});
    }
    view->list.sorted = 0;
    for (size_t c = 0; c < view->column_count; c++)
        if (view->columns[c].id == view->sort_column)
            view->list.sorted = c + 1;
}

/* ---- order ---- */

static const char *setting_text(const struct history_view *view, size_t axis, size_t row) {
    size_t place = sweep_axis_place(view->axes[axis], view->rows[row]);
    return place < view->axes[axis]->values.count ? view->axes[axis]->values.items[place] : "-";
}

/* What a row is put in order by; the values of a setting stand in their order on its axis. */
static double order_value(const struct history_view *view, size_t row, int column) {
    const struct sweep_record *record = view->rows[row];
    if (column >= COLUMN_SETTING)
        return (double)sweep_axis_place(view->axes[column - COLUMN_SETTING], record);
    if (column >= COLUMN_METRIC)
        return sweep_record_value(record, view->results.metrics.items[column - COLUMN_METRIC]);
    return (double)(record - view->records.items); /* the oldest first */
}

struct ordered {
    const struct sweep_record *record;
    double value;
};

/* NaN is last whichever way. */
static int compare(const void *one, const void *other) {
    const struct ordered *a = one, *b = other;
    if (isnan(a->value) || isnan(b->value))
        return isnan(a->value) - isnan(b->value);
    if (a->value != b->value)
        return a->value < b->value ? -1 : 1;
    return (a->record > b->record) - (a->record < b->record);
}

void history_order(struct app *app, struct history_view *view) {
    size_t count = view->list.count;
    const struct sweep_record *selected = count > 0 ? view->rows[view->list.cursor] : NULL;
    struct ordered *ordered = memory_array(count, sizeof *ordered);
    (void)app;
    for (size_t row = 0; row < count; row++) {
        double value = order_value(view, row, view->sort_column);
        ordered[row] = (struct ordered){view->rows[row], view->list.down ? -value : value};
    }
    qsort(ordered, count, sizeof *ordered, compare);
    for (size_t row = 0; row < count; row++) {
        view->rows[row] = ordered[row].record;
        if (ordered[row].record == selected)
            list_select(&view->list, row);
    }
    free(ordered);
}

/* The first time a metric's best is on top; once more turns it round. */
void history_sort_by(struct app *app, struct history_view *view, int column) {
    bool again = column == view->sort_column, is_metric = column >= COLUMN_METRIC;
    const struct string_list *metrics = &view->results.metrics;
    if (column >= COLUMN_SETTING)
        is_metric = false;
    bool lower = is_metric && history_goal(app, metrics->items[column - COLUMN_METRIC]).lower;
    view->list.down = again ? !view->list.down : column == COLUMN_WHEN || (is_metric && !lower);
    view->sort_column = column;
    history_order(app, view);
}

void history_sort_next(struct app *app, struct history_view *view) {
    int widths[HISTORY_COLUMNS];
    size_t at = 0, count = view->column_count;
    layout_columns(view->columns, count, view->list.rect.width, widths);
    while (at < count && view->columns[at].id != view->sort_column)
        at++;
    for (size_t step = 0; step < count && (step == 0 || widths[at] == 0); step++)
        at = (at + 1) % count;
    view->sort_column = 0; /* none: what follows is no second time */
    history_sort_by(app, view, view->columns[at].id);
    app_say(app, STATUS_INFO, "by %s, S turns it round", view->columns[at].title);
}

/* ---- cells ---- */

static bool is_best(const struct fill_context *context, const char *metric, double value) {
    struct sweep_goal goal = history_goal(context->app, metric);
    for (size_t row = 0; row < context->view->list.count; row++) {
        double other = sweep_record_value(context->view->rows[row], metric);
        if (sweep_goal_better(&goal, other, value))
            return false;
    }
    return context->view->list.count > 1;
}

static void fill_metric(const struct fill_context *context, size_t row, size_t index,
                        struct list_cell *cell) {
    const struct history_view *view = context->view;
    const char *metric = view->results.metrics.items[index];
    double value = sweep_record_value(view->rows[row], metric);
    char number[24];
    if (isnan(value)) {
        bool failed = view->rows[row]->error != NULL && index == 0;
        cell->style = failed ? ELEMENT_ERROR : ELEMENT_QUIET;
        snprintf(cell->text, sizeof cell->text, failed ? "failed" : "-");
        return;
    }
    bool best = is_best(context, metric, value);
    chart_number(value, METRIC_DIGITS, number, sizeof number);
    snprintf(cell->text, sizeof cell->text, "%s%s", best ? "*" : "", number);
    cell->style = best ? ELEMENT_GOOD | STYLE_BOLD : ELEMENT_TEXT;
}

static void fill_when(const struct fill_context *context, size_t row, struct list_cell *cell) {
    time_t when = (time_t)history_plan(context->view, row)->when;
    struct tm day;
    char text[24] = "";
    if (localtime_r(&when, &day) != NULL)
        strftime(text, sizeof text, "%m-%d %H:%M", &day);
    bool present = history_is_present(context->app, context->view, row);
    snprintf(cell->text, sizeof cell->text, "%s%s", present ? "> " : "  ", text);
    cell->style = present ? ELEMENT_SET : ELEMENT_QUIET;
}

static void fill(void *data, size_t row, int column, int width, struct list_cell *cell) {
    const struct fill_context *context = data;
    char cut[TEXT_ROOM];
    if (column >= COLUMN_SETTING) {
        const char *text = setting_text(context->view, (size_t)(column - COLUMN_SETTING), row);
        snprintf(cell->text, sizeof cell->text, "%s", text_shorten(text, width, cut));
    } else if (column >= COLUMN_METRIC) {
        fill_metric(context, row, (size_t)(column - COLUMN_METRIC), cell);
    } else {
        fill_when(context, row, cell);
    }
}

void history_draw_table(struct app *app, struct history_view *view, struct surface *surface,
                        struct rect rect) {
    struct fill_context context = {app, view};
    history_make_columns(app, view);
    list_draw(&view->list, surface, rect, view->columns, view->column_count, true, fill, &context);
}
