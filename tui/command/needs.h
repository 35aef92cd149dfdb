/* What a command may take of the machine, and what it tells beforehand that it needs. */
#ifndef R2M_TUI_COMMAND_NEEDS_H
#define R2M_TUI_COMMAND_NEEDS_H

#include "analysis/needs.h"
#include "tui/command/options.h"

/* Threads and memory as given, or as the machine has them: all processors, three quarters of the
 * free memory, shared with the ranks beside this one. */
struct work_limits needs_limits(const struct options *options);

/* false, for return; error gets a hint at --memory where it was not given. */
bool needs_refuse(const struct options *options, struct error *error);

/* One row: words for people, a key for JSON. */
struct need {
    const char *text, *key;
    double value;
    bool is_bytes;
};

/* A table on standard output, or JSON with --json; with the output's name where there is one. */
void needs_print(const struct options *options, const struct need *needs, size_t count);

#endif
