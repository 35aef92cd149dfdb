#include "render/figures/sweep_chart.h"

#include "merge/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MARGIN 0.08      /* above and below */
#define SIDE_MARGIN 0.02 /* left and right: marks at the ends are whole */

enum { CURVE_LIMIT = 8, DIGITS = 4 };

/* What the chart is made of: the best value for each pair of a value along x and one across. */
struct grid {
    const struct sweep_axis *along, *across; /* NULL: nothing is varied that way */
    size_t columns, rows;
    double *values; /* [rows x columns]; NAN: not measured */
    bool *failed;   /* [rows x columns]: a point was tried there in vain, and none has a value */
};

static bool is_varied(const struct sweep_axis *axis) {
    return axis->values.count > 1;
}

/* Better to have along: numbers before words, then more values. */
static bool is_longer(const struct sweep_axis *axis, const struct sweep_axis *than) {
    if (than == NULL || axis->is_numeric != than->is_numeric)
        return than == NULL || axis->is_numeric;
    return axis->values.count > than->values.count;
}

static void choose_axes(const struct sweep_results *results, struct grid *grid) {
    for (size_t a = 0; a < results->axis_count; a++) {
        const struct sweep_axis *axis = &results->axes[a];
        if (is_varied(axis) && is_longer(axis, grid->along))
            grid->along = axis;
    }
    for (size_t a = 0; a < results->axis_count && grid->across == NULL; a++)
        if (is_varied(&results->axes[a]) && &results->axes[a] != grid->along)
            grid->across = &results->axes[a];
    if (grid->along == NULL && results->axis_count > 0)
        grid->along = &results->axes[0];
}

static size_t place(const struct sweep_axis *axis, const struct sweep_record *record) {
    return axis != NULL ? sweep_axis_place(axis, record) : 0;
}

static struct grid grid_make(const struct sweep_results *results, const struct sweep_goal *goal) {
    struct grid grid = {0};
    choose_axes(results, &grid);
    grid.columns = grid.along != NULL ? grid.along->values.count : 1;
    grid.rows = grid.across != NULL ? grid.across->values.count : 1;
    size_t count = grid.rows * grid.columns;
    grid.values = memory_array(count, sizeof *grid.values);
    grid.failed = memory_array(count, sizeof *grid.failed);
    for (size_t i = 0; i < count; i++)
        grid.values[i] = NAN;
    for (size_t r = 0; r < results->row_count; r++) {
        size_t column = place(grid.along, results->rows[r]);
        size_t row = place(grid.across, results->rows[r]);
        double value = sweep_record_value(results->rows[r], goal->metric);
        if (column >= grid.columns || row >= grid.rows)
            continue;
        size_t cell = row * grid.columns + column;
        grid.failed[cell] |= results->rows[r]->error != NULL;
        if (sweep_goal_better(goal, value, grid.values[cell]))
            grid.values[cell] = value;
    }
    for (size_t i = 0; i < count; i++)
        grid.failed[i] = grid.failed[i] && isnan(grid.values[i]);
    return grid;
}

static void grid_free(struct grid *grid) {
    free(grid->values);
    free(grid->failed);
}

static char *row_name(const struct grid *grid, const struct sweep_goal *goal, size_t row) {
    return grid->across != NULL
               ? memory_format("%s %s", grid->across->key, grid->across->values.items[row])
               : memory_string(goal->metric);
}

static void add_curve(struct chart *chart, const struct grid *grid, const char *name, size_t row) {
    const double *values = grid->values + row * grid->columns;
    const bool *failed = grid->failed + row * grid->columns;
    struct chart_curve *curve =
        chart_add_curve(chart, name, CHART_SPECIALIST + (int)row, grid->columns);
    curve->count = 0;
    curve->marked = true;
    for (size_t c = 0; c < grid->columns; c++)
        if (isfinite(values[c]) || failed[c]) {
            number_parse(grid->along->values.items[c], &curve->x[curve->count]);
            curve->y[curve->count++] = values[c];
        }
}

/* A line where the best of all curves lies. */
static void mark_best(struct chart *chart, const struct grid *grid, const struct sweep_goal *goal) {
    double best = NAN, at = NAN;
    for (size_t i = 0; i < grid->rows * grid->columns; i++)
        if (sweep_goal_better(goal, grid->values[i], best)) {
            best = grid->values[i];
            number_parse(grid->along->values.items[i % grid->columns], &at);
        }
    if (!isnan(best) && grid->columns > 1)
        chart_add_line(chart, true, at, "best", CHART_NEUTRAL, true);
}

static void fill_curves(struct chart *chart, const struct grid *grid,
                        const struct sweep_goal *goal) {
    for (size_t row = 0; row < grid->rows; row++) {
        char *name = row_name(grid, goal, row);
        add_curve(chart, grid, name, row);
        free(name);
    }
    mark_best(chart, grid, goal);
}

/* The word; where it has a bar of its own, with its value: heights differ by less than one sees.
 * free() it. */
static char *category_text(const struct grid *grid, size_t column) {
    const char *word = grid->along != NULL ? grid->along->values.items[column] : "";
    double value = grid->values[column];
    char number[NUMBER_TEXT];
    if (grid->rows > 1)
        return memory_string(word);
    return memory_format("%s %s", word,
                         grid->failed[column] ? "failed"
                                              : chart_number(value, DIGITS, number, sizeof number));
}

static void fill_bars(struct chart *chart, const struct grid *grid, const struct sweep_goal *goal) {
    chart_set_bars(chart, grid->columns, grid->rows, false);
    struct chart_bars *bars = &chart->bars;
    for (size_t c = 0; c < grid->columns; c++) {
        bars->categories[c] = category_text(grid, c);
        for (size_t row = 0; row < grid->rows; row++) {
            size_t cell = row * grid->columns + c;
            bool empty = isnan(grid->values[cell]) && !grid->failed[cell];
            bars->values[c * grid->rows + row] = empty ? 0 : grid->values[cell];
        }
    }
    for (size_t row = 0; row < grid->rows; row++) {
        bars->names[row] = row_name(grid, goal, row);
        bars->colours[row] = CHART_SPECIALIST + (int)row;
    }
}

static void fill_map(struct chart *chart, const struct grid *grid, const struct sweep_goal *goal) {
    if (grid->along == NULL || grid->across == NULL)
        return;
    chart_set_map(chart, grid->rows, grid->columns, goal->metric);
    struct chart_map *map = &chart->map;
    for (size_t c = 0; c < grid->columns; c++)
        map->columns[c] = memory_string(grid->along->values.items[c]);
    for (size_t row = 0; row < grid->rows; row++)
        map->rows[row] = memory_string(grid->across->values.items[row]);
    memcpy(map->values, grid->values, grid->rows * grid->columns * sizeof *map->values);
    chart->y.label = memory_string(grid->across->key);
}

static void fill_search(struct chart *chart, const struct sweep_results *results,
                        const struct sweep_goal *goal) {
    double best = NAN;
    chart_add_curve(chart, "best so far", CHART_SPECIALIST, results->row_count);
    chart_add_curve(chart, "each trial", CHART_NEUTRAL, results->row_count);
    for (size_t r = 0; r < results->row_count; r++) {
        double value = sweep_record_value(results->rows[r], goal->metric);
        best = sweep_goal_better(goal, value, best) ? value : best;
        for (size_t c = 0; c < 2; c++)
            chart->curves[c].x[r] = (double)(r + 1);
        chart->curves[0].y[r] = best;
        chart->curves[1].y[r] = value;
    }
    chart->curves[1].marked = true;
    chart->x.label = memory_string("trial");
    chart->x.whole = true;
}

static void fill_grid(struct chart *chart, const struct sweep_results *results,
                      const struct sweep_goal *goal) {
    struct grid grid = grid_make(results, goal);
    bool is_map = grid.rows > CURVE_LIMIT;
    bool is_numeric = grid.along != NULL && grid.along->is_numeric;
    if (is_map)
        fill_map(chart, &grid, goal);
    else if (is_numeric)
        fill_curves(chart, &grid, goal);
    else
        fill_bars(chart, &grid, goal);
    chart->x.label = memory_string(grid.along != NULL ? grid.along->key : NULL);
    grid_free(&grid);
}

/* What curves span and a little more: points differ by less than their distance from 0. */
static void fit_curves(struct chart *chart) {
    double low = INFINITY, high = -INFINITY;
    for (size_t c = 0; c < chart->curve_count; c++)
        for (size_t i = 0; i < chart->curves[c].count; i++) {
            low = fmin(low, chart->curves[c].y[i]);
            high = fmax(high, chart->curves[c].y[i]);
        }
    double margin = (high - low) * MARGIN;
    double side = (chart->x.maximum - chart->x.minimum) * SIDE_MARGIN;
    chart->x.minimum -= side;
    chart->x.maximum += side;
    if (!(margin > 0))
        return;
    chart->y.minimum = low - margin;
    chart->y.maximum = high + margin;
}

/* Index of the best row, the first of equal ones; the number of rows where none has the metric. */
static size_t best_row(const struct sweep_results *results, const struct sweep_goal *goal) {
    size_t best = results->row_count;
    double value = NAN;
    for (size_t r = 0; r < results->row_count; r++) {
        double own = sweep_record_value(results->rows[r], goal->metric);
        if (sweep_goal_better(goal, own, value)) {
            best = r;
            value = own;
        }
    }
    return best;
}

/* "; 3 points failed"; free() it. */
static char *failed_text(const struct sweep_results *results) {
    size_t failed = 0;
    for (size_t r = 0; r < results->row_count; r++)
        failed += results->rows[r]->error != NULL;
    return failed > 0 ? memory_format("; %zu point%s failed (cross)", failed, failed > 1 ? "s" : "")
                      : memory_string("");
}

/* Names the settings; of a search, which has as many as layers, the trial. free() it. */
static char *best_text(const struct sweep_results *results, const struct sweep_goal *goal) {
    size_t row = best_row(results, goal);
    char number[NUMBER_TEXT];
    if (row == results->row_count)
        return memory_string("no point has this metric");
    const struct sweep_record *best = results->rows[row];
    char *settings = results->is_search ? memory_format("trial %zu", row + 1)
                                        : sweep_settings_text(&best->settings);
    chart_number(sweep_record_value(best, goal->metric), DIGITS, number, sizeof number);
    char *text = memory_format("best %s: %s", number, settings);
    free(settings);
    return text;
}

/* The best, and how many failed. */
static char *subtitle(const struct sweep_results *results, const struct sweep_goal *goal) {
    char *best = best_text(results, goal), *failed = failed_text(results);
    char *text = memory_format("%s%s", best, failed);
    free(best);
    free(failed);
    return text;
}

struct chart *figure_sweep(const struct sweep_results *results, const struct sweep_goal *goal) {
    char *title =
        memory_format("%s: %s over %zu %s", results->is_search ? "Search" : "Sweep", goal->metric,
                      results->row_count, results->is_search ? "trials" : "points");
    struct chart *chart = chart_create(title);
    free(title);
    chart->subtitle = subtitle(results, goal);
    if (results->is_search)
        fill_search(chart, results, goal);
    else
        fill_grid(chart, results, goal);
    if (chart->y.label == NULL)
        chart->y.label = memory_string(goal->metric);
    chart_fit(chart);
    if (chart->curve_count > 0)
        fit_curves(chart);
    return chart;
}
