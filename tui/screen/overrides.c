/* Ranks of their own for some layers: their order, their layers. */
#include "tui/screen/hyperparameters.h"

#include <stdlib.h>

unsigned override_drop(struct app *app, size_t index) {
    struct error error = {0};
    char *layers = memory_string(app->plan->config.overrides[index].layer);
    bool good = plan_override_drop(app->plan, index, &error);
    if (good)
        app_say(app, STATUS_INFO, "no override of %s", layers);
    free(layers);
    return app_edited(app, good, &error);
}

/* The cursor goes with the override. */
unsigned override_move(struct app *app, struct plan_view *view, int step) {
    const struct hyperparameter *row = plan_cursor(view);
    size_t count = app->plan->config.override_count;
    struct error error = {0};
    if (row->kind != ROW_OVERRIDE || row->index + (size_t)step >= count) {
        app_say(app, STATUS_INFO, "only overrides move, among themselves");
        return DIRTY_SCREEN;
    }
    bool good = plan_override_move(app->plan, row->index, step < 0, &error);
    if (good)
        list_select(&view->list, view->list.cursor + (size_t)step);
    return app_edited(app, good, &error);
}

static unsigned accept_layers(struct app *app, const char *text) {
    struct plan_view *view = app->states[VIEW_PLAN];
    struct error error = {0};
    bool good = plan_override_aim(app->plan, plan_cursor(view)->index, text, &error);
    return app_edited(app, good, &error) | (good ? 0 : PROMPT_STAYS);
}

unsigned override_ask_layers(struct app *app, const struct plan_view *view) {
    const struct hyperparameter *row = plan_cursor(view);
    if (row->kind != ROW_OVERRIDE) {
        app_say(app, STATUS_INFO, "e changes the layers of an override; Enter changes a value");
        return DIRTY_SCREEN;
    }
    prompt_open(&app->prompt, (struct prompt_use){.label = "layers: ", .accept = accept_layers},
                app->plan->config.overrides[row->index].layer);
    return DIRTY_SCREEN;
}
