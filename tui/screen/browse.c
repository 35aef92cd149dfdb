/* Moving and searching in whatever list a view shows. */
#include "tui/screen/app.h"

#include <stdlib.h>
#include <string.h>

static struct list *view_list(const struct app *app) {
    return app->ops[app->view]->list(app->states[app->view]);
}

static void moved(struct app *app) {
    if (app->ops[app->view]->moved != NULL)
        app->ops[app->view]->moved(app, app->states[app->view]);
}

static bool row_matches(void *context, size_t row) {
    struct app *app = context;
    char text[TEXT_ROOM] = "";
    app->ops[app->view]->row_text(app, app->states[app->view], row, text);
    return strcasestr(text, app->search) != NULL;
}

static size_t match_count(struct app *app) {
    size_t found = 0;
    for (size_t row = 0; row < view_list(app)->count; row++)
        found += row_matches(app, row);
    return found;
}

static void say_found(struct app *app) {
    size_t found = match_count(app);
    app_say(app, found > 0 ? STATUS_INFO : STATUS_WARNING, "%zu row%s with \"%s\"", found,
            found == 1 ? "" : "s", app->search);
}

static void jump(struct app *app, size_t start, int step) {
    struct list *list = view_list(app);
    size_t row = list_find(list, start, step, row_matches, app);
    if (row >= list->count) {
        app_say(app, STATUS_WARNING, "no row with \"%s\"", app->search);
        return;
    }
    list_select(list, row);
    moved(app);
    say_found(app);
}

/* While typing: the first match from where the search began. */
static void search_changed(struct app *app, const char *text, bool cancelled) {
    struct list *list = view_list(app);
    free(app->search);
    app->search = text[0] != '\0' && !cancelled ? memory_string(text) : NULL;
    size_t row = list->count;
    if (app->search != NULL && list->count > 0)
        row = list_find(list, (app->search_start + list->count - 1) % list->count, 1, row_matches,
                        app);
    list_select(list, row < list->count ? row : app->search_start);
    moved(app);
}

static unsigned search_accept(struct app *app, const char *text) {
    search_changed(app, text, false);
    if (app->search == NULL)
        return DIRTY_SCREEN;
    say_found(app);
    return DIRTY_SCREEN;
}

const char *search_disabled(const struct app *app) {
    return app->search == NULL ? "nothing was searched for; / searches" : NULL;
}

static unsigned copy_row(struct app *app) {
    char text[TEXT_ROOM] = "";
    const struct view_ops *ops = app->ops[app->view];
    if (view_list(app)->count > 0 && ops->row_text != NULL)
        ops->row_text(app, app->states[app->view], view_list(app)->cursor, text);
    if (text[0] == '\0') {
        app_say(app, STATUS_INFO, "no row here to copy");
        return DIRTY_SCREEN;
    }
    free(app->clipboard);
    app->clipboard = memory_string(text);
    app_say(app, STATUS_INFO, "copied: %s", text);
    return DIRTY_SCREEN;
}

unsigned browse_action(struct app *app, enum action action) {
    struct list *list = view_list(app);
    if (list_move(list, action)) {
        moved(app);
        return DIRTY_SCREEN;
    }
    if (action == ACTION_COPY_TEXT)
        return copy_row(app);
    if (action == ACTION_SEARCH) {
        app->search_start = list->cursor;
        prompt_open(
            &app->prompt,
            (struct prompt_use){.label = "/", .accept = search_accept, .changed = search_changed},
            "");
        return DIRTY_SCREEN;
    }
    if (action != ACTION_SEARCH_NEXT && action != ACTION_SEARCH_PREVIOUS)
        return NOT_MINE;
    jump(app, list->cursor, action == ACTION_SEARCH_NEXT ? 1 : -1);
    return DIRTY_SCREEN;
}
