/* The spectra pass: one spectrum for each matrix layer and specialist, of the residual R_i that a
 * given Real core leaves. A set of spectra belongs to one core; another core needs another set.
 *
 * Items are published one by one: spectra_get gives NULL until that one is ready, and never
 * changes afterwards, so a screen may read while workers write. */
#ifndef R2M_ANALYSIS_SPECTRA_H
#define R2M_ANALYSIS_SPECTRA_H

#include "analysis/cache/known.h"
#include "analysis/low_rank.h"
#include "analysis/real_core.h"
#include "analysis/spectrum.h"
#include "analysis/support/pool.h"
#include "analysis/support/progress.h"

struct spectra;

/* Singular vectors to keep beside the values, for a merge that follows: a spectrum's reduction
 * gives both. */
struct vector_wish {
    /* How many first vectors of that residual; 0 and all: none. Called by workers. */
    size_t (*rank)(const void *context, size_t layer, size_t specialist,
                   const struct spectrum *spectrum);
    const void *context;
    uint64_t bytes; /* room for all of them */
    bool late;      /* values that are known from before need no vectors: the merge finds them */
};

/* Starts the pass. table must outlive the set; what it needs of core is copied. wish may be NULL:
 * only values. known (may be NULL) has those of before, which are not computed again unless their
 * vectors are wished for now, and gets the others. progress counts floating point operations (may
 * be NULL). notifier as in pool.h. */
struct spectra *spectra_start(const struct tensor_table *table, const struct real_core *core,
                              const struct vector_wish *wish, struct known *known,
                              struct pool *pool, struct progress *progress,
                              struct notifier notifier);

/* Spectrum of R_specialist in that layer, or NULL: not ready yet, or not a matrix. */
const struct spectrum *spectra_get(const struct spectra *spectra, size_t layer, size_t specialist);

/* The truncation to that rank, where its vectors were kept, else NULL; owned by the set (which may
 * be NULL). */
const struct low_rank *spectra_vectors(const struct spectra *spectra, size_t layer,
                                       size_t specialist, size_t rank);

/* That layer's spectra are computed next. */
void spectra_prefer(struct spectra *spectra, size_t layer);

/* Number of matrix layers x specialists, and how many are ready. */
size_t spectra_total(const struct spectra *spectra);
size_t spectra_ready(const struct spectra *spectra);

bool spectra_finished(struct spectra *spectra);
bool spectra_wait(struct spectra *spectra, double seconds);

/* After the end, together with all ranks (ranks.h; each has found those of its layers, with their
 * vectors, and gets the values of the others): true when all are there, else the first failure
 * (LAPACK did not converge, memory short), with its tensor. */
bool spectra_check(struct spectra *spectra, struct error *error);

/* Lets running items end in the background without waiting for them, then releases the set: the
 * keyboard never waits for LAPACK. progress is no longer counted. spectra must not be used
 * afterwards; NULL is accepted. The table must stay open until the pool is freed. */
void spectra_abandon(struct spectra *spectra);

/* Cancels, waits for running items, releases; NULL is accepted. */
void spectra_free(struct spectra *spectra);

/* Spectrum of one combination of task vectors (task_vector.h), [N] coefficients. Errors: memory is
 * short, LAPACK does not converge. */
bool spectrum_of_combination(const struct layer *layer, size_t n, const double *coefficients,
                             struct spectrum *spectrum, struct error *error);

#endif
