#include "analysis/gram.h"

#include <cblas.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    PIECE_ELEMENTS = 512, /* base and three differences stay in the first-level cache */
    WIDE_ELEMENTS = 1 << 15,
    ITEM_ELEMENTS = 1 << 20
};

/* A stretch of one layer. */
struct item {
    size_t layer;
    uint64_t first, count;
};

/* Values of one tensor of one file that are not finite. */
struct fault {
    uint64_t count, first;
};

struct gram_pass {
    const struct tensor_table *table;
    size_t n;
    struct progress *progress;
    struct batch *batch;
    struct item *items;
    double *partial; /* [items x N x N], upper triangles; summed in the order of the items */
    size_t item_count;
    double *gram;          /* the result, once asked for */
    pthread_mutex_t mutex; /* over faults */
    struct fault *faults;  /* [layers x (1 + N)], NULL while there is none */
    _Atomic bool cancelled;
};

static const struct tensor *tensor_of(const struct layer *layer, size_t file) {
    return file == 0 ? layer->base : layer->specialists[file - 1];
}

/* Tensors that the merge does arithmetic on; a head's base does not enter it (where an adapter
 * leaves the head as it is, it is that specialist's). */
static bool is_read(const struct layer *layer, size_t file) {
    return tensor_of(layer, file) != NULL &&
           (layer_is_shared(layer) || (layer->role == ROLE_HEAD && file > 0));
}

/* Elements to take at a time. Updates are multiplied out in greater pieces: their factors are read
 * once for each. */
static size_t piece_of(const struct gram_pass *pass, const struct layer *layer) {
    for (size_t i = 0; i < pass->n; i++)
        if (layer->specialists[i] != NULL && layer->specialists[i]->update != NULL)
            return WIDE_ELEMENTS;
    return PIECE_ELEMENTS;
}

static uint64_t item_bytes(const struct gram_pass *pass, const struct item *item) {
    const struct layer *layer = &pass->table->layers[item->layer];
    uint64_t bytes = 0;
    for (size_t file = 0; file <= pass->n; file++)
        if (is_read(layer, file))
            bytes += item->count * (dtype_bits(tensor_of(layer, file)->dtype) / 8);
    return bytes;
}

/* Counts what is not finite in values[count], elements first... of that tensor. */
static void note_faults(struct gram_pass *pass, size_t layer, size_t file, const double *values,
                        uint64_t first, size_t count) {
    struct fault found = {0};
    for (size_t i = count; i-- > 0;) {
        if (isfinite(values[i]))
            continue;
        found.count++;
        found.first = first + i;
    }
    if (found.count == 0)
        return;
    pthread_mutex_lock(&pass->mutex);
    if (pass->faults == NULL)
        pass->faults = memory_array(pass->table->layer_count * (pass->n + 1), sizeof found);
    struct fault *fault = &pass->faults[layer * (pass->n + 1) + file];
    if (fault->count == 0 || found.first < fault->first)
        fault->first = found.first;
    fault->count += found.count;
    pthread_mutex_unlock(&pass->mutex);
}

/* Reads the piece of every file again and notes what is not finite. */
static void search_faults(struct gram_pass *pass, size_t layer_index, uint64_t first,
                          size_t count) {
    const struct layer *layer = &pass->table->layers[layer_index];
    double values[PIECE_ELEMENTS];
    for (size_t file = 0; file <= pass->n; file++)
        for (size_t done = 0, now; is_read(layer, file) && done < count; done += now) {
            now = count - done < PIECE_ELEMENTS ? count - done : PIECE_ELEMENTS;
            tensor_read(tensor_of(layer, file), first + done, now, values);
            note_faults(pass, layer_index, file, values, first + done, now);
        }
}

/* buffer: base, then N differences, count values each, of elements [first, first + count). An
 * update is its difference already; subtracting the base from itself tells of values that are not
 * finite.
 */
static void read_differences(const struct layer *layer, size_t n, uint64_t first, size_t count,
                             double *buffer) {
    tensor_read(layer->base, first, count, buffer);
    for (size_t i = 0; i < n; i++) {
        double *difference = buffer + (i + 1) * count;
        bool added = layer->specialists[i]->update != NULL;
        tensor_read(layer->specialists[i], first, count, difference);
        for (size_t k = 0; k < count; k++)
            difference[k] += (added ? buffer[k] : 0) - buffer[k];
    }
}

/* partial[N x N] += inner products. A value that is not finite makes a diagonal entry NaN or
 * infinite, so the search for it costs nothing where there is none. */
static void add_piece(struct gram_pass *pass, const struct item *item, uint64_t first, size_t count,
                      double *buffer, double *partial) {
    size_t n = pass->n;
    const double *differences = buffer + count;
    read_differences(&pass->table->layers[item->layer], n, first, count, buffer);
    bool finite = true;
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i; j < n; j++)
            partial[i * n + j] +=
                cblas_ddot((int)count, differences + i * count, 1, differences + j * count, 1);
        finite = finite && isfinite(partial[i * n + i]);
    }
    if (!finite)
        search_faults(pass, item->layer, first, count);
}

static void run_item(void *context, size_t index) {
    struct gram_pass *pass = context;
    const struct item *item = &pass->items[index];
    const struct layer *layer = &pass->table->layers[item->layer];
    if (pass->progress != NULL && atomic_load(&pass->progress->cancel))
        atomic_store(&pass->cancelled, true);
    if (atomic_load(&pass->cancelled))
        return;
    size_t piece = piece_of(pass, layer);
    double *buffer = memory_array((pass->n + 1) * piece, sizeof *buffer);
    double *partial = pass->partial + index * pass->n * pass->n;
    for (uint64_t done = 0; done < item->count; done += piece) {
        uint64_t rest = item->count - done;
        size_t count = rest < piece ? (size_t)rest : piece;
        if (layer_is_shared(layer))
            add_piece(pass, item, item->first + done, count, buffer, partial);
        else
            search_faults(pass, item->layer, item->first + done, count);
    }
    free(buffer);
    if (pass->progress != NULL)
        atomic_fetch_add(&pass->progress->done, item_bytes(pass, item));
}

/* Cuts the layers into items, in their order. */
static void make_items(struct gram_pass *pass) {
    const struct tensor_table *table = pass->table;
    size_t room = 0;
    for (size_t l = 0; l < table->layer_count; l++)
        room += (size_t)(table->layers[l].elements / ITEM_ELEMENTS) + 1;
    pass->items = memory_array(room, sizeof *pass->items);
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        if (!layer_is_shared(layer) && layer->role != ROLE_HEAD)
            continue;
        for (uint64_t first = 0; first < layer->elements; first += ITEM_ELEMENTS) {
            uint64_t rest = layer->elements - first;
            pass->items[pass->item_count++] =
                (struct item){l, first, rest < ITEM_ELEMENTS ? rest : ITEM_ELEMENTS};
        }
    }
}

struct gram_pass *gram_start(const struct tensor_table *table, struct pool *pool,
                             struct progress *progress, struct notifier notifier) {
    struct gram_pass *pass = memory_array(1, sizeof *pass);
    pass->table = table;
    pass->n = table->specialist_count;
    pass->progress = progress;
    pthread_mutex_init(&pass->mutex, NULL);
    make_items(pass);
    pass->partial = memory_array(pass->item_count * pass->n * pass->n, sizeof *pass->partial);
    if (progress != NULL) {
        uint64_t total = 0;
        for (size_t i = 0; i < pass->item_count; i++)
            total += item_bytes(pass, &pass->items[i]);
        atomic_store(&progress->done, 0);
        atomic_store(&progress->total, total);
    }
    pass->batch = batch_start(pool, pass->item_count, run_item, pass, notifier);
    return pass;
}

bool gram_finished(struct gram_pass *pass) {
    return batch_finished(pass->batch);
}

bool gram_wait(struct gram_pass *pass, double seconds) {
    return batch_wait(pass->batch, seconds);
}

static void report_faults(const struct gram_pass *pass, struct error *error) {
    for (size_t l = 0; l < pass->table->layer_count; l++)
        for (size_t file = 0; file <= pass->n; file++) {
            const struct fault *fault = &pass->faults[l * (pass->n + 1) + file];
            if (fault->count == 0)
                continue;
            error_add(error, ERROR_INPUT,
                      "%s: tensor %s: %llu of %llu values NaN or infinite, the first at index %llu",
                      file == 0 ? checkpoint_path(pass->table->base)
                                : pass->table->specialists[file - 1].path,
                      pass->table->layers[l].name, (unsigned long long)fault->count,
                      (unsigned long long)pass->table->layers[l].elements,
                      (unsigned long long)fault->first);
        }
}

/* Finite weights so far apart that their squares are beyond float64. */
static void report_overflow(const struct gram_pass *pass, struct error *error) {
    for (size_t l = 0; l < pass->table->layer_count; l++)
        for (size_t i = 0; i < pass->n; i++)
            if (!isfinite(pass->gram[(l * pass->n + i) * pass->n + i]))
                error_add(error, ERROR_INPUT, "%s: tensor %s: too far from the base to be squared",
                          pass->table->specialists[i].path, pass->table->layers[l].name);
}

static void add_up(struct gram_pass *pass) {
    size_t n = pass->n;
    pass->gram = memory_array(pass->table->layer_count * n * n, sizeof *pass->gram);
    for (size_t item = 0; item < pass->item_count; item++) {
        double *gram = pass->gram + pass->items[item].layer * n * n;
        const double *partial = pass->partial + item * n * n;
        for (size_t k = 0; k < n * n; k++)
            gram[k] += partial[k];
    }
    for (size_t l = 0; l < pass->table->layer_count; l++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < i; j++)
                pass->gram[(l * n + i) * n + j] = pass->gram[(l * n + j) * n + i];
}

const double *gram_result(struct gram_pass *pass, struct error *error) {
    error_free(error);
    if (atomic_load(&pass->cancelled)) {
        error_set(error, ERROR_CANCELLED, "interrupted");
        return NULL;
    }
    if (pass->gram == NULL)
        add_up(pass);
    if (pass->faults != NULL)
        report_faults(pass, error);
    else
        report_overflow(pass, error);
    return error->kind == ERROR_NONE ? pass->gram : NULL;
}

void gram_free(struct gram_pass *pass) {
    if (pass == NULL)
        return;
    batch_free(pass->batch);
    pthread_mutex_destroy(&pass->mutex);
    free(pass->items);
    free(pass->partial);
    free(pass->faults);
    free(pass->gram);
    free(pass);
}

double gram_form(const double *gram, size_t n, const double *a, const double *b) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double row = 0;
        for (size_t j = 0; j < n; j++)
            row += gram[i * n + j] * b[j];
        sum += a[i] * row;
    }
    return sum;
}
