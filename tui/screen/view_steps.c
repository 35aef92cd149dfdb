/* What was done, over the view below: moving in the list goes back and forward at once, so that
 * every step shows its effect; Esc returns to where the list was opened. */
#include "tui/screen/app.h"

#include <stdlib.h>
#include <string.h>

enum { COLUMN_NUMBER, COLUMN_TEXT };
enum { WIDEST = 76, MARGIN = 2 };

struct steps_view {
    struct list list;
    size_t opened_at; /* position */
};

static const struct column columns[] = {{"step", 4, 0, 0, true, COLUMN_NUMBER, 0},
                                        {"What was done", 20, 0, 400, false, COLUMN_TEXT, 0}};

static void *open_view(struct app *app) {
    (void)app;
    return memory_array(1, sizeof(struct steps_view));
}

/* Row r is the plan after r steps. */
static void changed(struct app *app, void *state) {
    struct steps_view *view = state;
    list_resize(&view->list, plan_step_count(app->plan) + 1);
    list_select(&view->list, plan_position(app->plan));
}

void view_steps_begin(struct app *app) {
    struct steps_view *view = app->states[VIEW_STEPS];
    view->opened_at = plan_position(app->plan);
    changed(app, view);
}

static const char *step_text(const struct app *app, size_t row) {
    return row > 0 ? plan_step_text(app->plan, row - 1) : "as it was opened";
}

static void fill(void *context, size_t row, int column, int width, struct list_cell *cell) {
    const struct app *app = context;
    const struct steps_view *view = app->states[VIEW_STEPS];
    size_t position = plan_position(app->plan);
    char cut[TEXT_ROOM];
    cell->style = row > position           ? ELEMENT_DISABLED
                  : row == view->opened_at ? ELEMENT_SET
                                           : ELEMENT_TEXT;
    if (column == COLUMN_NUMBER) {
        snprintf(cell->text, sizeof cell->text, "%zu", row);
        return;
    }
    const char *note = plan_note_at(app->plan, row);
    char *text = memory_format("%s%s%s", note != NULL ? note : "", note != NULL ? " | " : "",
                               step_text(app, row));
    snprintf(cell->text, sizeof cell->text, "%.1000s", text_shorten(text, width, cut));
    free(text);
}

/* A box in the lower left, so that spectrum and bars stay in sight; the rows it needs. */
static struct rect box_of(struct rect body, size_t rows) {
    int width = body.width / 2 - MARGIN < WIDEST ? body.width / 2 - MARGIN : WIDEST;
    int most = body.height * 2 / 3, height = rows + 3 < (size_t)most ? (int)rows + 3 : most;
    width = width < 36 ? 36 : width;
    return (struct rect){body.row + body.height - height, body.col, height, width};
}

static void draw_box(struct surface *surface, struct rect box) {
    const struct glyphs *glyphs = theme_glyphs();
    int right = box.col + box.width - 1;
    for (int row = box.row; row < box.row + box.height; row++)
        surface_row(surface, row, box.col, box.width, ELEMENT_TEXT, " ");
    surface_row(surface, box.row, box.col, box.width, ELEMENT_BORDER, glyphs->horizontal);
    surface_column(surface, box.row + 1, right, box.height - 1, ELEMENT_BORDER, glyphs->vertical);
    surface_text(surface, box.row, box.col + 1, box.width - 2, ELEMENT_HEADER, " Steps ");
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct steps_view *view = state;
    enum view_id below = app->view_below;
    struct rect box = box_of(body, view->list.count);
    app->ops[below]->draw(app, app->states[below], surface, body);
    draw_box(surface, box);
    list_draw(&view->list, surface,
              (struct rect){box.row + 1, box.col, box.height - 1, box.width - 1}, columns,
              sizeof columns / sizeof *columns, true, fill, app);
}

static void moved(struct app *app, void *state) {
    struct steps_view *view = state;
    if (view->list.cursor != plan_position(app->plan))
        app_jump(app, view->list.cursor);
}

static unsigned act(struct app *app, void *state, enum action action) {
    struct steps_view *view = state;
    if (action == ACTION_BACK && plan_position(app->plan) != view->opened_at)
        app_jump(app, view->opened_at);
    if (action == ACTION_STEPS || action == ACTION_STEPS_TAKE)
        return app_show(app, app->view_below);
    return NOT_MINE;
}

static struct list *list_of(void *state) {
    return &((struct steps_view *)state)->list;
}

static void row_text(struct app *app, void *state, size_t row, char text[TEXT_ROOM]) {
    (void)state;
    snprintf(text, TEXT_ROOM, "%s", step_text(app, row));
}

static void status(struct app *app, void *state, char left[TEXT_ROOM], char right[TEXT_ROOM]) {
    struct steps_view *view = state;
    (void)app;
    snprintf(left, TEXT_ROOM, "moving goes there; Enter stays, Esc returns to step %zu",
             view->opened_at);
    snprintf(right, TEXT_ROOM, "%zu/%zu", view->list.cursor, view->list.count - 1);
}

const struct view_ops view_steps = {.name = "steps",
                                    .title = "Steps",
                                    .open = open_view,
                                    .close = free,
                                    .draw = draw,
                                    .act = act,
                                    .list = list_of,
                                    .row_text = row_text,
                                    .moved = moved,
                                    .changed = changed,
                                    .status = status};
