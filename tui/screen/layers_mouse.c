/* The pointer in the Layers view: titles sort, the spectrum's cursor and its rank cut are dragged.
 */
#include "tui/screen/layers.h"

#include <stdlib.h>

enum { GRIP = 1 }; /* columns beside the cut that take hold of it too */

/* Whether the selected specialist's cut is drawn at that column. */
static bool on_cut(const struct app *app, const struct layers_view *view, int col) {
    const struct preview_cell *cell = preview_cell_at(app->preview, app->layer, app->specialist);
    bool drawn = view->spectrum.of == SPECTRUM_RESIDUALS || view->spectrum.of == SPECTRUM_COMPARED;
    size_t at = cell->rank > 0 ? cell->rank : 1; /* as it is drawn */
    return drawn && cell->ready && abs(layers_chart_column(view, at) - col) <= GRIP;
}

unsigned layers_click(struct app *app, struct layers_view *view, int row, int col) {
    size_t title = list_title_at(&view->list, view->columns, view->column_count, row, col);
    size_t index = layers_chart_index(app, view, row, col);
    view->dragging_cut = false;
    if (title < view->column_count) {
        layers_sort_by(app, view, view->columns[title].id);
        return DIRTY_SCREEN;
    }
    if (index == 0)
        return NOT_MINE;
    status_clear(&app->status, STATUS_WARNING); /* as a key does: the cursor is read there */
    view->pane = PANE_SPECTRUM;
    view->dragging_cut = on_cut(app, view, col);
    view->drag_from = plan_position(app->plan);
    if (!view->dragging_cut)
        view->spectrum.cursor = index;
    return DIRTY_SCREEN;
}

/* However long, a drag is one step of history. */
static unsigned drag_cut(struct app *app, struct layers_view *view, size_t index) {
    char text[32];
    struct rank_selection selected = layers_selection(view);
    snprintf(text, sizeof text, "%zu", index);
    if (plan_position(app->plan) > view->drag_from)
        plan_jump(app->plan, view->drag_from);
    return rank_set(app, &selected, text);
}

unsigned layers_drag(struct app *app, struct layers_view *view, const struct mouse *mouse) {
    size_t index = layers_chart_index(app, view, mouse->row, mouse->col);
    bool dragging = view->dragging_cut;
    const struct preview_cell *cell = preview_cell_at(app->preview, app->layer, app->specialist);
    if (mouse->event == MOUSE_RELEASE)
        view->dragging_cut = false;
    if (mouse->event == MOUSE_RELEASE || index == 0 || (dragging && cell->rank == index))
        return 0;
    if (dragging)
        return drag_cut(app, view, index);
    view->spectrum.cursor = index;
    return DIRTY_SCREEN;
}
