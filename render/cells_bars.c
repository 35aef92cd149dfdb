/* Bars lie on their side, a row each, with the value axis below:
 *
 *     0.q_proj│████████▓▓▓▓▓▓▓▓
 *     0.k_proj│██████████▓▓▓▓▓
 *             └┴───────┴───────┴
 *              0      0.5      1
 *
 * Stacked series share a row; grouped ones have a row each below the category's name. */
#include "render/cells_plot.h"

#include <math.h>
#include <stdio.h>

enum { NAME_ROOM = 80 };

static size_t longest_name(const struct chart_bars *bars) {
    size_t longest = 0;
    for (size_t c = 0; c < bars->category_count; c++) {
        size_t width = chart_text_width(bars->categories[c]);
        longest = width > longest ? width : longest;
    }
    return longest;
}

static double value_of(const struct chart_bars *bars, size_t category, size_t series) {
    return bars->values[category * bars->series_count + series];
}

/* The cells between two values; what is there is seen, be it less than half a cell. */
static void draw_piece(const struct plot *plot, size_t row, double from, double to, size_t series) {
    const struct chart_axis *axis = &plot->chart->y;
    double width = (double)plot->width;
    double low = fmax(0, chart_position(axis, fmin(from, to)));
    double high = fmin(1, chart_position(axis, fmax(from, to)));
    size_t first = (size_t)lround(low * width), last = (size_t)lround(high * width);
    char letter[2] = {plot_letter(series), '\0'};
    if (last == first && high > low && first < plot->width)
        last++;
    for (size_t c = first; c < last; c++)
        cells_put(plot->cells, row, plot->col + c,
                  plot->cells->ascii ? letter : plot->lines->fills[series % 4], CELL_DATA,
                  CELL_NORMAL, plot->chart->bars.colours[series]);
}

/* Where a bar without value would begin. */
static void draw_missing(const struct plot *plot, size_t row, size_t series) {
    long zero = plot_cell_of(chart_position(&plot->chart->y, 0), plot->width);
    cells_put(plot->cells, row, plot->col + (zero > 0 ? (size_t)zero : 0), plot->lines->missing,
              CELL_DATA, CELL_NORMAL, plot->chart->bars.colours[series]);
}

static void draw_stack(const struct plot *plot, size_t row, size_t category) {
    const struct chart_bars *bars = &plot->chart->bars;
    double up = 0, down = 0;
    for (size_t s = 0; s < bars->series_count; s++) {
        double value = value_of(bars, category, s), *stack = value >= 0 ? &up : &down;
        draw_piece(plot, row, *stack, *stack + value, s);
        *stack += value;
    }
}

static void draw_name(const struct plot *plot, size_t row, const char *name) {
    char shown[NAME_ROOM * 4 + 4];
    chart_shorten(name, plot->col - 1, plot->cells->ascii, shown, sizeof shown);
    cells_draw_text(plot->cells, row, 0, shown, CELL_TEXT, CELL_NORMAL, -1);
}

static void draw_category(const struct plot *plot, size_t row, size_t category) {
    const struct chart_bars *bars = &plot->chart->bars;
    draw_name(plot, row, bars->categories[category]);
    if (bars->stacked)
        draw_stack(plot, row, category);
    else
        for (size_t s = 0; s < bars->series_count; s++) {
            double value = value_of(bars, category, s);
            if (isnan(value))
                draw_missing(plot, row + s, s);
            else
                draw_piece(plot, row + s, 0, value, s);
        }
}

/* The axis on which bars stand: at the left edge, and at zero where some values are negative. */
static void draw_zero(const struct plot *plot) {
    long zero = plot_cell_of(chart_position(&plot->chart->y, 0), plot->width);
    for (size_t r = 0; r < plot->height; r++) {
        cells_put(plot->cells, plot->row + r, plot->col - 1, plot->lines->y_axis, CELL_AXIS,
                  CELL_NORMAL, -1);
        if (zero > 0)
            cells_put(plot->cells, plot->row + r, plot->col + (size_t)zero, plot->lines->vertical,
                      CELL_AXIS, CELL_DIM, -1);
    }
}

void plot_draw_bars(struct plot plot) {
    const struct chart_bars *bars = &plot.chart->bars;
    size_t names = longest_name(bars), limit = plot.cells->width / 3;
    size_t rows = bars->stacked || bars->series_count == 0 ? 1 : bars->series_count;
    bool all = bars->category_count * rows <= plot.height;
    size_t shown = all ? bars->category_count : (plot.height - 1) / rows;
    limit = limit < NAME_ROOM ? limit : NAME_ROOM;
    plot.col = (names < limit ? names : limit) + 1;
    plot.width = plot.cells->width - plot.col;
    plot.height = all ? shown * rows : plot.height; /* the axis is just below the last bar */
    draw_zero(&plot);
    if (plot.has_axis)
        plot_draw_x_axis(&plot, &plot.chart->y);
    for (size_t c = 0; c < shown; c++)
        draw_category(&plot, plot.row + c * rows, c);
    if (!all) { /* the last row says how many are not seen */
        char more[32];
        snprintf(more, sizeof more, "+%zu more", bars->category_count - shown);
        cells_draw_text(plot.cells, plot.row + plot.height - 1, plot.col, more, CELL_TEXT, CELL_DIM,
                        -1);
    }
}
