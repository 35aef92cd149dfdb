/* The plan beside a saved one: A is the saved, B the present. Which settings differ, and in which
 * layers ranks, kept energy and shares do. */
#ifndef R2M_TUI_SCREEN_COMPARE_H
#define R2M_TUI_SCREEN_COMPARE_H

#include "merge/preview.h"
#include "tui/screen/list.h"

struct app;

struct compare_row {
    size_t layer, specialist;
};

struct compare {
    char *path; /* of A */
    struct plan *plan;
    struct preview *preview;
    struct analysis *analysis;   /* of A's own core; NULL while it is that of B */
    struct string_list settings; /* "alpha  0.6  0.5" */
    size_t layer_count;
    char **names; /* [layer_count] short ones of matrices, else NULL */
    struct compare_row *rows;
    struct list list; /* the rows */
};

/* Reads the config at path; it must name the same specialists. The app's comparison becomes this
 * one. */
bool compare_open(struct app *app, const char *path, struct error *error);
void compare_close(struct app *app);

/* After an edit, or news of the workers. */
void compare_update(struct app *app);

/* True when nothing of it is computed in the background. */
bool compare_idle(const struct app *app);

void compare_draw(struct app *app, struct surface *surface, struct rect body);

#endif
