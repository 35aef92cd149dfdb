/* Trials of plans: each one is merged to a temporary file, evaluated, recorded, and the file
 * removed. Merges follow each other, on the whole pool; evaluations run beside them, several at a
 * time.
 *
 * The analysis is shared: only what depends on changed settings is done anew. Singular vectors are
 * kept, as far as there is room, for trials of about the same ranks. Trials with the same settings
 * of the Real core, and among them those with the same ranks, should follow each other.
 *
 *     struct trials *trials = trials_begin(&setup);
 *     trials_add(trials, &config, &settings, &error) for each; trials_wait(trials, &error)
 *     trials_end(trials); */
#ifndef R2M_MERGE_SWEEP_TRIALS_H
#define R2M_MERGE_SWEEP_TRIALS_H

#include "merge/merge.h"
#include "merge/sweep/records.h"

/* Evaluates a merged checkpoint: adds metrics to record, or says why there are none. Called by
 * several threads at the same time; ends soon once cancel is set. */
typedef bool trial_evaluate(void *context, const char *checkpoint, const _Atomic bool *cancel,
                            struct sweep_record *record, struct error *error);

struct trial_setup {
    const struct tensor_table *table;
    struct analysis *analysis; /* its core is there; only the trials call it from now on */
    struct pool *pool;
    struct sweep_records *records;
    trial_evaluate *evaluate; /* NULL: nothing is merged, the metrics are what spectra tell */
    /* Called after each record, by one thread at a time; false, with the reason, ends the sweep.
     * May be NULL. */
    bool (*recorded)(void *context, const struct sweep_records *records, struct error *error);
    void *context;
    struct work_limits limits; /* of each merge; the pool has at most so many threads */
    unsigned jobs;             /* evaluations at a time */
    const char *folder;        /* of the merged files; there already, removed by trials_end */
    const char *ending;        /* of their names: ".safetensors" */
    struct progress *progress; /* counts trials; cancel stops */
};

struct trials;

struct trials *trials_begin(const struct trial_setup *setup);

/* Begins the trial of config, recorded under settings, as soon as one may; returns when it was
 * merged. What is wrong with this one becomes its record's error. False when the sweep cannot go
 * on: it was cancelled, or nothing can be recorded. */
bool trials_add(struct trials *trials, const struct config *config,
                const struct string_list *settings, struct error *error);

/* A copy of the newest record with these settings; false where there is none. */
bool trials_find(struct trials *trials, const struct string_list *settings,
                 struct sweep_record *copy);

/* Records under settings what is recorded under other ones, of the same plan, where something is.
 */
bool trials_repeat(struct trials *trials, const struct string_list *other,
                   const struct string_list *settings, struct error *error);

/* Until all that were begun have ended. */
bool trials_wait(struct trials *trials, struct error *error);

/* Waits for what still runs, removes temporary files. */
void trials_end(struct trials *trials);

/* What is known before anything is merged, as metrics: "kept", energy of the residuals below the
 * cut; "dominance", mean over the matrices; "core_norm", "residual_norm" (nbar), "eta";
 * "share.NAME" before norm matching. ERROR_INPUT for a method that says nothing before it merges.
 */
bool trial_spectral_metrics(const struct plan *plan, const struct analysis *analysis,
                            const struct preview *preview, struct sweep_record *record,
                            struct error *error);

#endif
