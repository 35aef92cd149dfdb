/* The commands of the program: one table, from which come the dispatch, --help and completion.
 * The manual is checked against it (tests/tui/test_manual.py). */
#ifndef R2M_TUI_COMMAND_COMMAND_H
#define R2M_TUI_COMMAND_COMMAND_H

#include "tui/command/options.h"

/* What the screen opens without a source, and what it calls a new config. */
#define COMMAND_DEFAULT_CONFIG "r2m.json"

struct command {
    const char *name;
    const char *synopsis;                      /* what stands behind the name */
    const char *summary;                       /* one line */
    const char *text;                          /* a paragraph for its --help */
    int (*run)(const struct options *options); /* returns the exit code */
    const char *missing;                       /* what to say without -o; NULL: not needed */
    bool is_shared;                            /* several ranks (ranks.h) may do it together */
};

/* Rows in the order of enum command_id. */
extern const struct command commands[COMMAND_COUNT];

/* What main does: finds the command, reads its options, runs it. Returns the exit code. */
int command_main(int argc, char **argv);

int command_tui(const struct options *options);
int command_inspect(const struct options *options);
int command_analyze(const struct options *options);
int command_merge(const struct options *options);
int command_plot(const struct options *options);
int command_report(const struct options *options);
int command_sweep(const struct options *options);
int command_init(const struct options *options);
int command_cache(const struct options *options);

#endif
