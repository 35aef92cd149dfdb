/* Help, made from the key table, and the list of everything that was said. */
#include "tui/screen/app.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMN_KEYS, COLUMN_TEXT, KEYS_WIDTH = 12, WHOLE_ROWS = 4 };

/* A part of what a binding does, as much as one line holds. */
struct help_line {
    const struct binding *binding;
    size_t start, length; /* in bytes of its sentence */
};

struct help_view {
    struct list list; /* the lines, or the messages */
    struct help_line *lines;
    size_t line_count;
    int width; /* of the sentences at the last drawing */
    bool messages;
};

static const struct column help_columns[] = {
    {"Keys", KEYS_WIDTH, 0, 0, false, COLUMN_KEYS, 0},
    {"What they do here", 40, 0, 400, false, COLUMN_TEXT, 0}};
static const struct column message_columns[] = {{"Messages", 40, 0, 400, false, COLUMN_TEXT, 0}};

static void *open_view(struct app *app) {
    (void)app;
    return memory_array(1, sizeof(struct help_view));
}

static void close_view(void *state) {
    struct help_view *view = state;
    free(view->lines);
    free(view);
}

/* What the binding does, and why it does nothing now. Returns whether it does. */
static bool sentence(const struct app *app, const struct binding *binding, char text[TEXT_ROOM]) {
    const char *reason = binding->disabled != NULL ? binding->disabled(app) : NULL;
    if (reason != NULL)
        snprintf(text, TEXT_ROOM, "%s (%s)", binding->help, reason);
    else
        snprintf(text, TEXT_ROOM, "%s", binding->help);
    return reason == NULL;
}

static void add_lines(struct app *app, struct help_view *view, const struct binding *binding) {
    char text[TEXT_ROOM];
    size_t start = 0, length;
    sentence(app, binding, text);
    do {
        length = text_line(text + start, view->width);
        view->lines = memory_resize(view->lines, view->line_count + 1, sizeof *view->lines);
        view->lines[view->line_count++] = (struct help_line){binding, start, length};
        start += length + (text[start + length] == ' ');
    } while (length > 0 && text[start] != '\0');
}

/* The bindings of the view below, wrapped; the cursor stays at its binding. */
static void wrap(struct app *app, struct help_view *view) {
    size_t count, first = 0;
    const struct binding *all = bindings(&count);
    const struct binding *at =
        view->list.cursor < view->line_count ? view->lines[view->list.cursor].binding : NULL;
    view->line_count = 0;
    for (size_t i = 0; i < count; i++)
        if ((all[i].views & (1u << app->view_below)) != 0)
            add_lines(app, view, &all[i]);
    list_resize(&view->list, view->line_count);
    while (first < view->line_count && view->lines[first].binding != at)
        first++;
    if (first < view->line_count && view->lines[view->list.cursor].binding != at)
        list_select(&view->list, first);
}

static void fill(void *context, size_t row, int column, int width, struct list_cell *cell) {
    struct app *app = context;
    const struct help_view *view = app->states[VIEW_HELP];
    char text[TEXT_ROOM];
    if (view->messages) {
        text_shorten_end(app->status.log.items[row], width, cell->text);
        return;
    }
    const struct help_line *line = &view->lines[row];
    bool works = sentence(app, line->binding, text);
    if (column == COLUMN_TEXT)
        snprintf(cell->text, sizeof cell->text, "%.*s", (int)line->length, text + line->start);
    else if (line->start == 0)
        snprintf(cell->text, sizeof cell->text, "%s", binding_keys(line->binding));
    cell->style = !works ? ELEMENT_DISABLED : column == COLUMN_KEYS ? ELEMENT_KEY : ELEMENT_TEXT;
}

/* The list, and below it the selected message as a whole. */
static void draw_messages(struct app *app, struct help_view *view, struct surface *surface,
                          struct rect body) {
    struct rect whole = {body.row + body.height - WHOLE_ROWS, body.col, WHOLE_ROWS, body.width};
    body.height -= WHOLE_ROWS + 1;
    list_draw(&view->list, surface, body, message_columns, 1, true, fill, app);
    surface_row(surface, whole.row - 1, 0, surface->width, ELEMENT_BORDER,
                theme_glyphs()->horizontal);
    if (view->list.count > 0)
        surface_wrap(surface, whole, ELEMENT_TEXT, app->status.log.items[view->list.cursor]);
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct help_view *view = state;
    body.col = 1;
    body.width -= 2;
    if (view->messages) {
        draw_messages(app, view, surface, body);
        return;
    }
    view->width = body.width - KEYS_WIDTH - 1;
    wrap(app, view);
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
    const struct help_line *line = view->messages ? NULL : &view->lines[row];
    if (line == NULL)
        snprintf(text, TEXT_ROOM, "%s", app->status.log.items[row]);
    else if (line->start == 0)
        snprintf(text, TEXT_ROOM, "%s  %s", binding_keys(line->binding), line->binding->help);
    else
        snprintf(text, TEXT_ROOM, "%.*s", (int)line->length, line->binding->help + line->start);
}

static void changed(struct app *app, void *state) {
    struct help_view *view = state;
    if (view->messages)
        list_resize(&view->list, app->status.log.count);
    else
        wrap(app, view);
}

static unsigned act(struct app *app, void *state, enum action action) {
    struct help_view *view = state;
    bool closes = action == ACTION_HELP || action == ACTION_BACK || action == ACTION_QUIT;
    bool opens = action >= ACTION_VIEW_1 && action <= ACTION_VIEW_6;
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
