/* A config, its files and their analysis: what the commands that take a SOURCE work on. */
#ifndef R2M_TUI_COMMAND_SESSION_H
#define R2M_TUI_COMMAND_SESSION_H

#include "merge/merge.h"
#include "tui/command/options.h"
#include "tui/command/progress_line.h"

struct session {
    struct config config;
    const char *config_path; /* where the config stands, or would; NULL from --base; borrowed */
    char *beside;            /* that path, beside a config of another program */
    struct tensor_table *table;
    struct plan *plan;
    const struct options *options; /* borrowed */
    struct cache *cache;           /* NULL: none */
    struct string_list notes;      /* why there is none */
    struct pool *pool;
    struct analysis *analysis;
    struct preview *preview; /* after session_analyze */
    struct progress_line line;
};

/* SOURCE: CONFIG, or --base and specialists; then --preset; then --set and the key options in
 * their order. */
bool session_read(struct session *session, const struct options *options, struct error *error);

/* session_read, and opens the files: names line up, roles are known, no weight is read. Together,
 * as all that follows, where there are several ranks (ranks.h). */
bool session_open(struct session *session, const struct options *options, struct error *error);

/* What the analysis needs, within --threads and --memory or what the machine has. Together. */
bool session_needs(const struct session *session, const struct options *options,
                   struct analysis_needs *needs, struct error *error);

/* Starts reading weights in the background, on that many threads. */
void session_start(struct session *session, unsigned threads);

/* Until Gram matrices and core (and spectra) are there, with progress; then the preview. Prints
 * warnings unless --quiet or told otherwise. */
bool session_analyze(struct session *session, bool with_spectra, struct error *error);

/* What the preview warns of, and the table, on standard error. */
void session_warn(const struct session *session);

/* Says what is wrong with the cache, unless --quiet, and releases. */
void session_close(struct session *session);

#endif
