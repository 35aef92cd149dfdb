#include "tui/screen/screen.h"

#include "tui/command/complain.h"
#include "tui/screen/history_file.h"
#include "tui/screen/loop.h"
#include "tui/screen/preferences.h"
#include "tui/screen/recovery.h"
#include "tui/terminal/signals.h"
#include "tui/terminal/term.h"

#include <stdlib.h>

static int run_on_terminal(struct app *app, const struct screen_options *options) {
    struct error error = {0};
    if (!signals_start(&error))
        return complain(&error);
    if (!term_start(options, &error)) {
        signals_end();
        return complain(&error);
    }
    recovery_start(app);
    history_read(&app->prompt);
    signals_on_crash(recovery_emergency);
    int signal = loop_run(app);
    term_stop();
    signals_end();
    history_write(&app->prompt);
    const char *kept = recovery_end(app, signal != 0);
    if (kept != NULL)
        fprintf(stderr, "r2m: the plan was not saved; it is kept in %s\n", kept);
    return signal != 0 ? 128 + signal : 0;
}

static int run_script(struct app *app, const struct screen_options *options) {
    struct error error = {0};
    return script_run(app, options->script, &error) ? 0 : complain(&error);
}

int screen_run(const struct config *config, const char *config_path,
               const struct screen_options *options) {
    struct error error = {0};
    if (options->script == NULL && !term_check(&error))
        return complain(&error);
    theme_choose_glyphs(
        term_locale(options->ascii, options->script == NULL ? getenv("TERM") : NULL));
    struct string_list problems = {0};
    preferences_load(&problems);
    struct app *app = app_create(config, config_path, options, &error);
    for (size_t i = 0; app != NULL && i < problems.count; i++)
        app_say(app, STATUS_WARNING, "%s", problems.items[i]);
    string_list_free(&problems);
    if (app == NULL)
        return complain(&error);
    int code = options->script != NULL ? run_script(app, options) : run_on_terminal(app, options);
    app_free(app);
    return code;
}
