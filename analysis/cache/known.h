/* What is known from before of the files of one table: inner products of task vectors, and singular
 * values of their combinations. Both are found again by what the files hold, whatever their names:
 *
 *     identity   a digest of a file's header, sizes and a sample of every tensor; of all its
 *                bytes where the cache verifies
 *     part       the identity, and which tensor of the file meets the layer, and how
 *     key        the parts that enter a number, and the coefficients of its formula
 *
 * A file that was written to under the same path, to the same sample, counts as another one. A
 * specialist that is added leaves all products of the others known. */
#ifndef R2M_ANALYSIS_CACHE_KNOWN_H
#define R2M_ANALYSIS_CACHE_KNOWN_H

#include "analysis/cache/cache.h"
#include "analysis/support/pool.h"
#include "analysis/support/progress.h"
#include "analysis/tensor_table.h"

struct known;

/* Begins to identify the files, on the pool. table and cache must outlive it. cache NULL: NULL,
 * which the other functions accept: nothing is known. progress (may be NULL) counts bytes where all
 * are read. notifier as in pool.h. */
struct known *known_start(const struct tensor_table *table, struct cache *cache, struct pool *pool,
                          struct progress *progress, struct notifier notifier);

/* True when the files are identified; only then ask for numbers. */
bool known_ready(struct known *known);
bool known_wait(struct known *known, double seconds);

/* Another owner; every owner releases. Waits for the identification where it still runs. */
struct known *known_share(struct known *known);
void known_release(struct known *known);

/* <tau_i, tau_j> in a shared layer; in a head, with i = j, that all values of the file are finite
 * (*product is then 0). May be called by any thread, as all that follow. */
bool known_product(struct known *known, size_t layer, size_t i, size_t j, double *product);
void known_add_product(struct known *known, size_t layer, size_t i, size_t j, double product);

/* Singular values of the sum of coefficients[N] times the task vectors, layer_max_rank of them;
 * coefficients NULL: of the base's weights. */
bool known_spectrum(struct known *known, size_t layer, const double *coefficients, double *sigma);
void known_add_spectrum(struct known *known, size_t layer, const double *coefficients,
                        const double *sigma);

#endif
