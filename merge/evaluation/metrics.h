/* What an evaluation printed, as numbers with names. */
#ifndef R2M_MERGE_EVALUATION_METRICS_H
#define R2M_MERGE_EVALUATION_METRICS_H

#include "analysis/support/error.h"

struct metric {
    char *name;
    double value; /* finite */
};

struct metrics {
    struct metric *items;
    size_t count;
};

/* Finds the metrics in the text (length bytes, any) and adds them. The last JSON object in it that
 * holds a number counts, nested names joined with dots; where there is none, lines "name: value" or
 * "name = value" do, of which a later one replaces an earlier one of the same name, and a line
 * "dataset: NAME", as DF40's test.py prints it, goes before the names that follow ("NAME.auc").
 * ERROR_INPUT where there is no metric, or one is not a number; metrics is empty then. */
bool metrics_parse(const char *text, size_t length, struct metrics *metrics, struct error *error);

/* Adds one, or replaces the one of that name. */
void metrics_set(struct metrics *metrics, const char *name, double value);

/* The metric of that name, or NULL. */
const struct metric *metrics_find(const struct metrics *metrics, const char *name);

/* Whether lower is better, as far as the last word of a name tells: loss, eer, error and the like.
 */
bool metric_is_cost(const char *name);

void metrics_free(struct metrics *metrics);

#endif
