/* Charts and bars as terminal cells: an array of glyphs, each with a style named by meaning. No
 * terminal is touched; the tui room paints the cells. */
#ifndef R2M_RENDER_CELLS_H
#define R2M_RENDER_CELLS_H

#include "render/chart.h"

enum cell_weight { CELL_NORMAL, CELL_STRONG, CELL_DIM };

/* What a cell shows, for the theme. */
enum cell_role { CELL_BLANK, CELL_TEXT, CELL_AXIS, CELL_DATA, CELL_MARK };

struct cell {
    char glyph[5]; /* one UTF-8 character of width 1, NUL-terminated; " " when blank */
    unsigned char role;
    unsigned char weight;
    short colour; /* enum chart_colour, for CELL_DATA and CELL_MARK; -1: none */
};

/* Graphs drawn with braille (2x4 dots a cell), with half blocks, or with letters. */
enum cell_glyphs { CELL_BRAILLE, CELL_BLOCK, CELL_ASCII };

/* A canvas of width x height cells, row-major; zeroed cells are blank. */
struct cells {
    size_t width, height;
    bool ascii; /* text and glyphs that are not ASCII become '?' */
    struct cell *cell;
};

struct cells *cells_create(size_t width, size_t height);
void cells_free(struct cells *cells);

/* One glyph; outside the canvas nothing happens. */
void cells_put(struct cells *cells, size_t row, size_t col, const char *glyph, enum cell_role role,
               enum cell_weight weight, int colour);

/* Draws the chart over the whole canvas: title row with legend, y labels, plot, x labels. Below
 * 20 x 5 cells the axes are left out, below 3 rows the title too. Interpolation is in the axes'
 * scales, a cell has one colour, the selected curve is drawn last, the discarded tail is dim,
 * clipped curves end in an arrow. Bars lie on their side, a row each, with their axis below; the
 * last row says how many do not fit. With CELL_ASCII the canvas becomes an ascii one. */
void cells_draw_chart(struct cells *cells, const struct chart *chart, enum cell_glyphs glyphs);

/* The columns of a canvas of that size in which a chart's curves are drawn: the cell col - left of
 * them is at position (col - left) / columns of the x axis. false: none. */
bool cells_chart_area(size_t width, size_t height, size_t *left, size_t *columns);

/* One horizontal bar of value (0..1 of width columns) at (row, col): eighths in UTF-8, '#' in
 * ASCII. */
void cells_draw_bar(struct cells *cells, size_t row, size_t col, size_t width, double value,
                    int colour, enum cell_glyphs glyphs);

/* Text from (row, col), cut at the edge. What is no character, or one that takes no column or two
 * by the locale's wcwidth, becomes '?'. */
void cells_draw_text(struct cells *cells, size_t row, size_t col, const char *text,
                     enum cell_role role, enum cell_weight weight, int colour);

/* The canvas as text, a line a row, for tests and for plain output. free() it. */
char *cells_text(const struct cells *cells);

#endif
