/* Signals as bytes in a pipe, read by the loop; and a way out of crashes that leaves the terminal
 * usable. */
#ifndef R2M_TUI_TERMINAL_SIGNALS_H
#define R2M_TUI_TERMINAL_SIGNALS_H

#include "analysis/support/error.h"

/* Handlers for WINCH, TSTP, INT, TERM, HUP, QUIT, and for crashes. Call before term_start. */
bool signals_start(struct error *error);

/* What a crash calls before the signal goes on: async-signal-safe. */
void signals_on_crash(void (*save)(void));

/* Descriptor that is readable when a signal came. */
int signals_descriptor(void);

/* The next signal, 0 when there is none. */
int signals_next(void);

/* Stops the process as Ctrl-Z does without a program that handles it; returns when continued. */
void signals_stop_here(void);

/* Default handlers again. */
void signals_end(void);

#endif
