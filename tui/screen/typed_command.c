/* The ':' prompt: a table of typed commands. */
#include "tui/screen/app.h"
#include "tui/screen/complete.h"
#include "tui/screen/preferences.h"

#include <stdlib.h>
#include <string.h>

struct typed {
    const char *name;
    const char *argument; /* what it takes, for messages; NULL: nothing */
    bool needed;
    unsigned (*run)(struct app *app, const char *argument);
    void (*offer)(struct completion *completion); /* what may follow; NULL: paths */
};

static unsigned run_set(struct app *app, const char *argument) {
    struct error error = {0};
    return app_edited(app, plan_set(app->plan, argument, &error), &error);
}

static unsigned run_preset(struct app *app, const char *argument) {
    struct error error = {0};
    return app_edited(app, plan_preset(app->plan, argument, &error), &error);
}

/* The argument, or what the Export view says. */
static unsigned run_export(struct app *app, enum export_kind kind, const char *argument) {
    return export_ask(app, kind, *argument != '\0' ? argument : export_path(app, kind));
}

static unsigned run_write(struct app *app, const char *argument) {
    return run_export(app, EXPORT_CONFIG, argument);
}

static unsigned run_merge(struct app *app, const char *argument) {
    return run_export(app, EXPORT_MERGED, argument);
}

static unsigned run_adapters(struct app *app, const char *argument) {
    return run_export(app, EXPORT_ADAPTERS, argument);
}

static unsigned run_figures(struct app *app, const char *argument) {
    return run_export(app, EXPORT_FIGURES, argument);
}

static unsigned run_report(struct app *app, const char *argument) {
    return run_export(app, EXPORT_REPORT, argument);
}

static unsigned run_evaluate(struct app *app, const char *argument) {
    return run_export(app, EXPORT_EVALUATION, argument);
}

static unsigned run_picture(struct app *app, const char *argument) {
    app->picture = *argument != '\0' ? figure_find(argument) : NULL;
    if (*argument == '\0' || app->picture != NULL)
        return PICTURE;
    app_say(app, STATUS_ERROR, "there is no figure %s; Tab lists them", argument);
    return DIRTY_SCREEN;
}

static unsigned run_messages(struct app *app, const char *argument) {
    (void)argument;
    return view_help_messages(app);
}

/* ":theme light": as a line of the preferences. */
static unsigned run_preference(struct app *app, const char *name, const char *argument) {
    char reason[200], *line = memory_format("%s %s", name, argument);
    bool good = preferences_line(line, reason, sizeof reason);
    if (good && bindings_settle(reason, sizeof reason) != NULL)
        good = false;
    if (!good)
        app_say(app, STATUS_ERROR, "%s", reason);
    free(line);
    return DIRTY_ALL;
}

static unsigned run_theme(struct app *app, const char *argument) {
    return run_preference(app, "theme", argument);
}

static unsigned run_graph(struct app *app, const char *argument) {
    return run_preference(app, "graph", argument);
}

static unsigned run_color(struct app *app, const char *argument) {
    return run_preference(app, "color", argument);
}

static unsigned run_bind(struct app *app, const char *argument) {
    return run_preference(app, "bind", argument);
}

static unsigned run_quit(struct app *app, const char *argument) {
    (void)argument;
    return app_quit(app);
}

static unsigned run_quit_now(struct app *app, const char *argument) {
    (void)app;
    (void)argument;
    return LEAVE;
}

static void offer_figures(struct completion *completion) {
    size_t count;
    const struct figure *all = figures(&count);
    for (size_t i = 0; i < count; i++)
        complete_offer(completion, all[i].name);
}

static void offer_presets(struct completion *completion) {
    const char *const *presets = config_preset_names();
    for (size_t i = 0; presets[i] != NULL; i++)
        complete_offer(completion, presets[i]);
}

static void offer_themes(struct completion *completion) {
    for (unsigned long i = 0; theme_listed(i) != NULL; i++)
        complete_offer(completion, theme_listed(i));
}

static void offer_elements(struct completion *completion) {
    for (unsigned e = 0; e < ELEMENT_COUNT; e++)
        complete_offer(completion, theme_element(e));
}

static void offer_graphs(struct completion *completion) {
    complete_offer(completion, "braille");
    complete_offer(completion, "block");
    complete_offer(completion, "ascii");
}

static void offer_actions(struct completion *completion) {
    size_t count;
    const struct binding *all = bindings(&count);
    for (size_t i = 0; i < count; i++)
        complete_offer(completion, all[i].name);
}

/* "alpha=", and behind the sign the choices of the field. */
static void offer_settings(struct completion *completion) {
    size_t count;
    const struct settings_field *fields = settings_fields(&count);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(fields[i].path);
        bool value = strncmp(completion->word, fields[i].path, length) == 0 &&
                     completion->word[length] == '=' && fields[i].choices != NULL;
        char *name = memory_format("%s=", fields[i].path);
        if (!value)
            complete_offer(completion, name);
        free(name);
        for (size_t c = 0; value && fields[i].choices[c] != NULL; c++) {
            name = memory_format("%s=%s", fields[i].path, fields[i].choices[c]);
            complete_offer(completion, name);
            free(name);
        }
    }
    complete_offer(completion, "residual.rank.");
}

static const struct typed table[] = {
    {"set", "KEY=VALUE", true, run_set, offer_settings},
    {"preset", "NAME", true, run_preset, offer_presets},
    {"write", "[PATH]", false, run_write, NULL},
    {"export", "[PATH]", false, run_merge, NULL},
    {"adapters", "[DIR]", false, run_adapters, NULL},
    {"figures", "[DIR]", false, run_figures, NULL},
    {"report", "[DIR]", false, run_report, NULL},
    {"evaluate", "[FILE]", false, run_evaluate, NULL},
    {"picture", "[FIGURE]", false, run_picture, offer_figures},
    {"messages", NULL, false, run_messages, NULL},
    {"quit", NULL, false, run_quit, NULL},
    {"theme", "NAME", true, run_theme, offer_themes},
    {"graph", "NAME", true, run_graph, offer_graphs},
    {"color", "ELEMENT COLOR", true, run_color, offer_elements},
    {"bind", "ACTION KEY", true, run_bind, offer_actions},
    {"w", "[PATH]", false, run_write, NULL},
    {"q", NULL, false, run_quit, NULL},
    {"q!", NULL, false, run_quit_now, NULL},
};
enum { TYPED_COUNT = sizeof table / sizeof *table };

static const struct typed *typed_find(const char *name, size_t length) {
    for (size_t i = 0; i < TYPED_COUNT; i++)
        if (strlen(table[i].name) == length && strncmp(table[i].name, name, length) == 0)
            return &table[i];
    return NULL;
}

unsigned typed_command_run(struct app *app, const char *text) {
    text += strspn(text, " ");
    size_t length = strcspn(text, " ");
    const char *argument = text + length + strspn(text + length, " ");
    const struct typed *typed = typed_find(text, length);
    if (length == 0)
        return DIRTY_SCREEN;
    if (typed == NULL) {
        app_say(app, STATUS_ERROR, "%.*s is no command; Tab lists them", (int)length, text);
        return DIRTY_SCREEN;
    }
    if ((typed->needed && *argument == '\0') || (typed->argument == NULL && *argument != '\0')) {
        app_say(app, STATUS_ERROR, "%s takes %s", typed->name,
                typed->argument != NULL ? typed->argument : "nothing more");
        return DIRTY_SCREEN;
    }
    return typed->run(app, argument);
}

/* Tab: the command's name, or what the command takes. */
static void complete(struct app *app, char text[PROMPT_ROOM]) {
    size_t length = strcspn(text, " ");
    const struct typed *typed = typed_find(text, length);
    char *word = text[length] != '\0' ? text + length + 1 : text;
    size_t room = PROMPT_ROOM - (size_t)(word - text);
    struct completion completion = complete_begin(word);
    if (word != text && typed != NULL && typed->offer == NULL && typed->argument != NULL) {
        complete_path_word(app, word, room);
        return;
    }
    for (size_t i = 0; word == text && i < TYPED_COUNT; i++)
        if (strlen(table[i].name) > 2)
            complete_offer(&completion, table[i].name);
    if (word != text && typed != NULL && typed->offer != NULL)
        typed->offer(&completion);
    complete_end(&completion, app, word, room);
}

unsigned typed_command_open(struct app *app) {
    prompt_open(
        &app->prompt,
        (struct prompt_use){.label = ":", .accept = typed_command_run, .complete = complete}, "");
    return DIRTY_SCREEN;
}
