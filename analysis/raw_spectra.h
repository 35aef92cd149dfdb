/* Spectra of what the files hold: of each task vector, and of the base's weights themselves. Only
 * to be looked at, no number of the merge depends on them; so they are computed a layer at a time,
 * when asked for.
 *
 *     raw_spectra_ask(raw, layer);
 *     until raw_spectra_task(raw, layer, specialist) is not NULL, wait for the notifier
 *
 * All values must be finite: ask after the Gram pass, which looks. */
#ifndef R2M_ANALYSIS_RAW_SPECTRA_H
#define R2M_ANALYSIS_RAW_SPECTRA_H

#include "analysis/spectra.h"

struct raw_spectra;

/* table and pool must outlive the set; known (may be NULL) has spectra from before and gets the
 * others; notifier as in pool.h. Nothing is computed yet. */
struct raw_spectra *raw_spectra_create(const struct tensor_table *table, struct known *known,
                                       struct pool *pool, struct notifier notifier);

/* Computes that layer's spectra in the background, before all other work, unless they are there or
 * it is not a matrix; what other layers lack is put off until they are asked for again. Ask again
 * after every notice while a spectrum is missing. Only the owner's thread asks. */
void raw_spectra_ask(struct raw_spectra *raw, size_t layer);

/* Spectrum of tau_specialist, or of theta_0, in that layer; NULL: not ready, not asked for, not a
 * matrix, or it failed. They never change afterwards. */
const struct spectrum *raw_spectra_task(const struct raw_spectra *raw, size_t layer,
                                        size_t specialist);
const struct spectrum *raw_spectra_base(const struct raw_spectra *raw, size_t layer);

/* True when nothing that was asked for is still computed. */
bool raw_spectra_idle(const struct raw_spectra *raw);

/* Whether one of the layer's spectra could not be computed: memory is short, or LAPACK did not
 * converge. */
bool raw_spectra_failed(const struct raw_spectra *raw, size_t layer);

/* Waits for running items; NULL is accepted. */
void raw_spectra_free(struct raw_spectra *raw);

#endif
