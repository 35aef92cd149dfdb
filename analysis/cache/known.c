#include "analysis/cache/known.h"

#include "analysis/checkpoint/lora/update.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Names of what is kept; another number where its arithmetic changes. */
#define PRODUCT "product 1"
#define FINITE "finite 1"
#define SPECTRUM "spectrum 2"
#define WEIGHTS "weights 1"

struct known {
    const struct tensor_table *table;
    struct cache *cache;
    struct progress *progress;
    struct batch *batch;
    char (*parts)[SHA256_TEXT]; /* [(1 + N) x layers]; "" where the file is not identified */
    char blas[SHA256_TEXT];     /* singular values differ by it in the last digits */
    _Atomic unsigned owners;
};

static void add_text(struct digest *digest, const char *text) {
    digest_add(digest, text, strlen(text) + 1);
}

/* Sizes and times of all files that it is made of. */
static void find_stamp(const struct string_list *paths, char stamp[SHA256_TEXT]) {
    struct digest *digest = digest_begin();
    for (size_t i = 0; i < paths->count; i++) {
        struct stat status = {0};
        if (stat(paths->items[i], &status) != 0)
            continue;
        digest_add(digest, &status.st_dev, sizeof status.st_dev);
        digest_add(digest, &status.st_ino, sizeof status.st_ino);
        digest_add(digest, &status.st_size, sizeof status.st_size);
        digest_add(digest, &status.st_mtim, sizeof status.st_mtim);
        digest_add(digest, &status.st_ctim, sizeof status.st_ctim);
    }
    digest_end(digest, stamp);
}

/* All bytes; false when they cannot be read, or it was cancelled. */
static bool digest_files(const struct string_list *paths, struct progress *progress,
                         char sha256[SHA256_TEXT]) {
    struct digest *digest = digest_begin();
    struct error error = {0};
    bool good = true;
    for (size_t i = 0; i < paths->count && good; i++)
        good = digest_add_file(digest, paths->items[i], progress, &error);
    digest_end(digest, sha256);
    error_free(&error);
    return good;
}

/* A sample that was met under this path with another stamp may hide a change. */
static void find_identity(const struct cached_file *before, struct cached_file *now) {
    memcpy(now->identity, now->sample, SHA256_TEXT);
    if (strcmp(before->sample, now->sample) != 0)
        return;
    if (strcmp(before->stamp, now->stamp) == 0) {
        memcpy(now->identity, before->identity, SHA256_TEXT);
        return;
    }
    struct digest *digest = digest_begin();
    add_text(digest, now->sample);
    add_text(digest, now->stamp);
    digest_end(digest, now->identity);
}

/* identity "": unknown. */
static void identify(struct known *known, const struct checkpoint *checkpoint,
                     char identity[SHA256_TEXT]) {
    struct cached_file before = {0}, now = {0};
    struct string_list paths = checkpoint_files(checkpoint);
    char *path = realpath(checkpoint_path(checkpoint), NULL);
    bool good = path != NULL, met = good && cache_find_file(known->cache, path, &before);
    find_stamp(&paths, now.stamp);
    checkpoint_fingerprint(checkpoint, now.sample);
    find_identity(&before, &now);
    if (cache_verifies(known->cache))
        good = good && digest_files(&paths, known->progress, now.identity);
    if (good && (!met || memcmp(&before, &now, sizeof now) != 0))
        cache_put_file(known->cache, path, &now);
    snprintf(identity, SHA256_TEXT, "%s", good ? now.identity : "");
    string_list_free(&paths);
    free(path);
}

/* Which tensor of the file meets the layer, and how. */
static void add_origin(struct digest *digest, const struct origin *origin,
                       const struct update *update) {
    digest_add(digest, origin->whole->name, origin->whole->name_length + 1);
    digest_add(digest, &origin->first_row, sizeof origin->first_row);
    digest_add(digest, &origin->transposed, sizeof origin->transposed);
    if (update != NULL)
        digest_add(digest, &update->scale, sizeof update->scale);
}

static char *part_of(const struct known *known, size_t layer, size_t file) {
    return known->parts[file * known->table->layer_count + layer];
}

static void find_part(struct known *known, size_t index, size_t file,
                      const char identity[SHA256_TEXT]) {
    const struct layer *layer = &known->table->layers[index];
    const struct origin *origin = &layer->origins[file];
    const struct tensor *tensor = file == 0 ? layer->base : layer->specialists[file - 1];
    struct digest *digest = digest_begin();
    add_text(digest, identity);
    if (origin->whole != NULL)
        add_origin(digest, origin, tensor != NULL ? tensor->update : NULL);
    digest_end(digest, part_of(known, index, file));
}

static void identify_item(void *context, size_t file) {
    struct known *known = context;
    char identity[SHA256_TEXT];
    identify(known, tensor_table_file(known->table, file), identity);
    for (size_t l = 0; l < known->table->layer_count && identity[0] != '\0'; l++)
        find_part(known, l, file, identity);
}

/* From the root of the file system; free() it. */
static char *whole_path(const char *path) {
    char *whole = realpath(path, NULL);
    return whole != NULL ? whole : memory_string(path);
}

static void describe(const struct known *known) {
    const struct tensor_table *table = known->table;
    char *text;
    size_t size;
    FILE *stream = memory_stream(&text, &size);
    char *base = whole_path(checkpoint_path(table->base));
    for (size_t i = 0; i < table->specialist_count; i++) {
        char *path = whole_path(table->specialists[i].path);
        fprintf(stream, "%s%s", i > 0 ? ", " : "", path);
        free(path);
    }
    memory_stream_end(stream);
    cache_describe(known->cache, base, text);
    free(base);
    free(text);
}

static void find_blas(char sha256[SHA256_TEXT]) {
    struct digest *digest = digest_begin();
    add_text(digest, openblas_get_config());
    add_text(digest, openblas_get_corename());
    digest_end(digest, sha256);
}

/* Bytes of all files, where all are read. */
static void announce(struct known *known) {
    uint64_t total = 0;
    for (size_t file = 0; file <= known->table->specialist_count; file++) {
        struct string_list paths = checkpoint_files(tensor_table_file(known->table, file));
        for (size_t i = 0; i < paths.count; i++) {
            struct stat status = {0};
            if (stat(paths.items[i], &status) == 0)
                total += (uint64_t)status.st_size;
        }
        string_list_free(&paths);
    }
    atomic_store(&known->progress->done, 0);
    atomic_store(&known->progress->total, total);
}

struct known *known_start(const struct tensor_table *table, struct cache *cache, struct pool *pool,
                          struct progress *progress, struct notifier notifier) {
    if (cache == NULL)
        return NULL;
    struct known *known = memory_array(1, sizeof *known);
    known->table = table;
    known->cache = cache;
    known->progress = progress;
    known->parts =
        memory_array((table->specialist_count + 1) * table->layer_count, sizeof *known->parts);
    atomic_store(&known->owners, 1);
    find_blas(known->blas);
    describe(known);
    if (progress != NULL && cache_verifies(cache))
        announce(known);
    known->batch = batch_start(pool, table->specialist_count + 1, identify_item, known, notifier);
    return known;
}

bool known_ready(struct known *known) {
    return known == NULL || batch_finished(known->batch);
}

bool known_wait(struct known *known, double seconds) {
    return known == NULL || batch_wait(known->batch, seconds);
}

struct known *known_share(struct known *known) {
    if (known != NULL)
        atomic_fetch_add(&known->owners, 1);
    return known;
}

void known_release(struct known *known) {
    if (known == NULL || atomic_fetch_sub(&known->owners, 1) > 1)
        return;
    batch_free(known->batch);
    free(known->parts);
    free(known);
}

/* false where a file is not identified. */
static bool product_key(const struct known *known, size_t layer, size_t i, size_t j,
                        char key[SHA256_TEXT]) {
    const char *base = part_of(known, layer, 0), *one = part_of(known, layer, 1 + i),
               *other = part_of(known, layer, 1 + j);
    if (*base == '\0' || *one == '\0' || *other == '\0')
        return false;
    bool swapped = strcmp(one, other) > 0;
    struct digest *digest = digest_begin();
    add_text(digest, layer_is_shared(&known->table->layers[layer]) ? PRODUCT : FINITE);
    add_text(digest, base);
    add_text(digest, swapped ? other : one);
    add_text(digest, swapped ? one : other);
    digest_end(digest, key);
    return true;
}

bool known_product(struct known *known, size_t layer, size_t i, size_t j, double *product) {
    char key[SHA256_TEXT];
    return known != NULL && product_key(known, layer, i, j, key) &&
           cache_get(known->cache, key, product, 1);
}

void known_add_product(struct known *known, size_t layer, size_t i, size_t j, double product) {
    char key[SHA256_TEXT];
    if (known != NULL && product_key(known, layer, i, j, key))
        cache_put(known->cache, key, &product, 1);
}

/* Task vectors that count, in their order, with their coefficients; without coefficients the
 * base's weights, under a name of their own: where all coefficients are 0, as for the residual of
 * one specialist alone, no task vector tells the two apart. */
static bool spectrum_key(const struct known *known, size_t layer, const double *coefficients,
                         char key[SHA256_TEXT]) {
    const struct layer *row = &known->table->layers[layer];
    bool identified = *part_of(known, layer, 0) != '\0';
    struct digest *digest = digest_begin();
    add_text(digest, coefficients != NULL ? SPECTRUM : WEIGHTS);
    add_text(digest, known->blas);
    digest_add(digest, &row->rows, sizeof row->rows);
    digest_add(digest, &row->cols, sizeof row->cols);
    add_text(digest, part_of(known, layer, 0));
    for (size_t i = 0; coefficients != NULL && i < known->table->specialist_count; i++) {
        if (coefficients[i] == 0)
            continue;
        const char *part = part_of(known, layer, 1 + i);
        identified = identified && *part != '\0';
        add_text(digest, part);
        digest_add(digest, &coefficients[i], sizeof coefficients[i]);
    }
    digest_end(digest, key);
    return identified;
}

bool known_spectrum(struct known *known, size_t layer, const double *coefficients, double *sigma) {
    char key[SHA256_TEXT];
    return known != NULL && spectrum_key(known, layer, coefficients, key) &&
           cache_get(known->cache, key, sigma, layer_max_rank(&known->table->layers[layer]));
}

void known_add_spectrum(struct known *known, size_t layer, const double *coefficients,
                        const double *sigma) {
    char key[SHA256_TEXT];
    if (known != NULL && spectrum_key(known, layer, coefficients, key))
        cache_put(known->cache, key, sigma, layer_max_rank(&known->table->layers[layer]));
}
