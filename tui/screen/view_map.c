/* View 3: one quantity over layers and specialists, as shades with numbers. */
#include "merge/text.h"
#include "render/short_names.h"
#include "tui/screen/layers.h"
#include "tui/screen/pictures.h"

#include <math.h>
#include <stdlib.h>

enum {
    COLUMN_NAME = -1,
    COLUMN_DOMINANCE = -2,
    NUMBER_WIDTH = 5,
    CELL_WIDTH = 8,
    CELL_WIDEST = 24,
    STATUS_NAME = 12,
    LEGEND_GAP = 3,
    SHADES = 5 /* none to full */
};
enum { PANEL_WIDTH = 62, PANEL_FROM = 124 }; /* of the numbers beside the map on a wide screen */

/* The quantity of one cell; NAN while it is not known. */
typedef double cell_quantity(const struct app *app, size_t layer, size_t specialist);

struct map_view {
    struct list list;
    size_t *layers; /* matrices */
    char **names;   /* short ones */
    size_t quantity;
    int cell_width; /* shade and number */
    struct column columns[SPECIALIST_LIMIT + 2];
    char titles[SPECIALIST_LIMIT][TEXT_ROOM];
};

struct fill_context {
    struct app *app;
    struct map_view *view;
};

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

static double share_of(const struct app *app, size_t layer, size_t specialist) {
    return app->preview->complete
               ? 100 * preview_cell_at(app->preview, layer, specialist)->share_after
               : NAN;
}

static double kept_of(const struct app *app, size_t layer, size_t specialist) {
    const struct preview_cell *cell = preview_cell_at(app->preview, layer, specialist);
    return cell->ready ? 100 * cell->kept : NAN;
}

static double real_of(const struct app *app, size_t layer, size_t specialist) {
    struct energy_split split;
    if (!layer_energy(app, layer, specialist, &split))
        return NAN;
    double total = split.real + split.fake + split.cross;
    return total > 0 ? 100 * split.real / total : 0;
}

/* What the share is above or below an equal one; the greatest of a layer is its dominance. */
static double dominance_of(const struct app *app, size_t layer, size_t specialist) {
    double equal = 1 / (double)app->table->specialist_count;
    double share = share_of(app, layer, specialist) / 100;
    return equal < 1 ? 100 * (share - equal) / (1 - equal) : 0;
}

static double rank_of(const struct app *app, size_t layer, size_t specialist) {
    const struct preview_cell *cell = preview_cell_at(app->preview, layer, specialist);
    return cell->ready ? (double)cell->rank : NAN;
}

static const struct quantity {
    const char *name, *heading, *format;
    cell_quantity *of;
    const char *blank, *full; /* what no shade and the full one stand for, in words */
    const char *figure;
} quantities[] = {
    {"share after matching", "share%", "%.0f", share_of, "0", "twice the equal share", "map-share"},
    {"kept residual energy", "kept%", "%.0f", kept_of, "0", "100", "map-kept"},
    {"Real share", "Real%", "%.0f", real_of, "0", "100", "map-real"},
    {"dominance", "dom.%", "%+.0f", dominance_of, "equal or less", "100", "map-dominance"},
    {"rank", "rank", "%.0f", rank_of, "0", "full rank", "ranks"},
};
enum { QUANTITY_COUNT = sizeof quantities / sizeof *quantities };

/* The number of a cell, without a sign where it rounds to 0. */
static void number_shown(const struct quantity *quantity, double value,
                         char text[static NUMBER_TEXT]) {
    if (isnan(value))
        snprintf(text, NUMBER_TEXT, "%s", theme_glyphs()->pending);
    else
        snprintf(text, NUMBER_TEXT, fabs(value) < 0.5 ? "0" : quantity->format, value);
}

/* What the full shade stands for. Shares are seen against the equal one, which is in the middle. */
static double full_value(const struct app *app, const struct quantity *quantity, size_t layer) {
    return quantity->of == share_of  ? 200 / (double)app->table->specialist_count
           : quantity->of == rank_of ? (double)layer_max_rank(&app->table->layers[layer])
                                     : 100;
}

/* How deep the shade is, 0..1. */
static double depth_of(const struct app *app, const struct quantity *quantity, double value,
                       size_t layer) {
    double most = full_value(app, quantity, layer);
    double depth = most > 0 ? value / most : 0;
    return depth > 0 ? depth < 1 ? depth : 1 : 0;
}

static void fill_shade(const struct app *app, const struct map_view *view, size_t layer,
                       size_t specialist, struct list_cell *cell) {
    const struct quantity *quantity = &quantities[view->quantity];
    const struct glyphs *glyphs = theme_glyphs();
    double value = quantity->of(app, layer, specialist);
    char number[NUMBER_TEXT];
    size_t length = 0;
    cell->style = specialist_style(specialist);
    if (specialist == app->specialist)
        cell->style |= STYLE_BOLD;
    if (isnan(value)) {
        snprintf(cell->text, sizeof cell->text, "%s", glyphs->pending);
        return;
    }
    const char *shade =
        glyphs->shades[(int)(depth_of(app, quantity, value, layer) * (SHADES - 1) + 0.5)];
    for (int i = 0; i < view->cell_width - NUMBER_WIDTH; i++)
        length += (size_t)snprintf(cell->text + length, sizeof cell->text - length, "%s", shade);
    number_shown(quantity, value, number);
    snprintf(cell->text + length, sizeof cell->text - length, "%*s", NUMBER_WIDTH, number);
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
        fill_shade(one->app, one->view, layer, (size_t)column, cell);
    }
}

static size_t make_columns(struct app *app, struct map_view *view) {
    size_t count = 0;
    view->columns[count++] = (struct column){"Layer", 16, 0, 60, false, COLUMN_NAME, 0};
    for (size_t i = 0; i < app->table->specialist_count; i++) {
        text_shorten(app->table->specialists[i].name, view->cell_width, view->titles[i]);
        view->columns[count++] = (struct column){view->titles[i],
                                                 view->cell_width,
                                                 i == app->specialist ? 0 : 2 + (int)i,
                                                 0,
                                                 true,
                                                 (int)i,
                                                 specialist_style(i) | STYLE_BOLD};
    }
    view->columns[count++] = (struct column){"dom.", 6, 1, 0, true, COLUMN_DOMINANCE, 0};
    return count;
}

/* Specialists for whose columns there is no room; the selected one always has it. */
static size_t hidden_count(const struct map_view *view, size_t column_count, int width) {
    int widths[SPECIALIST_LIMIT + 2];
    size_t hidden = 0;
    layout_columns(view->columns, column_count, width, widths);
    for (size_t c = 0; c < column_count; c++)
        hidden += view->columns[c].id >= 0 && widths[c] == 0;
    return hidden;
}

/* What no shade and the full one stand for: in words, or in width columns without room for those
 * in numbers. */
static void shade_ends(const struct app *app, const struct quantity *quantity, int width,
                       char blank[NUMBER_TEXT], char full[TEXT_ROOM]) {
    bool words = text_width(quantity->blank) + text_width(quantity->full) <= width;
    snprintf(blank, NUMBER_TEXT, "%s", words ? quantity->blank : "0");
    if (words || quantity->of == rank_of)
        snprintf(full, TEXT_ROOM, "%s", words ? quantity->full : "full");
    else
        snprintf(full, TEXT_ROOM, "%.0f", full_value(app, quantity, app->layer));
}

/* What is shaded, what a shade says, and whether there are more columns. */
static void draw_legend(const struct app *app, const struct map_view *view, struct surface *surface,
                        int row, int width, size_t hidden) {
    char more[TEXT_ROOM] = "", blank[NUMBER_TEXT], full[TEXT_ROOM];
    const struct quantity *quantity = &quantities[view->quantity];
    const struct glyphs *glyphs = theme_glyphs();
    if (hidden > 0)
        snprintf(more, sizeof more, "h l: %zu more", hidden);
    surface_right(surface, row, 1, width, ELEMENT_QUIET, more);
    width -= text_width(more) + (hidden > 0);
    int col = 1 + surface_print(surface, row, 1, width, ELEMENT_HEADER, "%s%s", quantity->name,
                                quantity->of == rank_of ? "" : ", %");
    col += LEGEND_GAP;
    shade_ends(app, quantity, 1 + width - col - 2 * SHADES - 2, blank, full);
    col += surface_print(surface, row, col, width, ELEMENT_QUIET, "%s ", blank);
    for (int shade = 0; shade < SHADES; shade++, col += 2)
        surface_row(surface, row, col, 2, specialist_style(app->specialist), glyphs->shades[shade]);
    surface_print(surface, row, col, width, ELEMENT_QUIET, " %s", full);
}

/* A line of numbers, one for each quantity. */
static void draw_numbers(const struct app *app, struct surface *surface, struct rect *rect,
                         size_t layer, size_t specialist) {
    char text[TEXT_ROOM], number[NUMBER_TEXT];
    unsigned style = specialist_style(specialist);
    text_shorten(app->table->specialists[specialist].name, 16, text);
    surface_text(surface, rect->row, rect->col, 16, style | STYLE_BOLD, text);
    for (size_t q = 0; q < QUANTITY_COUNT; q++) {
        number_shown(&quantities[q], quantities[q].of(app, layer, specialist), number);
        surface_right(surface, rect->row, rect->col + 17 + (int)q * 8, 7, style, number);
    }
    if (specialist == app->specialist)
        surface_highlight(surface, rect->row, rect->col, rect->width, STYLE_REVERSE);
    rect->row++, rect->height--;
}

static void draw_headings(struct surface *surface, struct rect *rect, const char *title) {
    surface_text(surface, rect->row, rect->col, 16, ELEMENT_HEADER, title);
    for (size_t q = 0; q < QUANTITY_COUNT; q++)
        surface_right(surface, rect->row, rect->col + 17 + (int)q * 8, 7, ELEMENT_HEADER,
                      quantities[q].heading);
    rect->row++, rect->height--;
}

/* The mean of a quantity over the matrices of the map. */
static double mean_over(const struct app *app, const struct map_view *view,
                        const struct quantity *quantity, size_t specialist) {
    double sum = 0;
    for (size_t i = 0; i < view->list.count; i++)
        sum += quantity->of(app, view->layers[i], specialist);
    return view->list.count > 0 ? sum / (double)view->list.count : 0;
}

static void draw_means(const struct app *app, const struct map_view *view, struct surface *surface,
                       struct rect *rect) {
    char number[NUMBER_TEXT], name[TEXT_ROOM];
    draw_headings(surface, rect, "mean of layers");
    for (size_t i = 0; i < app->table->specialist_count && rect->height > 0; i++) {
        unsigned style = specialist_style(i);
        text_shorten(app->table->specialists[i].name, 16, name);
        surface_text(surface, rect->row, rect->col, 16, style, name);
        for (size_t q = 0; q < QUANTITY_COUNT; q++) {
            double value = mean_over(app, view, &quantities[q], i);
            snprintf(number, sizeof number, "%.1f", value);
            surface_right(surface, rect->row, rect->col + 17 + (int)q * 8, 7, style,
                          isnan(value) ? theme_glyphs()->pending : number);
        }
        rect->row++, rect->height--;
    }
}

/* Every quantity of the selected layer. */
static void draw_panel(const struct app *app, const struct map_view *view, struct surface *surface,
                       struct rect rect) {
    const struct layer *layer = &app->table->layers[app->layer];
    char text[TEXT_ROOM];
    surface_text(surface, rect.row, rect.col, rect.width, ELEMENT_FOCUS,
                 text_shorten_name(layer->name, rect.width, text));
    surface_print(surface, rect.row + 1, rect.col, rect.width, ELEMENT_QUIET,
                  "%zu %s %zu, full rank %zu, dominance %.2f", layer->rows, theme_glyphs()->times,
                  layer->cols, layer_max_rank(layer), app->preview->dominance[app->layer]);
    rect.row += 3, rect.height -= 3;
    draw_headings(surface, &rect, "this layer");
    for (size_t i = 0; i < app->table->specialist_count && rect.height > 0; i++)
        draw_numbers(app, surface, &rect, app->layer, i);
    rect.row++, rect.height--;
    if (rect.height > 2)
        draw_means(app, view, surface, &rect);
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct map_view *view = state;
    struct fill_context context = {app, view};
    struct rect rect = {body.row + 1, 1, body.height - 1, body.width - 2};
    int needed = 20 + (CELL_WIDTH + 1) * (int)app->table->specialist_count + 8;
    if (body.width >= PANEL_FROM && body.width - PANEL_WIDTH >= needed) {
        rect.width -= PANEL_WIDTH;
        surface_column(surface, body.row, rect.width + 1, body.height, ELEMENT_BORDER,
                       theme_glyphs()->vertical);
        draw_panel(app, view, surface,
                   (struct rect){body.row, rect.width + 3, body.height, PANEL_WIDTH - 3});
    }
    int room = (rect.width - 48) / (int)app->table->specialist_count - 1;
    view->cell_width = room < CELL_WIDTH ? CELL_WIDTH : room > CELL_WIDEST ? CELL_WIDEST : room;
    size_t count = make_columns(app, view);
    draw_legend(app, view, surface, body.row, rect.width, hidden_count(view, count, rect.width));
    list_draw(&view->list, surface, rect, view->columns, count, true, fill, &context);
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

/* The numbers under the cursor, behind as much of the name as they leave room for. */
static void status(struct app *app, void *state, char left[TEXT_ROOM], char right[TEXT_ROOM]) {
    struct map_view *view = state;
    const char *name = app->table->specialists[app->specialist].name;
    char cut[TEXT_ROOM], number[NUMBER_TEXT], numbers[TEXT_ROOM];
    int length = 0;
    for (size_t q = 0; q < QUANTITY_COUNT; q++) {
        number_shown(&quantities[q], quantities[q].of(app, app->layer, app->specialist), number);
        length += snprintf(numbers + length, TEXT_ROOM - (size_t)length, " %s %s%s",
                           quantities[q].heading, number, q + 1 < QUANTITY_COUNT ? "," : "");
    }
    int room = app->body.width - 3 - text_width(numbers);
    snprintf(left, TEXT_ROOM, "%.100s:%.900s",
             text_shorten(name, room < STATUS_NAME ? room : STATUS_NAME, cut), numbers);
    list_position(&view->list, right);
}

static unsigned act(struct app *app, void *state, enum action action) {
    struct map_view *view = state;
    size_t n = app->table->specialist_count;
    switch (action) {
    case ACTION_METRIC:
        view->quantity = (view->quantity + 1) % QUANTITY_COUNT;
        return DIRTY_SCREEN;
    case ACTION_METRIC_PREVIOUS:
        view->quantity = (view->quantity + QUANTITY_COUNT - 1) % QUANTITY_COUNT;
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

static struct page *figure(struct app *app, void *state) {
    const struct map_view *view = state;
    return pictures_page(app, quantities[view->quantity].figure);
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
                                  .figure = figure,
                                  .status = status};
