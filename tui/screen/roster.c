#include "tui/screen/roster.h"

#include "tui/screen/app.h"
#include "tui/screen/complete.h"

#include <stdlib.h>
#include <string.h>

static void forget(struct roster *roster, size_t index) {
    struct off_specialist *one = &roster->off[index];
    free(one->specialist.name);
    free(one->specialist.path);
    for (size_t i = 0; i < one->override_count; i++)
        free(one->overrides[i].layer);
    free(one->overrides);
    roster->count--;
    for (size_t i = index; i < roster->count; i++)
        roster->off[i] = roster->off[i + 1];
}

void roster_free(struct roster *roster) {
    while (roster->count > 0)
        forget(roster, roster->count - 1);
    free(roster->off);
    roster->off = NULL;
    string_list_free(&roster->order);
}

/* ---- what is remembered of a specialist that is switched off ---- */

/* The path's index, or count. */
static size_t find(const struct string_list *paths, const char *path) {
    size_t at = 0;
    while (at < paths->count && strcmp(paths->items[at], path) != 0)
        at++;
    return at;
}

/* Keeps the places that specialists have among each other, those that are off included: a new one
 * comes behind the one it follows. */
static void note_order(struct string_list *order, const struct config *config) {
    for (size_t i = 0, place = 0; i < config->specialist_count; i++, place++) {
        const char *path = config->specialists[i].path;
        size_t at = find(order, path);
        if (at < order->count) {
            place = at;
            continue;
        }
        string_list_add(order, path);
        char *added = order->items[at];
        memmove(order->items + place + 1, order->items + place, (at - place) * sizeof added);
        order->items[place] = added;
    }
}

/* Before the first of those that stood behind it. */
static size_t place_of(const struct string_list *order, const struct config *config,
                       const char *path) {
    size_t own = find(order, path), place = 0;
    while (place < config->specialist_count && find(order, config->specialists[place].path) < own)
        place++;
    return place;
}

static void remember_overrides(struct off_specialist *off, const struct config *config) {
    size_t general = 0;
    for (size_t i = 0; i < config->override_count; i++) {
        const struct rank_override *override = &config->overrides[i];
        general += override->specialist == NULL;
        if (override->specialist == NULL || strcmp(override->specialist, off->specialist.name) != 0)
            continue;
        off->overrides =
            memory_resize(off->overrides, off->override_count + 1, sizeof *off->overrides);
        off->overrides[off->override_count++] =
            (struct own_override){memory_string(override->layer), override->rule, i, general};
    }
}

static void remember(struct roster *roster, const struct config *config, size_t index) {
    const struct config_specialist *one = &config->specialists[index];
    roster->off = memory_resize(roster->off, roster->count + 1, sizeof *roster->off);
    struct off_specialist *off = &roster->off[roster->count++];
    *off = (struct off_specialist){
        .specialist = {memory_string(one->name), memory_string(one->path), one->weight}};
    remember_overrides(off, config);
    note_order(&roster->order, config);
}

/* How many overrides of all specialists are among the first ones. */
static size_t general_among(const struct config *config, size_t count) {
    size_t general = 0;
    for (size_t i = 0; i < count; i++)
        general += config->overrides[i].specialist == NULL;
    return general;
}

/* Puts the override, the config's last, to its old place, or near it behind as many overrides of
 * all specialists as before. */
static void settle_override(struct config *config, const struct own_override *own) {
    size_t last = config->override_count - 1, place = own->place < last ? own->place : last;
    while (place > 0 && general_among(config, place) > own->general_before)
        place--;
    while (place < last && general_among(config, place) < own->general_before)
        place++;
    config_move_override(config, last, place);
}

/* The specialist as it was, with its overrides. */
static void put_back(struct config *config, const struct off_specialist *off,
                     const struct string_list *order) {
    const struct config_specialist *one = &off->specialist;
    char *text = memory_format("%s=%s", one->name, one->path);
    size_t place = place_of(order, config, one->path);
    config_add_specialist(config, text, one->weight);
    config_move_specialist(config, config->specialist_count - 1, place);
    for (size_t i = 0; i < off->override_count; i++) {
        config_add_override(config, off->overrides[i].layer, one->name, off->overrides[i].rule);
        settle_override(config, &off->overrides[i]);
    }
    free(text);
}

/* ---- the table ---- */

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
    if (app->specialist >= table->specialist_count)
        app->specialist = table->specialist_count - 1;
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

/* Who takes part is not off: undo may have brought one back. */
static void forget_present(struct app *app) {
    for (size_t i = app->roster.count; i-- > 0;)
        if (takes_part(app, &app->roster.off[i].specialist))
            forget(&app->roster, i);
}

/* What the cursor of the Specialists view is on, where that is seen; else "". */
static void cursor_name(struct app *app, char name[TEXT_ROOM]) {
    const struct view_ops *ops = app->ops[VIEW_SPECIALISTS];
    void *state = app->states[VIEW_SPECIALISTS];
    name[0] = '\0';
    if (app->view == VIEW_SPECIALISTS)
        ops->row_text(app, state, ops->list(state)->cursor, name);
}

/* The cursor goes with who was switched off or on, so that the same key takes it back. */
static void follow_name(struct app *app, const char *name) {
    const struct view_ops *ops = app->ops[VIEW_SPECIALISTS];
    void *state = app->states[VIEW_SPECIALISTS];
    struct list *list = ops->list(state);
    char one[TEXT_ROOM];
    ops->changed(app, state);
    for (size_t row = 0; row < list->count && name[0] != '\0'; row++) {
        ops->row_text(app, state, row, one);
        if (strcmp(one, name) != 0)
            continue;
        list_select(list, row);
        ops->moved(app, state);
        return;
    }
}

bool roster_follow(struct app *app, struct error *error) {
    struct tensor_table *table;
    char name[TEXT_ROOM];
    if (plan_fits_table(app->plan)) {
        forget_present(app);
        return true;
    }
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
    cursor_name(app, name);
    change_table(app, table);
    forget_present(app);
    follow_name(app, name);
    return true;
}

/* ---- changes ---- */

/* The plan with next as its config. */
static unsigned change(struct app *app, struct config *next, char *description) {
    struct error error = {0};
    bool good = plan_adopt(app->plan, next, description, &error);
    if (good)
        app_say(app, STATUS_INFO, "%s; u takes it back", description);
    free(description);
    return app_edited(app, good, &error);
}

static unsigned accept_add(struct app *app, const char *text) {
    struct config next;
    if (*text == '\0')
        return DIRTY_SCREEN;
    config_copy(&next, &app->plan->config);
    config_add_specialist(&next, text, 1);
    const char *name = next.specialists[next.specialist_count - 1].name;
    return change(app, &next, memory_format("add %s", name));
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
        app_say(app, STATUS_INFO, "%s is forgotten", app->roster.off[row - on].specialist.name);
        forget(&app->roster, row - on);
        app->ops[VIEW_SPECIALISTS]->changed(app, app->states[VIEW_SPECIALISTS]);
        return DIRTY_SCREEN;
    }
    return is_last(app) ? DIRTY_SCREEN : take_out(app, row, "take out");
}

static unsigned switch_on(struct app *app, const struct off_specialist *off) {
    struct config next;
    config_copy(&next, &app->plan->config);
    put_back(&next, off, &app->roster.order);
    return change(app, &next, memory_format("switch on %s", off->specialist.name));
}

unsigned roster_switch(struct app *app, size_t row) {
    size_t on = app->table->specialist_count;
    if (row >= on)
        return switch_on(app, &app->roster.off[row - on]);
    if (is_last(app))
        return DIRTY_SCREEN;
    remember(&app->roster, &app->plan->config, row);
    return take_out(app, row, "switch off");
}
