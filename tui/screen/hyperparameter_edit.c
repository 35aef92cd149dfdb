/* A hyperparameter typed, stepped through, or back at its default. */
#include "tui/screen/hyperparameters.h"

#include "merge/text.h"

#include <math.h>

/* The default rule, as an assignment. */
static bool set_default_rank(struct app *app, struct rank_rule rule, struct error *error) {
    char number[NUMBER_TEXT], text[FIELD_TEXT];
    const char *value = rank_kind_has_value(rule.kind) ? number_text(rule.value, number) : "true";
    snprintf(text, sizeof text, "residual.rank.%s=%s", rank_kind_name(rule.kind), value);
    return plan_set(app->plan, text, error);
}

/* A new value of the row, as text. */
static bool set_value(struct app *app, const struct hyperparameter *row, const char *text,
                      struct error *error) {
    struct rank_rule rule;
    double weight;
    if (row->kind == ROW_FIELD)
        return plan_set_field(app->plan, hyperparameter_field(row), text, error);
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
    bool good = set_value(app, plan_cursor(view), text, &error);
    return app_edited(app, good, &error) | (good ? 0 : PROMPT_STAYS);
}

/* Number of choices of a row that has them, else 0. */
static size_t choices_of(const struct hyperparameter *row) {
    const struct settings_field *field = hyperparameter_field(row);
    size_t count = 0;
    if (field == NULL || field->type == FIELD_NUMBER || field->type == FIELD_INTEGER)
        return 0;
    while (field->choices != NULL && field->choices[count] != NULL)
        count++;
    return field->type == FIELD_BOOL ? 2 : count;
}

static unsigned set_number(struct app *app, const struct hyperparameter *row, double value) {
    char text[NUMBER_TEXT];
    struct error error = {0};
    static const char *const truths[] = {"false", "true"};
    const struct settings_field *field = hyperparameter_field(row);
    const char *name = field != NULL && field->type == FIELD_BOOL ? truths[value != 0]
                       : field != NULL && field->type == FIELD_CHOICE
                           ? field->choices[(size_t)value]
                           : number_text(value, text);
    return app_edited(app, set_value(app, row, name, &error), &error);
}

/* The next or previous choice, or a step of a number. */
unsigned hyperparameter_step(struct app *app, const struct hyperparameter *row, int step) {
    const struct settings_field *field = hyperparameter_field(row);
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

unsigned hyperparameter_change(struct app *app, const struct plan_view *view) {
    char text[FIELD_TEXT];
    if (choices_of(plan_cursor(view)) > 0)
        return hyperparameter_step(app, plan_cursor(view), 1);
    hyperparameter_text(app, view, plan_cursor(view), text);
    prompt_open(&app->prompt, (struct prompt_use){.label = "value: ", .accept = accept_value},
                text);
    return DIRTY_SCREEN;
}

static void default_text(const struct plan_view *view, const struct hyperparameter *row,
                         char text[FIELD_TEXT]) {
    if (row->kind == ROW_FIELD)
        settings_field_text(&view->defaults, hyperparameter_field(row), text, FIELD_TEXT);
    else
        snprintf(text, FIELD_TEXT, "%s", row->kind == ROW_RANK ? "10%" : "1");
}

unsigned hyperparameter_reset(struct app *app, const struct plan_view *view) {
    const struct hyperparameter *row = plan_cursor(view);
    char text[FIELD_TEXT];
    struct error error = {0};
    if (row->kind == ROW_OVERRIDE)
        return override_drop(app, row->index);
    if (!hyperparameter_text(app, view, row, text)) {
        app_say(app, STATUS_INFO, "this is the default");
        return DIRTY_SCREEN;
    }
    default_text(view, row, text);
    return app_edited(app, set_value(app, row, text, &error), &error);
}

static unsigned accept_preset(struct app *app, const char *text) {
    struct error error = {0};
    bool good = plan_preset(app->plan, text, &error);
    if (good)
        app_say(app, STATUS_INFO, "preset %s; u takes it back", text);
    return app_edited(app, good, &error) | (good ? 0 : PROMPT_STAYS);
}

unsigned plan_ask_preset(struct app *app) {
    prompt_open(
        &app->prompt,
        (struct prompt_use){.label = "preset (r2m, paper, script): ", .accept = accept_preset}, "");
    return DIRTY_SCREEN;
}
