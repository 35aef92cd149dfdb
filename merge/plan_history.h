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

/* Remembers the position, and whether it is there again. */
void history_mark_saved(struct plan_history *history);
bool history_is_saved(const struct plan_history *history);

#endif
