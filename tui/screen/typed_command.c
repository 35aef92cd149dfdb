/* The ':' prompt: a table of typed commands. */
#include "tui/screen/app.h"
#include "tui/screen/preferences.h"

#include <stdlib.h>
#include <string.h>

struct typed {
    const char *name;
    const char *argument; /* what it takes, for messages; NULL: nothing */
    bool needed;
    unsigned (*run)(struct app *app, const char *argument);
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

static unsigned run_figures(struct app *app, const char *argument) {
    return run_export(app, EXPORT_FIGURES, argument);
}

static unsigned run_report(struct app *app, const char *argument) {
    return run_export(app, EXPORT_REPORT, argument);
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

static const struct typed table[] = {
    {"set", "KEY=VALUE", true, run_set},         {"preset", "NAME", true, run_preset},
    {"write", "[PATH]", false, run_write},       {"export", "[PATH]", false, run_merge},
    {"figures", "[DIR]", false, run_figures},    {"report", "[PATH]", false, run_report},
    {"messages", NULL, false, run_messages},     {"quit", NULL, false, run_quit},
    {"theme", "NAME", true, run_theme},          {"graph", "NAME", true, run_graph},
    {"color", "ELEMENT COLOR", true, run_color}, {"bind", "ACTION KEY", true, run_bind},
    {"w", "[PATH]", false, run_write},           {"q", NULL, false, run_quit},
    {"q!", NULL, false, run_quit_now},
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
        app_say(app, STATUS_ERROR,
                "%.*s is no command; set, preset, write, export, figures, report, messages, quit",
                (int)length, text);
        return DIRTY_SCREEN;
    }
    if ((typed->needed && *argument == '\0') || (typed->argument == NULL && *argument != '\0')) {
        app_say(app, STATUS_ERROR, "%s takes %s", typed->name,
                typed->argument != NULL ? typed->argument : "nothing more");
        return DIRTY_SCREEN;
    }
    return typed->run(app, argument);
}

/* Narrows common to what all names that begin with start share. */
static void extend(const char *start, const char *name, bool *found, char common[PROMPT_ROOM]) {
    if (strncmp(name, start, strlen(start)) != 0)
        return;
    if (!*found)
        snprintf(common, PROMPT_ROOM, "%s", name);
    for (size_t i = 0; *found && common[i] != '\0'; i++)
        if (common[i] != name[i])
            common[i] = '\0';
    *found = true;
}

/* Tab: the command's name, or the config path after "set ", or a preset's name. */
static void complete(struct app *app, char text[PROMPT_ROOM]) {
    char common[PROMPT_ROOM] = "", *word = strchr(text, ' ');
    bool found = false;
    (void)app;
    size_t count;
    const struct settings_field *fields = settings_fields(&count);
    const char *const *presets = config_preset_names();
    word = word != NULL ? word + 1 : text;
    for (size_t i = 0; word == text && i < TYPED_COUNT - 3; i++)
        extend(word, table[i].name, &found, common);
    for (size_t i = 0; strncmp(text, "set ", 4) == 0 && i < count; i++)
        extend(word, fields[i].path, &found, common);
    if (strncmp(text, "set ", 4) == 0)
        extend(word, "residual.rank.", &found, common);
    for (size_t i = 0; strncmp(text, "preset ", 7) == 0 && presets[i] != NULL; i++)
        extend(word, presets[i], &found, common);
    if (found)
        snprintf(word, PROMPT_ROOM - (size_t)(word - text), "%s", common);
}

unsigned typed_command_open(struct app *app) {
    prompt_open(
        &app->prompt,
        (struct prompt_use){.label = ":", .accept = typed_command_run, .complete = complete}, "");
    return DIRTY_SCREEN;
}
