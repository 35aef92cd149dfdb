#include "analysis/raw_spectra.h"

#include <stdlib.h>
#include <string.h>

/* One layer that was asked for: its N task vectors, then the base. */
struct asked {
    const struct tensor_table *table;
    struct known *known;
    size_t layer;
    struct batch *batch;
    _Atomic bool failed;
    _Atomic(struct spectrum *) *results; /* [N + 1]; set once, when ready */
};

struct raw_spectra {
    const struct tensor_table *table;
    struct known *known;
    struct pool *pool;
    struct notifier notifier;
    struct asked *layers; /* [layer_count]; without results: not asked for */
    struct asked *latest; /* the one that is computed; others are put off */
};

struct raw_spectra *raw_spectra_create(const struct tensor_table *table, struct known *known,
                                       struct pool *pool, struct notifier notifier) {
    struct raw_spectra *raw = memory_array(1, sizeof *raw);
    *raw = (struct raw_spectra){
        .table = table, .known = known_share(known), .pool = pool, .notifier = notifier};
    raw->layers = memory_array(table->layer_count, sizeof *raw->layers);
    return raw;
}

/* coefficients NULL: the base, as what differs from 0. */
static bool compute(const struct layer *layer, size_t n, const double *coefficients,
                    struct spectrum *spectrum, struct error *error) {
    const double one = 1;
    const struct tensor *whole = layer->base;
    struct layer base = *layer;
    if (coefficients != NULL)
        return spectrum_of_combination(layer, n, coefficients, spectrum, error);
    base.base = NULL;
    base.specialists = &whole;
    return spectrum_of_combination(&base, 1, &one, spectrum, error);
}

/* As known from before, else computed. */
static bool find(const struct asked *asked, const double *coefficients, struct spectrum *spectrum,
                 struct error *error) {
    const struct layer *layer = &asked->table->layers[asked->layer];
    size_t count = layer_max_rank(layer);
    double *sigma = memory_array(count, sizeof *sigma);
    bool good = known_spectrum(asked->known, asked->layer, coefficients, sigma);
    if (good) {
        spectrum_of_values(sigma, count, layer->rows, layer->cols, spectrum);
    } else {
        good = compute(layer, asked->table->specialist_count, coefficients, spectrum, error);
        if (good)
            known_add_spectrum(asked->known, asked->layer, coefficients, spectrum->sigma);
    }
    free(sigma);
    return good;
}

/* The task vector of specialist item; behind the last one the base. */
static void run_item(void *context, size_t item) {
    struct asked *asked = context;
    double coefficients[SPECIALIST_LIMIT + 1] = {0};
    if (atomic_load(&asked->results[item]) != NULL)
        return; /* from before it was put off */
    coefficients[item] = 1;
    struct spectrum *spectrum = memory_array(1, sizeof *spectrum);
    struct error error = {0};
    if (find(asked, item < asked->table->specialist_count ? coefficients : NULL, spectrum,
             &error)) {
        atomic_store_explicit(&asked->results[item], spectrum, memory_order_release);
    } else {
        atomic_store(&asked->failed, true);
        free(spectrum);
    }
    error_free(&error);
}

static bool is_complete(const struct asked *asked) {
    bool complete = true;
    for (size_t i = 0; i <= asked->table->specialist_count; i++)
        complete &= atomic_load(&asked->results[i]) != NULL;
    return complete || atomic_load(&asked->failed);
}

static struct asked *asked_for(struct raw_spectra *raw, size_t layer) {
    struct asked *asked = &raw->layers[layer];
    if (asked->results == NULL) {
        asked->table = raw->table;
        asked->known = raw->known;
        asked->layer = layer;
        asked->results = memory_array(raw->table->specialist_count + 1, sizeof *asked->results);
    }
    return asked;
}

void raw_spectra_ask(struct raw_spectra *raw, size_t layer) {
    if (raw->table->layers[layer].role != ROLE_MATRIX)
        return;
    struct asked *asked = asked_for(raw, layer);
    if (raw->latest != NULL && raw->latest != asked)
        batch_cancel(raw->latest->batch);
    raw->latest = asked;
    if (asked->batch != NULL && (is_complete(asked) || !batch_finished(asked->batch)))
        return; /* where it was put off and still ends an item, it is asked for again */
    batch_free(asked->batch);
    asked->batch =
        batch_start(raw->pool, raw->table->specialist_count + 1, run_item, asked, raw->notifier);
    batch_hurry(asked->batch);
}

static const struct spectrum *result(const struct raw_spectra *raw, size_t layer, size_t item) {
    const struct asked *asked = &raw->layers[layer];
    return asked->results != NULL
               ? atomic_load_explicit(&asked->results[item], memory_order_acquire)
               : NULL;
}

const struct spectrum *raw_spectra_task(const struct raw_spectra *raw, size_t layer,
                                        size_t specialist) {
    return result(raw, layer, specialist);
}

const struct spectrum *raw_spectra_base(const struct raw_spectra *raw, size_t layer) {
    return result(raw, layer, raw->table->specialist_count);
}

bool raw_spectra_idle(const struct raw_spectra *raw) {
    for (size_t l = 0; l < raw->table->layer_count; l++)
        if (raw->layers[l].batch != NULL && !batch_finished(raw->layers[l].batch))
            return false;
    return true;
}

bool raw_spectra_failed(const struct raw_spectra *raw, size_t layer) {
    return atomic_load(&raw->layers[layer].failed);
}

static void asked_free(struct asked *asked, size_t count) {
    batch_free(asked->batch);
    for (size_t i = 0; i < count && asked->results != NULL; i++) {
        struct spectrum *spectrum = atomic_load(&asked->results[i]);
        if (spectrum != NULL)
            spectrum_free(spectrum);
        free(spectrum);
    }
    free(asked->results);
}

void raw_spectra_free(struct raw_spectra *raw) {
    if (raw == NULL)
        return;
    for (size_t l = 0; l < raw->table->layer_count; l++)
        asked_free(&raw->layers[l], raw->table->specialist_count + 1);
    free(raw->layers);
    known_release(raw->known);
    free(raw);
}
