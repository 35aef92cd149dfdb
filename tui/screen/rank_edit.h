/* Changing ranks: what a key applies to, steps, rules. */
#ifndef R2M_TUI_SCREEN_RANK_EDIT_H
#define R2M_TUI_SCREEN_RANK_EDIT_H

#include "analysis/layer_names.h"
#include "tui/screen/app.h"

enum rank_scope {
    SCOPE_ROW, /* a layer, or a module's layers */
    SCOPE_MARKED,
    SCOPE_KIND, /* layers of the same kind: names equal but for numbers */
    SCOPE_ALL,
    SCOPE_COUNT
};

/* What is selected, as the Layers view sees it. */
struct rank_selection {
    enum rank_scope scope;
    bool every;           /* specialist; else the selected one */
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

/* Rules that were copied, one for each layer and specialist. Zero-initialised: none. */
struct rank_clip {
    size_t *layers;
    size_t count;
    struct rank_rule *rules; /* [count x N] */
    bool every;              /* specialist's, else those of one */
    size_t specialist;
};
void rank_clip_free(struct rank_clip *clip);

/* Copies the scope's rules. */
unsigned rank_copy(struct app *app, const struct rank_selection *selection, struct rank_clip *clip);

/* Gives every layer of the scope the rules of the layer that was copied: where several were, those
 * of itself or of the first of its kind; layers without one keep theirs. */
unsigned rank_paste(struct app *app, const struct rank_selection *selection,
                    const struct rank_clip *clip);

/* The rank of one cell, if it is known already. */
bool rank_known(const struct app *app, size_t layer, size_t specialist, size_t *rank);

/* Why rank keys do not work now, or NULL. */
const char *rank_disabled(const struct app *app);

#endif
