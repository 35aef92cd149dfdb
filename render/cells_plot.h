/* What the parts of a chart in cells share; private to cells_*.c. */
#ifndef R2M_RENDER_CELLS_PLOT_H
#define R2M_RENDER_CELLS_PLOT_H

#include "render/cells.h"

/* Line drawing, per glyph set. */
struct lines {
    const char *y_axis, *y_tick, *corner, *x_axis, *x_tick, *cross, *vertical, *dotted, *horizontal,
        *swatch, *arrow, *mark;
    const char *missing;  /* in place of a mark where there is no value */
    const char *fills[4]; /* of bars, a series each, in turn */
    size_t period;        /* columns from one mark of a horizontal line to the next */
};

/* The plot's place on the canvas, in cells: everything right of the y axis, above the x axis. */
struct plot {
    struct cells *cells;
    const struct chart *chart;
    const struct lines *lines;
    enum cell_glyphs glyphs;
    size_t row, col, height, width;
    bool has_axis; /* two rows below the plot carry the x axis */
};

/* Cell of a position in [0, 1] along length cells; -1 outside. */
long plot_cell_of(double position, size_t length);

/* The letter of curve or series i in ASCII. */
char plot_letter(size_t i);

/* The axis below the plot, with its labels; vertical lines mark their crossing first. */
void plot_draw_x_axis(const struct plot *plot, const struct chart_axis *axis);

/* Row 0: title, and the legend where there is room. */
void plot_draw_title(const struct plot *plot);

/* All curves, the selected one last. */
void plot_draw_curves(const struct plot *plot);

/* The whole picture of a chart with bars but for the title: a row for each bar. */
void plot_draw_bars(struct plot plot);

#endif
