#include "render/cells_dots.h"

#include "analysis/support/memory.h"

#include <math.h>
#include <stdlib.h>

/* One cell's dots: a bit each, row by row, and whether the last one set was discarded. */
struct dot_cell {
    unsigned char bits;
    bool discarded;
};

struct dots {
    size_t width, height; /* cells */
    size_t across, down;  /* dots a cell */
    enum cell_glyphs glyphs;
    struct dot_cell *cells;
};

static const struct {
    size_t across, down;
} densities[] = {[CELL_BRAILLE] = {2, 4}, [CELL_BLOCK] = {1, 2}, [CELL_ASCII] = {1, 1}};

struct dots *dots_create(size_t width, size_t height, enum cell_glyphs glyphs) {
    struct dots *dots = memory_array(1, sizeof *dots);
    *dots = (struct dots){.width = width,
                          .height = height,
                          .across = densities[glyphs].across,
                          .down = densities[glyphs].down,
                          .glyphs = glyphs};
    dots->cells = memory_array(width * height, sizeof *dots->cells);
    return dots;
}

void dots_free(struct dots *dots) {
    free(dots->cells);
    free(dots);
}

size_t dots_width(const struct dots *dots) {
    return dots->width * dots->across;
}

size_t dots_height(const struct dots *dots) {
    return dots->height * dots->down;
}

static void set(struct dots *dots, size_t x, size_t y, bool discarded) {
    struct dot_cell *cell = &dots->cells[y / dots->down * dots->width + x / dots->across];
    cell->bits |= (unsigned char)(1u << (y % dots->down * dots->across + x % dots->across));
    cell->discarded = discarded;
}

void dots_span(struct dots *dots, size_t x, double from, double to, bool discarded) {
    long limit = (long)dots_height(dots) - 1;
    long first = lround(fmin(from, to)), last = lround(fmax(from, to));
    for (long y = first < 0 ? 0 : first; y <= last && y <= limit; y++)
        set(dots, x, (size_t)y, discarded);
}

/* Braille numbers its dots column by column for the first three rows, then the last row. */
static void braille(unsigned bits, char glyph[5]) {
    static const unsigned char order[8] = {0x01, 0x08, 0x02, 0x10, 0x04, 0x20, 0x40, 0x80};
    unsigned pattern = 0;
    for (unsigned i = 0; i < 8; i++)
        pattern |= (bits >> i & 1u) * order[i];
    glyph[0] = (char)0xE2; /* U+2800 + pattern */
    glyph[1] = (char)(0xA0 | pattern >> 6);
    glyph[2] = (char)(0x80 | (pattern & 0x3F));
    glyph[3] = '\0';
}

void dots_paint(const struct dots *dots, struct cells *cells, size_t row, size_t col,
                struct dots_style style) {
    static const char *const halves[] = {" ", "▀", "▄", "█"};
    for (size_t i = 0; i < dots->width * dots->height; i++) {
        const struct dot_cell *cell = &dots->cells[i];
        char glyph[5] = {cell->discarded ? '.' : style.letter, '\0'};
        const char *shown = glyph;
        if (cell->bits == 0)
            continue;
        if (dots->glyphs == CELL_BRAILLE)
            braille(cell->bits, glyph);
        else if (dots->glyphs == CELL_BLOCK)
            shown = halves[cell->bits & 3];
        cells_put(cells, row + i / dots->width, col + i % dots->width, shown, CELL_DATA,
                  cell->discarded ? CELL_DIM : style.weight, style.colour);
    }
}
