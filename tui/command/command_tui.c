#include "tui/command/cache_choice.h"
#include "tui/command/command.h"
#include "tui/command/complain.h"
#include "tui/command/needs.h"
#include "tui/command/session.h"
#include "tui/screen/screen.h"

#include <string.h>

static enum color_mode color_mode(const char *name) {
    if (name == NULL || strcmp(name, "auto") == 0)
        return COLOR_AUTO;
    return strcmp(name, "always") == 0 ? COLOR_ALWAYS : COLOR_NEVER;
}

int command_tui(const struct options *options) {
    struct session session = {0};
    struct error error = {0};
    if (options->keys) {
        screen_print_keys(stdout);
        return EXIT_DONE;
    }
    struct string_list notes = {0};
    struct cache *cache = cache_choose_for_screen(options, &notes);
    struct work_limits limits = needs_limits(options);
    limits.drops_vectors = true; /* the plan is not known yet */
    const struct screen_options screen = {.ascii = options->ascii,
                                          .color = color_mode(options->color),
                                          .script = options->script,
                                          .limits = limits,
                                          .cache = cache,
                                          .force = options->force};
    bool good = session_read(&session, options, &error);
    int code = good ? screen_run(&session.config, session.config_path, &screen) : complain(&error);
    session_close(&session);
    cache_flush(cache);
    cache_take_notes(cache, &notes);
    if (!options->quiet)
        complain_warnings(&notes);
    string_list_free(&notes);
    cache_close(cache);
    return code;
}
