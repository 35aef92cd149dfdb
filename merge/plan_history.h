/* The steps of a plan, for undo and redo; only plan.c includes this.
 *
 * steps:   [0] [1] [2] | [3] [4]         the bar is the position
 * A step before the position holds the config as it was before that step, one behind it the
 * config as it was after: undo and redo swap the current config with the step they cross. */
#ifndef R2M_MERGE_PLAN_HISTORY_H
#define R2M_MERGE_PLAN_HISTORY_H

#include "merge/config/config.h"

enum { HISTORY_LIMIT = 500 }; /* steps; the oldest are forgotten */

struct plan_history;

struct plan_history *history_create(void);
void history_free(struct plan_history *history);

/* A new step; what could be redone is forgotten. before is the config it leaves behind; its
 * contents move into the history. */
void history_record(struct plan_history *history, struct config *before, const char *description);

/* Swap current with the neighbouring step; its description, or NULL when there is none. */
const char *history_undo(struct plan_history *history, struct config *current);
const char *history_redo(struct plan_history *history, struct config *current);

/* Number of steps, the position among them, and what a step did. */
size_t history_count(const struct plan_history *history);
size_t history_position(const struct plan_history *history);
const char *history_text(const struct plan_history *history, size_t step);

/* What was found out about a config, such as its metrics: a ticket for the present one, the note
 * once it is known. A config that was forgotten meanwhile gets none. */
size_t history_ticket(struct plan_history *history);
void history_note(struct plan_history *history, size_t ticket, const char *text);

/* The note of the config at a position, or NULL. */
const char *history_note_at(const struct plan_history *history, size_t position);

/* Remembers the position, and whether it is there again. */
void history_mark_saved(struct plan_history *history);
bool history_is_saved(const struct plan_history *history);

#endif
