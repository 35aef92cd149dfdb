/* Beside the table of the History view: the metric against a setting, or what was printed. */
#include "merge/text.h"
#include "render/figures/sweep_chart.h"
#include "tui/screen/history.h"
#include "tui/terminal/plot.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Marks the selected plan on an axis of numbers. */
static void mark_selected(const struct history_view *view, struct chart *chart) {
    const struct sweep_axis *axis = view->axes[view->axis];
    size_t place = sweep_axis_place(axis, view->rows[view->list.cursor]);
    double number;
    if (axis->is_numeric && place < axis->values.count &&
        number_parse(axis->values.items[place], &number))
        chart_add_line(chart, true, number, axis->values.items[place], CHART_REAL, true);
}

/* As a sweep over that setting alone: of plans that differ in others the best is taken. */
struct chart *history_chart(struct app *app, struct history_view *view) {
    if (view->axis_count == 0 || view->results.metrics.count == 0)
        return NULL;
    struct sweep_results one = view->results;
    struct sweep_axis axis = *view->axes[view->axis];
    one.axes = &axis;
    one.axis_count = 1;
    one.is_search = false;
    struct sweep_goal goal = history_goal(app, view->results.metrics.items[view->metric]);
    struct chart *chart = figure_sweep(&one, &goal);
    free(chart->title);
    chart->title = memory_format("%s against %s, the best plan of each", goal.metric, axis.key);
    mark_selected(view, chart);
    return chart;
}

/* All metrics and settings of the selected plan, as far as there is room. */
static void draw_facts(const struct history_view *view, struct surface *surface,
                       struct rect *rect) {
    const struct sweep_record *record = view->rows[view->list.cursor];
    char text[TEXT_ROOM] = "", number[24];
    for (size_t m = 0; m < record->metrics.count && strlen(text) < TEXT_ROOM / 2; m++) {
        char *name =
            error_quote(record->metrics.items[m].name, strlen(record->metrics.items[m].name));
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%.100s %s", m > 0 ? ", " : "", name,
                 chart_number(record->metrics.items[m].value, 5, number, sizeof number));
        free(name);
    }
    surface_paragraph(surface, rect, ELEMENT_TEXT, text);
    char *settings = sweep_settings_text(&record->settings);
    surface_paragraph(surface, rect, ELEMENT_QUIET, settings);
    free(settings);
}

/* Why the selected plan has no metrics. */
static void draw_failure(const struct history_view *view, struct surface *surface,
                         struct rect *rect) {
    const char *error = view->rows[view->list.cursor]->error;
    char text[TEXT_ROOM];
    if (error == NULL)
        return;
    char *quoted = error_quote(error, strlen(error));
    snprintf(text, sizeof text, "failed: %.900s; o shows what was printed", quoted);
    surface_paragraph(surface, rect, ELEMENT_ERROR, text);
    free(quoted);
}

static void draw_plot(struct app *app, struct history_view *view, struct surface *surface,
                      struct rect rect) {
    struct chart *chart = history_chart(app, view);
    if (chart != NULL) {
        plot_draw(surface, rect, chart);
        chart_free(chart);
        return;
    }
    draw_failure(view, surface, &rect);
    draw_facts(view, surface, &rect);
    rect.row++, rect.height--;
    surface_paragraph(surface, &rect, ELEMENT_QUIET,
                      "Measure plans of other settings (!), and their metrics are plotted here.");
}

/* The last lines that there is room for. */
static void draw_lines(struct surface *surface, struct rect rect, const char *text) {
    size_t lines = 0;
    for (const char *at = text; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n')
        lines++;
    for (size_t line = 0; *text != '\0'; line++) {
        size_t length = strcspn(text, "\n");
        if (line + (size_t)rect.height >= lines) {
            char *quoted = error_quote(text, length);
            surface_text(surface, rect.row++, rect.col, rect.width, ELEMENT_TEXT, quoted);
            free(quoted);
        }
        text += length + (text[length] == '\n');
    }
}

static void draw_output(const struct history_view *view, struct surface *surface,
                        struct rect rect) {
    const struct measured_plan *plan = history_plan(view, view->list.cursor);
    char text[TEXT_ROOM];
    snprintf(text, sizeof text, "What the evaluation printed, %.1f s", plan->record.seconds);
    surface_paragraph(surface, &rect, ELEMENT_HEADER, text);
    if (plan->record.error != NULL) {
        char *quoted = error_quote(plan->record.error, strlen(plan->record.error));
        surface_paragraph(surface, &rect, ELEMENT_ERROR, quoted);
        free(quoted);
    }
    if (plan->record.output == NULL || *plan->record.output == '\0')
        surface_paragraph(surface, &rect, ELEMENT_QUIET, "nothing");
    else if (rect.height > 0)
        draw_lines(surface, rect, plan->record.output);
}

void history_draw_detail(struct app *app, struct history_view *view, struct surface *surface,
                         struct rect rect) {
    if (view->shows_output)
        draw_output(view, surface, rect);
    else
        draw_plot(app, view, surface, rect);
}
