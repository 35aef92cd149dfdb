/* Signals of the commands without a screen: an interruption stops the running job cleanly, and a
 * file that is cut short while it is mapped ends the program with a sentence. */
#ifndef R2M_TUI_COMMAND_INTERRUPT_H
#define R2M_TUI_COMMAND_INTERRUPT_H

#include "analysis/support/progress.h"

/* From now on SIGINT, SIGTERM and SIGHUP, unless they are ignored, no longer end the program by
 * themselves, nor does a limit on file sizes; SIGPIPE does, quietly. Call it from the main thread.
 */
void interrupt_watch(void);

/* The job that a signal stops, or NULL. A signal that came before stops it at once. */
void interrupt_stops(struct progress *progress);

/* Exit code of the signal that came (130 for SIGINT), or 0. */
int interrupt_code(void);

/* To be called now and then by the main thread while workers read files: ends the program, without
 * a partial output, when one of them met the end of a file that was longer before. */
void interrupt_check(void);

/* Removes temporary outputs that this process holds open, with the folder in the making that they
 * are in. */
void interrupt_remove_outputs(void);

#endif
