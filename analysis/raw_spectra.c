#include "analysis/raw_spectra.h"

#include <stdlib.h>
#include <string.h>

/* One layer that was asked for: its N task vectors, then the base. */
struct asked {
    const struct tensor_table *table;
    size_t layer;
    struct batch *batch;
    _Atomic bool failed;
    _Atomic(struct spectrum *) *results; /* [N + 1]; set once, when ready */
};

struct raw_spectra {
    const struct tensor_table *table;
    struct pool *pool;
    struct notifier notifier;
    struct asked *layers; /* [layer_count]; without results: not asked for */
    struct asked *latest; /* the one that is computed; others are put off */
};

struct raw_spectra *raw_spectra_create(const struct tensor_table *table, struct pool *pool,
                                       struct notifier notifier) {
    struct raw_spectra *raw = memory_array(1, sizeof *raw);
    *raw = (struct raw_spectra){.table = table, .pool = pool, .notifier = notifier};
    raw->layers = memory_array(table->layer_count, sizeof *raw->layers);
    return raw;
}

/* The task vector of specialist item; behind the last one the base, as what differs from 0. */
static bool compute(const struct layer *layer, size_t n, size_t item, struct spectrum *spectrum,
                    struct error *error) {
    double coefficients[SPECIALIST_LIMIT] = {0};
    const struct tensor *whole = layer->base;
    struct layer base = *layer;
    if (item < n) {
        coefficients[item] = 1;
        return spectrum_of_combination(layer, n, coefficients, spectrum, error);
    }
    coefficients[0] = 1;
    base.base = NULL;
    base.specialists = &whole;
    return spectrum_of_combination(&base, 1, coefficients, spectrum, error);
}

static void run_item(void *context, size_t item) {
    struct asked *asked = context;
    if (atomic_load(&asked->results[item]) != NULL)
        return; /* from before it was put off */
    struct spectrum *spectrum = memory_array(1, sizeof *spectrum);
    struct error error = {0};
    if (compute(&asked->table->layers[asked->layer], asked->table->specialist_count, item, spectrum,
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
        asked->layer = layer;
        asked->results = memory_array(raw->table->specialist_count + 1, sizeof *asked->results);
    }
    return asked;
}

static struct spectrum *copy_of(const struct spectrum *known) {
    struct spectrum *copy = memory_array(1, sizeof *copy);
    spectrum_of_values(known->sigma, known->count, known->rows, known->cols, copy);
    return copy;
}

/* The specialist of that path, or their number. */
static size_t find_path(const struct tensor_table *table, const char *path) {
    size_t at = 0;
    while (at < table->specialist_count && strcmp(table->specialists[at].path, path) != 0)
        at++;
    return at;
}

/* What older knows of one layer, from there on called layer. */
static void take_layer(struct raw_spectra *raw, size_t layer, const struct raw_spectra *older,
                       size_t from) {
    const struct tensor_table *table = raw->table;
    const struct spectrum *known = raw_spectra_base(older, from);
    _Atomic(struct spectrum *) *results = asked_for(raw, layer)->results;
    if (known != NULL)
        atomic_store(&results[table->specialist_count], copy_of(known));
    for (size_t i = 0; i < table->specialist_count; i++) {
        size_t at = find_path(older->table, table->specialists[i].path);
        known = at < older->table->specialist_count ? raw_spectra_task(older, from, at) : NULL;
        if (known != NULL)
            atomic_store(&results[i], copy_of(known));
    }
}

struct raw_spectra *raw_spectra_create_from(const struct raw_spectra *older,
                                            const struct tensor_table *table, struct pool *pool,
                                            struct notifier notifier) {
    struct raw_spectra *raw = raw_spectra_create(table, pool, notifier);
    for (size_t l = 0; l < table->layer_count; l++) {
        size_t from = tensor_table_find(older->table, table->layers[l].name);
        if (from < older->table->layer_count && older->layers[from].results != NULL &&
            table->layers[l].role == ROLE_MATRIX)
            take_layer(raw, l, older, from);
    }
    return raw;
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
    free(raw);
}
