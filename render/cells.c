#include "render/cells.h"

#include "analysis/support/memory.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct cells *cells_create(size_t width, size_t height) {
    struct cells *cells = memory_array(1, sizeof *cells);
    cells->width = width;
    cells->height = height;
    cells->cell = memory_array(width * height, sizeof *cells->cell);
    for (size_t i = 0; i < width * height; i++)
        cells->cell[i] = (struct cell){.glyph = " ", .colour = -1};
    return cells;
}

void cells_free(struct cells *cells) {
    if (cells == NULL)
        return;
    free(cells->cell);
    free(cells);
}

void cells_put(struct cells *cells, size_t row, size_t col, const char *glyph, enum cell_role role,
               enum cell_weight weight, int colour) {
    struct cell cell = {
        .role = (unsigned char)role, .weight = (unsigned char)weight, .colour = (short)colour};
    size_t length = strnlen(glyph, sizeof cell.glyph - 1);
    memcpy(cell.glyph, glyph, length);
    if (row < cells->height && col < cells->width)
        cells->cell[row * cells->width + col] = cell;
}

/* Bytes of the UTF-8 character at text. */
static size_t character_bytes(const char *text) {
    size_t bytes = 1;
    while (((unsigned char)text[bytes] & 0xC0) == 0x80)
        bytes++;
    return bytes;
}

void cells_draw_text(struct cells *cells, size_t row, size_t col, const char *text,
                     enum cell_role role, enum cell_weight weight, int colour) {
    for (size_t bytes; *text != '\0' && col < cells->width; text += bytes, col++) {
        char glyph[5] = "";
        bytes = character_bytes(text);
        memcpy(glyph, text, bytes < sizeof glyph ? bytes : 1);
        cells_put(cells, row, col, glyph, role, weight, colour);
    }
}

void cells_draw_bar(struct cells *cells, size_t row, size_t col, size_t width, double value,
                    int colour, enum cell_glyphs glyphs) {
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
    double length = fmin(fmax(value, 0), 1) * (double)width;
    bool ascii = glyphs == CELL_ASCII;
    size_t steps = (size_t)lround(length * (ascii ? 1 : 8));
    if (steps == 0 && value > 0)
        steps = 1; /* what is there is seen */
    for (size_t i = 0; i < width && steps > 0; i++) {
        size_t now = ascii || steps > 8 ? (ascii ? 1 : 8) : steps;
        cells_put(cells, row, col + i, ascii ? "#" : eighths[now], CELL_DATA, CELL_NORMAL, colour);
        steps -= now;
    }
}

char *cells_text(const struct cells *cells) {
    char *text = memory_array(cells->height * (cells->width * 4 + 1) + 1, 1), *end = text;
    for (size_t row = 0; row < cells->height; row++) {
        for (size_t col = 0; col < cells->width; col++) {
            const char *glyph = cells->cell[row * cells->width + col].glyph;
            size_t length = strlen(glyph);
            memcpy(end, glyph, length);
            end += length;
        }
        *end++ = '\n';
    }
    *end = '\0';
    return text;
}
