#include "tui/screen/loop.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 80, HEIGHT = 24, SIDE_LIMIT = 2000 };

struct script {
    struct app *app;
    struct surface *surface;
    const char *path;
    size_t line;
    bool left;
    struct error *error;
};

static bool fail(struct script *script, const char *reason, const char *what) {
    return error_set(script->error, ERROR_USAGE, "%s:%zu: %s%s%s", script->path, script->line,
                     reason, *what != '\0' ? ": " : "", what);
}

static void press(struct script *script, int key) {
    if (script->left)
        return;
    unsigned result = app_key(script->app, key);
    script->left = (result & LEAVE) != 0;
    if (result & PICTURE)
        app_say(script->app, STATUS_WARNING, "a picture needs a terminal");
    app_draw(script->app, script->surface);
}

static bool run_keys(struct script *script, const char *names) {
    for (const char *at = names + strspn(names, " "); *at != '\0'; at += strspn(at, " ")) {
        const char *from = at;
        int key = key_list_next(&at);
        if (key == INPUT_NONE)
            return fail(script, "no such key", from);
        press(script, key);
    }
    return true;
}

static bool run_type(struct script *script, const char *text) {
    for (; *text != '\0'; text++)
        press(script, (unsigned char)*text);
    return true;
}

static bool run_wait(struct script *script, const char *argument) {
    struct app *app = script->app;
    (void)argument;
    app_workers(app);
    while (!app_idle(app)) {
        struct pollfd file = {.fd = app->event, .events = POLLIN};
        poll(&file, 1, -1);
        app_workers(app);
    }
    app_draw(app, script->surface);
    return true;
}

static bool run_resize(struct script *script, const char *argument) {
    char *end, *last;
    long width = strtol(argument, &end, 10), height = strtol(end, &last, 10);
    if (*last != '\0' || width < 1 || height < 1 || width > SIDE_LIMIT || height > SIDE_LIMIT)
        return fail(script, "resize takes a width and a height", argument);
    surface_free(script->surface);
    script->surface = surface_create((int)width, (int)height, theme_glyphs()->ascii);
    app_draw(script->app, script->surface);
    return true;
}

static bool run_mouse(struct script *script, const char *argument) {
    static const char *const events[] = {"press", "drag", "release", "up", "down"};
    char word[8] = "";
    struct mouse mouse = {0};
    bool known = false;
    if (sscanf(argument, "%7s %d %d", word, &mouse.row, &mouse.col) != 3)
        return fail(script, ":mouse takes an event, a row and a column", argument);
    for (unsigned e = 0; e < sizeof events / sizeof *events && !known; e++) {
        known = strcmp(events[e], word) == 0;
        mouse.event = (enum mouse_event)e;
    }
    if (!known)
        return fail(script, "no such event of the mouse", word);
    app_mouse(script->app, &mouse);
    app_draw(script->app, script->surface);
    return true;
}

static bool run_dump(struct script *script, const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return fail(script, strerror(errno), path);
    app_draw(script->app, script->surface);
    surface_dump(script->surface, file);
    return fclose(file) == 0 || fail(script, strerror(errno), path);
}

static bool run_quit(struct script *script, const char *argument) {
    (void)argument;
    script->left = true;
    return true;
}

static const struct {
    const char *word;
    bool (*run)(struct script *script, const char *argument);
} steps[] = {{"keys:", run_keys},     {"type:", run_type},   {":wait", run_wait},
             {":resize", run_resize}, {":mouse", run_mouse}, {":screendump", run_dump},
             {":quit", run_quit}};

static bool run_line(struct script *script, const char *line) {
    size_t length = strcspn(line, " ");
    const char *argument = line + length + (line[length] == ' ');
    if (line[0] == '\0' || (line[0] == '#' && line[1] != '\0'))
        return true;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (strlen(steps[i].word) == length && strncmp(line, steps[i].word, length) == 0)
            return steps[i].run(script, argument);
    return run_keys(script, line);
}

bool script_run(struct app *app, const char *path, struct error *error) {
    struct script script = {.app = app, .path = path, .error = error};
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t size = 0;
    bool good = true;
    if (file == NULL)
        return error_set(error, ERROR_INPUT, "%s: %s", path, strerror(errno));
    script.surface = surface_create(WIDTH, HEIGHT, theme_glyphs()->ascii);
    app_workers(app);
    app_draw(app, script.surface);
    while (good && !script.left && getline(&line, &size, file) > 0) {
        script.line++;
        line[strcspn(line, "\n")] = '\0';
        good = run_line(&script, line);
    }
    free(line);
    fclose(file);
    surface_free(script.surface);
    return good;
}
