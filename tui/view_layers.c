/* View 1: the layers, their spectra, their ranks, and what each specialist contributes. */
#include "tui/layers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMN_NAME,
    COLUMN_ROLE,
    COLUMN_SHAPE,
    COLUMN_RANGE,
    COLUMN_REAL,
    COLUMN_KEPT,
    COLUMN_STABLE,
    COLUMN_MARK,
    COLUMN_DOMINANCE,
    COLUMN_RANK
};
enum { PANE_TABLE, PANE_SPECTRUM, PANE_COUNT };
enum { FEW_SPECIALISTS = 3 }; /* up to here every one has a rank column at any width */

#define DOMINATED 0.5 /* a layer whose dominance is above gets the mark */

struct layers_view {
    struct list list;
    struct layers_rows rows;
    struct spectrum_view spectrum;
    enum rank_scope scope;
    bool *marked; /* [layer_count] */
    bool vectors, zoom;
    int pane;
    struct column columns[COLUMN_RANK + SPECIALIST_LIMIT];
    size_t column_count;
    char titles[SPECIALIST_LIMIT][TEXT_ROOM];
};

/* What list_fill needs. */
struct fill_context {
    struct app *app;
    struct layers_view *view;
};

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

/* Room for the greatest rank, and for a short name above. */
static int rank_width(const struct app *app) {
    size_t most = 0;
    int width = 3;
    for (size_t l = 0; l < app->table->layer_count; l++) {
        size_t rank = layer_max_rank(&app->table->layers[l]);
        most = rank > most ? rank : most;
    }
    for (; most >= 1000; most /= 10)
        width++;
    return width;
}

/* Columns: name, ranks, Real share, dominance; more where there is room. */
static void make_columns(struct app *app, struct layers_view *view) {
    size_t n = app->table->specialist_count, count = 0;
    bool few = n <= FEW_SPECIALISTS;
    int width = rank_width(app);
    struct column *columns = view->columns;
    columns[count++] = (struct column){"Layer", 16, 0, 44, false, COLUMN_NAME};
    if (view->vectors)
        columns[count++] = (struct column){"role", 6, 20, 0, false, COLUMN_ROLE};
    columns[count++] = (struct column){"shape", 10, 30, 12, true, COLUMN_SHAPE};
    for (size_t i = 0; i < n; i++) {
        int priority = few || i == app->specialist ? 0 : 60 + (int)i;
        text_shorten(app->table->specialists[i].name, width, view->titles[i]);
        columns[count++] =
            (struct column){view->titles[i], width, priority, 0, true, COLUMN_RANK + (int)i};
    }
    if (!few)
        columns[count++] = (struct column){"range", 9, 5, 0, true, COLUMN_RANGE};
    columns[count++] = (struct column){"Re%", 3, 4, 0, true, COLUMN_REAL};
    columns[count++] = (struct column){"kept%", 5, 25, 0, true, COLUMN_KEPT};
    columns[count++] = (struct column){"stable", 6, 40, 0, true, COLUMN_STABLE};
    columns[count++] = (struct column){"D", 1, 2, 0, false, COLUMN_MARK};
    columns[count++] = (struct column){"dominance", 9, 50, 12, false, COLUMN_DOMINANCE};
    view->column_count = count;
}

static void fill_name(const struct fill_context *context, size_t index, int width,
                      struct list_cell *cell) {
    const struct layers_view *view = context->view;
    const struct layers_row *row = &view->rows.rows[index];
    const struct module *module = &view->rows.modules[row->module];
    const struct glyphs *glyphs = theme_glyphs();
    char label[TEXT_ROOM], cut[TEXT_ROOM];
    bool marked = true;
    for (size_t i = row->first; i < row->first + row->count; i++)
        marked &= view->marked[view->rows.shown[i]];
    bool alone = module->count == 1;
    const char *sign = row->is_module ? module->folded ? glyphs->closed : glyphs->open : " ";
    layers_row_label(&view->rows, context->app->table, index, label);
    snprintf(cell->text, sizeof cell->text, "%s%s%.1000s", alone ? "" : sign,
             marked                    ? glyphs->marked
             : row->is_module || alone ? ""
                                       : " ",
             text_shorten_name(label, width - 2, cut));
    cell->style = row->is_module ? ELEMENT_GROUP : marked ? ELEMENT_MARK : ELEMENT_TEXT;
}

/* Lowest and highest rank of the row's layers for specialists [first, end); false while one is
 * pending, or where nothing has a rank. */
static bool rank_range(const struct fill_context *context, const struct preview *preview,
                       const struct layers_row *row, size_t first, size_t end, size_t *low,
                       size_t *high) {
    bool any = false;
    for (size_t i = row->first; i < row->first + row->count; i++)
        for (size_t s = first; s < end; s++) {
            size_t layer = context->view->rows.shown[i], rank;
            const struct preview_cell *cell = preview_cell_at(preview, layer, s);
            if (context->app->table->layers[layer].role != ROLE_MATRIX)
                continue;
            if (preview == context->app->preview ? !rank_known(context->app, layer, s, &rank)
                                                 : !cell->ready)
                return false;
            if (preview != context->app->preview)
                rank = cell->rank;
            *low = any && *low < rank ? *low : rank;
            *high = any && *high > rank ? *high : rank;
            any = true;
        }
    return any;
}

static void fill_rank(const struct fill_context *context, const struct layers_row *row,
                      size_t first, size_t end, int width, struct list_cell *cell) {
    size_t low = 0, high = 0, older_low = 0, older_high = 0;
    const struct app *app = context->app;
    bool matrix = false;
    for (size_t i = row->first; i < row->first + row->count; i++)
        matrix |= app->table->layers[context->view->rows.shown[i]].role == ROLE_MATRIX;
    bool known = rank_range(context, app->preview, row, first, end, &low, &high);
    bool was = rank_range(context, app->before, row, first, end, &older_low, &older_high);
    cell->style =
        end == first + 1 && first == app->specialist ? ELEMENT_TEXT | STYLE_BOLD : ELEMENT_TEXT;
    if (app_is_fresh(app) && was && known && (low != older_low || high != older_high))
        cell->style = ELEMENT_CHANGED;
    if (!known)
        snprintf(cell->text, sizeof cell->text, "%s", matrix ? theme_glyphs()->pending : "");
    else if (low == high)
        snprintf(cell->text, sizeof cell->text, "%zu", low);
    else if (snprintf(cell->text, sizeof cell->text, "%zu-%zu", low, high) > width)
        snprintf(cell->text, sizeof cell->text, "mix");
}

/* Real share of the selected specialist over the row's layers. */
static void fill_real(const struct fill_context *context, const struct layers_row *row,
                      struct list_cell *cell) {
    double real = 0, total = 0;
    for (size_t i = row->first; i < row->first + row->count; i++) {
        struct energy_split split;
        size_t layer = context->view->rows.shown[i];
        if (!layer_energy(context->app, layer, context->app->specialist, &split)) {
            snprintf(cell->text, sizeof cell->text, "%s", theme_glyphs()->pending);
            return;
        }
        real += split.real;
        total += split.real + split.fake + split.cross;
    }
    snprintf(cell->text, sizeof cell->text, "%.0f", total > 0 ? 100 * real / total : 0);
}

/* Kept share of the selected specialist's residual over the row's layers. */
static void fill_kept(const struct fill_context *context, const struct layers_row *row,
                      struct list_cell *cell) {
    const struct preview_cell *one = NULL, *older = NULL;
    size_t layer = context->view->rows.shown[row->first];
    one = preview_cell_at(context->app->preview, layer, context->app->specialist);
    older = preview_cell_at(context->app->before, layer, context->app->specialist);
    if (row->count > 1)
        return;
    cell->style = changed_style(context->app, one->kept, older->kept, ELEMENT_TEXT);
    if (one->ready)
        snprintf(cell->text, sizeof cell->text, "%.0f", 100 * one->kept);
    else
        snprintf(cell->text, sizeof cell->text, "%s", theme_glyphs()->pending);
}

static void fill_stable(const struct fill_context *context, const struct layers_row *row,
                        struct list_cell *cell) {
    const struct analysis *analysis = context->app->analysis;
    size_t layer = context->view->rows.shown[row->first];
    if (row->count > 1 || context->app->table->layers[layer].role != ROLE_MATRIX)
        return;
    const struct spectrum *spectrum =
        analysis->spectra != NULL ? spectra_get(analysis->spectra, layer, context->app->specialist)
                                  : NULL;
    if (spectrum == NULL)
        snprintf(cell->text, sizeof cell->text, "%s", theme_glyphs()->pending);
    else
        snprintf(cell->text, sizeof cell->text, "%.1f", spectrum_stable_rank(spectrum));
}

/* The greatest dominance in the row's layers, and whose it is. */
static double row_dominance(const struct fill_context *context, const struct layers_row *row,
                            size_t *specialist) {
    const struct preview *preview = context->app->preview;
    double most = 0, share = 0;
    for (size_t i = row->first; i < row->first + row->count; i++) {
        size_t layer = context->view->rows.shown[i];
        if (preview->dominance[layer] <= most)
            continue;
        most = preview->dominance[layer];
        share = 0;
        for (size_t s = 0; s < preview->specialist_count; s++) {
            double mine = preview_cell_at(preview, layer, s)->share_after;
            *specialist = mine > share ? s : *specialist;
            share = mine > share ? mine : share;
        }
    }
    return most;
}

static void fill_dominance(const struct fill_context *context, const struct layers_row *row,
                           bool bar, struct list_cell *cell) {
    size_t specialist = 0;
    double dominance = row_dominance(context, row, &specialist);
    const struct glyphs *glyphs = theme_glyphs();
    cell->style = specialist_style(specialist) | STYLE_BOLD;
    if (!context->app->preview->complete)
        snprintf(cell->text, sizeof cell->text, "%s", bar ? glyphs->pending : " ");
    else if (bar)
        cell->bar = dominance;
    else
        snprintf(cell->text, sizeof cell->text, "%s",
                 dominance > DOMINATED ? glyphs->dominated : glyphs->balanced);
}

static void fill(void *context, size_t index, int column, int width, struct list_cell *cell) {
    const struct fill_context *one = context;
    const struct layers_row *row = &one->view->rows.rows[index];
    const struct layer *layer = &one->app->table->layers[one->view->rows.shown[row->first]];
    size_t n = one->app->table->specialist_count;
    if (column >= COLUMN_RANK)
        fill_rank(one, row, (size_t)(column - COLUMN_RANK), (size_t)(column - COLUMN_RANK) + 1,
                  width, cell);
    else if (column == COLUMN_NAME)
        fill_name(one, index, width, cell);
    else if (column == COLUMN_ROLE && !row->is_module)
        snprintf(cell->text, sizeof cell->text, "%s", role_name(layer->role));
    else if (column == COLUMN_SHAPE && !row->is_module)
        snprintf(cell->text, sizeof cell->text, "%zu%s%zu", layer->rows, theme_glyphs()->times,
                 layer->cols);
    else if (column == COLUMN_RANGE)
        fill_rank(one, row, 0, n, width, cell);
    else if (column == COLUMN_REAL)
        fill_real(one, row, cell);
    else if (column == COLUMN_KEPT)
        fill_kept(one, row, cell);
    else if (column == COLUMN_STABLE)
        fill_stable(one, row, cell);
    else if (column == COLUMN_MARK || column == COLUMN_DOMINANCE)
        fill_dominance(one, row, column == COLUMN_DOMINANCE, cell);
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct layers_view *view = state;
    struct layers_layout layout = layout_layers(body, app->table->specialist_count);
    struct fill_context context = {app, view};
    if (view->zoom) {
        layers_draw_spectrum(app, surface, body, &view->spectrum, false);
        return;
    }
    make_columns(app, view);
    list_draw(&view->list, surface, layout.table, view->columns, view->column_count,
              view->pane == PANE_TABLE, fill, &context);
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
