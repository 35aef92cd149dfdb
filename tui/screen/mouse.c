/* The pointer: tabs, rows, and what a view makes of the rest. */
#include "tui/screen/app.h"

static struct list *view_list(const struct app *app) {
    return app->ops[app->view]->list(app->states[app->view]);
}

static unsigned select_row(struct app *app, size_t row) {
    const struct view_ops *ops = app->ops[app->view];
    list_select(view_list(app), row);
    if (ops->moved != NULL)
        ops->moved(app, app->states[app->view]);
    return DIRTY_SCREEN;
}

/* A press selects a tab or a row; elsewhere the view gets it, and the drag that follows. */
static unsigned press(struct app *app, int row, int col) {
    const struct view_ops *ops = app->ops[app->view];
    struct list *list = view_list(app);
    size_t target = list_row_at(list, row, col);
    app->dragging = false;
    if (row == 0)
        return frame_click(app, col);
    if (target < list->count)
        return select_row(app, target);
    app->dragging = true;
    return ops->click != NULL ? ops->click(app, app->states[app->view], row, col) : 0;
}

static unsigned drag(struct app *app, const struct mouse *mouse) {
    const struct view_ops *ops = app->ops[app->view];
    if (!app->dragging || ops->drag == NULL)
        return 0;
    app->dragging = mouse->event != MOUSE_RELEASE;
    return ops->drag(app, app->states[app->view], mouse);
}

static unsigned wheel(struct app *app, enum action action) {
    unsigned result = 0;
    for (int i = 0; i < WHEEL_ROWS; i++)
        result |= app_action(app, action);
    return result;
}

unsigned app_mouse(struct app *app, const struct mouse *mouse) {
    unsigned result = 0;
    if (app->prompt.open || app->question.open)
        return 0;
    if (mouse->event == MOUSE_PRESS)
        result = press(app, mouse->row, mouse->col);
    else if (mouse->event == MOUSE_WHEEL_UP || mouse->event == MOUSE_WHEEL_DOWN)
        result = wheel(app, mouse->event == MOUSE_WHEEL_UP ? ACTION_UP : ACTION_DOWN);
    else
        result = drag(app, mouse);
    if (result & DIRTY_PLAN)
        app_plan_changed(app);
    return result;
}
