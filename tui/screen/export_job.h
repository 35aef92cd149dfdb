/* Writing outputs in a thread of its own: the keyboard never waits for it. One at a time; one that
 * needs the analysis waits for its end. */
#ifndef R2M_TUI_SCREEN_EXPORT_JOB_H
#define R2M_TUI_SCREEN_EXPORT_JOB_H

#include "merge/evaluation/evaluation.h"
#include "merge/merge.h"

#include <pthread.h>

struct app;

enum export_kind {
    EXPORT_CONFIG,
    EXPORT_MERGED,
    EXPORT_ADAPTERS,
    EXPORT_FIGURES,
    EXPORT_REPORT,
    EXPORT_EVALUATION,
    EXPORT_KINDS
};
enum export_state { EXPORT_NONE, EXPORT_WAITING, EXPORT_RUNNING };

/* Result of the last run of one kind. */
struct export_result {
    bool good;
    char *text; /* a sentence; NULL: never run */
    char sha256[SHA256_TEXT];
};

struct export_job {
    enum export_state state;
    enum export_kind kind;
    char *path;
    bool overwrite;
    struct plan *plan; /* a copy */
    struct progress progress;
    double started;
    pthread_t thread;
    _Atomic bool finished; /* set by the thread, last */
    struct merge_result merge;
    struct evaluation evaluation;
    size_t ticket; /* of the plan that is evaluated */
    size_t files;
    struct error error;
    struct export_result results[EXPORT_KINDS];
    enum export_kind asked_kind; /* what the open question is about */
    char *asked_path;
};

/* What can be written: one row of a table each. */
struct export_what {
    const char *name; /* "merged checkpoint" */
    const char
        *ending;       /* of its path, behind the config's without ending; NULL: the config's own */
    const char *forms; /* what the path may be, for people */
    const char *help;  /* what stands in it */
    bool (*write)(struct app *app); /* in a thread; NULL: at once */
};
const struct export_what *export_what(enum export_kind kind);

/* Begins, or lets it wait for the analysis; says so in the status row. A config is written at
 * once. */
unsigned export_start(struct app *app, enum export_kind kind, const char *path, bool overwrite);

/* The same, asking first where the file exists (unless --force). */
unsigned export_ask(struct app *app, enum export_kind kind, const char *path);

/* Called when workers have news: starts what waited, takes a finished result. Returns true when
 * the state changed. */
bool export_advance(struct app *app);

/* Ctrl-C: stops what runs or waits; false when nothing does. */
bool export_cancel(struct app *app);

/* Stops, waits for the thread, releases. */
void export_free(struct app *app);

#endif
