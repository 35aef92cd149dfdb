/* View 1: the layers, their spectra, their ranks, and what each specialist contributes. */
#include "tui/screen/layers.h"
#include "tui/screen/rank_proposal.h"

#include <stdlib.h>
#include <string.h>

static void *open_view(struct app *app) {
    struct layers_view *view = memory_array(1, sizeof *view);
    view->spectrum = spectrum_view_default();
    view->marked = memory_array(app->table->layer_count, sizeof *view->marked);
    view->anchor = NO_ANCHOR;
    layers_rows_build(&view->rows, app->table, app->table->matrix_count == 0, NULL);
    list_resize(&view->list, view->rows.row_count);
    if (view->rows.row_count > 0)
        list_select(&view->list, layers_row_of(&view->rows, app->layer));
    return view;
}

static void close_view(void *state) {
    struct layers_view *view = state;
    layers_rows_free(&view->rows);
    free(view->filter);
    rank_clip_free(&view->clip);
    free(view->marked);
    free(view);
}

const struct layers_row *layers_cursor_row(const struct layers_view *view) {
    return view->rows.row_count > 0 ? &view->rows.rows[view->list.cursor] : NULL;
}

struct rank_selection layers_selection(const struct layers_view *view) {
    const struct layers_row *row = layers_cursor_row(view);
    return (struct rank_selection){.scope = view->scope,
                                   .every = view->every,
                                   .layers = row != NULL ? view->rows.shown + row->first : NULL,
                                   .layer_count = row != NULL ? row->count : 0,
                                   .marked = view->marked};
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct layers_view *view = state;
    struct layers_layout layout = layout_layers(body, app->table->specialist_count);
    if (view->zoom) {
        layers_draw_spectrum(app, view, surface, body, false);
        return;
    }
    layers_draw_table(app, view, surface, layout.table, view->pane == PANE_TABLE);
    surface_column(surface, body.row, layout.border_col, layout.border_col < 0 ? 0 : body.height,
                   ELEMENT_BORDER, theme_glyphs()->vertical);
    surface_row(surface, layout.border_row, 0, layout.border_row < 0 ? 0 : body.width,
                ELEMENT_BORDER, theme_glyphs()->horizontal);
    if (view->rows.row_count == 0)
        return;
    layers_draw_spectrum(app, view, surface, layout.spectrum, view->pane == PANE_SPECTRUM);
    layers_draw_bars(app, surface, layout.bars);
    if (layout.values.width > 0)
        layers_draw_values(app, view, surface, layout.values);
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

void layers_follow_cursor(struct app *app, struct layers_view *view) {
    const struct layers_row *row = layers_cursor_row(view);
    if (row == NULL)
        return;
    app->layer = view->rows.shown[row->first];
    analysis_prefer(app->analysis, app->layer);
}

static void moved(struct app *app, void *state) {
    layers_follow_cursor(app, state);
}

/* Another view may have selected a layer: it is listed, filtered or not. */
static void changed(struct app *app, void *state) {
    struct layers_view *view = state;
    const struct layers_row *row = layers_cursor_row(view);
    if (row != NULL && view->rows.shown[row->first] == app->layer)
        return;
    if (view->filter != NULL && !layer_fits(&app->table->layers[app->layer], view->filter))
        layers_set_filter(app, view, NULL);
    list_select(&view->list, layers_row_of(&view->rows, app->layer));
}

static void status(struct app *app, void *state, char left[TEXT_ROOM], char right[TEXT_ROOM]) {
    struct layers_view *view = state;
    const struct preview_cell *cell = preview_cell_at(app->preview, app->layer, app->specialist);
    struct rank_selection selected = layers_selection(view);
    char scope[TEXT_ROOM], place[TEXT_ROOM];
    size_t marks = layers_marked_count(app, view);
    const char *name = app->table->specialists[app->specialist].name;
    bool focused = view->pane == PANE_SPECTRUM || view->zoom;
    bool reading = focused && layers_cursor_text(app, view, left);
    if (focused && view->spectrum.cursor == 0) {
        snprintf(left, TEXT_ROOM, "Left, Right: cursor  Up, Down: specialist");
        reading = true;
    }
    size_t used = strlen(left);
    if (!reading && cell->ready && cell->max_rank > 0)
        used = (size_t)snprintf(left, TEXT_ROOM, "%s r=%zu of %zu, kept %.1f%%",
                                text_shorten(name, 10, place), cell->rank, cell->max_rank,
                                100 * cell->kept);
    else if (!reading)
        snprintf(left, TEXT_ROOM, "%s", app->table->layers[app->layer].name);
    if (!reading && used > 0 && app->body.width >= 100)
        snprintf(left + used, TEXT_ROOM - used, ", |T(R)| %.3g", cell->residual_norm);
    snprintf(right, TEXT_ROOM, "keys: %.200s", rank_scope_text(app, &selected, scope));
    used = strlen(right);
    if (marks > 0 && view->scope != SCOPE_MARKED)
        used += (size_t)snprintf(right + used, TEXT_ROOM - used, "  %zu marked", marks);
    snprintf(right + used, TEXT_ROOM - used, "  %.40s", list_position(&view->list, place));
    if (text_width(left) + text_width(right) + 4 > app->body.width)
        snprintf(right, TEXT_ROOM, "%.40s", place);
}

static unsigned next_scope(struct app *app, struct layers_view *view) {
    char text[TEXT_ROOM];
    struct rank_selection selected;
    do {
        view->scope = (enum rank_scope)((view->scope + 1) % SCOPE_COUNT);
    } while (view->scope == SCOPE_MARKED && layers_marked_count(app, view) == 0);
    selected = layers_selection(view);
    app_say(app, STATUS_INFO, "rank keys now change: %s", rank_scope_text(app, &selected, text));
    return DIRTY_SCREEN;
}

static unsigned toggle_every(struct app *app, struct layers_view *view) {
    char text[TEXT_ROOM];
    view->every = !view->every;
    struct rank_selection selected = layers_selection(view);
    app_say(app, STATUS_INFO, "rank keys now change: %s", rank_scope_text(app, &selected, text));
    return DIRTY_SCREEN;
}

static unsigned select_specialist(struct app *app, size_t step) {
    app->specialist = (app->specialist + step) % app->table->specialist_count;
    return DIRTY_SCREEN;
}

static unsigned accept_rank(struct app *app, const char *text) {
    struct layers_view *view = app->states[VIEW_LAYERS];
    struct rank_selection selected = layers_selection(view);
    return text[0] != '\0' ? rank_set(app, &selected, text) : DIRTY_SCREEN;
}

static unsigned ask_rank(struct app *app) {
    prompt_open(&app->prompt,
                (struct prompt_use){.label = "rank (64, 10%, e90, gd, mp, auto, full, zero): ",
                                    .accept = accept_rank},
                "");
    return DIRTY_SCREEN;
}

/* With the spectrum in focus left and right move its cursor, up and down choose the specialist. */
static enum action focused_action(const struct layers_view *view, enum action action) {
    if (view->pane == PANE_SPECTRUM || view->zoom)
        return action == ACTION_UP     ? ACTION_SPECIALIST_PREVIOUS
               : action == ACTION_DOWN ? ACTION_SPECIALIST_NEXT
                                       : action;
    return action == ACTION_LEFT    ? ACTION_SPECIALIST_PREVIOUS
           : action == ACTION_RIGHT ? ACTION_SPECIALIST_NEXT
                                    : action;
}

/* The cut goes where the cursor is. */
static unsigned cut_here(struct app *app, struct layers_view *view) {
    char text[32];
    struct rank_selection selected = layers_selection(view);
    if (view->spectrum.cursor == 0) {
        app_say(app, STATUS_WARNING, "no cursor in the spectrum: Tab, then Left and Right");
        return DIRTY_SCREEN;
    }
    snprintf(text, sizeof text, "%zu", view->spectrum.cursor);
    return rank_set(app, &selected, text);
}

static unsigned act_on_ranks(struct app *app, struct layers_view *view, enum action action) {
    static const int steps[] = {[ACTION_RANK_UP] = 1,
                                [ACTION_RANK_DOWN] = -1,
                                [ACTION_RANK_UP_10] = 10,
                                [ACTION_RANK_DOWN_10] = -10};
    struct rank_selection selected = layers_selection(view);
    if (action == ACTION_RANK_SET)
        return ask_rank(app);
    if (action == ACTION_RANK_PROPOSE)
        return rank_propose(app, &selected);
    if (action == ACTION_RANK_RESET)
        return rank_reset(app, &selected);
    if (action == ACTION_RANK_COPY)
        return rank_copy(app, &selected, &view->clip);
    if (action == ACTION_RANK_PASTE)
        return rank_paste(app, &selected, &view->clip);
    return rank_step(app, &selected, steps[action]);
}

static unsigned toggle(bool *flag) {
    *flag = !*flag;
    return DIRTY_SCREEN;
}

/* Esc: out of the whole screen, the cursor away, a range dropped, all layers listed. */
static bool go_back(struct app *app, struct layers_view *view) {
    bool cursor = view->spectrum.cursor > 0 && view->pane == PANE_SPECTRUM;
    if (!view->zoom && !cursor)
        return layers_drop(app, view);
    if (!view->zoom)
        view->spectrum.cursor = 0;
    view->zoom = false;
    return true;
}

static unsigned act(struct app *app, void *state, enum action action) {
    struct layers_view *view = state;
    action = focused_action(view, action);
    unsigned result = layers_spectrum_act(app, view, action);
    if (!(result & NOT_MINE))
        return result;
    switch (action) {
    case ACTION_RANK_UP:
    case ACTION_RANK_DOWN:
    case ACTION_RANK_UP_10:
    case ACTION_RANK_DOWN_10:
    case ACTION_RANK_SET:
    case ACTION_RANK_PROPOSE:
    case ACTION_RANK_RESET:
    case ACTION_RANK_COPY:
    case ACTION_RANK_PASTE:
        return act_on_ranks(app, view, action);
    case ACTION_SCOPE_SPECIALISTS:
        return toggle_every(app, view);
    case ACTION_SCOPE:
        return next_scope(app, view);
    case ACTION_SPECIALIST_NEXT:
        return select_specialist(app, 1);
    case ACTION_SPECIALIST_PREVIOUS:
        return select_specialist(app, app->table->specialist_count - 1);
    case ACTION_MARK:
        return layers_mark(app, view);
    case ACTION_MARK_INVERT:
        return layers_mark_invert(app, view);
    case ACTION_MARK_RANGE:
        return layers_mark_range(app, view);
    case ACTION_FOLD:
    case ACTION_FOLD_ALL:
        return layers_fold(app, view, action == ACTION_FOLD_ALL);
    case ACTION_FILTER:
        return layers_ask_filter(app, view);
    case ACTION_FILTER_KIND:
        return layers_filter_kind(app, view);
    case ACTION_SORT:
        layers_sort_next(app, view);
        return DIRTY_SCREEN;
    case ACTION_SORT_TURN:
        layers_sort_by(app, view, view->sort_column);
        return DIRTY_SCREEN;
    case ACTION_CUT_HERE:
        return cut_here(app, view);
    case ACTION_VECTORS:
        return layers_show_vectors(app, view);
    case ACTION_PANE:
    case ACTION_PANE_BACK:
        view->pane = (view->pane + 1) % PANE_COUNT;
        return DIRTY_SCREEN;
    case ACTION_ZOOM:
        return toggle(&view->zoom);
    case ACTION_BACK:
        return go_back(app, view) ? DIRTY_SCREEN : NOT_MINE;
    default:
        return NOT_MINE;
    }
}

/* In the spectrum its own keys are told first. */
static bool hinted(const void *state, enum action action) {
    const struct layers_view *view = state;
    bool focused = view->pane == PANE_SPECTRUM || view->zoom;
    return focused && (action == ACTION_CUT_HERE || action == ACTION_SPECTRUM_OF ||
                       action == ACTION_CUMULATIVE || action == ACTION_RELATIVE ||
                       action == ACTION_ZOOM_IN || action == ACTION_EDGES || action == ACTION_PANE);
}

static unsigned click(struct app *app, void *state, int row, int col) {
    return layers_click(app, state, row, col);
}

static unsigned drag(struct app *app, void *state, const struct mouse *mouse) {
    return layers_drag(app, state, mouse);
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
                                     .figure = layers_figure,
                                     .click = click,
                                     .drag = drag,
                                     .hinted = hinted,
                                     .status = status};
