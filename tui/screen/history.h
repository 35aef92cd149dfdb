/* The parts of the History view (view_history.c): measured plans as a table, and beside it the
 * metric against a setting, or what the evaluation printed. */
#ifndef R2M_TUI_SCREEN_HISTORY_H
#define R2M_TUI_SCREEN_HISTORY_H

#include "merge/sweep/measured.h"
#include "merge/sweep/results.h"
#include "tui/screen/app.h"

enum { HISTORY_COLUMNS = 40, HISTORY_TITLE = 16 };

struct history_view {
    struct list list;
    struct measured_plans plans;
    struct sweep_records records;   /* those of the plans, in their order; borrowed from them */
    struct sweep_results results;   /* the newest of each plan, measured and failed */
    const struct sweep_axis **axes; /* settings in which the plans differ */
    size_t axis_count;
    const struct sweep_record **rows; /* as they are listed */
    int sort_column;                  /* what history_table.c calls it */
    size_t axis, metric;              /* what is plotted, in axes and in results.metrics */
    bool shows_output;
    struct column columns[HISTORY_COLUMNS];
    char titles[HISTORY_COLUMNS][HISTORY_TITLE];
    size_t column_count;
};

/* The plan of a row. */
const struct measured_plan *history_plan(const struct history_view *view, size_t row);

/* Whether a row's settings are those of the present plan. */
bool history_is_present(const struct app *app, const struct history_view *view, size_t row);

/* What best means for a metric: as eval.metric says, else its name. metric is borrowed. */
struct sweep_goal history_goal(const struct app *app, const char *metric);

/* "alpha=0.4 residual.rank.ratio=0.1", the settings in which the plans differ; free() it. */
char *history_settings_text(const struct history_view *view, size_t row);

/* history_table.c */
void history_make_columns(struct app *app, struct history_view *view);
void history_order(struct app *app, struct history_view *view);
void history_sort_by(struct app *app, struct history_view *view, int column);
void history_sort_next(struct app *app, struct history_view *view);
void history_draw_table(struct app *app, struct history_view *view, struct surface *surface,
                        struct rect rect);

/* history_detail.c: the metric against a setting, NULL where there is none to plot. */
struct chart *history_chart(struct app *app, struct history_view *view);
void history_draw_detail(struct app *app, struct history_view *view, struct surface *surface,
                         struct rect rect);

#endif
