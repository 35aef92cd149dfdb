/* The rows of the Plan view: what they are called and what they are set to. */
#include "tui/screen/hyperparameters.h"

#include "merge/text.h"

#include <stdlib.h>

const struct settings_field *hyperparameter_field(const struct hyperparameter *row) {
    size_t count;
    return row->kind == ROW_FIELD ? &settings_fields(&count)[row->index] : NULL;
}

const struct hyperparameter *plan_cursor(const struct plan_view *view) {
    return &view->rows[view->list.cursor];
}

void hyperparameters_list(struct app *app, struct plan_view *view) {
    const struct config *config = &app->plan->config;
    bool ranked = config->settings.method == METHOD_R2M;
    size_t field_count, count = 0;
    const struct settings_field *fields = settings_fields(&field_count);
    free(view->rows);
    view->rows = memory_array(field_count + 1 + config->specialist_count + config->override_count,
                              sizeof *view->rows);
    for (size_t i = 0; i < field_count; i++)
        if (settings_field_applies(&config->settings, &fields[i]))
            view->rows[count++] = (struct hyperparameter){ROW_FIELD, i};
    if (ranked)
        view->rows[count++] = (struct hyperparameter){ROW_RANK, 0};
    for (size_t i = 0; i < config->specialist_count; i++)
        view->rows[count++] = (struct hyperparameter){ROW_WEIGHT, i};
    for (size_t i = 0; ranked && i < config->override_count; i++)
        view->rows[count++] = (struct hyperparameter){ROW_OVERRIDE, i};
    list_resize(&view->list, count);
}

void hyperparameter_name(const struct app *app, const struct hyperparameter *row,
                         char text[TEXT_ROOM]) {
    const struct config *config = &app->plan->config;
    if (row->kind == ROW_FIELD) {
        snprintf(text, TEXT_ROOM, "%s", hyperparameter_field(row)->path);
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

bool hyperparameter_text(const struct app *app, const struct plan_view *view,
                         const struct hyperparameter *row, char text[FIELD_TEXT]) {
    const struct config *config = &app->plan->config;
    const struct settings_field *field = hyperparameter_field(row);
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
