/* View 3: one quantity over layers and specialists, as shades with numbers. */
#include "render/short_names.h"
#include "tui/screen/layers.h"

#include <math.h>
#include <stdlib.h>

enum metric { METRIC_SHARE, METRIC_KEPT, METRIC_REAL, METRIC_COUNT };
enum { COLUMN_NAME = -1, COLUMN_DOMINANCE = -2, SHADE_WIDTH = 3, CELL_WIDTH = 8 };

struct map_view {
    struct list list;
    size_t *layers; /* matrices */
    char **names;   /* short ones */
    enum metric metric;
    struct column columns[SPECIALIST_LIMIT + 2];
    char titles[SPECIALIST_LIMIT][TEXT_ROOM];
};

struct fill_context {
    struct app *app;
    struct map_view *view;
};

static const char *metric_name(enum metric metric) {
    static const char *const names[] = {"share after matching", "kept residual energy",
                                        "Real share"};
    return names[metric];
}

static void *open_view(struct app *app) {
    struct map_view *view = memory_array(1, sizeof *view);
    size_t count = 0;
    view->layers = memory_array(app->table->layer_count, sizeof *view->layers);
    for (size_t l = 0; l < app->table->layer_count; l++)
        if (app->table->layers[l].role == ROLE_MATRIX)
            view->layers[count++] = l;
    view->names = memory_array(count, sizeof *view->names);
    short_names(app->table, view->layers, count, view->names);
    list_resize(&view->list, count);
    return view;
}

static void close_view(void *state) {
    struct map_view *view = state;
    for (size_t i = 0; i < view->list.count; i++)
        free(view->names[i]);
    free(view->names);
    free(view->layers);
    free(view);
}

/* The quantity in 0..1; NAN while it is not known. */
static double value_of(struct app *app, enum metric metric, size_t layer, size_t specialist) {
    const struct preview_cell *cell = preview_cell_at(app->preview, layer, specialist);
    struct energy_split split;
    if (metric == METRIC_SHARE)
        return app->preview->complete ? cell->share_after : NAN;
    if (metric == METRIC_KEPT)
        return cell->ready ? cell->kept : NAN;
    if (!layer_energy(app, layer, specialist, &split))
        return NAN;
    double total = split.real + split.fake + split.cross;
    return total > 0 ? split.real / total : 0;
}

/* Shares are shaded against the equal one, which is in the middle. */
static void fill_shade(struct app *app, enum metric metric, double value, size_t specialist,
                       struct list_cell *cell) {
    const struct glyphs *glyphs = theme_glyphs();
    double depth =
        metric == METRIC_SHARE ? value * (double)app->table->specialist_count / 2 : value;
    double clipped = depth > 0 ? depth < 1 ? depth : 1 : 0;
    const char *shade = glyphs->shades[(int)(clipped * 4 + 0.5)];
    cell->style = specialist_style(specialist);
    if (specialist == app->specialist)
        cell->style |= STYLE_BOLD;
    if (isnan(value))
        snprintf(cell->text, sizeof cell->text, "%s", glyphs->pending);
    else
        snprintf(cell->text, sizeof cell->text, "%s%s%s%5.0f", shade, shade, shade, 100 * value);
}

static void fill(void *context, size_t row, int column, int width, struct list_cell *cell) {
    struct fill_context *one = context;
    size_t layer = one->view->layers[row];
    char cut[TEXT_ROOM];
    if (column == COLUMN_NAME) {
        snprintf(cell->text, sizeof cell->text, "%s",
                 text_shorten_name(one->view->names[row], width, cut));
    } else if (column == COLUMN_DOMINANCE) {
        if (one->app->preview->complete)
            snprintf(cell->text, sizeof cell->text, "%.2f", one->app->preview->dominance[layer]);
        else
            snprintf(cell->text, sizeof cell->text, "%s", theme_glyphs()->pending);
    } else {
        fill_shade(one->app, one->view->metric,
                   value_of(one->app, one->view->metric, layer, (size_t)column), (size_t)column,
                   cell);
    }
}

static size_t make_columns(struct app *app, struct map_view *view) {
    size_t count = 0;
    view->columns[count++] = (struct column){"Layer", 16, 0, 60, false, COLUMN_NAME, 0};
    for (size_t i = 0; i < app->table->specialist_count; i++) {
        text_shorten(app->table->specialists[i].name, CELL_WIDTH, view->titles[i]);
        view->columns[count++] = (struct column){view->titles[i],
                                                 CELL_WIDTH,
                                                 i == app->specialist ? 0 : 2 + (int)i,
                                                 0,
                                                 true,
                                                 (int)i,
                                                 specialist_style(i) | STYLE_BOLD};
    }
    view->columns[count++] = (struct column){"dom.", 6, 1, 0, true, COLUMN_DOMINANCE, 0};
    return count;
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct map_view *view = state;
    struct fill_context context = {app, view};
    size_t count = make_columns(app, view);
    surface_print(surface, body.row, 1, body.width - 2, ELEMENT_HEADER, "%s, %%",
                  metric_name(view->metric));
    list_draw(&view->list, surface, (struct rect){body.row + 1, 1, body.height - 1, body.width - 2},
              view->columns, count, true, fill, &context);
}

static struct list *list_of(void *state) {
    return &((struct map_view *)state)->list;
}

static void row_text(struct app *app, void *state, size_t row, char text[TEXT_ROOM]) {
    struct map_view *view = state;
    snprintf(text, TEXT_ROOM, "%s", app->table->layers[view->layers[row]].name);
}

static void moved(struct app *app, void *state) {
    struct map_view *view = state;
    if (view->list.count > 0)
        app->layer = view->layers[view->list.cursor];
    analysis_prefer(app->analysis, app->layer);
}

static void changed(struct app *app, void *state) {
    struct map_view *view = state;
    for (size_t i = 0; i < view->list.count; i++)
        if (view->layers[i] == app->layer)
            list_select(&view->list, i);
}

static void status(struct app *app, void *state, char left[TEXT_ROOM], char right[TEXT_ROOM]) {
    struct map_view *view = state;
    snprintf(left, TEXT_ROOM, "%s", app->table->layers[app->layer].name);
    snprintf(right, TEXT_ROOM, "%zu/%zu", view->list.cursor + 1, view->list.count);
}

static unsigned act(struct app *app, void *state, enum action action) {
    struct map_view *view = state;
    size_t n = app->table->specialist_count;
    switch (action) {
    case ACTION_METRIC:
        view->metric = (enum metric)((view->metric + 1) % METRIC_COUNT);
        return DIRTY_SCREEN;
    case ACTION_OPEN_LAYER:
        return app_show(app, VIEW_LAYERS);
    case ACTION_RIGHT:
    case ACTION_SPECIALIST_NEXT:
        app->specialist = (app->specialist + 1) % n;
        return DIRTY_SCREEN;
    case ACTION_LEFT:
    case ACTION_SPECIALIST_PREVIOUS:
        app->specialist = (app->specialist + n - 1) % n;
        return DIRTY_SCREEN;
    default:
        return NOT_MINE;
    }
}

const struct view_ops view_map = {.name = "map",
                                  .title = "Map",
                                  .open = open_view,
                                  .close = close_view,
                                  .draw = draw,
                                  .act = act,
                                  .list = list_of,
                                  .row_text = row_text,
                                  .moved = moved,
                                  .changed = changed,
                                  .status = status};
