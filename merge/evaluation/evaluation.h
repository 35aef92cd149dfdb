/* An evaluation: a command of the user's that measures a checkpoint and prints metrics. Running it
 * is neither arithmetic nor screen; the command line, sweeps and the screen share it from here. */
#ifndef R2M_MERGE_EVALUATION_EVALUATION_H
#define R2M_MERGE_EVALUATION_EVALUATION_H

#include "merge/evaluation/metrics.h"

#define EVALUATION_SECONDS 3600.0 /* time limit where none is set */

struct evaluation {
    struct metrics metrics;
    char *output; /* the last of what it printed, standard output before standard error */
    double seconds;
};

/* ERROR_USAGE where the command has no {} for the checkpoint's path. */
bool evaluation_check(const char *command, struct error *error);

/* Runs command by /bin/sh, each {} replaced by the path from the root on, quoted; in a process
 * group of its own, with nothing on standard input. After limit seconds, or once cancel (may be
 * NULL) is set, the whole group is ended: SIGTERM, a little later SIGKILL. ERROR_INPUT where the
 * command fails, is too slow or prints no metric on standard output, with the end of what it
 * printed as the hint; result->output is there in any case. evaluation_free(result) always. May run
 * in several threads at once. */
bool evaluation_run(const char *command, const char *checkpoint, double limit,
                    const _Atomic bool *cancel, struct evaluation *result, struct error *error);

void evaluation_free(struct evaluation *evaluation);

#endif
