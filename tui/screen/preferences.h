/* What the user likes the screen to be: colours and keys, from $XDG_CONFIG_HOME/r2m/screen.conf
 * (~/.config/r2m/screen.conf). A line is a word and its values:
 *
 *     theme light                 colorblind, dark, light, monochrome
 *     graph block                 braille, block, ascii
 *     mouse off
 *     color header 31 bold        an element, a terminal colour or default, then bold dim reverse
 *     bind rank-up Up +           an action and all its keys
 *
 * # begins a comment. A line that cannot be followed is reported as PATH:LINE: REASON and reading
 * goes on. */
#ifndef R2M_TUI_SCREEN_PREFERENCES_H
#define R2M_TUI_SCREEN_PREFERENCES_H

#include "analysis/support/memory.h"

#include <stdbool.h>
#include <stddef.h>

/* Follows the file; problems (one string each) are added. A file that is not there is none. */
void preferences_read(const char *path, struct string_list *problems);

/* The same from its usual place. */
void preferences_load(struct string_list *problems);

/* One line of it, also what :theme, :color, :graph, :mouse and :bind take. False with the reason.
 */
bool preferences_line(const char *line, char *reason, size_t size);

/* False when the file says mouse off. */
bool preferences_mouse(void);

#endif
