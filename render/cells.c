#include "render/cells.h"

#include "analysis/support/memory.h"
#include "analysis/support/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

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
    bool unfit = cells->ascii && (unsigned char)glyph[0] >= 0x80;
    size_t length = strnlen(glyph, sizeof cell.glyph - 1);
    memcpy(cell.glyph, unfit ? "?" : glyph, unfit ? 1 : length);
    if (row < cells->height && col < cells->width)
        cells->cell[row * cells->width + col] = cell;
}

/* Length of the character at text; glyph gets it, or '?' where a cell cannot hold it. */
static size_t next_glyph(const char *text, char glyph[5]) {
    uint32_t code = 0;
    size_t bytes = utf8_decode(text, strnlen(text, 4), &code);
    int columns = bytes > 1 ? wcwidth((wchar_t)code) : 1;
    bool unfit = bytes == 0 || utf8_is_hidden(code) || columns == 0 || columns == 2;
    memcpy(glyph, unfit ? "?" : text, unfit ? 1 : bytes);
    glyph[unfit ? 1 : bytes] = '\0';
    return bytes > 0 ? bytes : 1;
}

void cells_draw_text(struct cells *cells, size_t row, size_t col, const char *text,
                     enum cell_role role, enum cell_weight weight, int colour) {
    for (; *text != '\0' && col < cells->width; col++) {
        char glyph[5];
        text += next_glyph(text, glyph);
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
