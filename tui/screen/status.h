/* What the program says in the row above the footer, and the list of all it said. */
#ifndef R2M_TUI_SCREEN_STATUS_H
#define R2M_TUI_SCREEN_STATUS_H

#include "analysis/support/error.h"
#include "analysis/support/memory.h"

/* Information fades after some seconds or with the next key, a warning with the next key, an
 * error with Esc or the next message. */
enum status_level { STATUS_INFO, STATUS_WARNING, STATUS_ERROR };

#define STATUS_SECONDS 4.0

struct status {
    char *text; /* NULL: nothing to say */
    enum status_level level;
    double until;           /* when information fades */
    struct string_list log; /* everything, oldest first */
};

void status_say(struct status *status, double now, enum status_level level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Takes the error's text (its first line, and the hint) and releases the error. */
void status_fail(struct status *status, double now, struct error *error);

/* Forgets the message if its level is at most that. */
void status_clear(struct status *status, enum status_level up_to);

void status_free(struct status *status);

#endif
