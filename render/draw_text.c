/* Text in a figure: measured, cut, made smaller, broken into lines. */
#include "analysis/support/memory.h"
#include "render/draw.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SHRINKING 0.75 /* of a title that is too long, before it is cut */
#define BOLD 1.12            /* how much wider bold text is at most */

struct text_style draw_style(double size, enum text_align align) {
    return (struct text_style){.size = size, .align = align, .colour = draw_ink};
}

double draw_text_width(const struct drawing *drawing, double size, const char *text) {
    return drawing->canvas->ops->text_width(drawing->canvas, draw_style(size, TEXT_LEFT), text);
}

void draw_text(const struct drawing *drawing, double x, double y, struct text_style how,
               const char *text) {
    drawing->canvas->ops->text(drawing->canvas, x, y, how, text);
}

const char *draw_fitted(const struct drawing *drawing, double size, const char *text, double room,
                        char buffer[DRAW_TEXT_ROOM]) {
    size_t length = chart_text_width(text);
    if (length > DRAW_TEXT_ROOM / 4 - 1)
        length = DRAW_TEXT_ROOM / 4 - 1;
    chart_shorten(text, length, false, buffer, DRAW_TEXT_ROOM);
    while (length > 4 && draw_text_width(drawing, size, buffer) > room)
        chart_shorten(text, --length, false, buffer, DRAW_TEXT_ROOM);
    return buffer;
}

double draw_shrunk(const struct drawing *drawing, double size, const char *text, double room) {
    double width = draw_text_width(drawing, size, text);
    return width > room ? fmax(size * room / width, size * LEAST_SHRINKING) : size;
}

void draw_heading(const struct drawing *drawing, struct point from, double size, double room,
                  const char *text) {
    struct text_style style = draw_style(draw_shrunk(drawing, size, text, room / BOLD), TEXT_LEFT);
    char buffer[DRAW_TEXT_ROOM];
    style.bold = true;
    draw_text(drawing, from.x, from.y, style,
              draw_fitted(drawing, style.size, text, room / BOLD, buffer));
}

/* As many whole words of text as fit into room, at least one; returns what is left. */
static const char *take_line(const struct drawing *drawing, double size, const char *text,
                             double room, char line[DRAW_TEXT_ROOM]) {
    size_t taken = 0;
    for (size_t end = 0; text[end] != '\0';) {
        end += strspn(text + end, " ");
        end += strcspn(text + end, " ");
        if (end >= DRAW_TEXT_ROOM / 4)
            break;
        memcpy(line, text, end);
        line[end] = '\0';
        if (taken > 0 && draw_text_width(drawing, size, line) > room)
            break;
        taken = end;
    }
    taken = taken > 0 ? taken : strcspn(text, " ");
    char *whole = memory_text(text, taken);
    draw_fitted(drawing, size, whole, room, line);
    free(whole);
    return text + taken + strspn(text + taken, " ");
}

double draw_paragraph(const struct drawing *drawing, struct box room, double size, int lines,
                      const char *text, bool draw) {
    double height = 0, width = room.right - room.left;
    char line[DRAW_TEXT_ROOM];
    for (int i = 1; *text != '\0'; i++) {
        const char *rest = i < lines ? take_line(drawing, size, text, width, line) : "";
        if (i >= lines) /* the rest as well as it fits */
            draw_fitted(drawing, size, text, width, line);
        text = rest;
        height += size * DRAW_LINE_SPACE;
        if (draw)
            draw_text(drawing, room.left, room.top + height - size * (DRAW_LINE_SPACE - 1),
                      draw_style(size, TEXT_LEFT), line);
    }
    return height;
}
