/* A sweep: plans that differ in some settings, each merged and evaluated, and the best of them.
 *
 * Grid and draw: the points of vary.h, those already recorded left out, ordered such that points
 * with the same Real core, and of these the ones with the same ranks, follow each other. Points
 * that differ only in settings at which their method does not look are measured once.
 *
 * Greedy search of ranks: begins with the plan as it is; then, kind by kind of layers and then
 * layer by layer, those first whose cut discards most of what they would contribute, sum_i (a_i
 * s_i)^2
 * (||R_i,l||^2 - ||T(R_i,l)||^2), all their ranks are tried times each of a list of factors; the
 * best change is kept if it is better than what was there. It goes round until a round changes
 * nothing or the budget of evaluations is spent. Every step follows from the metrics before it, so
 * a search that was interrupted goes the same way again through what is recorded. */
#ifndef R2M_MERGE_SWEEP_SWEEP_H
#define R2M_MERGE_SWEEP_SWEEP_H

#include "merge/sweep/trials.h"
#include "merge/sweep/vary.h"

/* What best means. */
struct sweep_goal {
    char *metric; /* NULL: chosen by sweep_goal_choose */
    bool lower;   /* the lower the better */
};

/* "auc", or "-loss" for lower is better. */
struct sweep_goal sweep_goal_parse(const char *text);

/* Where no metric is set: "mean" if it was measured, else the first one of the first record that
 * has any, lower for better where metric_is_cost. False while there is none. */
bool sweep_goal_choose(struct sweep_goal *goal, const struct sweep_records *records);

/* Whether points may have the goal's metric: no metric is set, one of them has it, or none has been
 * measured (one that failed tells nothing). Else ERROR_INPUT, with the metrics that there are. */
bool sweep_goal_check(const struct sweep_goal *goal, const struct sweep_records *records,
                      struct error *error);

/* Whether value is better than other; any number is better than NaN. */
bool sweep_goal_better(const struct sweep_goal *goal, double value, double other);

/* The best of all records, the earliest of equal ones, or NULL where none has the metric. */
const struct sweep_record *sweep_best(const struct sweep_records *records,
                                      const struct sweep_goal *goal);

/* The settings of a point as records keep them. */
void sweep_point_settings(const struct vary_list *list, const size_t *choices,
                          struct string_list *settings);

struct sweep {
    const struct plan *plan; /* what is varied */
    struct trial_setup trials;
    struct sweep_goal *goal;
    bool retry; /* points whose record is an error are tried again */
};

/* How many of the points are not recorded yet. */
size_t sweep_missing(const struct sweep *sweep, const struct vary_list *list,
                     const struct sweep_points *points);

bool sweep_run(const struct sweep *sweep, const struct vary_list *list,
               const struct sweep_points *points, struct error *error);

/* budget: evaluations in all, recorded ones too. factors: of ranks, [factor_count]. */
struct greedy {
    size_t budget;
    const double *factors;
    size_t factor_count;
};

/* preview: complete, of the sweep's plan, whose method must be one with ranks of its own. */
bool sweep_greedy(const struct sweep *sweep, const struct preview *preview,
                  const struct greedy *greedy, struct error *error);

/* The config behind settings as recorded: the plan's, with them in it. preview as above; not looked
 * at but for a greedy search. */
bool sweep_config(const struct plan *plan, const struct preview *preview,
                  const struct string_list *settings, struct config *config, struct error *error);

#endif
