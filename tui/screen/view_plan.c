/* View 4: every hyperparameter, editable in place, with its meaning and the formula in numbers. */
#include "tui/screen/app.h"

#include "merge/text.h"
#include "tui/screen/complete.h"
#include "tui/screen/pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum row_kind { ROW_FIELD, ROW_RANK, ROW_WEIGHT, ROW_OVERRIDE };
enum { COLUMN_NAME, COLUMN_VALUE, LIST_WIDTH = 38, LIST_WIDTH_WIDE = 76 };

struct plan_row {
    enum row_kind kind;
    size_t index;
};

struct plan_view {
    const struct app *app;
    struct list list;
    struct plan_row *rows;
    struct settings defaults;
};

static const struct column columns[] = {{"Hyperparameter", 20, 0, 60, false, COLUMN_NAME, 0},
                                        {"value", 14, 0, 0, false, COLUMN_VALUE, 0}};

/* Fields that the method looks at, weights, and with R2M the default rank rule and overrides. */
static void build(struct app *app, struct plan_view *view) {
    const struct config *config = &app->plan->config;
    bool ranked = config->settings.method == METHOD_R2M;
    size_t field_count, count = 0;
    const struct settings_field *fields = settings_fields(&field_count);
    free(view->rows);
    view->rows = memory_array(field_count + 1 + config->specialist_count + config->override_count,
                              sizeof *view->rows);
    for (size_t i = 0; i < field_count; i++)
        if (settings_field_applies(&config->settings, &fields[i]))
            view->rows[count++] = (struct plan_row){ROW_FIELD, i};
    if (ranked)
        view->rows[count++] = (struct plan_row){ROW_RANK, 0};
    for (size_t i = 0; i < config->specialist_count; i++)
        view->rows[count++] = (struct plan_row){ROW_WEIGHT, i};
    for (size_t i = 0; ranked && i < config->override_count; i++)
        view->rows[count++] = (struct plan_row){ROW_OVERRIDE, i};
    list_resize(&view->list, count);
}

static void changed(struct app *app, void *state) {
    build(app, state);
}

static void *open_view(struct app *app) {
    struct plan_view *view = memory_array(1, sizeof *view);
    view->app = app;
    settings_defaults(&view->defaults);
    build(app, view);
    return view;
}

static void close_view(void *state) {
    struct plan_view *view = state;
    free(view->rows);
    free(view);
}

static const struct settings_field *field_of(const struct plan_row *row) {
    size_t count;
    return row->kind == ROW_FIELD ? &settings_fields(&count)[row->index] : NULL;
}

static const struct plan_row *cursor_row(const struct plan_view *view) {
    return &view->rows[view->list.cursor];
}

static void row_name(const struct app *app, const struct plan_row *row, char text[TEXT_ROOM]) {
    const struct config *config = &app->plan->config;
    if (row->kind == ROW_FIELD) {
        snprintf(text, TEXT_ROOM, "%s", field_of(row)->path);
    } else if (row->kind == ROW_RANK) {
        snprintf(text, TEXT_ROOM, "residual.rank");
    } else if (row->kind == ROW_WEIGHT) {
        snprintf(text, TEXT_ROOM, "weight of %s", config->specialists[row->index].name);
    } else {
        const struct rank_override *one = &config->overrides[row->index];
        snprintf(text, TEXT_ROOM, "%s in %s", one->specialist != NULL ? one->specialist : "all",
                 one->layer);
    }
}

/* The value as text; false where it is the default. */
static bool row_value(const struct app *app, const struct plan_view *view,
                      const struct plan_row *row, char text[FIELD_TEXT]) {
    const struct config *config = &app->plan->config;
    const struct settings_field *field = field_of(row);
    if (field != NULL) {
        settings_field_text(&config->settings, field, text, FIELD_TEXT);
        return settings_field_value(&config->settings, field) !=
               settings_field_value(&view->defaults, field);
    }
    if (row->kind == ROW_WEIGHT) {
        number_text(config->specialists[row->index].weight, text);
        return config->specialists[row->index].weight != 1;
    }
    rank_rule_format(row->kind == ROW_RANK ? config->rank : config->overrides[row->index].rule,
                     text, FIELD_TEXT);
    return row->kind == ROW_OVERRIDE ||
           !rank_rule_equal(config->rank, (struct rank_rule){RANK_RATIO, 0.1});
}

static void fill(void *context, size_t index, int column, int width, struct list_cell *cell) {
    struct app *app = context;
    struct plan_view *view = app->states[VIEW_PLAN];
    char text[TEXT_ROOM], value[FIELD_TEXT];
    bool set = row_value(app, view, &view->rows[index], value);
    cell->style = set ? ELEMENT_SET | STYLE_BOLD : ELEMENT_TEXT;
    if (column == COLUMN_VALUE) {
        snprintf(cell->text, sizeof cell->text, "%s%s", value, set ? " *" : "");
        return;
    }
    row_name(app, &view->rows[index], text);
    text_shorten(text, width, cell->text);
}

/* The sentences beside the selected row. */
static const char *meaning(const struct plan_row *row) {
    static const char *const texts[] = {
        [ROW_RANK] = "Singular values kept of each residual matrix where no override says "
                     "otherwise.",
        [ROW_WEIGHT] = "Weight of the specialist's residual; the weights are divided by their sum. "
                       "With 0 it may still count, as in the Real core: Space in view 2 leaves "
                       "it out.",
        [ROW_OVERRIDE] = "A rank of its own for these layers. Later overrides win: K and J move "
                         "it, e changes the layers, d drops it."};
    return row->kind == ROW_FIELD ? field_of(row)->text : texts[row->kind];
}

static const char *allowed(const struct plan_row *row, char text[FIELD_TEXT]) {
    if (row->kind == ROW_FIELD)
        settings_field_allowed(field_of(row), text, FIELD_TEXT);
    else if (row->kind == ROW_WEIGHT)
        snprintf(text, FIELD_TEXT, "a number from 0 on");
    else
        snprintf(text, FIELD_TEXT,
                 "64 (rank), 10%% (ratio), e90 (energy), gd, mp, auto, full, zero");
    return text;
}

static const char *effect(const struct plan_row *row) {
    static const char *const texts[] = {
        [EFFECT_CORE] = "A change computes the spectra anew, in the background.",
        [EFFECT_PREVIEW] = "A change shows at once.",
        [EFFECT_OUTPUT] = "Changes only the file that is written."};
    return texts[row->kind == ROW_FIELD ? field_of(row)->effect : EFFECT_PREVIEW];
}

static void draw_meaning(struct app *app, const struct plan_view *view, struct surface *surface,
                         struct rect *rect) {
    const struct plan_row *row = cursor_row(view);
    char text[TEXT_ROOM], value[FIELD_TEXT];
    row_name(app, row, text);
    surface_paragraph(surface, rect, ELEMENT_HEADER, text);
    surface_paragraph(surface, rect, ELEMENT_TEXT, meaning(row));
    snprintf(text, sizeof text, "Allowed: %s.", allowed(row, value));
    surface_paragraph(surface, rect, ELEMENT_QUIET, text);
    if (row->kind == ROW_FIELD) {
        settings_field_text(&view->defaults, field_of(row), value, sizeof value);
        snprintf(text, sizeof text, "Default: %s. %s", value, effect(row));
        surface_paragraph(surface, rect, ELEMENT_QUIET, text);
    }
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct plan_view *view = state;
    struct pair_layout layout = layout_pair(body, body.width >= 150 ? LIST_WIDTH_WIDE : LIST_WIDTH);
    struct rect detail = layout.detail;
    if (app->compare != NULL) {
        compare_draw(app, surface, body);
        return;
    }
    layout.list.col++, layout.list.width--;
    list_draw(&view->list, surface, layout.list, columns, sizeof columns / sizeof *columns, true,
              fill, app);
    surface_column(surface, body.row, layout.border_col,
                   layout.border_col < 0 ? 0 : layout.list.height, ELEMENT_BORDER,
                   theme_glyphs()->vertical);
    surface_row(surface, layout.border_row, 0, layout.border_row < 0 ? 0 : body.width,
                ELEMENT_BORDER, theme_glyphs()->horizontal);
    draw_meaning(app, view, surface, &detail);
    detail.row++, detail.height--;
    formula_draw(app, surface, detail);
}

static struct list *list_of(void *state) {
    struct plan_view *view = state;
    return view->app->compare != NULL ? &view->app->compare->list : &view->list;
}

static void row_text(struct app *app, void *state, size_t row, char text[TEXT_ROOM]) {
    struct plan_view *view = state;
    if (app->compare != NULL)
        snprintf(text, TEXT_ROOM, "%s", app->table->layers[app->compare->rows[row].layer].name);
    else
        row_name(app, &view->rows[row], text);
}

static void status(struct app *app, void *state, char left[TEXT_ROOM], char right[TEXT_ROOM]) {
    struct plan_view *view = state;
    size_t overrides = app->plan->config.override_count;
    if (app->compare != NULL) {
        list_position(&app->compare->list, right);
        return;
    }
    row_name(app, cursor_row(view), left);
    snprintf(right, TEXT_ROOM, "%zu override%s  %zu/%zu", overrides, overrides == 1 ? "" : "s",
             view->list.cursor + 1, view->list.count);
}

/* The default rule, as an assignment. */
static bool set_default_rank(struct app *app, struct rank_rule rule, struct error *error) {
    char number[NUMBER_TEXT], text[FIELD_TEXT];
    const char *value = rank_kind_has_value(rule.kind) ? number_text(rule.value, number) : "true";
    snprintf(text, sizeof text, "residual.rank.%s=%s", rank_kind_name(rule.kind), value);
    return plan_set(app->plan, text, error);
}

static unsigned drop_override(struct app *app, size_t index) {
    struct error error = {0};
    char *layers = memory_string(app->plan->config.overrides[index].layer);
    bool good = plan_override_drop(app->plan, index, &error);
    if (good)
        app_say(app, STATUS_INFO, "no override of %s", layers);
    free(layers);
    return app_edited(app, good, &error);
}

/* The cursor goes with the override. */
static unsigned move_override(struct app *app, struct plan_view *view, int step) {
    const struct plan_row *row = cursor_row(view);
    size_t count = app->plan->config.override_count;
    struct error error = {0};
    if (row->kind != ROW_OVERRIDE || row->index + (size_t)step >= count) {
        app_say(app, STATUS_INFO, "only overrides move, among themselves");
        return DIRTY_SCREEN;
    }
    bool good = plan_override_move(app->plan, row->index, step < 0, &error);
    if (good)
        list_select(&view->list, view->list.cursor + (size_t)step);
    return app_edited(app, good, &error);
}

static unsigned accept_layers(struct app *app, const char *text) {
    struct plan_view *view = app->states[VIEW_PLAN];
    struct error error = {0};
    bool good = plan_override_aim(app->plan, cursor_row(view)->index, text, &error);
    return app_edited(app, good, &error) | (good ? 0 : PROMPT_STAYS);
}

static unsigned ask_layers(struct app *app, const struct plan_view *view) {
    const struct plan_row *row = cursor_row(view);
    if (row->kind != ROW_OVERRIDE) {
        app_say(app, STATUS_INFO, "e changes the layers of an override; Enter changes a value");
        return DIRTY_SCREEN;
    }
    prompt_open(&app->prompt, (struct prompt_use){.label = "layers: ", .accept = accept_layers},
                app->plan->config.overrides[row->index].layer);
    return DIRTY_SCREEN;
}

static unsigned accept_compare(struct app *app, const char *text) {
    struct error error = {0};
    if (compare_open(app, text, &error))
        return DIRTY_SCREEN;
    return app_edited(app, false, &error) | PROMPT_STAYS;
}

static unsigned toggle_compare(struct app *app) {
    if (app->compare != NULL)
        compare_close(app);
    else
        prompt_open(&app->prompt,
                    (struct prompt_use){.label = "compare with config: ",
                                        .accept = accept_compare,
                                        .complete = complete_path},
                    app->config_path);
    return DIRTY_SCREEN;
}

/* A new value of the row, as text. */
static bool set_value(struct app *app, const struct plan_row *row, const char *text,
                      struct error *error) {
    struct rank_rule rule;
    double weight;
    if (row->kind == ROW_FIELD)
        return plan_set_field(app->plan, field_of(row), text, error);
    if (row->kind == ROW_WEIGHT)
        return number_parse(text, &weight)
                   ? plan_set_weight(app->plan, row->index, weight, error)
                   : error_set(error, ERROR_USAGE, "a weight is a number, such as 0.5");
    if (!rank_rule_parse(text, &rule, error))
        return false;
    if (row->kind == ROW_RANK)
        return set_default_rank(app, rule, error);
    return plan_override_set(app->plan, row->index, rule, error);
}

static unsigned accept_value(struct app *app, const char *text) {
    struct plan_view *view = app->states[VIEW_PLAN];
    struct error error = {0};
    bool good = set_value(app, cursor_row(view), text, &error);
    return app_edited(app, good, &error) | (good ? 0 : PROMPT_STAYS);
}

/* Number of choices of a row that has them, else 0. */
static size_t choices_of(const struct plan_row *row) {
    const struct settings_field *field = field_of(row);
    size_t count = 0;
    if (field == NULL || field->type == FIELD_NUMBER || field->type == FIELD_INTEGER)
        return 0;
    while (field->choices != NULL && field->choices[count] != NULL)
        count++;
    return field->type == FIELD_BOOL ? 2 : count;
}

static unsigned set_number(struct app *app, const struct plan_row *row, double value) {
    char text[NUMBER_TEXT];
    struct error error = {0};
    static const char *const truths[] = {"false", "true"};
    const struct settings_field *field = field_of(row);
    const char *name = field != NULL && field->type == FIELD_BOOL ? truths[value != 0]
                       : field != NULL && field->type == FIELD_CHOICE
                           ? field->choices[(size_t)value]
                           : number_text(value, text);
    return app_edited(app, set_value(app, row, name, &error), &error);
}

/* The next or previous choice, or a step of a number. */
static unsigned step_value(struct app *app, const struct plan_row *row, int step) {
    const struct settings_field *field = field_of(row);
    const struct config *config = &app->plan->config;
    size_t choices = choices_of(row);
    if (field == NULL && row->kind != ROW_WEIGHT) {
        app_say(app, STATUS_INFO, "Enter changes a rank rule");
        return DIRTY_SCREEN;
    }
    double value = field != NULL ? settings_field_value(&config->settings, field)
                                 : config->specialists[row->index].weight;
    if (choices > 0)
        return set_number(app, row, fmod(value + step + (double)choices, (double)choices));
    double size = field == NULL ? 0.1 : field->type == FIELD_INTEGER ? 1 : 0.05;
    double low = field != NULL ? field->minimum : 0, high = field != NULL ? field->maximum : 1e9;
    double target = round((value + step * size) * 1e9) / 1e9;
    return set_number(app, row, target < low ? low : target > high ? high : target);
}

static unsigned change_value(struct app *app, const struct plan_view *view) {
    char text[FIELD_TEXT];
    if (choices_of(cursor_row(view)) > 0)
        return step_value(app, cursor_row(view), 1);
    row_value(app, view, cursor_row(view), text);
    prompt_open(&app->prompt, (struct prompt_use){.label = "value: ", .accept = accept_value},
                text);
    return DIRTY_SCREEN;
}

static unsigned reset_value(struct app *app, const struct plan_view *view) {
    const struct plan_row *row = cursor_row(view);
    char text[FIELD_TEXT] = "1";
    struct error error = {0};
    if (row->kind == ROW_OVERRIDE)
        return drop_override(app, row->index);
    if (row->kind == ROW_FIELD)
        settings_field_text(&view->defaults, field_of(row), text, sizeof text);
    else if (row->kind == ROW_RANK)
        snprintf(text, sizeof text, "10%%");
    return app_edited(app, set_value(app, row, text, &error), &error);
}

static unsigned accept_preset(struct app *app, const char *text) {
    struct error error = {0};
    bool good = plan_preset(app->plan, text, &error);
    if (good)
        app_say(app, STATUS_INFO, "preset %s; u takes it back", text);
    return app_edited(app, good, &error) | (good ? 0 : PROMPT_STAYS);
}

static unsigned ask_preset(struct app *app) {
    prompt_open(
        &app->prompt,
        (struct prompt_use){.label = "preset (r2m, paper, script): ", .accept = accept_preset}, "");
    return DIRTY_SCREEN;
}

/* While plans are compared only that can be left; the settings are not seen. */
static unsigned act_compared(struct app *app, enum action action) {
    if (action == ACTION_BACK || action == ACTION_COMPARE)
        return toggle_compare(app);
    bool edits = action >= ACTION_VALUE_CHANGE && action <= ACTION_COMPARE;
    if (!edits)
        return NOT_MINE;
    app_say(app, STATUS_INFO, "c goes back to the settings");
    return DIRTY_SCREEN;
}

static unsigned act(struct app *app, void *state, enum action action) {
    struct plan_view *view = state;
    if (app->compare != NULL)
        return act_compared(app, action);
    switch (action) {
    case ACTION_VALUE_CHANGE:
        return change_value(app, view);
    case ACTION_VALUE_PREVIOUS:
    case ACTION_VALUE_NEXT:
        return step_value(app, cursor_row(view), action == ACTION_VALUE_NEXT ? 1 : -1);
    case ACTION_VALUE_RESET:
        return reset_value(app, view);
    case ACTION_PRESET:
        return ask_preset(app);
    case ACTION_OVERRIDE_UP:
    case ACTION_OVERRIDE_DOWN:
        return move_override(app, view, action == ACTION_OVERRIDE_UP ? -1 : 1);
    case ACTION_OVERRIDE_LAYERS:
        return ask_layers(app, view);
    case ACTION_COMPARE:
        return toggle_compare(app);
    default:
        return NOT_MINE;
    }
}

static struct page *figure(struct app *app, void *state) {
    (void)state;
    return pictures_page(app, "overview");
}

const struct view_ops view_plan = {.name = "plan",
                                   .title = "Plan",
                                   .lasts = true,
                                   .open = open_view,
                                   .close = close_view,
                                   .draw = draw,
                                   .act = act,
                                   .list = list_of,
                                   .row_text = row_text,
                                   .changed = changed,
                                   .figure = figure,
                                   .status = status};
