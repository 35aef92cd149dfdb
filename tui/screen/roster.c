#include "tui/screen/roster.h"

#include "tui/screen/app.h"
#include "tui/screen/complete.h"

#include <stdlib.h>
#include <string.h>

static void forget(struct roster *roster, size_t index) {
    free(roster->off[index].name);
    free(roster->off[index].path);
    roster->count--;
    for (size_t i = index; i < roster->count; i++)
        roster->off[i] = roster->off[i + 1];
}

static void remember(struct roster *roster, const struct config_specialist *one) {
    roster->off = memory_resize(roster->off, roster->count + 1, sizeof *roster->off);
    roster->off[roster->count++] =
        (struct config_specialist){memory_string(one->name), memory_string(one->path), one->weight};
}

void roster_free(struct roster *roster) {
    while (roster->count > 0)
        forget(roster, roster->count - 1);
    free(roster->off);
    roster->off = NULL;
}

/* Whether the plan's specialists hold that file. */
static bool takes_part(const struct app *app, const struct config_specialist *one) {
    const struct config *config = &app->plan->config;
    for (size_t i = 0; i < config->specialist_count; i++)
        if (strcmp(config->specialists[i].path, one->path) == 0)
            return true;
    return false;
}

/* Selections by name and index survive where they can. */
static void select_again(struct app *app, const char *layer, const char *specialist) {
    const struct tensor_table *table = app->table;
    size_t found = tensor_table_find(table, layer);
    app->layer = found < table->layer_count ? found : 0;
    app->specialist = 0;
    for (size_t i = 0; i < table->specialist_count; i++)
        if (strcmp(table->specialists[i].name, specialist) == 0)
            app->specialist = i;
}

/* Table, analysis and previews for the new set of specialists. */
static void change_table(struct app *app, struct tensor_table *table) {
    struct tensor_table *old = app->table;
    char *layer = memory_string(old->layers[app->layer].name);
    char *specialist = memory_string(old->specialists[app->specialist].name);
    compare_close(app);
    app->retired =
        memory_resize(app->retired, app->retired_count + 1, sizeof(struct tensor_table *));
    app->retired[app->retired_count++] = old;
    app->table = table;
    plan_rebind(app->plan, table);
    raw_spectra_free(app->raw);
    analysis_abandon(app->analysis);
    app->analysis = analysis_start(table, app->options->cache, app->pool,
                                   &app->plan->effective.real, app_notifier(app));
    app->raw = raw_spectra_create(table, app->analysis->known, app->pool, app_notifier(app));
    app->stage = app->analysis->stage;
    app->stage_start = app->now;
    preview_free(app->preview);
    preview_free(app->before);
    app->preview = preview_create(table);
    app->before = preview_create(table);
    select_again(app, layer, specialist);
    app_reopen_views(app);
    free(layer);
    free(specialist);
}

bool roster_follow(struct app *app, struct error *error) {
    struct tensor_table *table;
    if (plan_fits_table(app->plan))
        return true;
    if (app->job.state != EXPORT_NONE)
        return error_set(error, ERROR_USAGE,
                         "the specialists stay as they are until the export has ended (C-c stops "
                         "it)");
    if (!config_open_table(&app->plan->config, &table, error))
        return false;
    if (!real_settings_check(&app->plan->effective.real, table, error)) {
        tensor_table_close(table);
        return false;
    }
    change_table(app, table);
    for (size_t i = app->roster.count; i-- > 0;) /* undo may have brought one back */
        if (takes_part(app, &app->roster.off[i]))
            forget(&app->roster, i);
    return true;
}

/* The plan with next as its config. */
static unsigned change(struct app *app, struct config *next, char *description) {
    struct error error = {0};
    bool good = plan_adopt(app->plan, next, description, &error);
    if (good)
        app_say(app, STATUS_INFO, "%s; u takes it back", description);
    free(description);
    return app_edited(app, good, &error);
}

static unsigned add(struct app *app, const char *text, double weight, const char *verb) {
    struct config next;
    config_copy(&next, &app->plan->config);
    config_add_specialist(&next, text, weight);
    const char *name = next.specialists[next.specialist_count - 1].name;
    return change(app, &next, memory_format("%s %s", verb, name));
}

static unsigned accept_add(struct app *app, const char *text) {
    return *text == '\0' ? DIRTY_SCREEN : add(app, text, 1, "add");
}

/* PATH, or NAME=PATH. */
static void complete_specialist(struct app *app, char text[PROMPT_ROOM]) {
    char *equals = strchr(text, '='), *path = text;
    if (equals != NULL && memchr(text, '/', (size_t)(equals - text)) == NULL)
        path = equals + 1;
    complete_path_word(app, path, PROMPT_ROOM - (size_t)(path - text));
}

unsigned roster_ask_add(struct app *app) {
    prompt_open(&app->prompt,
                (struct prompt_use){.label = "specialist (a path, or NAME=PATH): ",
                                    .accept = accept_add,
                                    .complete = complete_specialist},
                "");
    return DIRTY_SCREEN;
}

static bool is_last(struct app *app) {
    if (app->table->specialist_count > 1)
        return false;
    app_say(app, STATUS_WARNING, "one specialist has to stay");
    return true;
}

static unsigned take_out(struct app *app, size_t index, const char *verb) {
    struct config next;
    config_copy(&next, &app->plan->config);
    char *description = memory_format("%s %s", verb, next.specialists[index].name);
    config_remove_specialist(&next, index);
    return change(app, &next, description);
}

unsigned roster_remove(struct app *app, size_t row) {
    size_t on = app->table->specialist_count;
    if (row >= on) {
        app_say(app, STATUS_INFO, "%s is forgotten", app->roster.off[row - on].name);
        forget(&app->roster, row - on);
        app->ops[VIEW_SPECIALISTS]->changed(app, app->states[VIEW_SPECIALISTS]);
        return DIRTY_SCREEN;
    }
    return is_last(app) ? DIRTY_SCREEN : take_out(app, row, "take out");
}

/* On again under its old name and weight. */
static unsigned switch_on(struct app *app, size_t index) {
    const struct config_specialist *one = &app->roster.off[index];
    char *text = memory_format("%s=%s", one->name, one->path);
    unsigned dirty = add(app, text, one->weight, "switch on");
    free(text);
    return dirty;
}

unsigned roster_switch(struct app *app, size_t row) {
    size_t on = app->table->specialist_count;
    if (row >= on)
        return switch_on(app, row - on);
    if (is_last(app))
        return DIRTY_SCREEN;
    remember(&app->roster, &app->plan->config.specialists[row]);
    return take_out(app, row, "switch off");
}
