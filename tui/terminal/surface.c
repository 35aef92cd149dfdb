#include "tui/terminal/surface.h"

#include "analysis/support/memory.h"
#include "analysis/support/utf8.h"
#include "render/chart.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

struct surface *surface_create(int width, int height, bool ascii) {
    struct surface *surface = memory_array(1, sizeof *surface);
    *surface = (struct surface){.width = width, .height = height, .ascii = ascii};
    surface->cells = memory_array((size_t)width * (size_t)height, sizeof *surface->cells);
    surface_clear(surface);
    return surface;
}

void surface_free(struct surface *surface) {
    if (surface == NULL)
        return;
    free(surface->cells);
    free(surface);
}

void surface_clear(struct surface *surface) {
    surface->cursor_row = surface->cursor_col = -1;
    for (int i = 0; i < surface->width * surface->height; i++)
        surface->cells[i] = (struct surface_cell){" ", ELEMENT_TEXT};
}

static struct surface_cell *cell_at(const struct surface *surface, int row, int col) {
    if (row < 0 || col < 0 || row >= surface->height || col >= surface->width)
        return NULL;
    return &surface->cells[row * surface->width + col];
}

/* The next character of text: its bytes (at least 1) and its columns; glyph gets it. A byte that
 * is no character, and one without a column of its own, becomes '?'. */
static size_t next_glyph(const char *text, bool ascii, char glyph[8], int *columns) {
    uint32_t code = 0;
    size_t bytes = utf8_decode(text, strnlen(text, 4), &code);
    int width = bytes > 0 ? wcwidth((wchar_t)code) : -1;
    bool plain = bytes == 1 && code >= 0x20 && code < 0x7f;
    bool unfit = bytes == 0 || (!plain && (ascii || width < 1));
    memset(glyph, 0, 8);
    memcpy(glyph, unfit ? "?" : text, unfit ? 1 : bytes);
    *columns = unfit || plain ? 1 : width;
    return bytes > 0 ? bytes : 1;
}

int surface_text(struct surface *surface, int row, int col, int width, unsigned style,
                 const char *text) {
    int used = 0;
    while (*text != '\0') {
        char glyph[8];
        int columns;
        size_t bytes = next_glyph(text, surface->ascii, glyph, &columns);
        if (used + columns > width)
            break;
        struct surface_cell *cell = cell_at(surface, row, col + used);
        struct surface_cell *last = cell_at(surface, row, col + used + columns - 1);
        if (cell != NULL && last != NULL) {
            memcpy(cell->glyph, glyph, sizeof glyph);
            cell->style = style;
            if (columns == 2)
                *last = (struct surface_cell){"", style};
        }
        used += columns;
        text += bytes;
    }
    return used;
}

int surface_print(struct surface *surface, int row, int col, int width, unsigned style,
                  const char *format, ...) {
    char text[TEXT_ROOM];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    return surface_text(surface, row, col, width, style, text);
}

void surface_right(struct surface *surface, int row, int col, int width, unsigned style,
                   const char *text) {
    int room = width - text_width(text);
    surface_text(surface, row, col + (room > 0 ? room : 0), width, style, text);
}

void surface_row(struct surface *surface, int row, int col, int width, unsigned style,
                 const char *glyph) {
    for (int i = 0; i < width; i++)
        surface_text(surface, row, col + i, 1, style, glyph);
}

void surface_column(struct surface *surface, int row, int col, int height, unsigned style,
                    const char *glyph) {
    for (int i = 0; i < height; i++)
        surface_text(surface, row + i, col, 1, style, glyph);
}

void surface_bar(struct surface *surface, int row, int col, int width, unsigned style,
                 double value) {
    double clipped = value > 1 ? 1 : value > 0 ? value : 0;
    int eighths = (int)(clipped * width * 8 + 0.5);
    if (eighths == 0 && value > 0)
        eighths = 1;
    surface_row(surface, row, col, eighths / 8, style, theme_glyphs()->eighths[8]);
    if (eighths % 8 > 0)
        surface_text(surface, row, col + eighths / 8, 1, style,
                     theme_glyphs()->eighths[eighths % 8]);
}

size_t text_line(const char *text, int width) {
    size_t length = 0, space = 0;
    int used = 0;
    while (text[length] != '\0' && text[length] != '\n') {
        char glyph[8];
        int columns;
        size_t bytes = next_glyph(text + length, false, glyph, &columns);
        if (text[length] == ' ')
            space = length;
        if (used + columns > width)
            return space > 0 ? space : length;
        used += columns;
        length += bytes;
    }
    return length;
}

int surface_wrap(struct surface *surface, struct rect rect, unsigned style, const char *text) {
    int lines = 0;
    while (*text != '\0' && lines < rect.height && rect.width > 0) {
        size_t length = text_line(text, rect.width);
        char *line = memory_text(text, length);
        surface_text(surface, rect.row + lines++, rect.col, rect.width, style, line);
        free(line);
        if (length == 0 && *text != '\n')
            break;
        text += length;
        text += *text == ' ' || *text == '\n';
    }
    return lines;
}

void surface_paragraph(struct surface *surface, struct rect *rect, unsigned style,
                       const char *text) {
    int lines = surface_wrap(surface, *rect, style, text);
    rect->row += lines;
    rect->height -= lines;
}

void surface_highlight(struct surface *surface, int row, int col, int width, unsigned flags) {
    for (int i = 0; i < width; i++) {
        struct surface_cell *cell = cell_at(surface, row, col + i);
        if (cell != NULL)
            cell->style |= flags;
    }
}

static void dump_row(const struct surface *surface, int row, bool styles, FILE *stream) {
    char *line = NULL;
    size_t size = 0;
    FILE *buffer = open_memstream(&line, &size);
    for (int col = 0; col < surface->width; col++) {
        const struct surface_cell *cell = cell_at(surface, row, col);
        char letter = theme_look(cell->style & STYLE_ELEMENT)->letter;
        if (letter == '.' && strcmp(cell->glyph, " ") == 0)
            letter = ' ';
        if (cell->style & STYLE_REVERSE)
            letter = letter == ' ' || letter == '.' ? '#' : (char)toupper((unsigned char)letter);
        if (styles)
            fputc(letter, buffer);
        else
            fputs(cell->glyph, buffer);
    }
    fclose(buffer);
    while (size > 0 && line[size - 1] == ' ')
        line[--size] = '\0';
    fprintf(stream, "%s\n", line);
    free(line);
}

void surface_dump(const struct surface *surface, FILE *stream) {
    for (int row = 0; row < surface->height; row++)
        dump_row(surface, row, false, stream);
    fputs("--- styles\n", stream);
    for (int row = 0; row < surface->height; row++)
        dump_row(surface, row, true, stream);
}

int text_width(const char *text) {
    int used = 0;
    while (*text != '\0') {
        char glyph[8];
        int columns;
        text += next_glyph(text, false, glyph, &columns);
        used += columns;
    }
    return used;
}

const char *text_shorten(const char *name, int width, char buffer[TEXT_ROOM]) {
    return chart_shorten(name, width > 0 ? (size_t)width : 0, theme_glyphs()->ascii, buffer,
                         TEXT_ROOM);
}

const char *text_shorten_name(const char *name, int width, char buffer[TEXT_ROOM]) {
    const char *dot = strrchr(name, '.'), *ellipsis = theme_glyphs()->ellipsis;
    int head = dot != NULL ? width - text_width(dot + 1) - text_width(ellipsis) : 0;
    if (head < 1 || text_width(name) <= width)
        return text_shorten(head < 0 ? dot + 1 : name, width, buffer);
    size_t bytes = text_line(name, head);
    if (bytes > 0 && name[bytes - 1] == '.')
        bytes--;
    snprintf(buffer, TEXT_ROOM, "%.*s%s%s", (int)bytes, name, ellipsis, dot + 1);
    return buffer;
}

const char *text_shorten_end(const char *text, int width, char buffer[TEXT_ROOM]) {
    const char *ellipsis = text_width(text) > width ? theme_glyphs()->ellipsis : "";
    int bytes = (int)text_line(text, width - text_width(ellipsis));
    snprintf(buffer, TEXT_ROOM, "%.*s%s", bytes, text, ellipsis);
    return buffer;
}

const char *bytes_text(double bytes, char buffer[32]) {
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    while (bytes >= 1000 && unit < 4) {
        bytes /= 1000;
        unit++;
    }
    snprintf(buffer, 32, unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
    return buffer;
}
