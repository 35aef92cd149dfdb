/* What was typed into prompts, from one session to the next: a line each in place_state(). */
#ifndef R2M_TUI_SCREEN_HISTORY_FILE_H
#define R2M_TUI_SCREEN_HISTORY_FILE_H

#include "tui/screen/prompt.h"

void history_read(struct prompt *prompt);
void history_write(const struct prompt *prompt);

#endif
