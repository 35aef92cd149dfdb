/* The tables of `r2m analyze`: the core, the specialists, their cosines, the layers that one
 * specialist dominates, all layers. Without alignment the same, tab-separated, an empty line
 * between tables. */
#ifndef R2M_TUI_COMMAND_ANALYSIS_TABLES_H
#define R2M_TUI_COMMAND_ANALYSIS_TABLES_H

#include "tui/command/session.h"
#include "tui/command/text_table.h"

#include <stdio.h>

/* After session_analyze with spectra. */
void analysis_tables_print(const struct session *session, struct text_style style, FILE *stream);

#endif
