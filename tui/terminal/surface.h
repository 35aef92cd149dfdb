/* The picture of the screen in memory: cells with a glyph and a style. Views draw here and never
 * on the terminal, so a screen can be looked at, dumped and tested without one. */
#ifndef R2M_TUI_TERMINAL_SURFACE_H
#define R2M_TUI_TERMINAL_SURFACE_H

#include "tui/terminal/layout.h"
#include "tui/terminal/theme.h"

#include <stdio.h>

struct surface_cell {
    char glyph[8];  /* one UTF-8 character; "" in the right half of a wide one */
    unsigned style; /* element | STYLE_ flags */
};

struct surface {
    int width, height;
    bool ascii; /* other characters become '?' */
    struct surface_cell *cells;
    int cursor_row, cursor_col; /* where the terminal's cursor stands; row -1: hidden */
};

struct surface *surface_create(int width, int height, bool ascii);
void surface_free(struct surface *surface);
void surface_clear(struct surface *surface);

/* Writes text from (row, col), at most width columns, cut at whole characters; returns the columns
 * used. Outside the surface nothing is written. */
int surface_text(struct surface *surface, int row, int col, int width, unsigned style,
                 const char *text);

/* The same with a format. */
int surface_print(struct surface *surface, int row, int col, int width, unsigned style,
                  const char *format, ...) __attribute__((format(printf, 6, 7)));

/* Right-aligned in width columns. */
void surface_right(struct surface *surface, int row, int col, int width, unsigned style,
                   const char *text);

/* One glyph repeated. */
void surface_row(struct surface *surface, int row, int col, int width, unsigned style,
                 const char *glyph);
void surface_column(struct surface *surface, int row, int col, int height, unsigned style,
                    const char *glyph);

/* A bar of value (0..1 of width columns) in eighths of a column, '#' in ASCII. */
void surface_bar(struct surface *surface, int row, int col, int width, unsigned style,
                 double value);

/* Text over several lines, broken at spaces; returns the number of lines used, at most
 * rect.height. */
int surface_wrap(struct surface *surface, struct rect rect, unsigned style, const char *text);

/* The same at the top of rect, which becomes what is left below. */
void surface_paragraph(struct surface *surface, struct rect *rect, unsigned style,
                       const char *text);

/* Adds style flags to what is there. */
void surface_highlight(struct surface *surface, int row, int col, int width, unsigned flags);

/* The whole picture: rows of text, a line "--- styles", rows of the theme's letters (capital where
 * reversed). */
void surface_dump(const struct surface *surface, FILE *stream);

/* Columns that text takes. */
int text_width(const char *text);

/* Bytes of the longest start of text that fits into width columns, ended at a space where one is
 * there: a line of the paragraph that text is. */
size_t text_line(const char *text, int width);

/* The name cut in the middle to width columns with the glyph set's ellipsis; buffer of TEXT_ROOM
 * bytes is returned. */
enum { TEXT_ROOM = 1024 };
const char *text_shorten(const char *name, int width, char buffer[TEXT_ROOM]);

/* The same for dotted names: the last part, which tells q from k, stays whole where it fits; where
 * it does not, nothing else is shown. */
const char *text_shorten_name(const char *name, int width, char buffer[TEXT_ROOM]);

/* The same for sentences: the end is cut, behind a word. */
const char *text_shorten_end(const char *text, int width, char buffer[TEXT_ROOM]);

/* "1.2 GB". Returns buffer. */
const char *bytes_text(double bytes, char buffer[32]);

#endif
