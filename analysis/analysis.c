#include "analysis/analysis.h"

#include "analysis/support/memory.h"
#include "analysis/support/ranks.h"

#include <stdlib.h>

#define TICK_SECONDS 0.1

static enum analysis_stage fail(struct analysis *analysis, struct error *error) {
    error_move(&analysis->error, error);
    return analysis->stage = ANALYSIS_FAILED;
}

static void start_gram(struct analysis *analysis) {
    analysis->gram_pass = gram_start(analysis->table, analysis->pool, analysis->known,
                                     &analysis->progress, analysis->notifier);
}

/* A set of spectra for the current core; an older one is left to end by itself. */
static void start_spectra(struct analysis *analysis) {
    error_free(&analysis->error);
    analysis->stage = ANALYSIS_SPECTRA;
    spectra_abandon(analysis->spectra);
    analysis->spectra =
        spectra_start(analysis->table, analysis->core, &analysis->wish, analysis->known,
                      analysis->pool, &analysis->progress, analysis->notifier);
    analysis->generation++;
}

struct analysis *analysis_start(const struct tensor_table *table, struct cache *cache,
                                struct pool *pool, const struct real_settings *settings,
                                struct notifier notifier) {
    struct analysis *analysis = memory_array(1, sizeof *analysis);
    struct error error = {0};
    analysis->table = table;
    analysis->pool = pool;
    analysis->settings = *settings;
    analysis->notifier = notifier;
    analysis->known = known_start(table, cache, pool, &analysis->progress, notifier);
    analysis->stage = ANALYSIS_GRAM;
    if (!real_settings_check(settings, table, &error))
        fail(analysis, &error);
    return analysis;
}

void analysis_wish(struct analysis *analysis, const struct vector_wish *wish) {
    analysis->wish = *wish;
}

/* The end of the Gram pass: Gram matrices and core. The spectra are not started yet. */
static enum analysis_stage finish_gram(struct analysis *analysis) {
    struct error error = {0};
    analysis->gram = gram_result(analysis->gram_pass, &error);
    if (analysis->gram == NULL || !real_core_compute(analysis->table, analysis->gram,
                                                     &analysis->settings, &analysis->core, &error))
        return fail(analysis, &error);
    analysis->generation++;
    return analysis->stage = ANALYSIS_SPECTRA;
}

static enum analysis_stage finish_spectra(struct analysis *analysis) {
    struct error error = {0};
    if (!spectra_check(analysis->spectra, &error))
        return fail(analysis, &error);
    return analysis->stage = ANALYSIS_DONE;
}

/* One step of the Gram stage, where it is due. */
static void advance_gram(struct analysis *analysis) {
    if (analysis->stage != ANALYSIS_GRAM)
        return;
    if (analysis->gram_pass == NULL && known_ready(analysis->known))
        start_gram(analysis);
    if (analysis->gram_pass != NULL && gram_finished(analysis->gram_pass))
        finish_gram(analysis);
}

enum analysis_stage analysis_advance(struct analysis *analysis) {
    advance_gram(analysis);
    if (analysis->stage != ANALYSIS_SPECTRA)
        return analysis->stage;
    if (analysis->spectra == NULL)
        start_spectra(analysis);
    return spectra_finished(analysis->spectra) ? finish_spectra(analysis) : analysis->stage;
}

bool analysis_set_real(struct analysis *analysis, const struct real_settings *settings,
                       struct error *error) {
    struct real_core *core = NULL;
    if (!real_settings_check(settings, analysis->table, error))
        return false;
    if (analysis->gram != NULL &&
        !real_core_compute(analysis->table, analysis->gram, settings, &core, error))
        return false;
    analysis->settings = *settings;
    if (core != NULL) {
        real_core_free(analysis->core);
        analysis->core = core;
        start_spectra(analysis);
    } else if (analysis->gram_pass == NULL) {
        error_free(&analysis->error);
        analysis->stage = ANALYSIS_GRAM;
    }
    return true;
}

void analysis_prefer(struct analysis *analysis, size_t layer) {
    if (analysis->spectra != NULL)
        spectra_prefer(analysis->spectra, layer);
}

/* Stops what runs. The files stay as they are, so nothing needs to be undone. */
static bool stop(struct analysis *analysis, struct error *error) {
    gram_free(analysis->gram_pass);
    spectra_free(analysis->spectra);
    real_core_free(analysis->core);
    analysis->gram_pass = NULL;
    analysis->spectra = NULL;
    analysis->core = NULL;
    analysis->gram = NULL;
    struct error interrupted = {0};
    error_set(&interrupted, ERROR_CANCELLED, "interrupted");
    fail(analysis, &interrupted);
    error_set(error, ERROR_CANCELLED, "interrupted");
    return ranks_agree(false, error);
}

/* Asked to stop, or of no use as another rank has failed. (The Gram pass goes on: its problems are
 * all listed, those of every rank.) */
static bool is_stopped(const struct analysis *analysis) {
    return atomic_load(&analysis->progress.cancel) ||
           (analysis->stage != ANALYSIS_GRAM && ranks_warned());
}

/* Waits for the running stage, up to a tick. */
static void wait_for_stage(struct analysis *analysis) {
    if (analysis->stage == ANALYSIS_GRAM && analysis->gram_pass == NULL)
        known_wait(analysis->known, TICK_SECONDS);
    else if (analysis->stage == ANALYSIS_GRAM)
        gram_wait(analysis->gram_pass, TICK_SECONDS);
    else if (analysis->stage == ANALYSIS_SPECTRA && analysis->spectra != NULL)
        spectra_wait(analysis->spectra, TICK_SECONDS);
}

/* Copies the failure, or says that there was none. */
static bool outcome(const struct analysis *analysis, struct error *error) {
    if (analysis->stage != ANALYSIS_FAILED)
        return true;
    error_set(error, analysis->error.kind, "%s", analysis->error.message);
    if (analysis->error.hint != NULL)
        error_hint(error, "%s", analysis->error.hint);
    return false;
}

bool analysis_wait(struct analysis *analysis, void (*tick)(void *, const struct analysis *),
                   void *tick_context, struct error *error) {
    while (analysis_advance(analysis) < ANALYSIS_DONE) {
        if (is_stopped(analysis))
            return stop(analysis, error);
        wait_for_stage(analysis);
        if (tick != NULL)
            tick(tick_context, analysis);
    }
    return outcome(analysis, error);
}

bool analysis_wait_core(struct analysis *analysis, void (*tick)(void *, const struct analysis *),
                        void *tick_context, struct error *error) {
    advance_gram(analysis);
    while (analysis->stage == ANALYSIS_GRAM) {
        if (is_stopped(analysis))
            return stop(analysis, error);
        wait_for_stage(analysis);
        if (tick != NULL)
            tick(tick_context, analysis);
        advance_gram(analysis);
    }
    return outcome(analysis, error);
}

const double *analysis_gram(const struct analysis *analysis, size_t layer) {
    size_t n = analysis->table->specialist_count;
    return analysis->gram + layer * n * n;
}

void analysis_abandon(struct analysis *analysis) {
    spectra_abandon(analysis->spectra);
    analysis->spectra = NULL;
    analysis_free(analysis);
}

void analysis_free(struct analysis *analysis) {
    if (analysis == NULL)
        return;
    gram_free(analysis->gram_pass);
    spectra_free(analysis->spectra);
    real_core_free(analysis->core);
    known_release(analysis->known);
    error_free(&analysis->error);
    free(analysis);
}
