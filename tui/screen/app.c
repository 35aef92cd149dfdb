#include "tui/screen/app.h"

#include "tui/screen/recovery.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FRESH_SECONDS 1.0

static const struct view_ops *const all_views[VIEW_COUNT] = {
    [VIEW_LAYERS] = &view_layers, [VIEW_SPECIALISTS] = &view_specialists,
    [VIEW_MAP] = &view_map,       [VIEW_PLAN] = &view_plan,
    [VIEW_EXPORT] = &view_export, [VIEW_HELP] = &view_help,
    [VIEW_MATCH] = &view_match,   [VIEW_HISTORY] = &view_history,
    [VIEW_STEPS] = &view_steps,
};

const char *view_name(enum view_id view) {
    return all_views[view]->name;
}

/* Called by workers: wakes the loop. */
static void wake(void *context) {
    const struct app *app = context;
    const uint64_t one = 1;
    ssize_t written = write(app->event, &one, sizeof one);
    (void)written; /* full means that the loop is awake already */
}

void app_wake(struct app *app) {
    wake(app);
}

static size_t first_matrix(const struct tensor_table *table) {
    for (size_t l = 0; l < table->layer_count; l++)
        if (table->layers[l].role == ROLE_MATRIX)
            return l;
    return 0;
}

struct notifier app_notifier(struct app *app) {
    return (struct notifier){wake, app};
}

void app_reopen_views(struct app *app) {
    for (int v = 0; v < VIEW_COUNT; v++) {
        if (app->ops[v]->lasts)
            continue;
        app->ops[v]->close(app->states[v]);
        app->states[v] = app->ops[v]->open(app);
    }
}

static void start(struct app *app, unsigned threads) {
    app->pool = pool_create(threads);
    app->analysis = analysis_start(app->table, app->options->cache, app->pool,
                                   &app->plan->effective.real, app_notifier(app));
    app->raw = raw_spectra_create(app->table, app->analysis->known, app->pool, app_notifier(app));
    app->preview = preview_create(app->table);
    app->before = preview_create(app->table);
    app->layer = first_matrix(app->table);
    for (int v = 0; v < VIEW_COUNT; v++) {
        app->ops[v] = all_views[v];
        app->states[v] = app->ops[v]->open(app);
    }
}

struct app *app_create(const struct config *config, const char *config_path,
                       const struct screen_options *options, struct error *error) {
    struct app *app = memory_array(1, sizeof *app);
    app->options = options;
    app->edited = -FRESH_SECONDS;
    app->config_path = memory_string(config_path != NULL ? config_path : "r2m.json");
    app->config_known = config_path != NULL && !config->foreign;
    app->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    bool good = app->event >= 0 || error_set(error, ERROR_INPUT, "eventfd: no descriptor is free");
    struct analysis_needs needs;
    good = good && config_open_table(config, &app->table, error) &&
           plan_create(config, app->table, &app->plan, error) &&
           analysis_needs(app->table, &options->limits, &needs, error);
    if (!good) {
        app_free(app);
        return NULL;
    }
    start(app, needs.threads);
    for (size_t i = 0; i < app->table->warnings.count; i++)
        app_say(app, STATUS_WARNING, "%s", app->table->warnings.items[i]);
    return app;
}

void app_free(struct app *app) {
    if (app == NULL)
        return;
    export_free(app);
    compare_close(app);
    for (int v = 0; v < VIEW_COUNT; v++)
        if (app->ops[v] != NULL)
            app->ops[v]->close(app->states[v]);
    raw_spectra_free(app->raw);
    analysis_free(app->analysis);
    preview_free(app->preview);
    preview_free(app->before);
    plan_free(app->plan);
    pool_free(app->pool);
    tensor_table_close(app->table);
    for (size_t i = 0; i < app->retired_count; i++)
        tensor_table_close(app->retired[i]);
    free(app->retired);
    roster_free(&app->roster);
    prompt_free(&app->prompt);
    status_free(&app->status);
    if (app->event >= 0)
        close(app->event);
    free(app->search);
    free(app->clipboard);
    free(app->config_path);
    free(app);
}

void app_say(struct app *app, enum status_level level, const char *format, ...) {
    char text[TEXT_ROOM];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    status_say(&app->status, app->now, level, "%s", text);
}

/* New core and spectra where the plan asks for them; false with the reason when they cannot be. */
static bool follow_core(struct app *app, struct error *error) {
    const struct real_settings *wanted = &app->plan->effective.real;
    if (real_settings_equal(wanted, &app->analysis->settings))
        return true;
    if (app->job.state != EXPORT_NONE)
        return error_set(error, ERROR_USAGE,
                         "the core stays as it is until the export has ended (C-c stops it)");
    if (!analysis_set_real(app->analysis, wanted, error))
        return false;
    app->stage = app->analysis->stage;
    app->stage_start = app->now;
    return true;
}

/* back: the position in the history to which a plan returns whose core cannot be. */
static void plan_changed(struct app *app, size_t back) {
    struct error error = {0};
    if (!roster_follow(app, &error) || !follow_core(app, &error)) {
        plan_jump(app->plan, back);
        status_fail(&app->status, app->now, &error);
        roster_follow(app, &error); /* the table that was there before */
    }
    struct preview *older = app->before;
    app->before = app->preview;
    app->preview = older;
    app->edited = app->now;
    preview_compute(app->preview, app->plan, app->analysis);
    recovery_note(app);
    compare_update(app);
    for (int v = 0; v < VIEW_COUNT; v++)
        if (app->ops[v]->changed != NULL)
            app->ops[v]->changed(app, app->states[v]);
}

void app_plan_changed(struct app *app) {
    plan_changed(app, plan_position(app->plan) - 1);
}

void app_jump(struct app *app, size_t position) {
    size_t back = plan_position(app->plan);
    plan_jump(app->plan, position);
    plan_changed(app, back);
}

bool app_is_fresh(const struct app *app) {
    return app->now - app->edited < FRESH_SECONDS;
}

unsigned app_edited(struct app *app, bool good, struct error *error) {
    if (good)
        return DIRTY_PLAN;
    status_fail(&app->status, app->now, error);
    return DIRTY_SCREEN;
}

unsigned app_show(struct app *app, enum view_id view) {
    if (view >= VIEW_HELP && app->view != view) {
        if (app->view < VIEW_HELP)
            app->view_below = app->view;
        list_select(app->ops[view]->list(app->states[view]), 0);
    }
    if (view == VIEW_STEPS)
        view_steps_begin(app);
    app->view = view;
    if (app->ops[view]->changed != NULL)
        app->ops[view]->changed(app, app->states[view]);
    return DIRTY_SCREEN;
}

static unsigned leave(struct app *app) {
    (void)app;
    return LEAVE;
}

unsigned app_quit(struct app *app) {
    bool busy = app->job.state != EXPORT_NONE;
    if (!app->plan->modified && !busy)
        return LEAVE;
    if (busy)
        question_open(&app->question, leave, "The export is running. Stop it and leave? y/N");
    else
        question_open(&app->question, leave, "Not saved (:write saves). Leave without saving? y/N");
    return DIRTY_SCREEN;
}

const char *undo_disabled(const struct app *app) {
    return plan_position(app->plan) == 0 ? "nothing to undo" : NULL;
}

const char *redo_disabled(const struct app *app) {
    return plan_position(app->plan) == plan_step_count(app->plan) ? "nothing to redo" : NULL;
}

/* u and C-r: the message names what was done. */
static unsigned step_history(struct app *app, bool back) {
    size_t position = plan_position(app->plan);
    const char *what = back ? plan_undo(app->plan) : plan_redo(app->plan);
    app_say(app, STATUS_INFO, "%s: %s", back ? "undo" : "redo", what);
    plan_changed(app, position);
    return DIRTY_SCREEN;
}

static unsigned go_back(struct app *app) {
    if (app->view >= VIEW_HELP)
        return app_show(app, app->view_below);
    status_clear(&app->status, STATUS_ERROR);
    return DIRTY_SCREEN;
}

static unsigned general_action(struct app *app, enum action action) {
    switch (action) {
    case ACTION_UNDO:
    case ACTION_REDO:
        return step_history(app, action == ACTION_UNDO);
    case ACTION_STEPS:
        return app_show(app, VIEW_STEPS);
    case ACTION_COMMAND:
        return typed_command_open(app);
    case ACTION_PICTURE:
        app->picture = NULL;
        return PICTURE;
    case ACTION_EVALUATE:
        return export_ask(app, EXPORT_EVALUATION, export_path(app, EXPORT_EVALUATION));
    case ACTION_MATCH:
        return app_show(app, VIEW_MATCH);
    case ACTION_HELP:
        return app->view == VIEW_HELP ? go_back(app) : app_show(app, VIEW_HELP);
    case ACTION_BACK:
        return go_back(app);
    case ACTION_QUIT:
        return app->view >= VIEW_HELP ? go_back(app) : app_quit(app);
    case ACTION_REDRAW:
        return DIRTY_ALL;
    case ACTION_SUSPEND:
        return SUSPEND | DIRTY_ALL;
    case ACTION_CANCEL:
        if (!export_cancel(app))
            app_say(app, STATUS_INFO, "nothing is running; q leaves");
        return DIRTY_SCREEN;
    default:
        return action >= ACTION_VIEW_1 && action <= ACTION_VIEW_6
                   ? app_show(app, (enum view_id)(action - ACTION_VIEW_1))
                   : NOT_MINE;
    }
}

unsigned app_action(struct app *app, enum action action) {
    const struct view_ops *ops = app->ops[app->view];
    unsigned result = ops->act(app, app->states[app->view], action);
    if (result & NOT_MINE)
        result = browse_action(app, action);
    if (result & NOT_MINE)
        result = general_action(app, action);
    return result;
}

/* A key that no prompt takes. */
static unsigned view_key(struct app *app, int key) {
    char name[KEY_TEXT];
    const struct binding *binding = binding_find(app->view, key);
    bool error_stays = binding == NULL || binding->action != ACTION_BACK;
    status_clear(&app->status, error_stays ? STATUS_WARNING : STATUS_ERROR);
    if (binding == NULL) {
        app_say(app, STATUS_INFO, "%s is not bound here, ? for help", key_text(key, name));
        return DIRTY_SCREEN;
    }
    const char *reason = binding->disabled != NULL ? binding->disabled(app) : NULL;
    if (reason != NULL) {
        app_say(app, STATUS_WARNING, "%s", reason);
        return DIRTY_SCREEN;
    }
    unsigned result = app_action(app, binding->action);
    if (app->prompt.open) /* what was said before is not about its text */
        status_clear(&app->status, STATUS_ERROR);
    return result;
}

/* Pasted text goes into a prompt, without ends of lines, and nowhere else. */
static unsigned pasted_key(struct app *app, int key) {
    bool line_end = key == INPUT_ENTER || key == '\n' || key == INPUT_TAB || key == INPUT_ESCAPE;
    return app->prompt.open && !line_end ? prompt_key(app, &app->prompt, key) : 0;
}

unsigned app_key(struct app *app, int key) {
    unsigned result;
    if (key == INPUT_PASTE_BEGIN || key == INPUT_PASTE_END) {
        app->pasting = key == INPUT_PASTE_BEGIN;
        return 0;
    }
    if (app->pasting)
        result = pasted_key(app, key);
    else if (app->question.open)
        result = question_key(app, &app->question, key);
    else if (app->prompt.open)
        result = prompt_key(app, &app->prompt, key);
    else
        result = view_key(app, key);
    if (result & DIRTY_PLAN)
        app_plan_changed(app);
    return result;
}

/* Says once how the analysis ended. */
static void note_stage(struct app *app) {
    enum analysis_stage stage = app->analysis->stage;
    if (stage == app->stage)
        return;
    app->stage = stage;
    app->stage_start = app->now;
    if (stage == ANALYSIS_FAILED) {
        const struct error *why = &app->analysis->error;
        struct error copy = {why->kind, memory_string(why->message), memory_string(why->hint)};
        status_fail(&app->status, app->now, &copy);
    }
}

/* What the cache has to say. */
static void note_cache(struct app *app) {
    struct string_list notes = {0};
    cache_take_notes(app->options->cache, &notes);
    for (size_t i = 0; i < notes.count; i++)
        app_say(app, STATUS_WARNING, "%s", notes.items[i]);
    string_list_free(&notes);
}

unsigned app_workers(struct app *app) {
    uint64_t count;
    ssize_t size = read(app->event, &count, sizeof count);
    (void)size; /* nothing to read is no news */
    analysis_advance(app->analysis);
    note_stage(app);
    note_cache(app);
    preview_compute(app->preview, app->plan, app->analysis);
    compare_update(app);
    export_advance(app);
    recovery_advance(app);
    return DIRTY_SCREEN;
}

unsigned app_tick(struct app *app) {
    if (app->status.text != NULL && app->now >= app->status.until)
        status_clear(&app->status, STATUS_INFO);
    recovery_advance(app);
    return DIRTY_SCREEN;
}

double app_deadline(const struct app *app) {
    double next = -1;
    bool fading = app->status.text != NULL && app->status.level == STATUS_INFO;
    double write = recovery_deadline(app);
    double times[] = {write < 0 ? -1 : app->now + write, fading ? app->status.until : -1,
                      app_is_fresh(app) ? app->edited + FRESH_SECONDS : -1,
                      app_idle(app) ? -1 : app->now + 0.25};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        if (times[i] >= 0 && (next < 0 || times[i] - app->now < next))
            next = times[i] > app->now ? times[i] - app->now : 0;
    return next;
}

bool app_idle(const struct app *app) {
    bool analysed =
        app->analysis->stage == ANALYSIS_DONE || app->analysis->stage == ANALYSIS_FAILED;
    return analysed && app->stage == app->analysis->stage && app->job.state == EXPORT_NONE &&
           raw_spectra_idle(app->raw) && compare_idle(app);
}

static void draw_too_small(const struct app *app, struct surface *surface) {
    char text[80];
    (void)app;
    int width = snprintf(text, sizeof text, "r2m needs %dx%d, this is %dx%d", SCREEN_MIN_WIDTH,
                         SCREEN_MIN_HEIGHT, surface->width, surface->height);
    int col = (surface->width - width) / 2;
    surface_text(surface, surface->height / 2, col > 0 ? col : 0, surface->width, ELEMENT_TEXT,
                 text);
}

void app_draw(struct app *app, struct surface *surface) {
    struct frame_layout layout = layout_frame(surface->width, surface->height);
    surface_clear(surface);
    if (layout.too_small) {
        draw_too_small(app, surface);
        return;
    }
    app->body = layout.body;
    app->ops[app->view]->draw(app, app->states[app->view], surface, layout.body);
    frame_draw(app, surface, &layout);
}
