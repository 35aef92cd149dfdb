/* All that is known of one base and its specialists, and the way there: open, Gram pass, Real
 * core, spectra. Stages run on the pool; the owner's thread moves from stage to stage:
 *
 *     struct analysis *analysis = analysis_start(table, cache, pool, &settings, notifier);
 *     until analysis_advance() says ANALYSIS_DONE or ANALYSIS_FAILED, wait for the notifier
 *
 * or, without a screen, analysis_wait(). Only the owner's thread calls these functions. */
#ifndef R2M_ANALYSIS_ANALYSIS_H
#define R2M_ANALYSIS_ANALYSIS_H

#include "analysis/energy.h"
#include "analysis/gram.h"
#include "analysis/spectra.h"

/* The Gram stage begins with what is known from before. */
enum analysis_stage { ANALYSIS_GRAM, ANALYSIS_SPECTRA, ANALYSIS_DONE, ANALYSIS_FAILED };

struct analysis {
    const struct tensor_table *table; /* borrowed */
    struct pool *pool;                /* borrowed */
    enum analysis_stage stage;
    struct progress progress; /* of the running stage: bytes, then operations */
    const double *gram;       /* all layers; NULL until the Gram pass has ended */
    struct real_core *core;   /* NULL until then */
    struct spectra *spectra;  /* NULL until then */
    unsigned generation;      /* counts every change of gram, core or the set of spectra */
    struct error error;       /* why it failed; a wrong core setting leaves the old core */
    struct real_settings settings;
    struct known *known;         /* NULL without a cache */
    struct gram_pass *gram_pass; /* NULL until the files are identified */
    struct notifier notifier;
    struct vector_wish wish;
};

/* Identifies the files, where there is a cache (which must outlive the pool; NULL: none), then
 * starts the Gram pass. What the cache knows is not computed again; what is found goes there as it
 * comes, so that an analysis that was interrupted goes on where it was. */
struct analysis *analysis_start(const struct tensor_table *table, struct cache *cache,
                                struct pool *pool, const struct real_settings *settings,
                                struct notifier notifier);

/* Moves on to the next stage where the current one has ended; returns at once. */
enum analysis_stage analysis_advance(struct analysis *analysis);

/* Singular vectors that spectra passes begun from now on keep (spectra.h). */
void analysis_wish(struct analysis *analysis, const struct vector_wish *wish);

/* Other settings of the Real core: a new core at once, and new spectra in the background (the old
 * ones are abandoned). false with an error, and nothing changed, when the settings do not fit.
 * Before the Gram pass has ended the settings are kept for then. */
bool analysis_set_real(struct analysis *analysis, const struct real_settings *settings,
                       struct error *error);

/* That layer's spectra first. */
void analysis_prefer(struct analysis *analysis, size_t layer);

/* Runs to the end. tick (may be NULL) is called about ten times a second with the analysis.
 * progress.cancel ends it early with ERROR_CANCELLED. */
bool analysis_wait(struct analysis *analysis, void (*tick)(void *, const struct analysis *),
                   void *tick_context, struct error *error);

/* Runs only the Gram pass and the core, for a merge that needs no spectrum. */
bool analysis_wait_core(struct analysis *analysis, void (*tick)(void *, const struct analysis *),
                        void *tick_context, struct error *error);

/* G of one layer. */
const double *analysis_gram(const struct analysis *analysis, size_t layer);

/* Releases without waiting for spectra that are being computed; the table must stay open until the
 * pool is freed. */
void analysis_abandon(struct analysis *analysis);

void analysis_free(struct analysis *analysis);

#endif
