#include "tui/screen/screen.h"

#include "tui/command/complain.h"
#include "tui/screen/loop.h"
#include "tui/terminal/signals.h"
#include "tui/terminal/term.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* $XDG_STATE_HOME/r2m, made if missing; NULL without a home. free() it. */
static char *state_folder(void) {
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    bool given = state != NULL && *state == '/';
    if (!given && home == NULL)
        return NULL;
    char *folder =
        given ? memory_format("%s/r2m", state) : memory_format("%s/.local/state/r2m", home);
    for (char *at = folder + 1; (at = strchr(at, '/')) != NULL; at++) {
        *at = '\0';
        mkdir(folder, 0777);
        *at = '/';
    }
    mkdir(folder, 0777);
    return folder;
}

/* A terminal that went away must not take unsaved work with it. */
static void keep_unsaved(const struct app *app) {
    struct error error = {0};
    char *folder = state_folder();
    char *path = memory_format("%s/unsaved.json", folder != NULL ? folder : "/tmp");
    if (config_write(&app->plan->config, path, true, &error))
        fprintf(stderr, "r2m: the plan was not saved; it is kept in %s\n", path);
    error_free(&error);
    free(path);
    free(folder);
}

static int run_on_terminal(struct app *app, const struct screen_options *options) {
    struct error error = {0};
    if (!signals_start(&error))
        return complain(&error);
    if (!term_start(options, &error)) {
        signals_end();
        return complain(&error);
    }
    int signal = loop_run(app);
    term_stop();
    signals_end();
    if (signal != 0 && app->plan->modified)
        keep_unsaved(app);
    return signal != 0 ? 128 + signal : 0;
}

static int run_script(struct app *app, const struct screen_options *options) {
    struct error error = {0};
    theme_choose_glyphs(term_locale(options->ascii, NULL));
    return script_run(app, options->script, &error) ? 0 : complain(&error);
}

int screen_run(const struct config *config, const char *config_path,
               const struct screen_options *options) {
    struct error error = {0};
    if (options->script == NULL && !term_check(&error))
        return complain(&error);
    struct app *app = app_create(config, config_path, options, &error);
    if (app == NULL)
        return complain(&error);
    int code = options->script != NULL ? run_script(app, options) : run_on_terminal(app, options);
    app_free(app);
    return code;
}
