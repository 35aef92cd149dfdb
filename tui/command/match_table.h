/* How the names of the specialists met the base's, as a table. */
#ifndef R2M_TUI_COMMAND_MATCH_TABLE_H
#define R2M_TUI_COMMAND_MATCH_TABLE_H

#include "analysis/tensor_table.h"
#include "tui/command/text_table.h"

/* A row for every specialist. */
void match_table_print(const struct tensor_table *table, struct text_style style, FILE *stream);

/* inspect --base: the whole report, or JSON. Returns the exit code. */
int match_inspect(const struct options *options);

#endif
