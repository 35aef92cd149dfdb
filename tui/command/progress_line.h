/* The line of progress on standard error, where that is a terminal: what runs, how much is done,
 * the rate, the time left. */
#ifndef R2M_TUI_COMMAND_PROGRESS_LINE_H
#define R2M_TUI_COMMAND_PROGRESS_LINE_H

#include "analysis/support/error.h"
#include "analysis/support/progress.h"

enum { PROGRESS_NOTE = 128 };
enum progress_unit { UNIT_BYTES, UNIT_OPERATIONS, UNIT_ITEMS };

struct progress_line {
    bool shown;               /* standard error is a terminal and nobody wants quiet */
    bool dirty;               /* there is something to clear */
    const char *label;        /* of the running stage */
    double started;           /* when it began, seconds */
    double painted;           /* when the line was written last */
    char note[PROGRESS_NOTE]; /* stands at the end of the line */
};

/* quiet: never shown. */
struct progress_line progress_line_begin(bool quiet);

/* Writes the line anew, at most ten times a second. A new label begins a new stage. */
void progress_line_show(struct progress_line *line, const char *label, enum progress_unit unit,
                        const struct progress *progress);

/* Clears it. */
void progress_line_end(struct progress_line *line);

/* The text: "reading weights  1.2 GB of 4.9 GB  26%  1.1 GB/s  0:03 left". elapsed: seconds since
 * the stage began. */
void progress_text(char *text, size_t size, const char *label, enum progress_unit unit, double done,
                   double total, double elapsed);

/* Runs work in a thread of its own, keeps the line alive and lets a signal stop it. Returns what
 * work returns. */
struct progress_job {
    bool (*work)(void *context, struct progress *progress, struct error *error);
    void *context;
    const char *label;
    enum progress_unit unit;
};
bool progress_run(struct progress_line *line, const struct progress_job *job, struct error *error);

/* The same; the main thread asks note, with the job's context, what else is to be said now. */
typedef void progress_note(void *context, char text[PROGRESS_NOTE]);
bool progress_run_noted(struct progress_line *line, const struct progress_job *job,
                        progress_note *note, struct error *error);

#endif
