/* The parts of the Plan view: its rows, what is said about the selected one, and what changes it.
 */
#ifndef R2M_TUI_SCREEN_HYPERPARAMETERS_H
#define R2M_TUI_SCREEN_HYPERPARAMETERS_H

#include "tui/screen/app.h"

enum hyperparameter_kind { ROW_FIELD, ROW_RANK, ROW_WEIGHT, ROW_OVERRIDE };

/* A row: a field of the settings, the default rank rule, a specialist's weight, or an override. */
struct hyperparameter {
    enum hyperparameter_kind kind;
    size_t index; /* of the field, the specialist or the override */
};

struct plan_view {
    const struct app *app;
    struct list list;
    struct hyperparameter *rows; /* [list.count] */
    struct settings defaults;
};

/* Lists anew the fields that the method looks at, the weights, and with R2M the default rank rule
 * and the overrides. */
void hyperparameters_list(struct app *app, struct plan_view *view);

/* The selected row. */
const struct hyperparameter *plan_cursor(const struct plan_view *view);

/* The field behind a row; NULL where it is none. */
const struct settings_field *hyperparameter_field(const struct hyperparameter *row);

void hyperparameter_name(const struct app *app, const struct hyperparameter *row,
                         char text[TEXT_ROOM]);

/* The value as text; false where it is the default. */
bool hyperparameter_text(const struct app *app, const struct plan_view *view,
                         const struct hyperparameter *row, char text[FIELD_TEXT]);

/* The selected row's meaning at the top of rect, which becomes what is left below. */
void hyperparameter_draw_meaning(struct app *app, const struct plan_view *view,
                                 struct surface *surface, struct rect *rect);

/* What keys do to the selected row (hyperparameter_edit.c, overrides.c): each returns what became
 * dirty, and says why nothing did. */
unsigned hyperparameter_change(struct app *app, const struct plan_view *view);
unsigned hyperparameter_step(struct app *app, const struct hyperparameter *row, int step);
unsigned hyperparameter_reset(struct app *app, const struct plan_view *view);
unsigned plan_ask_preset(struct app *app);
unsigned override_drop(struct app *app, size_t index);
unsigned override_move(struct app *app, struct plan_view *view, int step);
unsigned override_ask_layers(struct app *app, const struct plan_view *view);

#endif
