/* What a sweep leaves beside sweep.jsonl, and what it says at its end. */
#ifndef R2M_TUI_COMMAND_SWEEP_OUTPUT_H
#define R2M_TUI_COMMAND_SWEEP_OUTPUT_H

#include "merge/sweep/results.h"
#include "tui/command/options.h"

struct sweep_report {
    const struct options *options; /* output: the folder */
    const struct plan *plan;
    const struct preview *preview; /* of the plan; NULL but for a search by layers */
    const struct sweep_records *records;
    const struct sweep_goal *goal;
    bool
        keeps_best; /* best.json is written: the points were evaluated, or a metric was asked for */
};

/* Removes the best.json of an earlier run, which may have looked at another metric: none is there
 * but the answer of this one. */
void sweep_forget_best(const struct options *options);

/* Writes sweep.csv, the chart and best.json, where something was measured; older ones are
 * replaced. */
bool sweep_write(const struct sweep_report *report, struct error *error);

/* A table of the best points, or all as JSON, on standard output; what failed on standard error. */
void sweep_print(const struct sweep_report *report);

/* "DIR/NAME"; free() it. */
char *sweep_path(const struct options *options, const char *name);

#endif
