/* What drives an app: the terminal, or a script. */
#ifndef R2M_TUI_SCREEN_LOOP_H
#define R2M_TUI_SCREEN_LOOP_H

#include "tui/screen/app.h"

/* Runs on the terminal (term_start and signals_start were called) until the user leaves. Returns
 * the signal that ended it, or 0. */
int loop_run(struct app *app);

/* Feeds keys from a file, a line a step:
 *
 *     keys: Down Down + C-r       keys by name
 *     type: set alpha=0.5         characters as they stand
 *     :wait                       until nothing runs in the background
 *     :resize 132 43
 *     :mouse press 3 10           press, drag, release, up or down (wheel) at row and column
 *     :screendump FILE            rows of text, "--- styles", rows of style letters
 *     :quit
 *
 * A line that is one key's name presses it. # begins a comment. There is no terminal: the screen
 * is 80x24 to begin with and time stands still. */
bool script_run(struct app *app, const char *path, struct error *error);

#endif
