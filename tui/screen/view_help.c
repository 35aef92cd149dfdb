/* Help, made from the key table, and the list of everything that was said. */
#include "tui/screen/app.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMN_KEYS, COLUMN_TEXT, WHOLE_ROWS = 4 };

struct help_view {
    struct list list;
    bool messages;
};

static const struct column help_columns[] = {
    {"Keys", 12, 0, 0, false, COLUMN_KEYS, 0},
    {"What they do here", 40, 0, 400, false, COLUMN_TEXT, 0}};
static const struct column message_columns[] = {{"Messages", 40, 0, 400, false, COLUMN_TEXT, 0}};

static void *open_view(struct app *app) {
    (void)app;
    return memory_array(1, sizeof(struct help_view));
}

static void close_view(void *state) {
    free(state);
}

/* The rows of the view below, one after the other. */
static const struct binding *row_binding(const struct app *app, size_t row) {
    size_t count;
    const struct binding *all = bindings(&count);
    for (size_t i = 0; i < count; i++)
        if ((all[i].views & (1u << app->view_below)) != 0 && row-- == 0)
            return &all[i];
    return NULL;
}

static size_t row_count(const struct app *app) {
    size_t rows = 0;
    while (row_binding(app, rows) != NULL)
        rows++;
    return rows;
}

static void fill(void *context, size_t row, int column, int width, struct list_cell *cell) {
    struct app *app = context;
    const struct help_view *view = app->states[VIEW_HELP];
    (void)width;
    if (view->messages) {
        snprintf(cell->text, sizeof cell->text, "%s", app->status.log.items[row]);
        return;
    }
    const struct binding *binding = row_binding(app, row);
    const char *reason = binding->disabled != NULL ? binding->disabled(app) : NULL;
    if (column == COLUMN_KEYS)
        snprintf(cell->text, sizeof cell->text, "%s", binding_keys(binding));
    else
        snprintf(cell->text, sizeof cell->text, "%s%s%s%s", binding->help,
                 reason != NULL ? " (" : "", reason != NULL ? reason : "",
                 reason != NULL ? ")" : "");
    cell->style = reason != NULL          ? ELEMENT_DISABLED
                  : column == COLUMN_KEYS ? ELEMENT_KEY
                                          : ELEMENT_TEXT;
}

/* The list, and below it the selected message as a whole. */
static void draw_messages(struct app *app, struct help_view *view, struct surface *surface,
                          struct rect body) {
    struct rect whole = {body.row + body.height - WHOLE_ROWS, body.col, WHOLE_ROWS, body.width};
    body.height -= WHOLE_ROWS + 1;
    list_draw(&view->list, surface, body, message_columns, 1, true, fill, app);
    surface_row(surface, whole.row - 1, body.col, body.width, ELEMENT_BORDER,
                theme_glyphs()->horizontal);
    if (view->list.count > 0)
        surface_wrap(surface, whole, ELEMENT_TEXT, app->status.log.items[view->list.cursor]);
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct help_view *view = state;
    body.col = 1;
    body.width -= 2;
    if (view->messages)
        draw_messages(app, view, surface, body);
    else
        list_draw(&view->list, surface, body, help_columns, 2, true, fill, app);
}

static void status(struct app *app, void *state, char left[TEXT_ROOM], char right[TEXT_ROOM]) {
    struct help_view *view = state;
    if (!view->messages)
        snprintf(left, TEXT_ROOM, "keys of view %d, %s", app->view_below + 1,
                 app->ops[app->view_below]->title);
    list_position(&view->list, right);
}

static struct list *list_of(void *state) {
    return &((struct help_view *)state)->list;
}

static void row_text(struct app *app, void *state, size_t row, char text[TEXT_ROOM]) {
    const struct help_view *view = state;
    const struct binding *binding = view->messages ? NULL : row_binding(app, row);
    if (binding == NULL)
        snprintf(text, TEXT_ROOM, "%s", app->status.log.items[row]);
    else
        snprintf(text, TEXT_ROOM, "%s  %s", binding_keys(binding), binding->help);
}

static void changed(struct app *app, void *state) {
    struct help_view *view = state;
    list_resize(&view->list, view->messages ? app->status.log.count : row_count(app));
}

static unsigned act(struct app *app, void *state, enum action action) {
    struct help_view *view = state;
    bool closes = action == ACTION_HELP || action == ACTION_BACK || action == ACTION_QUIT;
    bool opens = action >= ACTION_VIEW_1 && action <= ACTION_VIEW_5;
    (void)app;
    if (closes || opens)
        view->messages = false;
    return NOT_MINE;
}

unsigned view_help_messages(struct app *app) {
    struct help_view *view = app->states[VIEW_HELP];
    if (app->status.log.count == 0) {
        app_say(app, STATUS_INFO, "nothing was said so far");
        return DIRTY_SCREEN;
    }
    view->messages = true;
    app_show(app, VIEW_HELP);
    list_select(&view->list, app->status.log.count);
    return DIRTY_SCREEN;
}

const struct view_ops view_help = {.name = "help",
                                   .title = "Help",
                                   .lasts = true,
                                   .open = open_view,
                                   .close = close_view,
                                   .draw = draw,
                                   .act = act,
                                   .list = list_of,
                                   .row_text = row_text,
                                   .changed = changed,
                                   .status = status};
