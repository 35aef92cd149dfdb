/* The interactive screen: browse layers, tune ranks, export (interface.md, "The screen"). */
#ifndef R2M_TUI_SCREEN_SCREEN_H
#define R2M_TUI_SCREEN_SCREEN_H

#include "analysis/needs.h"
#include "merge/config/config.h"

#include <stdio.h>

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct screen_options {
    bool ascii;            /* no character above U+007F */
    enum color_mode color; /* auto: unless NO_COLOR is set */
    const char *script;    /* keys from this file, no terminal (script.h); NULL: the terminal */
    struct work_limits limits;
    struct cache *cache; /* of analyses; must outlive the screen */
    bool force;          /* overwrite outputs without asking */
};

/* Runs until the user leaves. config_path (may be NULL) is where :write goes by default. Problems
 * are printed to standard error; returns the exit code: 0, 1, 2. */
int screen_run(const struct config *config, const char *config_path,
               const struct screen_options *options);

/* The key table as text, for the manual and for tests: a line a binding, separated by tabs:
 * view ("all" or a view's name), keys, action, help. */
void screen_print_keys(FILE *stream);

#endif
