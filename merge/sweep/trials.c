#include "merge/sweep/trials.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum lane_state { LANE_FREE, LANE_RUNNING, LANE_ENDED };

/* One evaluation at a time. */
struct lane {
    struct trials *trials;
    enum lane_state state;
    pthread_t thread;
    char *path; /* of its merged file */
    struct sweep_record record;
    double start;
};

struct trials {
    struct trial_setup setup;
    struct plan *kept;     /* whose singular vectors the analysis keeps; NULL: of no plan */
    struct lane *lanes;    /* [setup.jobs] */
    pthread_mutex_t mutex; /* of all that follows, of the lanes' states and of the records */
    pthread_cond_t ended;
    struct error error; /* why the sweep cannot go on */
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

struct trials *trials_begin(const struct trial_setup *setup) {
    struct trials *trials = memory_array(1, sizeof *trials);
    trials->setup = *setup;
    trials->lanes = memory_array(setup->jobs, sizeof *trials->lanes);
    for (unsigned i = 0; i < setup->jobs; i++) {
        trials->lanes[i].trials = trials;
        trials->lanes[i].path = memory_format("%s/point-%u%s", setup->folder, i + 1, setup->ending);
    }
    pthread_mutex_init(&trials->mutex, NULL);
    pthread_cond_init(&trials->ended, NULL);
    return trials;
}

/* The message with its hint, which has the end of what an evaluation printed. free() it. */
static char *reason_of(const struct error *failure) {
    bool hinted = failure->hint != NULL;
    return memory_format("%s%s%s", failure->message, hinted ? "; " : "",
                         hinted ? failure->hint : "");
}

/* Puts the lane's record into the file. Under the mutex. */
static void add_record(struct lane *lane) {
    struct trials *trials = lane->trials;
    const struct trial_setup *setup = &trials->setup;
    struct error error = {0};
    if (!sweep_records_add(setup->records, &lane->record, &error) ||
        (setup->recorded != NULL && !setup->recorded(setup->context, setup->records, &error))) {
        atomic_store(&setup->progress->cancel, true);
        error_move(&trials->error, &error);
    }
}

/* Nothing is recorded of a trial that was cancelled. */
static void conclude(struct lane *lane, struct error *failure) {
    struct trials *trials = lane->trials;
    bool cancelled = failure->kind == ERROR_CANCELLED;
    lane->record.seconds = round(1000 * (now() - lane->start)) / 1000;
    if (failure->kind != ERROR_NONE)
        lane->record.error = reason_of(failure);
    pthread_mutex_lock(&trials->mutex);
    if (!cancelled)
        add_record(lane);
    pthread_mutex_unlock(&trials->mutex);
    if (!cancelled)
        atomic_fetch_add(&trials->setup.progress->done, 1);
    sweep_record_free(&lane->record);
    error_free(failure);
}

static void *evaluate(void *context) {
    struct lane *lane = context;
    struct trials *trials = lane->trials;
    const struct trial_setup *setup = &trials->setup;
    struct error failure = {0};
    setup->evaluate(setup->context, lane->path, &setup->progress->cancel, &lane->record, &failure);
    unlink(lane->path);
    conclude(lane, &failure);
    pthread_mutex_lock(&trials->mutex);
    lane->state = LANE_ENDED;
    pthread_cond_signal(&trials->ended);
    pthread_mutex_unlock(&trials->mutex);
    return NULL;
}

/* A lane of that state, or NULL. Under the mutex. */
static struct lane *lane_in(struct trials *trials, enum lane_state state) {
    for (unsigned i = 0; i < trials->setup.jobs; i++)
        if (trials->lanes[i].state == state)
            return &trials->lanes[i];
    return NULL;
}

/* Takes back a lane whose thread has ended, after waiting for one where wait is set. */
static void reclaim(struct trials *trials, bool wait) {
    pthread_mutex_lock(&trials->mutex);
    while (wait && lane_in(trials, LANE_ENDED) == NULL)
        pthread_cond_wait(&trials->ended, &trials->mutex);
    struct lane *lane = lane_in(trials, LANE_ENDED);
    if (lane != NULL)
        lane->state = LANE_FREE;
    pthread_mutex_unlock(&trials->mutex);
    if (lane != NULL)
        pthread_join(lane->thread, NULL);
}

/* Waits for it where all are busy. Only this thread makes lanes free or busy. */
static struct lane *free_lane(struct trials *trials) {
    struct lane *lane;
    for (bool wait = false;; wait = true) {
        pthread_mutex_lock(&trials->mutex);
        lane = lane_in(trials, LANE_FREE);
        pthread_mutex_unlock(&trials->mutex);
        if (lane != NULL)
            return lane;
        reclaim(trials, wait);
    }
}

/* What ended the sweep; false where something did. */
static bool may_go_on(struct trials *trials, struct error *error) {
    bool cancelled = atomic_load(&trials->setup.progress->cancel);
    pthread_mutex_lock(&trials->mutex);
    if (trials->error.kind != ERROR_NONE)
        error_move(error, &trials->error);
    else if (cancelled)
        error_set(error, ERROR_CANCELLED, "interrupted");
    pthread_mutex_unlock(&trials->mutex);
    return !cancelled && error->kind == ERROR_NONE;
}

static void follow_cancel(void *context, const struct analysis *analysis) {
    struct trials *trials = context;
    if (atomic_load(&trials->setup.progress->cancel))
        atomic_store(&trials->setup.analysis->progress.cancel, true);
    (void)analysis;
}

/* Spectra that begin from now on keep the vectors of that plan (NULL: none), which becomes the
 * trials' own. Those that ask for the plan before have ended: they were waited for. */
static void set_kept(struct trials *trials, struct plan *plan, uint64_t room) {
    const struct vector_wish wish = plan != NULL ? merge_wish(plan, room) : (struct vector_wish){0};
    analysis_wish(trials->setup.analysis, &wish);
    plan_free(trials->kept);
    trials->kept = plan;
}

/* Brings the analysis to where a plan needs it that is not merged, or needs no vectors, or finds
 * most of them kept. */
static bool analyze(struct trials *trials, const struct plan *plan, struct error *error) {
    struct analysis *analysis = trials->setup.analysis;
    const struct real_settings *wanted = &plan->effective.real;
    bool is_new = !real_settings_equal(wanted, &analysis->settings);
    if (is_new)
        set_kept(trials, NULL, 0);
    if ((is_new || analysis->stage == ANALYSIS_FAILED) &&
        !analysis_set_real(analysis, wanted, error))
        return false;
    if (trials->setup.evaluate != NULL && !merge_needs_spectra(plan))
        return analysis_wait_core(analysis, follow_cancel, trials, error);
    return analysis_wait(analysis, follow_cancel, trials, error);
}

/* Whether at least half of the truncations are those whose vectors are kept: the others are found
 * by the merge. */
static bool serves(const struct plan *kept, const struct plan *plan) {
    size_t cells = 0, same = 0, n = plan->table->specialist_count;
    if (kept == NULL || !real_settings_equal(&kept->effective.real, &plan->effective.real))
        return false;
    for (size_t l = 0; l < plan->table->layer_count; l++)
        for (size_t i = 0; i < n && plan->table->layers[l].role == ROLE_MATRIX; i++) {
            cells++;
            same += rank_rule_equal(kept->rules[l * n + i], plan->rules[l * n + i]);
        }
    return 2 * same >= cells;
}

/* Has the analysis find the plan's singular vectors with its spectra, and keep them for this trial
 * and those that follow. */
static bool keep_vectors(struct trials *trials, const struct plan *plan, uint64_t room,
                         struct error *error) {
    struct analysis *analysis = trials->setup.analysis;
    struct plan *copy = NULL;
    if (!plan_create(&plan->config, plan->table, &copy, error))
        return false;
    set_kept(trials, copy, room);
    return analysis_set_real(analysis, &plan->effective.real, error) &&
           analysis_wait(analysis, follow_cancel, trials, error);
}

/* With as many workers as this plan's ranks leave memory for. */
static bool merge(struct lane *lane, const struct plan *plan, struct error *error) {
    struct trials *trials = lane->trials;
    const struct trial_setup *setup = &trials->setup;
    struct merge_estimate estimate;
    struct merge_result result;
    const struct merge_output output = {
        .path = lane->path, .overwrite = true, .cancel = &setup->progress->cancel};
    if (!merge_estimate(plan, &setup->limits, lane->path, &estimate, error))
        return false;
    pool_limit(setup->pool, estimate.threads);
    bool keeps = merge_needs_spectra(plan) && !serves(trials->kept, plan);
    bool good = (keeps ? keep_vectors(trials, plan, estimate.vector_bytes, error)
                       : analyze(trials, plan, error)) &&
                merge_write_to(plan, setup->analysis, setup->pool, &output, NULL, &result, error);
    pool_limit(setup->pool, 0);
    return good;
}

static bool measure(struct lane *lane, const struct plan *plan, struct error *error) {
    const struct trial_setup *setup = &lane->trials->setup;
    if (!analyze(lane->trials, plan, error))
        return false;
    struct preview *preview = preview_create(setup->table);
    preview_compute(preview, plan, setup->analysis);
    bool good = trial_spectral_metrics(plan, setup->analysis, preview, &lane->record, error);
    preview_free(preview);
    return good;
}

/* All that comes before the evaluation. */
static bool prepare(struct lane *lane, const struct config *config, struct error *error) {
    struct trials *trials = lane->trials;
    struct plan *plan = NULL;
    bool good = plan_create_single(config, trials->setup.table, &plan, error) &&
                (trials->setup.evaluate != NULL ? merge : measure)(lane, plan, error);
    plan_free(plan);
    return good;
}

bool trials_add(struct trials *trials, const struct config *config,
                const struct string_list *settings, struct error *error) {
    struct error failure = {0};
    struct lane *lane = free_lane(trials);
    if (!may_go_on(trials, error))
        return false;
    lane->start = now();
    string_list_copy(&lane->record.settings, settings);
    bool good = prepare(lane, config, &failure);
    if (!good)
        unlink(lane->path);
    if (!good || trials->setup.evaluate == NULL) {
        conclude(lane, &failure);
        return may_go_on(trials, error);
    }
    lane->state = LANE_RUNNING;
    if (!thread_start(&lane->thread, evaluate, lane)) {
        lane->state = LANE_FREE;
        error_set(&failure, ERROR_INPUT, "no thread for the evaluation");
        unlink(lane->path);
        conclude(lane, &failure);
    }
    return true;
}

bool trials_find(struct trials *trials, const struct string_list *settings,
                 struct sweep_record *copy) {
    pthread_mutex_lock(&trials->mutex);
    const struct sweep_record *record = sweep_records_find(trials->setup.records, settings);
    if (record != NULL)
        sweep_record_copy(copy, record);
    pthread_mutex_unlock(&trials->mutex);
    return record != NULL;
}

bool trials_repeat(struct trials *trials, const struct string_list *other,
                   const struct string_list *settings, struct error *error) {
    struct sweep_record record;
    if (!trials_find(trials, other, &record))
        return true;
    string_list_free(&record.settings);
    string_list_copy(&record.settings, settings);
    pthread_mutex_lock(&trials->mutex);
    bool good = sweep_records_add(trials->setup.records, &record, error);
    pthread_mutex_unlock(&trials->mutex);
    atomic_fetch_add(&trials->setup.progress->done, 1);
    sweep_record_free(&record);
    return good;
}

static bool is_running(struct trials *trials) {
    pthread_mutex_lock(&trials->mutex);
    bool some = lane_in(trials, LANE_RUNNING) != NULL || lane_in(trials, LANE_ENDED) != NULL;
    pthread_mutex_unlock(&trials->mutex);
    return some;
}

bool trials_wait(struct trials *trials, struct error *error) {
    while (is_running(trials))
        reclaim(trials, true);
    return may_go_on(trials, error);
}

void trials_end(struct trials *trials) {
    while (is_running(trials))
        reclaim(trials, true);
    for (unsigned i = 0; i < trials->setup.jobs; i++) {
        unlink(trials->lanes[i].path);
        free(trials->lanes[i].path);
    }
    rmdir(trials->setup.folder);
    set_kept(trials, NULL, 0);
    pthread_cond_destroy(&trials->ended);
    pthread_mutex_destroy(&trials->mutex);
    error_free(&trials->error);
    free(trials->lanes);
    free(trials);
}
