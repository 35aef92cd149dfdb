#include "analysis/spectra.h"

#include "analysis/factors.h"
#include "analysis/needs.h"
#include "analysis/support/ranks.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Singular vectors found on the way. */
struct kept {
    size_t rank;
    struct low_rank low_rank;
};

struct spectra {
    const struct tensor_table *table;
    size_t n, total;
    size_t own;           /* this rank: it works on its layers, others are skipped */
    size_t *layers;       /* matrix layers, the longest work first: item / N is a place here */
    size_t *places;       /* [layer_count] the layer's place in layers; SIZE_MAX: no matrix */
    double *coefficients; /* [total x N] of the item's residual */
    struct known *known;  /* from before; NULL: nothing */
    struct batch *batch;
    _Atomic(struct spectrum *) *results; /* [total]; set once, when ready */
    _Atomic size_t ready;
    struct vector_wish wish;
    struct kept **kept; /* [total], NULL where nothing is kept; there before the result is */
    _Atomic uint64_t kept_bytes;
    pthread_mutex_t mutex; /* over what follows */
    struct progress *progress;
    bool cancelled;
    struct error error; /* the first failure */
};

struct ranked {
    double work;
    size_t layer;
};

static int compare_work(const void *one, const void *other) {
    const struct ranked *a = one, *b = other;
    if (a->work != b->work)
        return a->work > b->work ? -1 : 1;
    return (a->layer > b->layer) - (a->layer < b->layer);
}

static void rank_layers(struct spectra *spectra) {
    const struct tensor_table *table = spectra->table;
    struct ranked *ranked = memory_array(table->matrix_count, sizeof *ranked);
    size_t count = 0;
    spectra->layers = memory_array(table->matrix_count, sizeof *spectra->layers);
    spectra->places = memory_array(table->layer_count, sizeof *spectra->places);
    for (size_t l = 0; l < table->layer_count; l++) {
        spectra->places[l] = SIZE_MAX;
        if (table->layers[l].role == ROLE_MATRIX)
            ranked[count++] = (struct ranked){reduction_operations(&table->layers[l]), l};
    }
    qsort(ranked, count, sizeof *ranked, compare_work);
    for (size_t place = 0; place < count; place++) {
        spectra->layers[place] = ranked[place].layer;
        spectra->places[ranked[place].layer] = place;
    }
    free(ranked);
}

/* Asks whether the pass was cancelled, and remembers it. */
static bool is_cancelled(struct spectra *spectra) {
    pthread_mutex_lock(&spectra->mutex);
    if (spectra->progress != NULL && atomic_load(&spectra->progress->cancel))
        spectra->cancelled = true;
    bool answer = spectra->cancelled;
    pthread_mutex_unlock(&spectra->mutex);
    return answer;
}

/* Keeps the first failure, with file and tensor. */
static void note_failure(struct spectra *spectra, const struct layer *layer, size_t specialist,
                         const char *reason) {
    pthread_mutex_lock(&spectra->mutex);
    if (spectra->error.kind == ERROR_NONE)
        error_set(&spectra->error, ERROR_INPUT, "%s: tensor %s: %s",
                  spectra->table->specialists[specialist].path, layer->name, reason);
    pthread_mutex_unlock(&spectra->mutex);
}

static void count_progress(struct spectra *spectra, const struct layer *layer) {
    pthread_mutex_lock(&spectra->mutex);
    if (spectra->progress != NULL)
        atomic_fetch_add(&spectra->progress->done, (uint64_t)reduction_operations(layer));
    pthread_mutex_unlock(&spectra->mutex);
}

/* Where the eigenvalues of the square fail: the singular values of the residual itself. */
static bool compute_reference(const struct layer *layer, size_t n, const double *coefficients,
                              struct spectrum *spectrum, struct error *error) {
    double *matrix = malloc(layer->rows * layer->cols * sizeof *matrix);
    if (matrix == NULL)
        return error_set(error, ERROR_INPUT, "no memory for a residual of %zu x %zu", layer->rows,
                         layer->cols);
    task_vector_combine(layer, n, coefficients, 0, layer->rows * layer->cols, matrix);
    bool good = spectrum_reference(matrix, layer->rows, layer->cols, spectrum, error);
    free(matrix);
    return good;
}

/* How many singular vectors are wished for; 0 for all of them, too. */
static size_t wished_rank(const struct spectra *spectra, size_t item,
                          const struct spectrum *spectrum) {
    const struct vector_wish *wish = &spectra->wish;
    size_t l = spectra->layers[item / spectra->n];
    size_t rank =
        wish->rank != NULL ? wish->rank(wish->context, l, item % spectra->n, spectrum) : 0;
    return rank < spectrum->count ? rank : 0;
}

/* Keeps the singular vectors that are wished for, as far as there is room. What is not kept is
 * computed again, to the same bytes, so that neither room nor failure matters here. */
static void keep_vectors(struct spectra *spectra, size_t item, const struct tridiagonal *reduced,
                         const struct spectrum *spectrum) {
    const struct vector_wish *wish = &spectra->wish;
    size_t l = spectra->layers[item / spectra->n], n = reduced->n;
    size_t rank = wished_rank(spectra, item, spectrum);
    if (rank == 0)
        return;
    uint64_t bytes = (uint64_t)n * (rank > n / 2 ? n - rank : rank) * sizeof(double);
    struct kept *kept = memory_array(1, sizeof *kept);
    kept->rank = rank;
    if (atomic_fetch_add(&spectra->kept_bytes, bytes) + bytes <= wish->bytes &&
        low_rank_take(reduced, &spectra->table->layers[l], rank, &kept->low_rank) == 0) {
        spectra->kept[item] = kept;
        return;
    }
    atomic_fetch_sub(&spectra->kept_bytes, bytes);
    free(kept);
}

/* *reduced gets what the values came from, to be freed, where *is_reduced. */
static bool compute_reduced(const struct layer *layer, size_t n, const double *coefficients,
                            struct tridiagonal *reduced, bool *is_reduced,
                            struct spectrum *spectrum, struct error *error) {
    *is_reduced = false;
    if (factors_rank(layer, n, coefficients) != SIZE_MAX)
        return factors_spectrum(layer, n, coefficients, spectrum, error);
    switch (task_vector_reduce(layer, n, coefficients, reduced)) {
    case 0:
        *spectrum = spectrum_from_eigenvalues(reduced->values, layer->rows, layer->cols);
        *is_reduced = true;
        return true;
    case TRIDIAGONAL_DIVERGED:
        return compute_reference(layer, n, coefficients, spectrum, error);
    default:
        return error_set(error, ERROR_INPUT, "no memory for a Gram matrix of %zu x %zu",
                         layer_max_rank(layer), layer_max_rank(layer));
    }
}

bool spectrum_of_combination(const struct layer *layer, size_t n, const double *coefficients,
                             struct spectrum *spectrum, struct error *error) {
    struct tridiagonal reduced;
    bool is_reduced;
    bool good = compute_reduced(layer, n, coefficients, &reduced, &is_reduced, spectrum, error);
    if (is_reduced)
        tridiagonal_free(&reduced);
    return good;
}

static bool compute(struct spectra *spectra, size_t item, struct spectrum *spectrum,
                    struct error *error) {
    const struct layer *layer = &spectra->table->layers[spectra->layers[item / spectra->n]];
    struct tridiagonal reduced;
    bool is_reduced;
    bool good = compute_reduced(layer, spectra->n, spectra->coefficients + item * spectra->n,
                                &reduced, &is_reduced, spectrum, error);
    if (is_reduced) {
        keep_vectors(spectra, item, &reduced, spectrum);
        tridiagonal_free(&reduced);
    }
    return good;
}

/* What is known from before, and needs no vectors now. */
static bool recall(struct spectra *spectra, size_t item, struct spectrum *spectrum) {
    size_t l = spectra->layers[item / spectra->n];
    const struct layer *layer = &spectra->table->layers[l];
    if (spectra->known == NULL)
        return false;
    double *sigma = memory_array(layer_max_rank(layer), sizeof *sigma);
    bool found =
        known_spectrum(spectra->known, l, spectra->coefficients + item * spectra->n, sigma);
    if (found)
        spectrum_of_values(sigma, layer_max_rank(layer), layer->rows, layer->cols, spectrum);
    free(sigma);
    if (found && !spectra->wish.late && wished_rank(spectra, item, spectrum) > 0) {
        spectrum_free(spectrum);
        return false;
    }
    return found;
}

static bool compute_and_add(struct spectra *spectra, size_t item, struct spectrum *spectrum,
                            struct error *error) {
    if (!compute(spectra, item, spectrum, error))
        return false;
    known_add_spectrum(spectra->known, spectra->layers[item / spectra->n],
                       spectra->coefficients + item * spectra->n, spectrum->sigma);
    return true;
}

static void run_item(void *context, size_t item) {
    struct spectra *spectra = context;
    size_t specialist = item % spectra->n;
    const struct layer *layer = &spectra->table->layers[spectra->layers[item / spectra->n]];
    if (layer->owner != spectra->own || is_cancelled(spectra))
        return;
    struct error error = {0};
    struct spectrum *spectrum = memory_array(1, sizeof *spectrum);
    if (recall(spectra, item, spectrum) || compute_and_add(spectra, item, spectrum, &error)) {
        atomic_store_explicit(&spectra->results[item], spectrum, memory_order_release);
        atomic_fetch_add(&spectra->ready, 1);
    } else {
        note_failure(spectra, layer, specialist, error.message);
        free(spectrum);
    }
    error_free(&error);
    count_progress(spectra, layer);
}

static const struct layer *layer_of(const struct spectra *spectra, size_t item) {
    return &spectra->table->layers[spectra->layers[item / spectra->n]];
}

static void announce_work(struct spectra *spectra) {
    uint64_t total = 0;
    for (size_t item = 0; item < spectra->total; item++)
        if (layer_of(spectra, item)->owner == spectra->own)
            total += (uint64_t)reduction_operations(layer_of(spectra, item));
    atomic_store(&spectra->progress->done, 0);
    atomic_store(&spectra->progress->total, total);
}

struct spectra *spectra_start(const struct tensor_table *table, const struct real_core *core,
                              const struct vector_wish *wish, struct known *known,
                              struct pool *pool, struct progress *progress,
                              struct notifier notifier) {
    struct spectra *spectra = memory_array(1, sizeof *spectra);
    size_t n = table->specialist_count;
    spectra->table = table;
    spectra->n = n;
    spectra->total = table->matrix_count * n;
    spectra->own = ranks_own();
    spectra->known = known_share(known);
    spectra->progress = progress;
    pthread_mutex_init(&spectra->mutex, NULL);
    rank_layers(spectra);
    if (wish != NULL)
        spectra->wish = *wish;
    spectra->results = memory_array(spectra->total, sizeof *spectra->results);
    spectra->kept = memory_array(spectra->total, sizeof(struct kept *));
    spectra->coefficients = memory_array(spectra->total * n, sizeof *spectra->coefficients);
    for (size_t item = 0; item < spectra->total; item++)
        residual_coefficients(core, spectra->layers[item / n], item % n,
                              spectra->coefficients + item * n);
    if (progress != NULL)
        announce_work(spectra);
    spectra->batch = batch_start(pool, spectra->total, run_item, spectra, notifier);
    return spectra;
}

const struct spectrum *spectra_get(const struct spectra *spectra, size_t layer, size_t specialist) {
    size_t place = spectra->places[layer];
    if (place == SIZE_MAX)
        return NULL;
    return atomic_load_explicit(&spectra->results[place * spectra->n + specialist],
                                memory_order_acquire);
}

const struct low_rank *spectra_vectors(const struct spectra *spectra, size_t layer,
                                       size_t specialist, size_t rank) {
    if (spectra == NULL || spectra_get(spectra, layer, specialist) == NULL)
        return NULL;
    const struct kept *kept = spectra->kept[spectra->places[layer] * spectra->n + specialist];
    return kept != NULL && kept->rank == rank ? &kept->low_rank : NULL;
}

void spectra_prefer(struct spectra *spectra, size_t layer) {
    size_t place = spectra->places[layer];
    if (place != SIZE_MAX)
        batch_prefer(spectra->batch, place * spectra->n, spectra->n);
}

size_t spectra_total(const struct spectra *spectra) {
    return spectra->total;
}

size_t spectra_ready(const struct spectra *spectra) {
    return atomic_load(&spectra->ready);
}

bool spectra_finished(struct spectra *spectra) {
    return batch_finished(spectra->batch);
}

bool spectra_wait(struct spectra *spectra, double seconds) {
    return batch_wait(spectra->batch, seconds);
}

/* Whether all of this rank are there. */
static bool check_own(struct spectra *spectra, struct error *error) {
    bool good = true;
    pthread_mutex_lock(&spectra->mutex);
    if (spectra->error.kind != ERROR_NONE)
        good = error_set(error, spectra->error.kind, "%s", spectra->error.message);
    for (size_t item = 0; item < spectra->total && good; item++)
        if (layer_of(spectra, item)->owner == spectra->own &&
            atomic_load(&spectra->results[item]) == NULL)
            good = error_set(error, ERROR_CANCELLED, "interrupted");
    pthread_mutex_unlock(&spectra->mutex);
    return good;
}

/* The singular values of all items in one stretch: put there, or taken from there where this rank
 * has none. */
static void copy_values(struct spectra *spectra, const size_t *first, double *values, bool take) {
    for (size_t item = 0; item < spectra->total; item++) {
        const struct layer *layer = layer_of(spectra, item);
        struct spectrum *spectrum = atomic_load(&spectra->results[item]);
        if (!take && spectrum != NULL) {
            memcpy(values + first[item], spectrum->sigma, spectrum->count * sizeof *values);
        } else if (take && spectrum == NULL) {
            spectrum = memory_array(1, sizeof *spectrum);
            spectrum_of_values(values + first[item], layer_max_rank(layer), layer->rows,
                               layer->cols, spectrum);
            atomic_store_explicit(&spectra->results[item], spectrum, memory_order_release);
            atomic_fetch_add(&spectra->ready, 1);
        }
    }
}

/* Every spectrum from its layer's owner. */
static void gather(struct spectra *spectra) {
    size_t *first = memory_array(spectra->total + 1, sizeof *first);
    size_t *owners = memory_array(spectra->total, sizeof *owners);
    for (size_t item = 0; item < spectra->total; item++) {
        first[item + 1] = first[item] + layer_max_rank(layer_of(spectra, item));
        owners[item] = layer_of(spectra, item)->owner;
    }
    double *values = memory_array(first[spectra->total], sizeof *values);
    copy_values(spectra, first, values, false);
    ranks_gather(values, first, spectra->total, owners);
    copy_values(spectra, first, values, true);
    free(values);
    free(owners);
    free(first);
}

bool spectra_check(struct spectra *spectra, struct error *error) {
    if (!ranks_agree(check_own(spectra, error), error))
        return false;
    if (ranks_count() > 1)
        gather(spectra);
    return true;
}

/* All but the batch. */
static void release(void *context) {
    struct spectra *spectra = context;
    for (size_t item = 0; item < spectra->total; item++) {
        struct spectrum *spectrum = atomic_load(&spectra->results[item]);
        if (spectrum != NULL)
            spectrum_free(spectrum);
        free(spectrum);
        if (spectra->kept[item] != NULL)
            low_rank_free(&spectra->kept[item]->low_rank);
        free(spectra->kept[item]);
    }
    pthread_mutex_destroy(&spectra->mutex);
    known_release(spectra->known);
    free(spectra->layers);
    free(spectra->places);
    free(spectra->coefficients);
    free(spectra->results);
    free(spectra->kept);
    error_free(&spectra->error);
    free(spectra);
}

void spectra_abandon(struct spectra *spectra) {
    if (spectra == NULL)
        return;
    pthread_mutex_lock(&spectra->mutex);
    spectra->progress = NULL; /* it counts for the next set from now on */
    pthread_mutex_unlock(&spectra->mutex);
    batch_detach(spectra->batch, release);
}

void spectra_free(struct spectra *spectra) {
    if (spectra == NULL)
        return;
    batch_free(spectra->batch);
    release(spectra);
}
