/* What stands beside the selected row: its meaning, what is allowed, what a change costs. */
#include "tui/screen/hyperparameters.h"

/* The sentences beside the selected row. */
static const char *meaning(const struct hyperparameter *row) {
    static const char *const texts[] = {
        [ROW_RANK] = "Singular values kept of each residual matrix where no override says "
                     "otherwise.",
        [ROW_WEIGHT] = "Weight of the specialist's residual; the weights are divided by their sum. "
                       "With 0 it may still count, as in the Real core: Space in view 2 leaves "
                       "it out.",
        [ROW_OVERRIDE] = "A rank of its own for these layers. Later overrides win: K and J move "
                         "it, e changes the layers, d drops it."};
    return row->kind == ROW_FIELD ? hyperparameter_field(row)->text : texts[row->kind];
}

static const char *allowed(const struct hyperparameter *row, char text[FIELD_TEXT]) {
    if (row->kind == ROW_FIELD)
        settings_field_allowed(hyperparameter_field(row), text, FIELD_TEXT);
    else if (row->kind == ROW_WEIGHT)
        snprintf(text, FIELD_TEXT, "a number from 0 on");
    else
        snprintf(text, FIELD_TEXT,
                 "64 (rank), 10%% (ratio), e90 (energy), gd, mp, auto, full, zero");
    return text;
}

static const char *effect(const struct hyperparameter *row) {
    static const char *const texts[] = {
        [EFFECT_CORE] = "A change computes the spectra anew, in the background.",
        [EFFECT_PREVIEW] = "A change shows at once.",
        [EFFECT_OUTPUT] = "Changes only the file that is written."};
    return texts[row->kind == ROW_FIELD ? hyperparameter_field(row)->effect : EFFECT_PREVIEW];
}

void hyperparameter_draw_meaning(struct app *app, const struct plan_view *view,
                                 struct surface *surface, struct rect *rect) {
    const struct hyperparameter *row = plan_cursor(view);
    char text[TEXT_ROOM], value[FIELD_TEXT];
    hyperparameter_name(app, row, text);
    surface_paragraph(surface, rect, ELEMENT_HEADER, text);
    surface_paragraph(surface, rect, ELEMENT_TEXT, meaning(row));
    snprintf(text, sizeof text, "Allowed: %s.", allowed(row, value));
    surface_paragraph(surface, rect, ELEMENT_QUIET, text);
    if (row->kind == ROW_FIELD) {
        settings_field_text(&view->defaults, hyperparameter_field(row), value, sizeof value);
        snprintf(text, sizeof text, "Default: %s. %s", value, effect(row));
        surface_paragraph(surface, rect, ELEMENT_QUIET, text);
    }
}
