/* A plan with unsaved changes is never lost: a copy lies in place_state(), a second old at most,
 * and one that a crash or a kill left behind is offered when the same files are opened again.
 *
 *     recovery_start     session-INPUTS-PID.json is where; asks about one whose process is gone
 *     recovery_note      after every edit
 *     recovery_advance   when time has passed: writes, or removes what is saved
 *     recovery_end       on leaving */
#ifndef R2M_TUI_SCREEN_RECOVERY_H
#define R2M_TUI_SCREEN_RECOVERY_H

#include "tui/screen/app.h"

void recovery_start(struct app *app);
void recovery_note(struct app *app);
void recovery_advance(struct app *app);

/* Seconds until recovery_advance has something to write; negative: never. */
double recovery_deadline(const struct app *app);

/* keep: the copy stays, and its path is returned if there is one. */
const char *recovery_end(struct app *app, bool keep);

/* From a signal handler: writes what recovery_note saw last. Async-signal-safe. */
void recovery_emergency(void);

#endif
