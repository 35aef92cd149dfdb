#include "merge/sweep/sweep.h"

#include "merge/methods/method.h"
#include "merge/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sweep_goal sweep_goal_parse(const char *text) {
    struct sweep_goal goal = {0};
    if (text == NULL)
        return goal;
    goal.lower = *text == '-';
    goal.metric = memory_string(text + goal.lower);
    return goal;
}

bool sweep_goal_choose(struct sweep_goal *goal, const struct sweep_records *records) {
    for (size_t r = 0; goal->metric == NULL && r < records->count; r++) {
        const struct sweep_record *record = &records->items[r];
        bool has_mean = isfinite(sweep_record_value(record, "mean"));
        if (record->metrics.count == 0)
            continue;
        goal->metric = memory_string(has_mean ? "mean" : record->metrics.items[0].name);
        goal->lower = metric_is_cost(goal->metric);
    }
    return goal->metric != NULL;
}

/* Names all metrics of the record, and the one that is nearest to what was asked for. */
static void hint_metrics(const struct sweep_goal *goal, const struct sweep_record *record,
                         struct error *error) {
    const struct metrics *metrics = &record->metrics;
    const char **names = memory_array(metrics->count, sizeof *names);
    for (size_t m = 0; m < metrics->count; m++)
        names[m] = metrics->items[m].name;
    const char *nearest = nearest_name(goal->metric, names, metrics->count);
    char *list = names_join(names, metrics->count), *quoted = error_quote(list, strlen(list));
    if (nearest != NULL)
        error_hint(error, "there are %s; did you mean %s?", quoted, nearest);
    else
        error_hint(error, "there are %s", quoted);
    free(quoted);
    free(list);
    free(names);
}

bool sweep_goal_check(const struct sweep_goal *goal, const struct sweep_records *records,
                      struct error *error) {
    const struct sweep_record *measured = NULL;
    for (size_t r = 0; r < records->count && measured == NULL; r++)
        if (records->items[r].error == NULL)
            measured = &records->items[r];
    if (goal->metric == NULL || measured == NULL || sweep_best(records, goal) != NULL)
        return true;
    char *quoted = error_quote(goal->metric, strlen(goal->metric));
    error_set(error, ERROR_INPUT, "no point has the metric %s", quoted);
    hint_metrics(goal, measured, error);
    free(quoted);
    return false;
}

bool sweep_goal_better(const struct sweep_goal *goal, double value, double other) {
    if (isnan(value) || isnan(other))
        return !isnan(value) && isnan(other);
    return goal->lower ? value < other : value > other;
}

const struct sweep_record *sweep_best(const struct sweep_records *records,
                                      const struct sweep_goal *goal) {
    const struct sweep_record *best = NULL;
    double value = NAN;
    for (size_t r = 0; goal->metric != NULL && r < records->count; r++) {
        double own = sweep_record_value(&records->items[r], goal->metric);
        if (sweep_goal_better(goal, own, value)) {
            best = &records->items[r];
            value = own;
        }
    }
    return best;
}

void sweep_point_settings(const struct vary_list *list, const size_t *choices,
                          struct string_list *settings) {
    *settings = (struct string_list){0};
    for (size_t k = 0; k < list->count; k++) {
        const struct vary *vary = &list->items[k];
        char *assignment = memory_format("%s=%s", vary->key, vary->values.items[choices[k]]);
        string_list_add(settings, assignment);
        free(assignment);
    }
}

static bool is_missing(const struct sweep *sweep, const struct vary_list *list,
                       const size_t *choices) {
    struct string_list settings;
    sweep_point_settings(list, choices, &settings);
    const struct sweep_record *record = sweep_records_find(sweep->trials.records, &settings);
    string_list_free(&settings);
    return record == NULL || (sweep->retry && record->error != NULL);
}

/* A point, and what it asks for. */
struct candidate {
    const size_t *choices;
    struct config config;
    struct settings effective; /* as R2M: its real part decides what the analysis has to do */
    struct rank_rule rank;     /* and this, which singular vectors */
    size_t core, ranks;        /* the first candidate with the same one, with both the same */
    char plan[SHA256_TEXT];    /* alike where the method looks at no setting in which they differ */
    const struct candidate *twin; /* the one of the same plan that is measured */
    bool missing;                 /* not recorded yet */
};

/* Of everything that the method looks at. */
static void digest_plan(const struct config *config, char sha256[SHA256_TEXT]) {
    struct string_list assignments = {0};
    struct digest *digest = digest_begin();
    config_assignments(config, &assignments);
    for (size_t i = 0; i < assignments.count; i++)
        digest_add(digest, assignments.items[i], strlen(assignments.items[i]) + 1);
    digest_end(digest, sha256);
    string_list_free(&assignments);
}

static struct candidate candidate_of(const struct sweep *sweep, const struct vary_list *list,
                                     const size_t *choices) {
    struct candidate one = {.choices = choices, .missing = is_missing(sweep, list, choices)};
    struct error error = {0};
    double shares[SPECIALIST_LIMIT];
    config_copy(&one.config, &sweep->plan->config);
    sweep_point_apply(list, choices, &one.config, &error); /* every value was tried before */
    error_free(&error);
    one.effective = one.config.settings;
    one.rank = one.config.rank;
    config_shares(&one.config, shares);
    method_effective(&one.effective, shares, one.config.specialist_count, &one.rank);
    digest_plan(&one.config, one.plan);
    return one;
}

static bool shares_analysis(const struct candidate *one, const struct candidate *other,
                            bool with_ranks) {
    return real_settings_equal(&one->effective.real, &other->effective.real) &&
           (!with_ranks || rank_rule_equal(one->rank, other->rank));
}

/* The first candidate with the same core, or with the same ranks, too. */
static size_t first_alike(const struct candidate *all, const struct candidate *one,
                          bool with_ranks) {
    size_t i = 0;
    while (!shares_analysis(&all[i], one, with_ranks))
        i++;
    return i;
}

static int by_group(const void *one, const void *other) {
    const struct candidate *a = *(const struct candidate *const *)one;
    const struct candidate *b = *(const struct candidate *const *)other;
    if (a->core != b->core)
        return a->core < b->core ? -1 : 1;
    if (a->ranks != b->ranks)
        return a->ranks < b->ranks ? -1 : 1;
    return a->choices < b->choices ? -1 : a->choices > b->choices;
}

/* Equal plans side by side, recorded ones before others. */
static int by_plan(const void *one, const void *other) {
    const struct candidate *a = *(const struct candidate *const *)one;
    const struct candidate *b = *(const struct candidate *const *)other;
    int order = strcmp(a->plan, b->plan);
    if (order != 0 || a->missing != b->missing)
        return order != 0 ? order : a->missing - b->missing;
    return a->choices < b->choices ? -1 : a->choices > b->choices;
}

/* All points as candidates, with their twins. */
static struct candidate *candidates(const struct sweep *sweep, const struct vary_list *list,
                                    const struct sweep_points *points) {
    struct candidate *all = memory_array(points->count, sizeof *all);
    struct candidate **sorted = memory_array(points->count, sizeof(struct candidate *));
    for (size_t p = 0; p < points->count; p++) {
        all[p] = candidate_of(sweep, list, points->choices + p * points->keys);
        all[p].core = first_alike(all, &all[p], false);
        all[p].ranks = first_alike(all, &all[p], true);
        sorted[p] = &all[p];
    }
    qsort(sorted, points->count, sizeof(struct candidate *), by_plan);
    for (size_t i = 0; i < points->count; i++) {
        bool same = i > 0 && strcmp(sorted[i]->plan, sorted[i - 1]->plan) == 0;
        sorted[i]->twin = same ? sorted[i - 1]->twin : sorted[i];
    }
    free(sorted);
    return all;
}

size_t sweep_missing(const struct sweep *sweep, const struct vary_list *list,
                     const struct sweep_points *points) {
    size_t count = 0;
    for (size_t p = 0; p < points->count; p++)
        count += is_missing(sweep, list, points->choices + p * points->keys);
    return count;
}

/* Measures the missing ones that have no other twin, those with one analysis side by side. */
static bool measure(struct trials *trials, const struct vary_list *list, struct candidate *all,
                    size_t count, struct error *error) {
    struct candidate **sorted = memory_array(count, sizeof(struct candidate *));
    size_t own = 0;
    bool good = true;
    for (size_t i = 0; i < count; i++)
        if (all[i].missing && all[i].twin == &all[i])
            sorted[own++] = &all[i];
    qsort(sorted, own, sizeof(struct candidate *), by_group);
    for (size_t i = 0; i < own && good; i++) {
        struct string_list settings;
        sweep_point_settings(list, sorted[i]->choices, &settings);
        good = trials_add(trials, &sorted[i]->config, &settings, error);
        string_list_free(&settings);
    }
    free(sorted);
    return good && trials_wait(trials, error);
}

/* The others have what their twins have. */
static bool repeat(struct trials *trials, const struct vary_list *list, const struct candidate *all,
                   size_t count, struct error *error) {
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        struct string_list own, other;
        if (!all[i].missing || all[i].twin == &all[i])
            continue;
        sweep_point_settings(list, all[i].choices, &own);
        sweep_point_settings(list, all[i].twin->choices, &other);
        good = trials_repeat(trials, &other, &own, error);
        string_list_free(&own);
        string_list_free(&other);
    }
    return good;
}

bool sweep_run(const struct sweep *sweep, const struct vary_list *list,
               const struct sweep_points *points, struct error *error) {
    struct candidate *all = candidates(sweep, list, points);
    size_t missing = 0;
    for (size_t i = 0; i < points->count; i++)
        missing += all[i].missing;
    atomic_store(&sweep->trials.progress->total, missing);
    struct trials *trials = trials_begin(&sweep->trials);
    bool good = measure(trials, list, all, points->count, error) &&
                repeat(trials, list, all, points->count, error);
    trials_end(trials);
    for (size_t i = 0; i < points->count; i++)
        config_free(&all[i].config);
    free(all);
    return good;
}
