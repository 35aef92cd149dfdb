/* What the commands say on standard error: `r2m: ` before every line. */
#ifndef R2M_TUI_COMMAND_COMPLAIN_H
#define R2M_TUI_COMMAND_COMPLAIN_H

#include "analysis/support/error.h"
#include "analysis/support/memory.h"

/* Exit codes. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_WRONG_USE = 2, EXIT_INTERRUPTED = 130 };

/* Prints every line of the message and the hint, and releases the error. Returns the exit code. */
int complain(struct error *error);

/* Prints one line and `Try 'r2m COMMAND --help'.` (command NULL: `r2m --help`). Returns
 * EXIT_WRONG_USE. */
int complain_usage(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

void complain_warnings(const struct string_list *warnings);

#endif
