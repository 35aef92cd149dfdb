/* The table of the Layers view: its columns and what stands in their cells. */
#include "tui/screen/layers.h"

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
enum { FEW_SPECIALISTS = 3 }; /* up to here every one has a rank column at any width */

#define DOMINATED 0.5 /* a layer whose dominance is above gets the mark */

/* What list_fill needs. */
struct fill_context {
    struct app *app;
    struct layers_view *view;
};

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
    int width = few ? rank_width(app) : 5;
    struct column *columns = view->columns;
    columns[count++] = (struct column){"Layer", 16, 0, 44, false, COLUMN_NAME, 0};
    if (view->vectors)
        columns[count++] = (struct column){"role", 6, 20, 0, false, COLUMN_ROLE, 0};
    columns[count++] = (struct column){"shape", 10, 30, 12, true, COLUMN_SHAPE, 0};
    for (size_t i = 0; i < n; i++) {
        int priority = few || i == app->specialist ? 0 : 60 + (int)i;
        text_shorten(app->table->specialists[i].name, width, view->titles[i]);
        columns[count++] = (struct column){view->titles[i],
                                           width,
                                           priority,
                                           0,
                                           true,
                                           COLUMN_RANK + (int)i,
                                           specialist_style(i) | STYLE_BOLD};
    }
    if (!few)
        columns[count++] = (struct column){"range", 9, 5, 0, true, COLUMN_RANGE, 0};
    columns[count++] = (struct column){"Re%", 3, 4, 0, true, COLUMN_REAL, 0};
    columns[count++] = (struct column){"kept%", 5, 25, 0, true, COLUMN_KEPT, 0};
    columns[count++] = (struct column){"stable", 6, 40, 0, true, COLUMN_STABLE, 0};
    columns[count++] = (struct column){"D", 1, 2, 0, false, COLUMN_MARK, 0};
    columns[count++] = (struct column){"dominance", 9, 50, 12, false, COLUMN_DOMINANCE, 0};
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
    cell->style =
        bar || dominance > DOMINATED ? specialist_style(specialist) | STYLE_BOLD : ELEMENT_QUIET;
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

void layers_draw_table(struct app *app, struct layers_view *view, struct surface *surface,
                       struct rect rect, bool focus) {
    struct fill_context context = {app, view};
    make_columns(app, view);
    list_draw(&view->list, surface, rect, view->columns, view->column_count, focus, fill, &context);
}
