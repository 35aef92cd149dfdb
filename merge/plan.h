/* The plan: a config bound to the tensors it merges, with a rank rule for every (layer,
 * specialist) cell, and with undo.
 *
 * Editing changes the config; rules are resolved from it at once, so a preview is a table look-up.
 * Every edit is one step of history with a sentence that says what it did. */
#ifndef R2M_MERGE_PLAN_H
#define R2M_MERGE_PLAN_H

#include "merge/config/config.h"

struct plan {
    struct config config;             /* read freely; change through the functions below */
    const struct tensor_table *table; /* borrowed */
    struct settings effective; /* the method put as settings of R2M: see method_effective() */
    struct rank_rule *rules;   /* [layer_count x N] resolved; meaningful for matrices */
    double *shares;            /* [N] a_i = weight_i / sum of weights */
    struct plan_history *history;
    bool modified; /* since plan_create or plan_mark_saved */
};

/* A set of cells: those layers (indexes) for one specialist or, with PLAN_ALL, for all. */
enum { PLAN_ALL = -1 };
struct plan_scope {
    const size_t *layers;
    size_t layer_count;
    int specialist;
};

/* config is copied. Globs of overrides that match no tensor, and specialists they name that do
 * not exist, are an ERROR_USAGE that shows the nearest names. */
bool plan_create(const struct config *config, const struct tensor_table *table, struct plan **plan,
                 struct error *error);

/* The same with an output of one file, whatever output.shard_bytes says: for what is merged only to
 * be evaluated. */
bool plan_create_single(const struct config *config, const struct tensor_table *table,
                        struct plan **plan, struct error *error);
void plan_free(struct plan *plan);

/* The rule of one cell. */
struct rank_rule plan_rule(const struct plan *plan, size_t layer, size_t specialist);

/* One rule for every cell of the scope. Covering all matrices and all specialists it becomes the
 * config's default rule and drops the overrides; else an override per layer, replacing earlier
 * ones for exactly the same cells. description goes into history ("rank 102 -> 64, 12 layers"). */
void plan_set_rank(struct plan *plan, struct plan_scope scope, struct rank_rule rule,
                   const char *description);

/* A rank of its own for each cell, ranks[layer position in scope x N + specialist] (cells outside
 * the scope are ignored): what a step key does. */
void plan_set_ranks(struct plan *plan, struct plan_scope scope, const size_t *ranks,
                    const char *description);

/* A rule of its own for each cell, rules[layer position in scope x N + specialist] likewise: what
 * pasting does. */
void plan_set_rules(struct plan *plan, struct plan_scope scope, const struct rank_rule *rules,
                    const char *description);

/* Drops the overrides of the scope's cells: they follow the default rule again. */
void plan_reset(struct plan *plan, struct plan_scope scope, const char *description);

/* Edits of one override of the config (plan_overrides.c): its rule, the layers it aims at, its
 * place among the others (a neighbour must be there), or away with it. ERROR_USAGE, and nothing
 * changed, where a pattern meets no matrix. */
bool plan_override_set(struct plan *plan, size_t index, struct rank_rule rule, struct error *error);
bool plan_override_aim(struct plan *plan, size_t index, const char *layers, struct error *error);
bool plan_override_move(struct plan *plan, size_t index, bool up, struct error *error);
bool plan_override_drop(struct plan *plan, size_t index, struct error *error);

/* Sets a field of the settings table, or a specialist's weight. */
bool plan_set_field(struct plan *plan, const struct settings_field *field, const char *text,
                    struct error *error);
bool plan_set_weight(struct plan *plan, size_t specialist, double weight, struct error *error);

/* What a specialist of weight 0 still takes part in: a sentence, free() it; NULL where it has
 * another weight or takes part in nothing. */
char *plan_weight_note(const struct plan *plan, size_t specialist);

/* "KEY=VALUE" as in config_set, as one undoable step. */
bool plan_set(struct plan *plan, const char *assignment, struct error *error);
bool plan_preset(struct plan *plan, const char *name, struct error *error);

/* The plan of a config file about the same base and specialists, as one undoable step. */
bool plan_load(struct plan *plan, const char *path, const char *description, struct error *error);

/* Settings, ranks and weights of another config about specialists of the same names, as one
 * undoable step; files, keys and the evaluation stay. */
bool plan_take(struct plan *plan, const struct config *source, const char *description,
               struct error *error);

/* Makes next the config, as one step of history; its contents move in. Where it names other
 * specialists, plan_fits_table() is false until plan_rebind(). False with an error, next released
 * and nothing changed, when its fields contradict each other. */
bool plan_adopt(struct plan *plan, struct config *next, const char *description,
                struct error *error);

/* Whether the table is the one that the config names: the same base and specialists in the same
 * order. Undo and redo may cross a change of specialists. */
bool plan_fits_table(const struct plan *plan);

/* The table that the config names now; rules are resolved for it. */
void plan_rebind(struct plan *plan, const struct tensor_table *table);

/* Takes the newest (undone) step back; returns its description, or NULL when there is none. The
 * string lives until the next edit. */
const char *plan_undo(struct plan *plan);
const char *plan_redo(struct plan *plan);

/* The steps that can be taken back, and those that can be made again behind them; the position is
 * the number of steps made. The text of a step says what it did. */
size_t plan_step_count(const struct plan *plan);
size_t plan_position(const struct plan *plan);
const char *plan_step_text(const struct plan *plan, size_t step);

/* Notes on plans of the history, such as metrics (history_ticket, history_note). */
size_t plan_ticket(struct plan *plan);
void plan_note(struct plan *plan, size_t ticket, const char *text);
const char *plan_note_at(const struct plan *plan, size_t position);

/* Takes steps back, or makes them again, until the position is there. */
void plan_jump(struct plan *plan, size_t position);

/* After the config was written. */
void plan_mark_saved(struct plan *plan);

#endif
