/* Changing ranks: what a key applies to, steps, rules. */
#ifndef R2M_TUI_SCREEN_RANK_EDIT_H
#define R2M_TUI_SCREEN_RANK_EDIT_H

#include "tui/screen/app.h"

enum rank_scope {
    SCOPE_CELL,       /* one specialist in one layer (or in a module) */
    SCOPE_LAYER,      /* all specialists in it */
    SCOPE_MARKED,     /* the marked layers, all specialists */
    SCOPE_KIND,       /* layers of the same kind: names equal but for numbers */
    SCOPE_SPECIALIST, /* one specialist in every layer */
    SCOPE_ALL,
    SCOPE_COUNT
};

/* What is selected, as the Layers view sees it. */
struct rank_selection {
    enum rank_scope scope;
    const size_t *layers; /* of the row: a layer, or a module's layers */
    size_t layer_count;
    const bool *marked; /* [layer_count of the table] */
};

/* "fs, this layer", "12 marked layers". buffer of TEXT_ROOM bytes is returned. */
const char *rank_scope_text(const struct app *app, const struct rank_selection *selection,
                            char buffer[TEXT_ROOM]);

/* Every rank of the scope by step. */
unsigned rank_step(struct app *app, const struct rank_selection *selection, int step);

/* A rule for the scope, as typed. */
unsigned rank_set(struct app *app, const struct rank_selection *selection, const char *text);

/* The default rule again. */
unsigned rank_reset(struct app *app, const struct rank_selection *selection);

/* The rank of one cell, if it is known already. */
bool rank_known(const struct app *app, size_t layer, size_t specialist, size_t *rank);

/* Whether two names differ only in their numbers. */
bool layer_same_kind(const char *one, const char *other);

/* Why rank keys do not work now, or NULL. */
const char *rank_disabled(const struct app *app);

#endif
