/* A chart in terminal cells:
 *
 *     title                      legend
 *       1┤      curves          |
 *     0.1┤                      |        plot: everything right of the y axis
 *        └┴──────┴──────────────┼─
 *         1      10           r=102 */
#include "analysis/support/memory.h"
#include "render/cells.h"
#include "render/cells_dots.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LABEL_WIDTH = 6, LEAST_WIDTH = 20, LEAST_HEIGHT = 5, LEGEND_ROOM = 200 };

/* Line drawing, per glyph set. */
struct lines {
    const char *y_axis, *y_tick, *corner, *x_axis, *x_tick, *cross, *vertical, *horizontal, *swatch;
};

static const struct lines utf8_lines = {"│", "┤", "└", "─", "┴", "┼", "│", "┈", "━"};
static const struct lines ascii_lines = {"|", "+", "+", "-", "+", "+", "|", "-", "-"};

/* The plot's place on the canvas, in cells. */
struct plot {
    struct cells *cells;
    const struct chart *chart;
    const struct lines *lines;
    enum cell_glyphs glyphs;
    size_t row, col, height, width;
};

static bool is_ascii(const struct plot *plot) {
    return plot->glyphs == CELL_ASCII;
}

/* Cell of a position in [0, 1] along length cells; -1 outside. */
static long cell_of(double position, size_t length) {
    if (!(position >= -1e-9 && position <= 1 + 1e-9))
        return -1;
    long cell = (long)(position * (double)length);
    return cell < (long)length ? cell : (long)length - 1;
}

/* Labels one tick, unless a neighbouring row has a label already. */
static void label_row(const struct plot *plot, const struct chart_tick *tick) {
    long from_below = cell_of(chart_position(&plot->chart->y, tick->value), plot->height);
    size_t row = plot->row + plot->height - 1 - (size_t)from_below;
    char label[LABEL_WIDTH * 4];
    if (from_below < 0 || tick->minor)
        return;
    for (size_t r = row > 0 ? row - 1 : 0; r <= row + 1 && r < plot->cells->height; r++)
        if (plot->cells->cell[r * plot->cells->width + plot->col - 2].role == CELL_TEXT && r > 0)
            return;
    snprintf(label, sizeof label, "%*.*s", LABEL_WIDTH - 1, LABEL_WIDTH - 1, tick->label);
    cells_draw_text(plot->cells, row, plot->col - LABEL_WIDTH, label, CELL_TEXT, CELL_NORMAL, -1);
    cells_put(plot->cells, row, plot->col - 1, plot->lines->y_tick, CELL_AXIS, CELL_NORMAL, -1);
}

static bool is_decade(double value) {
    double power = log10(value);
    return fabs(power - round(power)) < 1e-9;
}

static void draw_y_axis(const struct plot *plot) {
    struct chart_tick *ticks;
    size_t count = chart_ticks(&plot->chart->y, plot->height, &ticks);
    bool log = plot->chart->y.scale == CHART_LOG;
    for (size_t r = 0; r < plot->height; r++)
        cells_put(plot->cells, plot->row + r, plot->col - 1, plot->lines->y_axis, CELL_AXIS,
                  CELL_NORMAL, -1);
    for (int decades = 1; decades >= 0; decades--) /* these first: they are never left out */
        for (size_t t = count; t-- > 0;)
            if ((log && is_decade(ticks[t].value)) == decades)
                label_row(plot, &ticks[t]);
    free(ticks);
}

/* Writes a label centred at a plot column in the row below the axis, unless it would touch another.
 */
static bool place_label(const struct plot *plot, long col, const char *label,
                        enum cell_weight weight, int colour) {
    size_t length = chart_text_width(label), row = plot->row + plot->height + 1;
    long first = (long)plot->col + col - (long)length / 2;
    long last = (long)plot->cells->width - (long)length;
    first = first > last ? last : first;
    if (first < 0)
        return false;
    for (long c = first - 1; c <= first + (long)length; c++)
        if (c >= 0 && c < (long)plot->cells->width &&
            plot->cells->cell[row * plot->cells->width + (size_t)c].role != CELL_BLANK)
            return false;
    cells_draw_text(plot->cells, row, (size_t)first, label, CELL_TEXT, weight, colour);
    return true;
}

static void draw_cut_labels(const struct plot *plot) {
    for (size_t i = 0; i < plot->chart->line_count; i++) {
        const struct chart_line *line = &plot->chart->lines[i];
        long col = cell_of(chart_position(&plot->chart->x, line->value), plot->width);
        if (!line->vertical || col < 0)
            continue;
        cells_put(plot->cells, plot->row + plot->height, plot->col + (size_t)col,
                  plot->lines->cross, CELL_MARK, CELL_STRONG, line->colour);
        if (line->label != NULL)
            place_label(plot, col, line->label, CELL_STRONG, line->colour);
    }
}

static void draw_x_axis(const struct plot *plot) {
    struct chart_tick *ticks;
    size_t count = chart_ticks(&plot->chart->x, plot->width / 6, &ticks);
    size_t row = plot->row + plot->height;
    cells_put(plot->cells, row, plot->col - 1, plot->lines->corner, CELL_AXIS, CELL_NORMAL, -1);
    for (size_t c = 0; c < plot->width; c++)
        cells_put(plot->cells, row, plot->col + c, plot->lines->x_axis, CELL_AXIS, CELL_NORMAL, -1);
    draw_cut_labels(plot); /* they win over ticks */
    for (size_t t = 0; t < count; t++) {
        long col = cell_of(chart_position(&plot->chart->x, ticks[t].value), plot->width);
        if (col < 0 || ticks[t].minor || !place_label(plot, col, ticks[t].label, CELL_NORMAL, -1))
            continue;
        cells_put(plot->cells, row, plot->col + (size_t)col, plot->lines->x_tick, CELL_AXIS,
                  CELL_NORMAL, -1);
    }
    free(ticks);
}

/* Row of a horizontal line, or -1. */
static long line_row(const struct plot *plot, const struct chart_line *line) {
    long from_below = cell_of(chart_position(&plot->chart->y, line->value), plot->height);
    return from_below < 0 ? -1 : (long)(plot->row + plot->height) - 1 - from_below;
}

static void draw_horizontal(const struct plot *plot, const struct chart_line *line) {
    long row = line_row(plot, line);
    for (size_t c = 0; row >= 0 && c < plot->width; c++)
        cells_put(plot->cells, (size_t)row, plot->col + c, plot->lines->horizontal, CELL_MARK,
                  CELL_DIM, line->colour);
}

/* At the right end, over whatever is there. */
static void label_horizontals(const struct plot *plot) {
    for (size_t i = 0; i < plot->chart->line_count; i++) {
        const struct chart_line *line = &plot->chart->lines[i];
        long row = line_row(plot, line);
        if (line->vertical || row < 0 || line->label == NULL)
            continue;
        size_t length = chart_text_width(line->label);
        if (length < plot->width)
            cells_draw_text(plot->cells, (size_t)row, plot->col + plot->width - length, line->label,
                            CELL_MARK, CELL_NORMAL, line->colour);
    }
}

static void draw_lines(const struct plot *plot) {
    for (size_t i = 0; i < plot->chart->line_count; i++) {
        const struct chart_line *line = &plot->chart->lines[i];
        if (!line->vertical) {
            draw_horizontal(plot, line);
            continue;
        }
        long col = cell_of(chart_position(&plot->chart->x, line->value), plot->width);
        for (size_t r = 0; col >= 0 && r < plot->height; r++)
            cells_put(plot->cells, plot->row + r, plot->col + (size_t)col, plot->lines->vertical,
                      CELL_MARK, CELL_DIM, line->colour);
    }
}

/* ---- curves ---- */

/* Height of a curve in dots from the top of the plot at dot column x: NAN where there is none. */
static double curve_dot(const struct plot *plot, const struct dots *dots,
                        const struct chart_curve *curve, size_t x, double *value) {
    double position = ((double)x + 0.5) / (double)dots_width(dots);
    *value = chart_value(&plot->chart->x, position);
    double y = chart_curve_at(plot->chart, curve, *value);
    if (isnan(y))
        return NAN;
    return (1 - chart_position(&plot->chart->y, y)) * (double)dots_height(dots) - 0.5;
}

/* The curve has left the plot through the bottom. */
static void draw_arrow(const struct plot *plot, size_t dot_col, const struct dots *dots,
                       int colour) {
    size_t col = dot_col * plot->width / dots_width(dots);
    cells_put(plot->cells, plot->row + plot->height - 1, plot->col + col,
              is_ascii(plot) ? "v" : "↓", CELL_DATA, CELL_DIM, colour);
}

static void draw_curve(const struct plot *plot, size_t index, enum cell_weight weight) {
    const struct chart_curve *curve = &plot->chart->curves[index];
    struct dots *dots = dots_create(plot->width, plot->height, plot->glyphs);
    double before = NAN, bottom = (double)dots_height(dots), value;
    long left_at = -1;
    for (size_t x = 0; x < dots_width(dots); x++) {
        double y = curve_dot(plot, dots, curve, x, &value);
        if (isnan(y) || y >= bottom) {
            left_at = !isnan(before) && y >= bottom ? (long)x : left_at;
            before = NAN;
            continue;
        }
        left_at = -1;
        dots_span(dots, x, isnan(before) ? y : before, y, value > curve->cut);
        before = y;
    }
    struct dots_style style = {curve->colour, weight, "*+ox#@%&"[index % 8]};
    dots_paint(dots, plot->cells, plot->row, plot->col, style);
    if (left_at >= 0)
        draw_arrow(plot, (size_t)left_at, dots, curve->colour);
    dots_free(dots);
}

static bool draw_curves(const struct plot *plot) {
    bool any = false;
    for (int selected = 0; selected <= 1; selected++)
        for (size_t i = 0; i < plot->chart->curve_count; i++) {
            const struct chart_curve *curve = &plot->chart->curves[i];
            if (curve->selected != selected)
                continue;
            draw_curve(plot, i, selected ? CELL_STRONG : CELL_NORMAL);
            for (size_t k = 0; k < curve->count && !any; k++)
                any = plot->chart->y.scale == CHART_LINEAR || curve->y[k] > 0;
        }
    return any;
}

/* ---- title and legend ---- */

/* Columns of legend entry i, or of all entries. */
static size_t entry_width(const struct chart *chart, size_t i) {
    return 2 + chart_text_width(chart->curves[i].name);
}

static size_t draw_entry(const struct plot *plot, size_t col, size_t i) {
    const struct chart_curve *curve = &plot->chart->curves[i];
    char mark[2] = {"*+ox#@%&"[i % 8], '\0'};
    cells_put(plot->cells, 0, col, is_ascii(plot) ? mark : plot->lines->swatch, CELL_DATA,
              CELL_STRONG, curve->colour);
    cells_draw_text(plot->cells, 0, col + 1, curve->name, CELL_TEXT,
                    curve->selected ? CELL_STRONG : CELL_NORMAL, -1);
    return entry_width(plot->chart, i);
}

/* Legend at the right of row 0: all entries when they fit in half of it, else the selected one and
 * the number of the others. Returns the columns left for the title. */
static size_t draw_legend(const struct plot *plot) {
    const struct chart *chart = plot->chart;
    size_t width = plot->cells->width, all = 0, chosen = 0;
    for (size_t i = 0; i < chart->curve_count; i++) {
        all += entry_width(chart, i);
        chosen = chart->curves[i].selected ? i : chosen;
    }
    if (chart->curve_count == 0)
        return width;
    if (all + 8 <= width) {
        size_t col = width - all;
        for (size_t i = 0; i < chart->curve_count; i++)
            col += draw_entry(plot, col, i);
        return width - all - 1;
    }
    char others[24] = "";
    if (chart->curve_count > 1)
        snprintf(others, sizeof others, "+%zu", chart->curve_count - 1);
    size_t needed = entry_width(chart, chosen) + strlen(others) + 1;
    if (needed + 4 > width)
        return width;
    size_t col = width - needed;
    col += draw_entry(plot, col, chosen);
    cells_draw_text(plot->cells, 0, col, others, CELL_TEXT, CELL_NORMAL, -1);
    return width - needed - 1;
}

static void draw_title(const struct plot *plot) {
    char title[LEGEND_ROOM * 4];
    size_t room = draw_legend(plot);
    const char *name = plot->chart->title != NULL ? plot->chart->title : "";
    chart_shorten(name, room < LEGEND_ROOM ? room : LEGEND_ROOM, is_ascii(plot), title,
                  sizeof title);
    cells_draw_text(plot->cells, 0, 0, title, CELL_TEXT, CELL_STRONG, -1);
}

static void draw_nothing(const struct plot *plot) {
    static const char text[] = "all values are zero";
    const char *shown = plot->chart->curve_count > 0 ? text : "nothing to show yet";
    size_t length = strlen(shown), col = plot->width > length ? (plot->width - length) / 2 : 0;
    cells_draw_text(plot->cells, plot->row + plot->height / 2, plot->col + col, shown, CELL_TEXT,
                    CELL_DIM, -1);
}

/* ---- bars: a row for each category ---- */

static void draw_bar_row(const struct plot *plot, size_t row, size_t category, size_t name_width) {
    const struct chart_bars *bars = &plot->chart->bars;
    char name[LEGEND_ROOM * 4];
    size_t col = name_width + 1, room = plot->cells->width > col ? plot->cells->width - col : 0;
    double at = 0, span = plot->chart->y.maximum;
    chart_shorten(bars->categories[category], name_width, is_ascii(plot), name, sizeof name);
    cells_draw_text(plot->cells, row, 0, name, CELL_TEXT, CELL_NORMAL, -1);
    for (size_t s = 0; s < bars->series_count; s++) {
        double value = fmax(bars->values[category * bars->series_count + s], 0);
        size_t from = (size_t)lround(at / span * (double)room);
        size_t to = (size_t)lround((at + value) / span * (double)room);
        if (to > from)
            cells_draw_bar(plot->cells, row, col + from, to - from, 1, bars->colours[s],
                           plot->glyphs);
        at += value;
    }
}

static void draw_bars(const struct plot *plot) {
    size_t rows = plot->cells->height - 1, count = plot->chart->bars.category_count;
    size_t shown = count < rows ? count : rows, name_width = plot->cells->width / 3;
    for (size_t i = 0; i < shown; i++)
        draw_bar_row(plot, 1 + i, i, name_width < LEGEND_ROOM ? name_width : LEGEND_ROOM);
}

void cells_draw_chart(struct cells *cells, const struct chart *chart, enum cell_glyphs glyphs) {
    struct plot plot = {.cells = cells,
                        .chart = chart,
                        .lines = glyphs == CELL_ASCII ? &ascii_lines : &utf8_lines,
                        .glyphs = glyphs,
                        .row = 1,
                        .col = LABEL_WIDTH};
    if (cells->width < LEAST_WIDTH || cells->height < LEAST_HEIGHT)
        return;
    plot.height = cells->height - 3;
    plot.width = cells->width - LABEL_WIDTH;
    draw_title(&plot);
    if (chart->bars.category_count > 0) {
        draw_bars(&plot);
        return;
    }
    draw_y_axis(&plot);
    draw_x_axis(&plot);
    draw_lines(&plot);
    if (!draw_curves(&plot))
        draw_nothing(&plot);
    label_horizontals(&plot);
}
