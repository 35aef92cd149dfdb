/* View 4: every hyperparameter, editable in place, with its meaning and the formula in numbers. */
#include "tui/screen/complete.h"
#include "tui/screen/hyperparameters.h"
#include "tui/screen/pictures.h"

#include <stdlib.h>

enum { COLUMN_NAME, COLUMN_VALUE, LIST_WIDTH = 38, LIST_WIDTH_WIDE = 76 };

static const struct column columns[] = {{"Hyperparameter", 20, 0, 60, false, COLUMN_NAME, 0},
                                        {"value", 14, 0, 0, false, COLUMN_VALUE, 0}};

static void changed(struct app *app, void *state) {
    hyperparameters_list(app, state);
}

static void *open_view(struct app *app) {
    struct plan_view *view = memory_array(1, sizeof *view);
    view->app = app;
    settings_defaults(&view->defaults);
    hyperparameters_list(app, view);
    return view;
}

static void close_view(void *state) {
    struct plan_view *view = state;
    free(view->rows);
    free(view);
}

static void fill(void *context, size_t index, int column, int width, struct list_cell *cell) {
    struct app *app = context;
    struct plan_view *view = app->states[VIEW_PLAN];
    char text[TEXT_ROOM], value[FIELD_TEXT];
    bool set = hyperparameter_text(app, view, &view->rows[index], value);
    cell->style = set ? ELEMENT_SET | STYLE_BOLD : ELEMENT_TEXT;
    if (column == COLUMN_VALUE) {
        snprintf(cell->text, sizeof cell->text, "%s%s", value, set ? " *" : "");
        return;
    }
    hyperparameter_name(app, &view->rows[index], text);
    text_shorten(text, width, cell->text);
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct plan_view *view = state;
    struct pair_layout layout = layout_pair(body, body.width >= 150 ? LIST_WIDTH_WIDE : LIST_WIDTH);
    struct rect detail = layout.detail;
    if (app->compare != NULL) {
        compare_draw(app, surface, body);
        return;
    }
    layout.list.col++, layout.list.width--;
    if (layout.border_row >= 0)
        detail.col++, detail.width -= 2;
    list_draw(&view->list, surface, layout.list, columns, sizeof columns / sizeof *columns, true,
              fill, app);
    surface_column(surface, body.row, layout.border_col,
                   layout.border_col < 0 ? 0 : layout.list.height, ELEMENT_BORDER,
                   theme_glyphs()->vertical);
    surface_row(surface, layout.border_row, 0, layout.border_row < 0 ? 0 : body.width,
                ELEMENT_BORDER, theme_glyphs()->horizontal);
    hyperparameter_draw_meaning(app, view, surface, &detail);
    detail.row++, detail.height--;
    formula_draw(app, surface, detail);
}

static struct list *list_of(void *state) {
    struct plan_view *view = state;
    return view->app->compare != NULL ? &view->app->compare->list : &view->list;
}

static void row_text(struct app *app, void *state, size_t row, char text[TEXT_ROOM]) {
    struct plan_view *view = state;
    if (app->compare != NULL)
        snprintf(text, TEXT_ROOM, "%s", app->table->layers[app->compare->rows[row].layer].name);
    else
        hyperparameter_name(app, &view->rows[row], text);
}

static void status(struct app *app, void *state, char left[TEXT_ROOM], char right[TEXT_ROOM]) {
    struct plan_view *view = state;
    size_t overrides = app->plan->config.override_count;
    if (app->compare != NULL) {
        list_position(&app->compare->list, right);
        return;
    }
    hyperparameter_name(app, plan_cursor(view), left);
    snprintf(right, TEXT_ROOM, "%zu override%s  %zu/%zu", overrides, overrides == 1 ? "" : "s",
             view->list.cursor + 1, view->list.count);
}

static unsigned accept_compare(struct app *app, const char *text) {
    struct error error = {0};
    if (compare_open(app, text, &error))
        return DIRTY_SCREEN;
    return app_edited(app, false, &error) | PROMPT_STAYS;
}

static unsigned toggle_compare(struct app *app) {
    if (app->compare != NULL)
        compare_close(app);
    else
        prompt_open(&app->prompt,
                    (struct prompt_use){.label = "compare with config: ",
                                        .accept = accept_compare,
                                        .complete = complete_path},
                    app->config_path);
    return DIRTY_SCREEN;
}

/* The settings are not seen then. */
const char *compared_disabled(const struct app *app) {
    return app->compare != NULL ? "c goes back to the settings" : NULL;
}

static unsigned act(struct app *app, void *state, enum action action) {
    struct plan_view *view = state;
    if (app->compare != NULL && action == ACTION_BACK)
        return toggle_compare(app);
    switch (action) {
    case ACTION_VALUE_CHANGE:
        return hyperparameter_change(app, view);
    case ACTION_VALUE_PREVIOUS:
    case ACTION_VALUE_NEXT:
        return hyperparameter_step(app, plan_cursor(view), action == ACTION_VALUE_NEXT ? 1 : -1);
    case ACTION_VALUE_RESET:
        return hyperparameter_reset(app, view);
    case ACTION_PRESET:
        return plan_ask_preset(app);
    case ACTION_OVERRIDE_UP:
    case ACTION_OVERRIDE_DOWN:
        return override_move(app, view, action == ACTION_OVERRIDE_UP ? -1 : 1);
    case ACTION_OVERRIDE_LAYERS:
        return override_ask_layers(app, view);
    case ACTION_COMPARE:
        return toggle_compare(app);
    default:
        return NOT_MINE;
    }
}

static struct page *figure(struct app *app, void *state) {
    (void)state;
    return pictures_page(app, "overview");
}

const struct view_ops view_plan = {.name = "plan",
                                   .title = "Plan",
                                   .lasts = true,
                                   .open = open_view,
                                   .close = close_view,
                                   .draw = draw,
                                   .act = act,
                                   .list = list_of,
                                   .row_text = row_text,
                                   .changed = changed,
                                   .figure = figure,
                                   .status = status};
