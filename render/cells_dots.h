/* A curve in dots finer than a cell: braille 2 x 4 dots, half blocks 1 x 2, letters 1 x 1. */
#ifndef R2M_RENDER_CELLS_DOTS_H
#define R2M_RENDER_CELLS_DOTS_H

#include "render/cells.h"

struct dots;

/* Covers width x height cells. */
struct dots *dots_create(size_t width, size_t height, enum cell_glyphs glyphs);
void dots_free(struct dots *dots);

/* Size in dots. */
size_t dots_width(const struct dots *dots);
size_t dots_height(const struct dots *dots);

/* Sets the dots of column x between two heights (in dots from the top, any order); discarded: a
 * part of the curve that the rank cut drops. */
void dots_span(struct dots *dots, size_t x, double from, double to, bool discarded);

struct dots_style {
    int colour;
    enum cell_weight weight; /* of the kept part; the discarded part is CELL_DIM */
    char letter;             /* of the kept part in ASCII; the discarded part is '.' */
};

/* Writes the cells that have dots onto the canvas at (row, col); they take the place of whatever
 * was there: one colour a cell, the last curve wins. */
void dots_paint(const struct dots *dots, struct cells *cells, size_t row, size_t col,
                struct dots_style style);

#endif
