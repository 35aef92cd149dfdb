/* The table of the Layers view: its columns and what stands in their cells. */
#include "tui/screen/layers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    COLUMN_NAME,
    COLUMN_ROLE,
    COLUMN_RANGE,
    COLUMN_MARK,
    COLUMN_DOMINANCE,
    COLUMN_MEASURE, /* the first of the table below */
    COLUMN_RANK = COLUMN_MEASURE + 16
};
enum {
    FEW_SPECIALISTS = 3, /* up to here every one has a rank column at any width */
    WIDE_TABLE = 45      /* columns from which names get more room */
};

/* Numbers of the selected specialist, beside the ranks. */
static const struct number_column {
    const char *title;
    int width, priority, digits; /* significant ones; 0: whole numbers */
    measure *value;
} numbers[] = {
    {"shape", 10, 105, 0, measure_size},
    {"Re%", 3, 4, 0, measure_real},
    {"kept%", 5, 25, 0, measure_kept},
    {"share%", 6, 100, 0, measure_share},
    {"stable", 6, 102, -1, measure_stable},
    {"|tau|", 7, 107, 3, measure_task_norm},
    {"|T(R)|", 7, 110, 3, measure_residual_norm},
};
enum { NUMBERS = sizeof numbers / sizeof *numbers, SHAPE = 0 };

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

/* The title of the names: the filter, where there is one. */
static struct column name_column(const struct app *app, struct layers_view *view) {
    char *title = view->titles[SPECIALIST_LIMIT];
    (void)app;
    snprintf(title, TEXT_ROOM, "%s%.1000s", view->filter != NULL ? "\\" : "Layer",
             view->filter != NULL ? view->filter : "");
    return (struct column){title,       view->list.rect.width < WIDE_TABLE ? 16 : 20, 0, 44, false,
                           COLUMN_NAME, view->filter != NULL ? ELEMENT_WARNING : 0};
}

static struct column number_column(size_t i) {
    return (struct column){numbers[i].title,
                           numbers[i].width,
                           numbers[i].priority,
                           0,
                           true,
                           COLUMN_MEASURE + (int)i,
                           0};
}

static void add_rank_columns(const struct app *app, struct layers_view *view) {
    size_t n = app->table->specialist_count;
    bool few = n <= FEW_SPECIALISTS;
    int width = few ? rank_width(app) : rank_width(app) + 1;
    for (size_t i = 0; i < n; i++) {
        int priority = few || i == app->specialist ? 0 : 26 + (int)i;
        text_shorten(app->table->specialists[i].name, width, view->titles[i]);
        view->columns[view->column_count++] = (struct column){view->titles[i],
                                                              width,
                                                              priority,
                                                              0,
                                                              true,
                                                              COLUMN_RANK + (int)i,
                                                              specialist_style(i) | STYLE_BOLD};
    }
    if (!few)
        view->columns[view->column_count++] =
            (struct column){"range", 8, 5, 0, true, COLUMN_RANGE, 0};
}

/* Columns: name, ranks, Real share, dominance; more where there is room. */
static void make_columns(struct app *app, struct layers_view *view) {
    view->column_count = 0;
    view->columns[view->column_count++] = name_column(app, view);
    if (view->vectors)
        view->columns[view->column_count++] =
            (struct column){"role", 6, 20, 0, false, COLUMN_ROLE, 0};
    view->columns[view->column_count++] = number_column(SHAPE);
    add_rank_columns(app, view);
    for (size_t i = SHAPE + 1; i < NUMBERS; i++)
        view->columns[view->column_count++] = number_column(i);
    view->columns[view->column_count++] = (struct column){"D", 1, 2, 0, true, COLUMN_MARK, 0};
    view->columns[view->column_count++] =
        (struct column){"dominance", 9, 35, 12, false, COLUMN_DOMINANCE, 0};
    view->list.sorted = 0;
    for (size_t c = 0; c < view->column_count && (view->sort_column != 0 || view->list.down); c++)
        if (view->columns[c].id == view->sort_column)
            view->list.sorted = c + 1;
}

/* ---- order ---- */

/* The number by which a row of one layer is put in order. */
static double order_value(const struct measuring *of, int column) {
    size_t low = 0, high = 0, n = of->app->table->specialist_count;
    size_t first = column >= COLUMN_RANK ? (size_t)(column - COLUMN_RANK) : 0;
    if (column == COLUMN_NAME)
        return (double)of->row->first;
    if (column == COLUMN_ROLE)
        return of->app->table->layers[of->rows->shown[of->row->first]].role;
    if (column == COLUMN_MARK || column == COLUMN_DOMINANCE)
        return measure_dominance(of);
    if (column >= COLUMN_MEASURE && column < COLUMN_MEASURE + NUMBERS)
        return numbers[column - COLUMN_MEASURE].value(of);
    bool known = measure_ranks(of, first, column == COLUMN_RANGE ? n : first + 1, &low, &high);
    return known ? (double)high : NAN;
}

void layers_order(struct app *app, struct layers_view *view) {
    struct layers_rows *rows = &view->rows;
    if (view->sort_column == COLUMN_NAME && !view->list.down)
        return;
    double *values = memory_array(rows->shown_count, sizeof *values);
    size_t layer = app->layer;
    for (size_t i = 0; i < rows->shown_count; i++) {
        struct layers_row row = {false, 0, i, 1};
        struct measuring of = {app, app->preview, rows, &row};
        values[i] = order_value(&of, view->sort_column);
        values[i] = isinf(values[i]) ? NAN : values[i];
    }
    layers_rows_sort(rows, values, view->list.down);
    free(values);
    list_resize(&view->list, rows->row_count);
    list_select(&view->list, layers_row_of(rows, layer));
}

void layers_sort_by(struct app *app, struct layers_view *view, int column) {
    size_t layer = app->layer;
    bool again = column == view->sort_column;
    view->list.down = again ? !view->list.down : column != COLUMN_NAME;
    view->sort_column = column;
    layers_rows_update(&view->rows);
    list_resize(&view->list, view->rows.row_count);
    list_select(&view->list, layers_row_of(&view->rows, layer));
    layers_order(app, view);
}

void layers_sort_next(struct app *app, struct layers_view *view) {
    int widths[LAYERS_COLUMNS + SPECIALIST_LIMIT];
    size_t at = 0, count = view->column_count;
    if (count == 0)
        return; /* nothing was drawn yet */
    layout_columns(view->columns, count, view->list.rect.width, widths);
    while (at < count && view->columns[at].id != view->sort_column)
        at++;
    do
        at = (at + 1) % count;
    while (widths[at % count] == 0);
    view->list.down = false;
    view->sort_column = COLUMN_NAME - 1; /* none: what follows is no second click */
    layers_sort_by(app, view, view->columns[at].id);
    app_say(app, STATUS_INFO, "%s%s%s", view->sort_column == COLUMN_NAME ? "" : "by ",
            view->sort_column == COLUMN_NAME ? "in the order of the model"
                                             : view->columns[at].title,
            view->sort_column == COLUMN_NAME ? "" : ", S turns it round");
}

/* ---- cells ---- */

/* A module's row above its layers: a range takes them by their own rows. */
static bool is_open(const struct layers_rows *rows, size_t row) {
    return rows->rows[row].is_module && !rows->modules[rows->rows[row].module].folded;
}

bool layers_is_marked(const struct layers_view *view, size_t layer) {
    const struct layers_rows *rows = &view->rows;
    bool inside = view->marked[layer];
    if (view->anchor == NO_ANCHOR)
        return inside;
    size_t from = layers_row_of(rows, view->anchor), to = view->list.cursor;
    for (size_t r = from < to ? from : to; r <= (from > to ? from : to) && r < rows->row_count; r++)
        for (size_t i = 0; i < rows->rows[r].count && !is_open(rows, r); i++)
            inside |= rows->shown[rows->rows[r].first + i] == layer;
    return inside;
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
        marked &= layers_is_marked(view, view->rows.shown[i]);
    bool alone = module->count == 1 || view->rows.flat;
    const char *sign = row->is_module ? module->folded ? glyphs->closed : glyphs->open : " ";
    layers_row_label(&view->rows, context->app->table, index, label);
    snprintf(cell->text, sizeof cell->text, "%s%s%.1000s", alone ? "" : sign,
             marked           ? glyphs->marked
             : row->is_module ? ""
                              : " ",
             text_shorten_name(label, width - 2, cut));
    cell->style = row->is_module ? ELEMENT_GROUP : marked ? ELEMENT_MARK : ELEMENT_TEXT;
}

static void fill_rank(const struct measuring *of, size_t first, size_t end, int width,
                      struct list_cell *cell) {
    size_t low = 0, high = 0, older_low = 0, older_high = 0;
    const struct app *app = of->app;
    const struct measuring older = {app, app->before, of->rows, of->row};
    bool matrix = false;
    for (size_t i = of->row->first; i < of->row->first + of->row->count; i++)
        matrix |= app->table->layers[of->rows->shown[i]].role == ROLE_MATRIX;
    bool known = measure_ranks(of, first, end, &low, &high);
    bool was = measure_ranks(&older, first, end, &older_low, &older_high);
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

static void fill_number(const struct measuring *of, const struct number_column *column,
                        struct list_cell *cell) {
    const struct measuring older = {of->app, of->app->before, of->rows, of->row};
    double value = column->value(of);
    cell->style = changed_style(of->app, value, column->value(&older), ELEMENT_TEXT);
    if (isnan(value)) {
        cell->text[0] = '\0';
        cell->style = ELEMENT_TEXT;
    } else if (isinf(value)) {
        snprintf(cell->text, sizeof cell->text, "%s", theme_glyphs()->pending);
        cell->style = ELEMENT_QUIET;
    } else if (column->digits > 0) {
        chart_number(value, column->digits, cell->text, sizeof cell->text);
    } else {
        snprintf(cell->text, sizeof cell->text, "%.*f", -column->digits, value);
    }
}

static void fill_dominance(const struct measuring *of, bool bar, struct list_cell *cell) {
    size_t specialist = 0;
    double dominance = measure_dominance_of(of, &specialist);
    const struct glyphs *glyphs = theme_glyphs();
    bool dominated = dominance > DOMINATED && !isinf(dominance);
    cell->style = bar || dominated ? specialist_style(specialist) | STYLE_BOLD : ELEMENT_QUIET;
    if (isinf(dominance))
        snprintf(cell->text, sizeof cell->text, "%s", bar ? glyphs->pending : " ");
    else if (bar)
        cell->bar = dominance;
    else
        snprintf(cell->text, sizeof cell->text, "%s",
                 dominated ? glyphs->dominated : glyphs->balanced);
}

static void fill(void *context, size_t index, int column, int width, struct list_cell *cell) {
    const struct fill_context *one = context;
    const struct layers_row *row = &one->view->rows.rows[index];
    const struct layer *layer = &one->app->table->layers[one->view->rows.shown[row->first]];
    const struct measuring of = {one->app, one->app->preview, &one->view->rows, row};
    size_t first = column >= COLUMN_RANK ? (size_t)(column - COLUMN_RANK) : 0;
    size_t n = one->app->table->specialist_count;
    if (column == COLUMN_NAME)
        fill_name(one, index, width, cell);
    else if (column == COLUMN_ROLE && !row->is_module)
        snprintf(cell->text, sizeof cell->text, "%s", role_name(layer->role));
    else if (column == COLUMN_MEASURE + SHAPE && !row->is_module)
        snprintf(cell->text, sizeof cell->text, "%zu%s%zu", layer->rows, theme_glyphs()->times,
                 layer->cols);
    else if (column >= COLUMN_RANK || column == COLUMN_RANGE)
        fill_rank(&of, first, column == COLUMN_RANGE ? n : first + 1, width, cell);
    else if (column == COLUMN_MARK || column == COLUMN_DOMINANCE)
        fill_dominance(&of, column == COLUMN_DOMINANCE, cell);
    else if (column > COLUMN_MEASURE + SHAPE && column < COLUMN_MEASURE + NUMBERS)
        fill_number(&of, &numbers[column - COLUMN_MEASURE], cell);
}

void layers_draw_table(struct app *app, struct layers_view *view, struct surface *surface,
                       struct rect rect, bool focus) {
    struct fill_context context = {app, view};
    layers_order(app, view);
    make_columns(app, view);
    list_draw(&view->list, surface, rect, view->columns, view->column_count, focus, fill, &context);
    if (view->rows.row_count == 0 && view->filter != NULL)
        surface_text(surface, rect.row + 1, rect.col + 1, rect.width - 1, ELEMENT_QUIET,
                     "no layer fits; Esc lists all");
}
