/* The match report: how the names of every specialist met the base's. Over another view, as help
 * is. */
#include "tui/screen/app.h"

#include <stdlib.h>

enum { COLUMN_SPECIALIST, COLUMN_WHAT, COLUMN_NAME, WHOLE_ROWS = 3 };

/* A line: how one specialist lined up, or a name that did not match. */
struct row {
    size_t specialist;
    const char *what; /* NULL for the first line of a specialist */
    char *text;
};

struct match_view {
    struct list list;
    struct row *rows;
};

static const struct column columns[] = {{"Specialist", 14, 0, 0, false, COLUMN_SPECIALIST, 0},
                                        {"Tensors", 15, 0, 0, false, COLUMN_WHAT, 0},
                                        {"Names", 20, 0, 400, false, COLUMN_NAME, 0}};

static void add(struct match_view *view, size_t specialist, const char *what, char *text) {
    view->rows = memory_resize(view->rows, view->list.count + 1, sizeof *view->rows);
    view->rows[view->list.count++] = (struct row){specialist, what, text};
}

static void add_names(struct match_view *view, size_t specialist, const char *what,
                      const struct string_list *names) {
    for (size_t i = 0; i < names->count; i++)
        add(view, specialist, what, memory_string(names->items[i]));
}

/* The table does not change while the screen is up. */
static void *open_view(struct app *app) {
    struct match_view *view = memory_array(1, sizeof *view);
    for (size_t i = 0; i < app->table->specialist_count; i++)
        add(view, i, NULL, match_way(&app->table->specialists[i].match));
    for (size_t i = 0; i < app->table->specialist_count; i++) {
        const struct match *match = &app->table->specialists[i].match;
        add_names(view, i, "another shape", &match->other_shape);
        add_names(view, i, "only here", &match->specialist_only);
        add_names(view, i, "only in base", &match->base_only);
    }
    return view;
}

static void close_view(void *state) {
    struct match_view *view = state;
    for (size_t i = 0; i < view->list.count; i++)
        free(view->rows[i].text);
    free(view->rows);
    free(view);
}

static void fill(void *context, size_t at, int column, int width, struct list_cell *cell) {
    struct app *app = context;
    const struct match_view *view = app->states[VIEW_MATCH];
    const struct row *row = &view->rows[at];
    const struct table_specialist *one = &app->table->specialists[row->specialist];
    size_t matched = one->match.matched.count;
    if (column == COLUMN_SPECIALIST)
        text_shorten(one->name, width, cell->text);
    else if (column == COLUMN_NAME && row->what != NULL)
        text_shorten_name(row->text, width, cell->text);
    else if (column == COLUMN_NAME)
        text_shorten(row->text, width, cell->text);
    else if (row->what != NULL)
        snprintf(cell->text, sizeof cell->text, "%s", row->what);
    else
        snprintf(cell->text, sizeof cell->text, "%zu of %zu match", matched,
                 matched + one->match.other_shape.count + one->match.specialist_only.count);
    cell->style = row->what == NULL ? ELEMENT_TEXT : ELEMENT_QUIET;
}

/* The list, and below it the selected line as a whole. */
static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct match_view *view = state;
    body.col = 1;
    body.width -= 2;
    struct rect whole = {body.row + body.height - WHOLE_ROWS, body.col, WHOLE_ROWS, body.width};
    body.height -= WHOLE_ROWS + 1;
    list_draw(&view->list, surface, body, columns, sizeof columns / sizeof *columns, true, fill,
              app);
    surface_row(surface, whole.row - 1, 0, surface->width, ELEMENT_BORDER,
                theme_glyphs()->horizontal);
    surface_wrap(surface, whole, ELEMENT_TEXT, view->rows[view->list.cursor].text);
}

static struct list *list_of(void *state) {
    return &((struct match_view *)state)->list;
}

static void status(struct app *app, void *state, char left[TEXT_ROOM], char right[TEXT_ROOM]) {
    const struct match_view *view = state;
    (void)app;
    snprintf(left, TEXT_ROOM, "names of the specialists against the base's");
    list_position(&view->list, right);
}

static unsigned act(struct app *app, void *state, enum action action) {
    (void)state;
    return action == ACTION_MATCH ? app_show(app, app->view_below) : NOT_MINE;
}

const struct view_ops view_match = {.name = "match",
                                    .title = "Names",
                                    .open = open_view,
                                    .close = close_view,
                                    .draw = draw,
                                    .act = act,
                                    .list = list_of,
                                    .status = status};
