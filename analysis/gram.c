#include "analysis/gram.h"

#include "analysis/differences.h"
#include "analysis/inner_products.h"
#include "analysis/layer_owners.h"
#include "analysis/support/ranks.h"
#include "analysis/support/vector.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE_ELEMENTS = DIFFERENCES_PIECE,
    BLOCK_ELEMENTS = 4096, /* summed in lanes before it enters the sum of the item */
    WIDE_ELEMENTS = 1 << 15,
    ITEM_ELEMENTS = 1 << 20,
    FETCH_SPECIALISTS = 4 /* so many take long enough to multiply; with fewer it costs more */
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

/* What is to be done for one layer. Its specialists stand in an order of its own: first those of
 * which all products with each other are known. */
struct task {
    unsigned char order[SPECIALIST_LIMIT];
    size_t known;          /* so many of them */
    size_t first_item;     /* its items follow each other */
    size_t item_count;     /* 0: nothing to read */
    _Atomic size_t unread; /* items */
};

struct gram_pass {
    const struct tensor_table *table;
    size_t n;
    struct known *known; /* from before; NULL: nothing */
    struct progress *progress;
    struct batch *batch;
    struct task *tasks; /* [layers] */
    struct item *items;
    double *partial; /* [items x N x N], upper triangles in the layer's order of specialists */
    size_t item_count;
    double *gram;          /* what was known, and the layers that are read */
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

/* Some specialist of the layer is an adapter's update. */
static bool has_updates(const struct layer *layer, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (layer->specialists[i] != NULL && layer->specialists[i]->update != NULL)
            return true;
    return false;
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

/* A stretch of a shared layer, with the scratch of the item. */
struct stretch {
    const struct layer *layer;
    const struct task *task;
    struct differences differences; /* in the order of the task */
    uint64_t first;
    size_t count;
    double *updates; /* [N x WIDE_ELEMENTS], rows of adapters filled; NULL without adapters */
    struct inner_sum *sums; /* [N x N] of one block */
};

/* Updates are multiplied out in stretches: their factors are read once for each. */
static void read_updates(const struct stretch *stretch, size_t n) {
    for (size_t p = 0; p < n && stretch->updates != NULL; p++) {
        const struct tensor *tensor = stretch->layer->specialists[stretch->task->order[p]];
        if (tensor->update != NULL)
            tensor_read(tensor, stretch->first, stretch->count,
                        stretch->updates + p * WIDE_ELEMENTS);
    }
}

/* rows[N x PIECE_ELEMENTS] of count elements of the stretch, done elements from its start; returns
 * count filled up with zeros to whole lanes. (An update is its difference already.) */
static size_t read_rows(const struct stretch *stretch, size_t n, size_t done, size_t count,
                        double *rows) {
    size_t whole = (count + INNER_LANES - 1) / INNER_LANES * INNER_LANES;
    differences_read(&stretch->differences, stretch->first + done, count, rows);
    for (size_t p = 0; p < n; p++) {
        double *row = rows + p * PIECE_ELEMENTS;
        if (stretch->differences.tensors[p]->update != NULL)
            for (size_t k = 0; k < count; k++)
                row[k] += stretch->updates[p * WIDE_ELEMENTS + done + k];
        for (size_t k = count; k < whole; k++)
            row[k] = 0;
    }
    return whole;
}

/* sums: the inner products of count elements, done elements from the start of the stretch, but
 * those that are known. */
static void sum_block(const struct stretch *stretch, size_t n, size_t done, size_t count) {
    _Alignas(CACHE_LINE) double rows[SPECIALIST_LIMIT * PIECE_ELEMENTS];
    memset(stretch->sums, 0, n * n * sizeof *stretch->sums);
    for (size_t end = done + count; done < end; done += PIECE_ELEMENTS) {
        size_t piece = end - done < PIECE_ELEMENTS ? end - done : PIECE_ELEMENTS;
        size_t whole = read_rows(stretch, n, done, piece, rows);
        if (n >= FETCH_SPECIALISTS)
            differences_fetch(&stretch->differences, stretch->first + done + piece, piece);
        inner_products_add(rows, n, stretch->task->known, PIECE_ELEMENTS, whole, stretch->sums);
    }
}

/* partial[N x N] += inner products of a block. A value that is not finite makes a diagonal entry
 * NaN or infinite, so the search for it costs nothing where there is none. */
static void add_block(struct gram_pass *pass, const struct item *item,
                      const struct stretch *stretch, size_t done, size_t count, double *partial) {
    size_t n = pass->n, known = stretch->task->known;
    bool finite = true;
    sum_block(stretch, n, done, count);
    for (size_t p = 0; p < n; p++) {
        for (size_t q = p > known ? p : known; q < n; q++)
            partial[p * n + q] += inner_sum_total(&stretch->sums[p * n + q]);
        finite = finite && isfinite(partial[p * n + p]);
    }
    if (!finite)
        search_faults(pass, item->layer, stretch->first + done, count);
}

/* partial[N x N] of an item of a shared layer. */
static void add_item(struct gram_pass *pass, const struct item *item, double *partial) {
    struct stretch stretch = {.layer = &pass->table->layers[item->layer],
                              .task = &pass->tasks[item->layer],
                              .first = item->first};
    stretch.differences = differences_of(stretch.layer, stretch.task->order, pass->n);
    bool updates = has_updates(stretch.layer, pass->n);
    stretch.sums = memory_array(pass->n * pass->n, sizeof *stretch.sums);
    stretch.updates =
        updates ? memory_array(pass->n * WIDE_ELEMENTS, sizeof *stretch.updates) : NULL;
    for (uint64_t rest = item->count; rest > 0; rest -= stretch.count) {
        stretch.count = rest < WIDE_ELEMENTS ? (size_t)rest : WIDE_ELEMENTS;
        read_updates(&stretch, pass->n);
        for (size_t done = 0, now; done < stretch.count; done += now) {
            now = stretch.count - done < BLOCK_ELEMENTS ? stretch.count - done : BLOCK_ELEMENTS;
            add_block(pass, item, &stretch, done, now, partial);
        }
        stretch.first += stretch.count;
    }
    free(stretch.sums);
    free(stretch.updates);
}

/* G_l from the sums of its items, in their order. */
static void add_up(struct gram_pass *pass, size_t layer) {
    const struct task *task = &pass->tasks[layer];
    size_t n = pass->n;
    double *gram = pass->gram + layer * n * n;
    for (size_t q = task->known; q < n; q++)
        for (size_t p = 0; p <= q; p++) {
            double sum = 0;
            for (size_t k = 0; k < task->item_count; k++)
                sum += pass->partial[((task->first_item + k) * n + p) * n + q];
            gram[task->order[p] * n + task->order[q]] = sum;
            gram[task->order[q] * n + task->order[p]] = sum;
        }
}

static bool has_fault(struct gram_pass *pass, size_t layer) {
    bool found = false;
    pthread_mutex_lock(&pass->mutex);
    for (size_t file = 0; file <= pass->n && pass->faults != NULL; file++)
        found = found || pass->faults[layer * (pass->n + 1) + file].count > 0;
    pthread_mutex_unlock(&pass->mutex);
    return found;
}

/* All of the layer has been read. */
static void finish_layer(struct gram_pass *pass, size_t layer) {
    const struct task *task = &pass->tasks[layer];
    bool shared = layer_is_shared(&pass->table->layers[layer]);
    if (shared)
        add_up(pass, layer);
    if (has_fault(pass, layer))
        return;
    for (size_t q = task->known; q < pass->n; q++)
        for (size_t p = shared ? 0 : q; p <= q; p++) {
            size_t i = task->order[p], j = task->order[q];
            known_add_product(pass->known, layer, i, j,
                              pass->gram[(layer * pass->n + i) * pass->n + j]);
        }
}

static void run_item(void *context, size_t index) {
    struct gram_pass *pass = context;
    const struct item *item = &pass->items[index];
    const struct layer *layer = &pass->table->layers[item->layer];
    if (pass->progress != NULL && atomic_load(&pass->progress->cancel))
        atomic_store(&pass->cancelled, true);
    if (atomic_load(&pass->cancelled))
        return;
    if (layer_is_shared(layer))
        add_item(pass, item, pass->partial + index * pass->n * pass->n);
    else
        search_faults(pass, item->layer, item->first, (size_t)item->count);
    if (atomic_fetch_sub(&pass->tasks[item->layer].unread, 1) == 1)
        finish_layer(pass, item->layer);
    if (pass->progress != NULL)
        atomic_fetch_add(&pass->progress->done, item_bytes(pass, item));
}

/* Whether the products of specialist i with the first ones of the order, and itself, are known;
 * they are put into G. */
static bool is_known(struct gram_pass *pass, size_t layer, size_t i, const struct task *task) {
    size_t n = pass->n;
    double *gram = pass->gram + layer * n * n;
    bool shared = layer_is_shared(&pass->table->layers[layer]);
    if (!known_product(pass->known, layer, i, i, &gram[i * n + i]))
        return false;
    for (size_t p = 0; p < task->known && shared; p++) {
        size_t j = task->order[p];
        if (!known_product(pass->known, layer, i, j, &gram[i * n + j]))
            return false;
        gram[j * n + i] = gram[i * n + j];
    }
    return true;
}

/* The order of a layer's specialists. */
static void look_up(struct gram_pass *pass, size_t layer) {
    struct task *task = &pass->tasks[layer];
    unsigned char others[SPECIALIST_LIMIT] = {0};
    size_t other_count = 0;
    for (size_t i = 0; i < pass->n; i++)
        if (is_known(pass, layer, i, task))
            task->order[task->known++] = (unsigned char)i;
        else
            others[other_count++] = (unsigned char)i;
    memcpy(task->order + task->known, others, other_count);
}

static void add_items(struct gram_pass *pass, size_t index) {
    const struct layer *layer = &pass->table->layers[index];
    struct task *task = &pass->tasks[index];
    task->first_item = pass->item_count;
    for (uint64_t first = 0; first < layer->elements; first += ITEM_ELEMENTS) {
        uint64_t rest = layer->elements - first;
        pass->items[pass->item_count++] =
            (struct item){index, first, rest < ITEM_ELEMENTS ? rest : ITEM_ELEMENTS};
    }
    task->item_count = pass->item_count - task->first_item;
    atomic_store(&task->unread, task->item_count);
}

/* Cuts the layers of this rank into items, in their order. */
static void make_items(struct gram_pass *pass) {
    const struct tensor_table *table = pass->table;
    size_t room = 0, own = ranks_own();
    for (size_t l = 0; l < table->layer_count; l++)
        room += (size_t)(table->layers[l].elements / ITEM_ELEMENTS) + 1;
    pass->items = memory_array(room, sizeof *pass->items);
    pass->tasks = memory_array(table->layer_count, sizeof *pass->tasks);
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        if (layer->owner != own || (!layer_is_shared(layer) && layer->role != ROLE_HEAD))
            continue;
        look_up(pass, l);
        if (pass->tasks[l].known < pass->n)
            add_items(pass, l);
    }
}

struct gram_pass *gram_start(const struct tensor_table *table, struct pool *pool,
                             struct known *known, struct progress *progress,
                             struct notifier notifier) {
    struct gram_pass *pass = memory_array(1, sizeof *pass);
    pass->table = table;
    pass->n = table->specialist_count;
    pass->progress = progress;
    pthread_mutex_init(&pass->mutex, NULL);
    pass->gram = memory_array(table->layer_count * pass->n * pass->n, sizeof *pass->gram);
    pass->known = known_share(known);
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

/* What this rank has to say of its layers. */
static bool check_own(struct gram_pass *pass, struct error *error) {
    error_free(error);
    if (atomic_load(&pass->cancelled))
        return error_set(error, ERROR_CANCELLED, "interrupted");
    if (pass->faults != NULL)
        report_faults(pass, error);
    else
        report_overflow(pass, error);
    return error->kind == ERROR_NONE;
}

/* Every layer's G from its owner. */
static void gather(struct gram_pass *pass) {
    size_t count = pass->table->layer_count, *owners = layer_owners(pass->table);
    size_t *first = memory_array(count + 1, sizeof *first);
    for (size_t l = 0; l <= count; l++)
        first[l] = l * pass->n * pass->n;
    ranks_gather(pass->gram, first, count, owners);
    free(first);
    free(owners);
}

const double *gram_result(struct gram_pass *pass, struct error *error) {
    if (!ranks_agree(check_own(pass, error), error))
        return NULL;
    gather(pass);
    return pass->gram;
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
    free(pass->tasks);
    known_release(pass->known);
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
