/* Which layers the table lists, folds and marks. */
#include "tui/screen/layers.h"

#include <stdlib.h>
#include <string.h>

/* The list after its rows changed, with the selected layer kept in sight. */
static unsigned relist(struct app *app, struct layers_view *view) {
    list_resize(&view->list, view->rows.row_count);
    list_select(&view->list, layers_row_of(&view->rows, app->layer));
    layers_order(app, view);
    layers_follow_cursor(app, view);
    return DIRTY_SCREEN;
}

static void rebuild(struct app *app, struct layers_view *view) {
    bool vectors = view->vectors || app->table->matrix_count == 0;
    layers_rows_build(&view->rows, app->table, vectors, view->filter);
    relist(app, view);
}

/* ---- marks ---- */

size_t layers_marked_count(const struct app *app, const struct layers_view *view) {
    size_t count = 0;
    for (size_t l = 0; l < app->table->layer_count; l++)
        count += view->marked[l];
    return count;
}

static unsigned say_marked(struct app *app, struct layers_view *view) {
    size_t count = layers_marked_count(app, view);
    app_say(app, STATUS_INFO, "%zu layer%s marked; a reaches them", count, count == 1 ? "" : "s");
    return DIRTY_SCREEN;
}

unsigned layers_mark(struct app *app, struct layers_view *view) {
    const struct layers_row *row = layers_cursor_row(view);
    bool all = true;
    if (row == NULL)
        return DIRTY_SCREEN;
    for (size_t i = row->first; i < row->first + row->count; i++)
        all &= view->marked[view->rows.shown[i]];
    for (size_t i = row->first; i < row->first + row->count; i++)
        view->marked[view->rows.shown[i]] = !all;
    list_move(&view->list, ACTION_DOWN);
    layers_follow_cursor(app, view);
    return DIRTY_SCREEN;
}

unsigned layers_mark_invert(struct app *app, struct layers_view *view) {
    for (size_t i = 0; i < view->rows.shown_count; i++)
        view->marked[view->rows.shown[i]] = !view->marked[view->rows.shown[i]];
    return say_marked(app, view);
}

unsigned layers_mark_range(struct app *app, struct layers_view *view) {
    if (view->anchor == NO_ANCHOR) {
        view->anchor = app->layer;
        app_say(app, STATUS_INFO, "a range begins here: move, v marks it, Esc drops it");
        return DIRTY_SCREEN;
    }
    for (size_t i = 0; i < view->rows.shown_count; i++) {
        size_t layer = view->rows.shown[i];
        view->marked[layer] = layers_is_marked(view, layer);
    }
    view->anchor = NO_ANCHOR;
    return say_marked(app, view);
}

/* ---- folds ---- */

unsigned layers_fold(struct app *app, struct layers_view *view, bool all) {
    bool any_open = false;
    const struct layers_row *row = layers_cursor_row(view);
    if (view->rows.flat) {
        app_say(app, STATUS_WARNING, "sorted layers have no modules; s goes back to them");
        return DIRTY_SCREEN;
    }
    for (size_t m = 0; m < view->rows.module_count; m++)
        any_open |= !view->rows.modules[m].folded;
    for (size_t m = 0; all && m < view->rows.module_count; m++)
        view->rows.modules[m].folded = any_open;
    if (!all && row != NULL)
        view->rows.modules[row->module].folded = !view->rows.modules[row->module].folded;
    layers_rows_update(&view->rows);
    return relist(app, view);
}

/* ---- filter ---- */

void layers_set_filter(struct app *app, struct layers_view *view, const char *filter) {
    char *text = filter != NULL && filter[0] != '\0' ? memory_string(filter) : NULL;
    free(view->filter);
    view->filter = text;
    view->anchor = NO_ANCHOR;
    rebuild(app, view);
}

static unsigned say_listed(struct app *app, struct layers_view *view) {
    size_t count = view->rows.shown_count;
    if (view->filter == NULL)
        app_say(app, STATUS_INFO, "all layers are listed");
    else
        app_say(app, count > 0 ? STATUS_INFO : STATUS_WARNING,
                "%zu layer%s listed; Esc lists all again", count, count == 1 ? " is" : "s are");
    return DIRTY_SCREEN;
}

static unsigned accept_filter(struct app *app, const char *text) {
    struct layers_view *view = app->states[VIEW_LAYERS];
    layers_set_filter(app, view, text);
    return say_listed(app, view);
}

/* While typing: the layer selected before stays so where it is listed. Esc leaves the list
 * unfiltered. */
static void filter_typed(struct app *app, const char *text, bool cancelled) {
    struct layers_view *view = app->states[VIEW_LAYERS];
    app->layer = view->filtered_from;
    layers_set_filter(app, view, cancelled ? NULL : text);
}

unsigned layers_ask_filter(struct app *app, struct layers_view *view) {
    view->filtered_from = app->layer;
    prompt_open(&app->prompt,
                (struct prompt_use){.label = "list (text, role:vector, kind:mlp.fc1, !not): ",
                                    .accept = accept_filter,
                                    .changed = filter_typed,
                                    .complete = layers_filter_complete},
                view->filter != NULL ? view->filter : "");
    return DIRTY_SCREEN;
}

/* Layers of the selected one's kind only, and back. */
unsigned layers_filter_kind(struct app *app, struct layers_view *view) {
    char kind[TEXT_ROOM], word[TEXT_ROOM + 8];
    layer_kind(app->table->layers[app->layer].name, kind);
    snprintf(word, sizeof word, "kind:%s", kind);
    bool same = view->filter != NULL && strcmp(view->filter, word) == 0;
    layers_set_filter(app, view, same ? NULL : word);
    return say_listed(app, view);
}

unsigned layers_show_vectors(struct app *app, struct layers_view *view) {
    view->vectors = !view->vectors;
    rebuild(app, view);
    app_say(app, STATUS_INFO, view->vectors ? "vectors are listed too" : "matrices only");
    return DIRTY_SCREEN;
}

/* Esc: the range, then the filter. */
bool layers_drop(struct app *app, struct layers_view *view) {
    bool range = view->anchor != NO_ANCHOR;
    if (!range && view->filter == NULL)
        return false;
    view->anchor = NO_ANCHOR;
    if (!range) {
        layers_set_filter(app, view, NULL);
        say_listed(app, view);
    }
    return true;
}
