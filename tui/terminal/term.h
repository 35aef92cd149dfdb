/* The terminal: the only file that knows ncurses. Starting takes it over, stopping (or a crash)
 * gives it back as it was. Only the main thread may call these functions. */
#ifndef R2M_TUI_TERMINAL_TERM_H
#define R2M_TUI_TERMINAL_TERM_H

#include "analysis/support/error.h"
#include "tui/screen/keys.h"
#include "tui/screen/screen.h"
#include "tui/terminal/picture.h"
#include "tui/terminal/surface.h"

/* The characters that the locale can show: sets LC_CTYPE (numbers stay in "C") and returns the
 * glyph set. term: value of TERM, or NULL. */
enum glyph_set term_locale(bool ascii, const char *term);

/* ERROR_USAGE with one sentence where there is no terminal, or one that cannot place its cursor. */
bool term_check(struct error *error);

/* After term_check and signals_start. */
bool term_start(const struct screen_options *options, struct error *error);
void term_stop(void);

void term_size(int *width, int *height);

/* The window changed its size: ask for the new one. */
void term_resize(void);

/* Shows the picture; anew: clears the terminal first. */
void term_paint(const struct surface *surface, bool anew);

/* The next key that is there already, or INPUT_NONE. */
int term_read(void);

/* What INPUT_MOUSE was about. */
struct mouse term_mouse(void);

/* Into the clipboard of a terminal that takes OSC 52. */
void term_copy(const char *text);

/* The pictures that the terminal shows: asked on the first call, which waits 200 ms at most. */
enum picture_protocol term_pictures(void);

/* The whole screen in pixels, 10 x 20 a cell where the terminal does not tell. */
void term_pixels(int *width, int *height);

/* A picture (picture.h) from the upper left corner on, and hint in the last row, in place of what
 * is shown; afterwards term_picture_end and term_paint with anew. */
void term_picture(const char *bytes, size_t length, const char *hint);
void term_picture_end(void);

/* Back to the shell until the process is continued. */
void term_suspend(void);

/* Restores the terminal from a signal handler: async-signal-safe. */
void term_emergency(void);

/* Name and version of the library that draws. */
const char *term_library(void);

#endif
