/* View 1: the layers, their spectra, their ranks, and what each specialist contributes. */
#include "tui/screen/layers.h"

#include <stdlib.h>
#include <string.h>

enum { PANE_TABLE, PANE_SPECTRUM, PANE_COUNT };
static void *open_view(struct app *app) {
    struct layers_view *view = memory_array(1, sizeof *view);
    view->spectrum = spectrum_view_default();
    view->marked = memory_array(app->table->layer_count, sizeof *view->marked);
    layers_rows_build(&view->rows, app->table, app->table->matrix_count == 0);
    list_resize(&view->list, view->rows.row_count);
    if (view->rows.row_count > 0)
        list_select(&view->list, layers_row_of(&view->rows, app->layer));
    return view;
}

static void close_view(void *state) {
    struct layers_view *view = state;
    layers_rows_free(&view->rows);
    free(view->marked);
    free(view);
}

static const struct layers_row *cursor_row(const struct layers_view *view) {
    return view->rows.row_count > 0 ? &view->rows.rows[view->list.cursor] : NULL;
}

static struct rank_selection selection(const struct layers_view *view) {
    const struct layers_row *row = cursor_row(view);
    return (struct rank_selection){.scope = view->scope,
                                   .layers = row != NULL ? view->rows.shown + row->first : NULL,
                                   .layer_count = row != NULL ? row->count : 0,
                                   .marked = view->marked};
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct layers_view *view = state;
    struct layers_layout layout = layout_layers(body, app->table->specialist_count);
    if (view->zoom) {
        layers_draw_spectrum(app, surface, body, &view->spectrum, false);
        return;
    }
    layers_draw_table(app, view, surface, layout.table, view->pane == PANE_TABLE);
    surface_column(surface, body.row, layout.border_col, layout.border_col < 0 ? 0 : body.height,
                   ELEMENT_BORDER, theme_glyphs()->vertical);
    surface_row(surface, layout.border_row, 0, layout.border_row < 0 ? 0 : body.width,
                ELEMENT_BORDER, theme_glyphs()->horizontal);
    if (view->rows.row_count == 0)
        return;
    layers_draw_spectrum(app, surface, layout.spectrum, &view->spectrum,
                         view->pane == PANE_SPECTRUM);
    layers_draw_bars(app, surface, layout.bars);
    if (layout.values.width > 0)
        layers_draw_values(app, surface, layout.values);
}

static struct list *list_of(void *state) {
    return &((struct layers_view *)state)->list;
}

static void row_text(struct app *app, void *state, size_t row, char text[TEXT_ROOM]) {
    struct layers_view *view = state;
    const struct layers_row *one = &view->rows.rows[row];
    if (one->is_module)
        layers_row_label(&view->rows, app->table, row, text);
    else
        snprintf(text, TEXT_ROOM, "%s", app->table->layers[view->rows.shown[one->first]].name);
}

static void moved(struct app *app, void *state) {
    struct layers_view *view = state;
    const struct layers_row *row = cursor_row(view);
    if (row == NULL)
        return;
    app->layer = view->rows.shown[row->first];
    analysis_prefer(app->analysis, app->layer);
}

/* Another view may have selected a layer. */
static void changed(struct app *app, void *state) {
    struct layers_view *view = state;
    const struct layers_row *row = cursor_row(view);
    if (row == NULL || view->rows.shown[row->first] == app->layer)
        return;
    list_select(&view->list, layers_row_of(&view->rows, app->layer));
}

static size_t marked_count(const struct app *app, const struct layers_view *view) {
    size_t count = 0;
    for (size_t l = 0; l < app->table->layer_count; l++)
        count += view->marked[l];
    return count;
}

static void status(struct app *app, void *state, char left[TEXT_ROOM], char right[TEXT_ROOM]) {
    struct layers_view *view = state;
    const struct preview_cell *cell = preview_cell_at(app->preview, app->layer, app->specialist);
    struct rank_selection selected = selection(view);
    char scope[TEXT_ROOM];
    size_t marks = marked_count(app, view);
    const char *name = app->table->specialists[app->specialist].name;
    if (cell->ready && cell->max_rank > 0)
        snprintf(left, TEXT_ROOM, "%s r=%zu of %zu, kept %.1f%%, |T(R)| %.3g", name, cell->rank,
                 cell->max_rank, 100 * cell->kept, cell->residual_norm);
    else
        snprintf(left, TEXT_ROOM, "%s", app->table->layers[app->layer].name);
    snprintf(right, TEXT_ROOM, "keys: %.200s", rank_scope_text(app, &selected, scope));
    size_t used = strlen(right);
    if (marks > 0 && view->scope != SCOPE_MARKED)
        used += (size_t)snprintf(right + used, TEXT_ROOM - used, "  %zu marked", marks);
    snprintf(right + used, TEXT_ROOM - used, "  %zu/%zu", view->list.cursor + 1, view->list.count);
}

static void toggle_marks(struct layers_view *view, const struct layers_row *row) {
    bool all = true;
    for (size_t i = row->first; i < row->first + row->count; i++)
        all &= view->marked[view->rows.shown[i]];
    for (size_t i = row->first; i < row->first + row->count; i++)
        view->marked[view->rows.shown[i]] = !all;
}

static unsigned mark(struct app *app, struct layers_view *view, bool invert) {
    for (size_t i = 0; invert && i < view->rows.shown_count; i++)
        view->marked[view->rows.shown[i]] = !view->marked[view->rows.shown[i]];
    if (!invert && cursor_row(view) != NULL) {
        toggle_marks(view, cursor_row(view));
        list_move(&view->list, ACTION_DOWN);
        moved(app, view);
    }
    return DIRTY_SCREEN;
}

/* Rows anew with the selected layer kept in sight. */
static unsigned refold(struct app *app, struct layers_view *view) {
    size_t layer = app->layer;
    layers_rows_update(&view->rows);
    list_resize(&view->list, view->rows.row_count);
    list_select(&view->list, layers_row_of(&view->rows, layer));
    moved(app, view);
    return DIRTY_SCREEN;
}

static unsigned fold(struct app *app, struct layers_view *view, bool all) {
    bool any_open = false;
    const struct layers_row *row = cursor_row(view);
    for (size_t m = 0; m < view->rows.module_count; m++)
        any_open |= !view->rows.modules[m].folded;
    for (size_t m = 0; all && m < view->rows.module_count; m++)
        view->rows.modules[m].folded = any_open;
    if (!all && row != NULL)
        view->rows.modules[row->module].folded = !view->rows.modules[row->module].folded;
    return refold(app, view);
}

static unsigned show_vectors(struct app *app, struct layers_view *view) {
    size_t layer = app->layer;
    view->vectors = !view->vectors;
    layers_rows_build(&view->rows, app->table, view->vectors || app->table->matrix_count == 0);
    app->layer = layer;
    app_say(app, STATUS_INFO, view->vectors ? "vectors are shown" : "matrices only");
    return refold(app, view);
}

static unsigned next_scope(struct app *app, struct layers_view *view) {
    char text[TEXT_ROOM];
    struct rank_selection selected;
    do {
        view->scope = (enum rank_scope)((view->scope + 1) % SCOPE_COUNT);
    } while (view->scope == SCOPE_MARKED && marked_count(app, view) == 0);
    selected = selection(view);
    app_say(app, STATUS_INFO, "rank keys now change: %s", rank_scope_text(app, &selected, text));
    return DIRTY_SCREEN;
}

static unsigned select_specialist(struct app *app, size_t step) {
    app->specialist = (app->specialist + step) % app->table->specialist_count;
    return DIRTY_SCREEN;
}

static unsigned accept_rank(struct app *app, const char *text) {
    struct layers_view *view = app->states[VIEW_LAYERS];
    struct rank_selection selected = selection(view);
    return text[0] != '\0' ? rank_set(app, &selected, text) : DIRTY_SCREEN;
}

static unsigned ask_rank(struct app *app) {
    prompt_open(&app->prompt,
                (struct prompt_use){.label = "rank (64, 10%, e90, gd, mp, full, zero): ",
                                    .accept = accept_rank},
                "");
    return DIRTY_SCREEN;
}

/* With the spectrum in focus the arrows move the cut, and up and down choose the specialist. */
static enum action spectrum_action(enum action action) {
    return action == ACTION_SPECIALIST_PREVIOUS ? ACTION_RANK_DOWN
           : action == ACTION_SPECIALIST_NEXT   ? ACTION_RANK_UP
           : action == ACTION_UP                ? ACTION_SPECIALIST_PREVIOUS
           : action == ACTION_DOWN              ? ACTION_SPECIALIST_NEXT
                                                : action;
}

static unsigned act_on_ranks(struct app *app, struct layers_view *view, enum action action) {
    static const int steps[] = {[ACTION_RANK_UP] = 1,
                                [ACTION_RANK_DOWN] = -1,
                                [ACTION_RANK_UP_10] = 10,
                                [ACTION_RANK_DOWN_10] = -10};
    struct rank_selection selected = selection(view);
    if (action == ACTION_RANK_SET)
        return ask_rank(app);
    if (action == ACTION_RANK_RESET)
        return rank_reset(app, &selected);
    return rank_step(app, &selected, steps[action]);
}

static unsigned toggle(bool *flag) {
    *flag = !*flag;
    return DIRTY_SCREEN;
}

static unsigned act(struct app *app, void *state, enum action action) {
    struct layers_view *view = state;
    if (view->pane == PANE_SPECTRUM)
        action = spectrum_action(action);
    switch (action) {
    case ACTION_RANK_UP:
    case ACTION_RANK_DOWN:
    case ACTION_RANK_UP_10:
    case ACTION_RANK_DOWN_10:
    case ACTION_RANK_SET:
    case ACTION_RANK_RESET:
        return act_on_ranks(app, view, action);
    case ACTION_SCOPE:
        return next_scope(app, view);
    case ACTION_SPECIALIST_NEXT:
        return select_specialist(app, 1);
    case ACTION_SPECIALIST_PREVIOUS:
        return select_specialist(app, app->table->specialist_count - 1);
    case ACTION_MARK:
    case ACTION_MARK_INVERT:
        return mark(app, view, action == ACTION_MARK_INVERT);
    case ACTION_FOLD:
    case ACTION_FOLD_ALL:
        return fold(app, view, action == ACTION_FOLD_ALL);
    case ACTION_AXIS:
        view->spectrum.x = view->spectrum.x == CHART_LOG ? CHART_LINEAR : CHART_LOG;
        return DIRTY_SCREEN;
    case ACTION_EDGES:
        return toggle(&view->spectrum.noise_edges);
    case ACTION_VECTORS:
        return show_vectors(app, view);
    case ACTION_PANE:
    case ACTION_PANE_BACK:
        view->pane = (view->pane + 1) % PANE_COUNT;
        return DIRTY_SCREEN;
    case ACTION_ZOOM:
        return toggle(&view->zoom);
    case ACTION_BACK:
        if (!view->zoom)
            return NOT_MINE;
        view->zoom = false;
        return DIRTY_SCREEN;
    default:
        return NOT_MINE;
    }
}

const struct view_ops view_layers = {.name = "layers",
                                     .title = "Layers",
                                     .open = open_view,
                                     .close = close_view,
                                     .draw = draw,
                                     .act = act,
                                     .list = list_of,
                                     .row_text = row_text,
                                     .moved = moved,
                                     .changed = changed,
                                     .status = status};
