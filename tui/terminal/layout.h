/* Where things stand: pure functions from the size of the screen to rectangles.
 *
 *     +--------------------------------------------------+
 *     | title                                            |
 *     | body                                             |
 *     | status                                           |
 *     | footer                                           |
 *     +--------------------------------------------------+ */
#ifndef R2M_TUI_TERMINAL_LAYOUT_H
#define R2M_TUI_TERMINAL_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>

enum { SCREEN_MIN_WIDTH = 60, SCREEN_MIN_HEIGHT = 16 };

struct rect {
    int row, col, height, width;
};

struct frame_layout {
    bool too_small;
    struct rect title, body, status, footer;
};

struct frame_layout layout_frame(int width, int height);

/* The Layers view: the table, and beside it (below 80 columns: under it) spectrum, bars, and on
 * wide screens a panel of values. Rectangles of height or width 0 are not shown.
 *
 *     table | spectrum
 *           | bars      values */
struct layers_layout {
    struct rect table, spectrum, bars, values;
    int border_col; /* the line between table and the rest; -1: none */
    int border_row; /* the line under the table when stacked; -1: none */
};

struct layers_layout layout_layers(struct rect body, size_t specialists);

/* A list on the left with details beside it, or below it where the body is narrow. */
struct pair_layout {
    struct rect list, detail;
    int border_col, border_row; /* -1: none */
};

struct pair_layout layout_pair(struct rect body, int list_width);

/* A list of rows lines on top, the rest below. */
struct pair_layout layout_stack(struct rect body, int list_height);

/* Columns of a table. width is the least; priority 0 is never dropped, the highest first. The
 * column with stretch takes what is left, up to its maximum. */
struct column {
    const char *title;
    int width;
    int priority;
    int stretch;    /* most columns it may take; 0: fixed */
    bool right;     /* alignment */
    int id;         /* what the view calls it */
    unsigned style; /* of the title; 0: the header's */
};

/* Fills widths[count]: 0 for a dropped column. Columns are one apart. */
void layout_columns(const struct column *columns, size_t count, int width, int *widths);

#endif
