#include "analysis/gram.h"

#include "analysis/inner_products.h"
#include "analysis/layer_owners.h"
#include "analysis/support/ranks.h"
#include "analysis/support/vector.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    PIECE_ELEMENTS = 128,  /* so few that all differences stay in the first-level cache */
    BLOCK_ELEMENTS = 4096, /* summed in lanes before it enters the sum of the item */
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
    double *gram; /* the result; until it is asked for, what was known before */
    bool added_up;
    size_t *settled;       /* [layers] so many of the first specialists are taken over from an older
                              pass; NULL: none anywhere */
    pthread_mutex_t mutex; /* over faults */
    struct fault *faults;  /* [layers x (1 + N)], NULL while there is none */
    _Atomic bool cancelled;
};

/* How many of the first specialists are known in that layer. */
static size_t settled(const struct gram_pass *pass, size_t layer) {
    return pass->settled != NULL ? pass->settled[layer] : 0;
}

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
struct block {
    const struct layer *layer;
    uint64_t first;
    size_t count;
    double *updates;        /* [N x count], rows of adapters filled; NULL where there are none */
    struct inner_sum *sums; /* [N x N] */
};

/* Updates are multiplied out in blocks: their factors are read once for each. */
static void read_updates(const struct block *block, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (block->layer->specialists[i]->update != NULL)
            tensor_read(block->layer->specialists[i], block->first, block->count,
                        block->updates + i * block->count);
}

/* An update is its difference already; subtracting the base from itself tells of values that are
 * not finite. */
static void copy_update(const double *update, const double *base, size_t count, double *target) {
    for (size_t k = 0; k < count; k++)
        target[k] = update[k] + (base[k] - base[k]);
}

/* differences[N x PIECE_ELEMENTS] of count elements of the block, done elements from its start;
 * returns count filled up with zeros to whole lanes. */
static size_t read_differences(const struct block *block, size_t n, size_t done, size_t count,
                               double *differences) {
    _Alignas(CACHE_LINE) double base[PIECE_ELEMENTS];
    size_t whole = (count + INNER_LANES - 1) / INNER_LANES * INNER_LANES;
    tensor_read(block->layer->base, block->first + done, count, base);
    for (size_t i = 0; i < n; i++) {
        const struct tensor *tensor = block->layer->specialists[i];
        double *difference = differences + i * PIECE_ELEMENTS;
        if (tensor->update != NULL)
            copy_update(block->updates + i * block->count + done, base, count, difference);
        else
            tensor_subtract(tensor, block->first + done, count, base, difference);
        for (size_t k = count; k < whole; k++)
            difference[k] = 0;
    }
    return whole;
}

/* sums: the inner products of the block, but those of pairs among the first ones. */
static void sum_block(const struct block *block, size_t n, size_t first) {
    _Alignas(CACHE_LINE) double differences[SPECIALIST_LIMIT * PIECE_ELEMENTS];
    memset(block->sums, 0, n * n * sizeof *block->sums);
    if (block->updates != NULL)
        read_updates(block, n);
    for (size_t done = 0; done < block->count; done += PIECE_ELEMENTS) {
        size_t rest = block->count - done, count = rest < PIECE_ELEMENTS ? rest : PIECE_ELEMENTS;
        size_t whole = read_differences(block, n, done, count, differences);
        inner_products_add(differences, n, first, PIECE_ELEMENTS, whole, block->sums);
    }
}

/* partial[N x N] += inner products. A value that is not finite makes a diagonal entry NaN or
 * infinite, so the search for it costs nothing where there is none. */
static void add_block(struct gram_pass *pass, size_t layer, const struct block *block,
                      double *partial) {
    size_t n = pass->n, first = settled(pass, layer);
    bool finite = true;
    sum_block(block, n, first);
    for (size_t i = 0; i < n; i++) {
        for (size_t j = i > first ? i : first; j < n; j++)
            partial[i * n + j] += inner_sum_total(&block->sums[i * n + j]);
        finite = finite && isfinite(partial[i * n + i]);
    }
    if (!finite)
        search_faults(pass, layer, block->first, block->count);
}

/* partial[N x N] of an item of a shared layer. */
static void add_item(struct gram_pass *pass, const struct item *item, double *partial) {
    const struct layer *layer = &pass->table->layers[item->layer];
    bool updates = has_updates(layer, pass->n);
    size_t wide = updates ? WIDE_ELEMENTS : BLOCK_ELEMENTS;
    struct block block = {.layer = layer, .first = item->first};
    block.sums = memory_array(pass->n * pass->n, sizeof *block.sums);
    block.updates = updates ? memory_array(pass->n * wide, sizeof *block.updates) : NULL;
    for (uint64_t rest = item->count; rest > 0; rest -= block.count) {
        block.count = rest < wide ? (size_t)rest : wide;
        add_block(pass, item->layer, &block, partial);
        block.first += block.count;
    }
    free(block.sums);
    free(block.updates);
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
    if (pass->progress != NULL)
        atomic_fetch_add(&pass->progress->done, item_bytes(pass, item));
}

/* Cuts the layers of this rank into items, in their order. */
static void make_items(struct gram_pass *pass) {
    const struct tensor_table *table = pass->table;
    size_t room = 0, own = ranks_own();
    for (size_t l = 0; l < table->layer_count; l++)
        room += (size_t)(table->layers[l].elements / ITEM_ELEMENTS) + 1;
    pass->items = memory_array(room, sizeof *pass->items);
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        if (settled(pass, l) == pass->n || (!layer_is_shared(layer) && layer->role != ROLE_HEAD) ||
            layer->owner != own)
            continue;
        for (uint64_t first = 0; first < layer->elements; first += ITEM_ELEMENTS) {
            uint64_t rest = layer->elements - first;
            pass->items[pass->item_count++] =
                (struct item){l, first, rest < ITEM_ELEMENTS ? rest : ITEM_ELEMENTS};
        }
    }
}

/* rows[i]: where specialist i stood in the older pass. Returns how many of the first ones did. */
static size_t match_specialists(const struct tensor_table *table, const struct tensor_table *older,
                                size_t rows[SPECIALIST_LIMIT]) {
    if (strcmp(checkpoint_path(table->base), checkpoint_path(older->base)) != 0)
        return 0;
    for (size_t i = 0; i < table->specialist_count; i++) {
        rows[i] = 0;
        while (rows[i] < older->specialist_count &&
               strcmp(table->specialists[i].path, older->specialists[rows[i]].path) != 0)
            rows[i]++;
        if (rows[i] == older->specialist_count)
            return i;
    }
    return table->specialist_count;
}

/* Copies the rows and columns of G_l that belong to the first specialists. */
static void take_layer(struct gram_pass *pass, size_t layer, const struct gram_pass *older,
                       size_t older_layer, const size_t *rows, size_t first) {
    size_t n = pass->n, m = older->n;
    double *to = pass->gram + layer * n * n;
    const double *from = older->gram + older_layer * m * m;
    for (size_t i = 0; i < first; i++)
        for (size_t j = 0; j < first; j++)
            to[i * n + j] = from[rows[i] * m + rows[j]];
    pass->settled[layer] = first;
}

/* Whether the older pass read all that this one would read of a layer. */
static bool was_read(const struct layer *layer, const struct layer *older) {
    return layer_is_shared(layer) ? layer_is_shared(older) : older->role == layer->role;
}

static void take_over(struct gram_pass *pass, const struct gram_pass *older) {
    size_t rows[SPECIALIST_LIMIT];
    if (older->gram == NULL || !older->added_up || older->faults != NULL)
        return;
    size_t first = match_specialists(pass->table, older->table, rows);
    pass->settled = memory_array(pass->table->layer_count, sizeof *pass->settled);
    for (size_t l = 0; l < pass->table->layer_count; l++) {
        size_t there = tensor_table_find(older->table, pass->table->layers[l].name);
        if (there < older->table->layer_count &&
            was_read(&pass->table->layers[l], &older->table->layers[there]))
            take_layer(pass, l, older, there, rows, first);
    }
}

struct gram_pass *gram_start(const struct tensor_table *table, struct pool *pool,
                             const struct gram_pass *older, struct progress *progress,
                             struct notifier notifier) {
    struct gram_pass *pass = memory_array(1, sizeof *pass);
    pass->table = table;
    pass->n = table->specialist_count;
    pass->progress = progress;
    pthread_mutex_init(&pass->mutex, NULL);
    pass->gram = memory_array(table->layer_count * pass->n * pass->n, sizeof *pass->gram);
    if (older != NULL)
        take_over(pass, older);
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
    pass->added_up = true;
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

/* What this rank has to say of its layers. */
static bool check_own(struct gram_pass *pass, struct error *error) {
    error_free(error);
    if (atomic_load(&pass->cancelled))
        return error_set(error, ERROR_CANCELLED, "interrupted");
    if (!pass->added_up)
        add_up(pass);
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
    free(pass->settled);
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
