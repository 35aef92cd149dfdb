#include "render/chart.h"

#include "analysis/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOG_FLOOR_AT 0.98 /* of the points: the smallest values are noise (craft: robust floor) */
#define LOG_FLOOR_FACTOR 0.8 /* room below the floor */
#define LOG_CEILING_FACTOR 1.4
#define LINEAR_ROOM 1.05

struct chart *chart_create(const char *title) {
    struct chart *chart = memory_array(1, sizeof *chart);
    chart->title = memory_string(title);
    chart->x.maximum = chart->y.maximum = 1;
    return chart;
}

struct chart_curve *chart_add_curve(struct chart *chart, const char *name, int colour,
                                    size_t count) {
    chart->curves = memory_resize(chart->curves, chart->curve_count + 1, sizeof *chart->curves);
    struct chart_curve *curve = &chart->curves[chart->curve_count++];
    *curve = (struct chart_curve){.colour = colour, .count = count, .cut = INFINITY};
    curve->name = memory_string(name);
    curve->x = memory_array(count, sizeof *curve->x);
    curve->y = memory_array(count, sizeof *curve->y);
    return curve;
}

void chart_add_line(struct chart *chart, bool vertical, double value, const char *label, int colour,
                    bool dotted) {
    chart->lines = memory_resize(chart->lines, chart->line_count + 1, sizeof *chart->lines);
    chart->lines[chart->line_count++] =
        (struct chart_line){vertical, value, memory_string(label), colour, dotted};
}

void chart_set_bars(struct chart *chart, size_t categories, size_t series, bool stacked) {
    chart->bars = (struct chart_bars){
        .stacked = stacked,
        .category_count = categories,
        .series_count = series,
        .categories = memory_array(categories, sizeof(char *)),
        .names = memory_array(series, sizeof(char *)),
        .colours = memory_array(series, sizeof(int)),
        .values = memory_array(categories * series, sizeof(double)),
    };
}

void chart_set_map(struct chart *chart, size_t rows, size_t columns, const char *label) {
    chart->map = (struct chart_map){
        .row_count = rows,
        .column_count = columns,
        .rows = memory_array(rows, sizeof(char *)),
        .columns = memory_array(columns, sizeof(char *)),
        .values = memory_array(rows * columns, sizeof(double)),
        .label = memory_string(label),
    };
}

static void free_names(char **names, size_t count) {
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

void chart_free(struct chart *chart) {
    if (chart == NULL)
        return;
    for (size_t i = 0; i < chart->curve_count; i++) {
        free(chart->curves[i].name);
        free(chart->curves[i].x);
        free(chart->curves[i].y);
    }
    for (size_t i = 0; i < chart->line_count; i++)
        free(chart->lines[i].label);
    free_names(chart->bars.categories, chart->bars.category_count);
    free_names(chart->bars.names, chart->bars.series_count);
    free_names(chart->map.rows, chart->map.row_count);
    free_names(chart->map.columns, chart->map.column_count);
    free(chart->map.values);
    free(chart->map.label);
    free(chart->bars.colours);
    free(chart->bars.values);
    free(chart->curves);
    free(chart->lines);
    free(chart->x.label);
    free(chart->y.label);
    free(chart->title);
    free(chart->subtitle);
    free(chart);
}

/* Equal or senseless limits become an interval that can be drawn. */
static void make_drawable(struct chart_axis *axis) {
    if (axis->scale == CHART_LOG && !(axis->minimum > 0))
        axis->minimum = axis->maximum > 0 ? axis->maximum / 10 : 0.1;
    if (axis->maximum > axis->minimum)
        return;
    double centre = axis->minimum;
    if (axis->scale == CHART_LOG) {
        axis->minimum = centre / 2;
        axis->maximum = centre * 2;
    } else {
        axis->maximum = centre + (centre != 0 ? fabs(centre) * 0.1 : 1);
    }
}

static void fit_x(struct chart *chart) {
    double low = INFINITY, high = -INFINITY;
    for (size_t c = 0; c < chart->curve_count; c++)
        for (size_t i = 0; i < chart->curves[c].count; i++) {
            low = fmin(low, chart->curves[c].x[i]);
            high = fmax(high, chart->curves[c].x[i]);
        }
    chart->x.minimum = isfinite(low) ? low : 0;
    chart->x.maximum = isfinite(high) ? high : 1;
    make_drawable(&chart->x);
}

/* Is the point inside the x axis, and can the y axis show it? */
static bool counts(const struct chart *chart, double x, double y) {
    return x >= chart->x.minimum && x <= chart->x.maximum &&
           (chart->y.scale == CHART_LINEAR || y > 0);
}

static int descending(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a < b) - (a > b);
}

/* The value that LOG_FLOOR_AT of a curve's visible points exceed; INFINITY when there is none. */
static double robust_floor(const struct chart *chart, const struct chart_curve *curve) {
    double *seen = memory_array(curve->count, sizeof *seen);
    size_t count = 0;
    for (size_t i = 0; i < curve->count; i++)
        if (counts(chart, curve->x[i], curve->y[i]))
            seen[count++] = curve->y[i];
    qsort(seen, count, sizeof *seen, descending);
    size_t at = (size_t)((double)count * LOG_FLOOR_AT);
    double floor = count > 0 ? seen[at < count ? at : count - 1] : INFINITY;
    free(seen);
    return floor;
}

static void fit_y_to_curves(struct chart *chart) {
    bool log = chart->y.scale == CHART_LOG;
    double low = INFINITY, high = -INFINITY;
    for (size_t c = 0; c < chart->curve_count; c++) {
        const struct chart_curve *curve = &chart->curves[c];
        for (size_t i = 0; i < curve->count; i++)
            if (counts(chart, curve->x[i], curve->y[i])) {
                high = fmax(high, curve->y[i]);
                low = log ? low : fmin(low, curve->y[i]);
            }
        if (log)
            low = fmin(low, robust_floor(chart, curve));
    }
    if (!isfinite(high))
        high = low = log ? 1 : 0;
    chart->y.minimum = log ? low * LOG_FLOOR_FACTOR : fmin(low, 0);
    chart->y.maximum = high * (log ? LOG_CEILING_FACTOR : LINEAR_ROOM);
    make_drawable(&chart->y);
}

/* One unit for each of count things. */
static void count_axis(struct chart_axis *axis, size_t count) {
    axis->scale = CHART_LINEAR;
    axis->minimum = 0;
    axis->maximum = (double)count;
}

static void fit_y_to_bars(struct chart *chart) {
    const struct chart_bars *bars = &chart->bars;
    double low = 0, high = 0;
    for (size_t c = 0; c < bars->category_count; c++) {
        double up = 0, down = 0;
        for (size_t s = 0; s < bars->series_count; s++) {
            double value = bars->values[c * bars->series_count + s];
            up = bars->stacked ? up + fmax(value, 0) : fmax(up, value);
            down = bars->stacked ? down + fmin(value, 0) : fmin(down, value);
        }
        high = fmax(high, up);
        low = fmin(low, down);
    }
    count_axis(&chart->x, bars->category_count);
    chart->y.minimum = low * LINEAR_ROOM;
    chart->y.maximum = high * LINEAR_ROOM;
    make_drawable(&chart->y);
}

static void fit_map(struct chart *chart) {
    struct chart_map *map = &chart->map;
    struct chart_axis range = {.minimum = INFINITY, .maximum = -INFINITY};
    for (size_t i = 0; i < map->row_count * map->column_count; i++) {
        range.minimum = fmin(range.minimum, map->values[i]); /* of a NaN and a number: the number */
        range.maximum = fmax(range.maximum, map->values[i]);
    }
    count_axis(&chart->x, map->column_count);
    count_axis(&chart->y, map->row_count);
    if (map->minimum < map->maximum)
        return;
    if (!isfinite(range.minimum))
        range.minimum = range.maximum = 0;
    make_drawable(&range);
    map->minimum = range.minimum;
    map->maximum = range.maximum;
}

void chart_fit(struct chart *chart) {
    if (chart->map.column_count > 0) {
        fit_map(chart);
        return;
    }
    if (chart->bars.category_count > 0) {
        fit_y_to_bars(chart);
        return;
    }
    fit_x(chart);
    fit_y_to_curves(chart);
}

static bool any_nonzero(const double *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (values[i] != 0)
            return true;
    return false;
}

const char *chart_remark(const struct chart *chart) {
    const struct chart_bars *bars = &chart->bars;
    bool seen = chart->map.column_count > 0 ||
                any_nonzero(bars->values, bars->category_count * bars->series_count);
    size_t points = bars->category_count;
    for (size_t c = 0; c < chart->curve_count; c++) {
        points += chart->curves[c].count;
        seen |= any_nonzero(chart->curves[c].y, chart->curves[c].count);
    }
    return seen ? NULL : points > 0 ? "all values are zero" : "nothing to show yet";
}

double chart_position(const struct chart_axis *axis, double value) {
    if (axis->scale == CHART_LINEAR)
        return (value - axis->minimum) / (axis->maximum - axis->minimum);
    if (!(value > 0))
        return -INFINITY;
    return log(value / axis->minimum) / log(axis->maximum / axis->minimum);
}

double chart_value(const struct chart_axis *axis, double position) {
    if (axis->scale == CHART_LINEAR)
        return axis->minimum + position * (axis->maximum - axis->minimum);
    return axis->minimum * pow(axis->maximum / axis->minimum, position);
}

double chart_curve_at(const struct chart *chart, const struct chart_curve *curve, double x) {
    size_t low = 0, high = curve->count; /* the first point at or right of x */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (curve->x[middle] < x)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == curve->count || (low == 0 && curve->x[0] > x))
        return NAN;
    if (curve->x[low] <= x)
        return curve->y[low];
    double left = chart_position(&chart->x, curve->x[low - 1]);
    double right = chart_position(&chart->x, curve->x[low]);
    double part = (chart_position(&chart->x, x) - left) / (right - left);
    double from = curve->y[low - 1], to = curve->y[low];
    if (chart->y.scale == CHART_LOG && from > 0 && to > 0)
        return from * pow(to / from, part);
    return from + part * (to - from);
}
