/* A chart in terminal cells:
 *
 *     title                      legend
 *       1┤      curves          |
 *     0.1┤                      |        plot: everything right of the y axis
 *        └┴──────┴──────────────┼─
 *         1      10           r=102 */
#include "render/cells_plot.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LABEL_WIDTH = 6, /* of the y axis and its labels */
    LEAST_WIDTH = 20,
    LEAST_HEIGHT = 5, /* below these there is no axis */
    LEAST_TITLED = 3
};

static const struct lines utf8_lines = {
    "│", "┤", "└", "─", "┴", "┼", "│", "┊", "┈", "━", "↓", "●", "×", {"█", "▓", "▒", "░"}, 1};
static const struct lines ascii_lines = {
    "|", "+", "+", "-", "+", "+", "|", ":", "-", "-", "v", "o", "X", {"#", "=", "-", "+"}, 2};

long plot_cell_of(double position, size_t length) {
    if (!(position >= -1e-9 && position <= 1 + 1e-9))
        return -1;
    long cell = (long)(position * (double)length);
    return cell < (long)length ? cell : (long)length - 1;
}

/* The row of a tick of the y axis, or -1. */
static long tick_row(const struct plot *plot, const struct chart_tick *tick) {
    long from_below = plot_cell_of(chart_position(&plot->chart->y, tick->value), plot->height);
    return from_below < 0 ? -1 : (long)(plot->row + plot->height) - 1 - from_below;
}

/* Whether the labels stand apart. */
typedef bool labels_fit(const struct plot *plot, const struct chart_axis *axis,
                        const struct chart_tick *ticks, size_t count);

/* The most ticks, about limit, whose labels all fit: some of them left out would make the rest
 * irregular. */
static size_t fitting_ticks(const struct plot *plot, const struct chart_axis *axis, size_t limit,
                            labels_fit *fit, struct chart_tick **ticks) {
    for (;; limit--) {
        size_t count = chart_ticks(axis, limit, ticks);
        if (limit <= 1 || fit(plot, axis, *ticks, count))
            return count;
        free(*ticks);
    }
}

/* A row is free between any two. */
static bool rows_fit(const struct plot *plot, const struct chart_axis *axis,
                     const struct chart_tick *ticks, size_t count) {
    long below = (long)(plot->row + plot->height) + 1;
    (void)axis;
    for (size_t t = 0; t < count; t++) {
        long row = tick_row(plot, &ticks[t]);
        if (ticks[t].minor || row < 0)
            continue;
        if (below - row < 2)
            return false;
        below = row;
    }
    return true;
}

static void label_row(const struct plot *plot, const struct chart_tick *tick) {
    long row = tick_row(plot, tick);
    char label[LABEL_WIDTH * 4];
    if (row < 0 || tick->minor)
        return;
    snprintf(label, sizeof label, "%*.*s", LABEL_WIDTH - 1, LABEL_WIDTH - 1, tick->label);
    cells_draw_text(plot->cells, (size_t)row, plot->col - LABEL_WIDTH, label, CELL_TEXT,
                    CELL_NORMAL, -1);
    cells_put(plot->cells, (size_t)row, plot->col - 1, plot->lines->y_tick, CELL_AXIS, CELL_NORMAL,
              -1);
}

static void draw_y_axis(const struct plot *plot) {
    struct chart_tick *ticks;
    const struct chart_axis *axis = &plot->chart->y;
    size_t count = fitting_ticks(plot, axis, plot->height, rows_fit, &ticks);
    bool empty = chart_remark(plot->chart) != NULL; /* numbers would be of nothing */
    for (size_t r = 0; r < plot->height; r++)
        cells_put(plot->cells, plot->row + r, plot->col - 1, plot->lines->y_axis, CELL_AXIS,
                  CELL_NORMAL, -1);
    for (size_t t = 0; t < count && !empty; t++)
        label_row(plot, &ticks[t]);
    free(ticks);
}

/* First column of a label centred at a plot column; it ends with the canvas at the latest. */
static long label_start(const struct plot *plot, long col, const char *label) {
    long length = (long)chart_text_width(label);
    long first = (long)plot->col + col - length / 2, last = (long)plot->cells->width - length;
    return first > last ? last : first;
}

/* Writes a label centred at a plot column in the row below the axis, unless it would touch another.
 */
static bool place_label(const struct plot *plot, long col, const char *label,
                        enum cell_weight weight, int colour) {
    size_t length = chart_text_width(label), row = plot->row + plot->height + 1;
    long first = label_start(plot, col, label);
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
        long col = plot_cell_of(chart_position(&plot->chart->x, line->value), plot->width);
        if (!line->vertical || col < 0)
            continue;
        cells_put(plot->cells, plot->row + plot->height, plot->col + (size_t)col,
                  plot->lines->cross, CELL_MARK, CELL_STRONG, line->colour);
        if (line->label != NULL)
            place_label(plot, col, line->label, CELL_STRONG, line->colour);
    }
}

static long tick_col(const struct plot *plot, const struct chart_axis *axis,
                     const struct chart_tick *tick) {
    return plot_cell_of(chart_position(axis, tick->value), plot->width);
}

/* A column is free between any two. */
static bool cols_fit(const struct plot *plot, const struct chart_axis *axis,
                     const struct chart_tick *ticks, size_t count) {
    long end = -1;
    for (size_t t = 0; t < count; t++) {
        long col = tick_col(plot, axis, &ticks[t]);
        if (ticks[t].minor || col < 0)
            continue;
        long first = label_start(plot, col, ticks[t].label);
        if (first <= end)
            return false;
        end = first + (long)chart_text_width(ticks[t].label);
    }
    return true;
}

static void label_col(const struct plot *plot, const struct chart_axis *axis,
                      const struct chart_tick *tick) {
    long col = tick_col(plot, axis, tick);
    if (col >= 0 && !tick->minor && place_label(plot, col, tick->label, CELL_NORMAL, -1))
        cells_put(plot->cells, plot->row + plot->height, plot->col + (size_t)col,
                  plot->lines->x_tick, CELL_AXIS, CELL_NORMAL, -1);
}

void plot_draw_x_axis(const struct plot *plot, const struct chart_axis *axis) {
    struct chart_tick *ticks;
    size_t limit = plot->width / (axis->scale == CHART_LOG ? 4 : 6);
    size_t count = fitting_ticks(plot, axis, limit, cols_fit, &ticks);
    size_t row = plot->row + plot->height;
    cells_put(plot->cells, row, plot->col - 1, plot->lines->corner, CELL_AXIS, CELL_NORMAL, -1);
    for (size_t c = 0; c < plot->width; c++)
        cells_put(plot->cells, row, plot->col + c, plot->lines->x_axis, CELL_AXIS, CELL_NORMAL, -1);
    draw_cut_labels(plot); /* they win over ticks */
    for (size_t t = 0; t < count; t++)
        label_col(plot, axis, &ticks[t]);
    free(ticks);
}

/* Row of a horizontal line, or -1. */
static long line_row(const struct plot *plot, const struct chart_line *line) {
    long from_below = plot_cell_of(chart_position(&plot->chart->y, line->value), plot->height);
    return from_below < 0 ? -1 : (long)(plot->row + plot->height) - 1 - from_below;
}

static void draw_horizontal(const struct plot *plot, const struct chart_line *line) {
    long row = line_row(plot, line);
    for (size_t c = 0; row >= 0 && c < plot->width; c += plot->lines->period)
        cells_put(plot->cells, (size_t)row, plot->col + c, plot->lines->horizontal, CELL_MARK,
                  CELL_DIM, line->colour);
}

/* Columns that labels of earlier lines take in the same row. */
static size_t taken_before(const struct plot *plot, size_t index, long row) {
    size_t taken = 0;
    for (size_t i = 0; i < index; i++) {
        const struct chart_line *line = &plot->chart->lines[i];
        if (!line->vertical && line->label != NULL && line_row(plot, line) == row)
            taken += chart_text_width(line->label) + 1;
    }
    return taken;
}

/* At the right end, over whatever is there; lines in one row have their labels side by side. */
static void label_horizontals(const struct plot *plot) {
    for (size_t i = 0; i < plot->chart->line_count; i++) {
        const struct chart_line *line = &plot->chart->lines[i];
        long row = line_row(plot, line);
        if (line->vertical || row < 0 || line->label == NULL)
            continue;
        size_t length = chart_text_width(line->label) + taken_before(plot, i, row);
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
        long col = plot_cell_of(chart_position(&plot->chart->x, line->value), plot->width);
        for (size_t r = 0; col >= 0 && r < plot->height; r++)
            cells_put(plot->cells, plot->row + r, plot->col + (size_t)col,
                      line->dotted ? plot->lines->dotted : plot->lines->vertical, CELL_MARK,
                      CELL_DIM, line->colour);
    }
}

/* In words, where there is no picture. */
static void draw_remark(const struct plot *plot) {
    const char *remark = chart_remark(plot->chart);
    size_t length = remark != NULL ? chart_text_width(remark) : 0;
    if (remark != NULL)
        cells_draw_text(plot->cells, plot->row + plot->height / 2,
                        plot->col + (plot->width > length ? (plot->width - length) / 2 : 0), remark,
                        CELL_TEXT, CELL_DIM, -1);
}

static void draw_graph(const struct plot *plot) {
    if (plot->col > 0)
        draw_y_axis(plot);
    if (plot->has_axis)
        plot_draw_x_axis(plot, &plot->chart->x);
    draw_lines(plot);
    plot_draw_curves(plot);
    label_horizontals(plot);
}

bool cells_chart_area(size_t width, size_t height, size_t *left, size_t *columns) {
    bool roomy = width >= LEAST_WIDTH && height >= LEAST_HEIGHT;
    *left = roomy ? LABEL_WIDTH : 0;
    *columns = width - *left;
    return width > *left;
}

void cells_draw_chart(struct cells *cells, const struct chart *chart, enum cell_glyphs glyphs) {
    bool roomy = cells->width >= LEAST_WIDTH && cells->height >= LEAST_HEIGHT;
    struct plot plot = {.cells = cells,
                        .chart = chart,
                        .lines = glyphs == CELL_ASCII ? &ascii_lines : &utf8_lines,
                        .glyphs = glyphs,
                        .row = cells->height >= LEAST_TITLED ? 1 : 0,
                        .col = roomy ? LABEL_WIDTH : 0,
                        .has_axis = roomy};
    if (cells->width == 0 || cells->height == 0)
        return;
    cells->ascii = glyphs == CELL_ASCII;
    plot.height = cells->height - plot.row - (roomy ? 2 : 0);
    plot.width = cells->width - plot.col;
    if (plot.row > 0)
        plot_draw_title(&plot);
    if (chart->bars.category_count > 0)
        plot_draw_bars(plot);
    else
        draw_graph(&plot);
    draw_remark(&plot);
}
