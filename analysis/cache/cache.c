#include "analysis/cache/cache.h"

#include "analysis/cache/database.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#define FLUSH_SECONDS 1.0

enum {
    FLUSH_RECORDS = 1 << 14, /* at the latest after so many */
    SHORT_PATIENCE = 50,     /* ms; a worker or the screen waits no longer for another process */
    DAY = 24 * 60 * 60
};

/* Something that is not written yet. */
struct pending {
    char key[SHA256_TEXT];
    double *values;
    size_t count;
};

struct pending_file {
    char *path;
    struct cached_file file;
};

struct cache {
    struct database *database;
    uint64_t limit;
    bool verify;
    pthread_mutex_t mutex; /* over all that follows, and the database */
    char *base, *specialists;
    int64_t analysis; /* its row; 0 until something is written */
    bool full;        /* nothing more is put */
    struct pending *pending;
    size_t pending_count;
    struct pending_file *files;
    size_t file_count;
    double flushed; /* when */
    int64_t *touched;
    size_t touched_count;
    size_t damaged; /* records */
    struct string_list notes;
};

static double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

bool cache_open(const struct cache_settings *settings, struct cache **cache, struct error *error) {
    struct database *database = database_open(settings->folder, error);
    if (database == NULL)
        return false;
    *cache = memory_array(1, sizeof **cache);
    (*cache)->database = database;
    (*cache)->limit = settings->limit;
    (*cache)->verify = settings->verify;
    (*cache)->flushed = seconds_now();
    pthread_mutex_init(&(*cache)->mutex, NULL);
    return true;
}

bool cache_verifies(const struct cache *cache) {
    return cache->verify;
}

static uint32_t checksum(const char *key, const void *values, size_t bytes) {
    uLong sum = crc32(0, (const Bytef *)key, SHA256_TEXT - 1);
    return (uint32_t)crc32_z(sum, values, bytes);
}

/* The database has failed: told once, and nothing more is written. */
static void give_up(struct cache *cache) {
    if (!cache->full)
        string_list_add(&cache->notes, database_trouble(cache->database));
    cache->full = true;
}

static void drop_pending(struct cache *cache) {
    for (size_t i = 0; i < cache->pending_count; i++)
        free(cache->pending[i].values);
    for (size_t i = 0; i < cache->file_count; i++)
        free(cache->files[i].path);
    cache->pending_count = 0;
    cache->file_count = 0;
    cache->touched_count = 0;
}

/* The own row of the analysis. It is looked for in every transaction, as another process may have
 * forgotten it since the last one. */
static bool own_analysis(struct cache *cache) {
    cache->analysis = database_analysis(cache->database, cache->base != NULL ? cache->base : "",
                                        cache->specialists != NULL ? cache->specialists : "",
                                        (int64_t)time(NULL));
    return cache->analysis != 0;
}

static bool write_pending(struct cache *cache) {
    if (cache->pending_count > 0 && !own_analysis(cache))
        return false;
    for (size_t i = 0; i < cache->pending_count; i++) {
        const struct pending *one = &cache->pending[i];
        size_t bytes = one->count * sizeof *one->values;
        if (!database_add(cache->database, cache->analysis, one->key, one->values, bytes,
                          checksum(one->key, one->values, bytes)))
            return false;
    }
    for (size_t i = 0; i < cache->file_count; i++)
        if (!database_put_file(cache->database, cache->files[i].path, &cache->files[i].file))
            return false;
    for (size_t i = 0; i < cache->touched_count; i++)
        if (!database_touch(cache->database, cache->touched[i], (int64_t)time(NULL), DAY))
            return false;
    return true;
}

/* Analyses other than own go, the longest unused first, until the file is below the limit;
 * DATABASE_NOTHING: it is not, and there is no other. */
static enum database_result make_room(struct cache *cache, int64_t own) {
    enum database_result result = DATABASE_DONE;
    while (result == DATABASE_DONE && database_bytes(cache->database) > cache->limit)
        result = database_forget_oldest(cache->database, own);
    return result;
}

/* Nothing more is written. */
static void note_full(struct cache *cache) {
    string_list_add(&cache->notes, "the cache is full of this analysis alone: the rest of it is "
                                   "not kept (--cache-size)");
    cache->full = true;
}

/* All in one transaction, which leaves the file within its limit. Where another process writes for
 * longer than patience (milliseconds), it is put off. */
static void flush(struct cache *cache, int patience) {
    cache->flushed = seconds_now();
    if (cache->full || cache->pending_count + cache->file_count + cache->touched_count == 0)
        return;
    enum database_result result = database_begin(cache->database, patience);
    if (result == DATABASE_BUSY)
        return;
    if (result == DATABASE_DONE)
        result = write_pending(cache) ? make_room(cache, cache->analysis) : DATABASE_FAILED;
    if (result != DATABASE_DONE || !database_commit(cache->database)) {
        database_rollback(cache->database);
        (result == DATABASE_NOTHING ? note_full : give_up)(cache);
    }
    drop_pending(cache);
}

/* A limit may be lower than that of earlier processes; this one's own analysis may go, too. */
static void keep_limit(struct cache *cache, int patience) {
    if (database_bytes(cache->database) <= cache->limit ||
        database_begin(cache->database, patience) != DATABASE_DONE)
        return;
    if (make_room(cache, 0) == DATABASE_FAILED || !database_commit(cache->database))
        database_rollback(cache->database);
}

void cache_close(struct cache *cache) {
    enum { PATIENCE = 5000 };
    if (cache == NULL)
        return;
    flush(cache, PATIENCE);
    drop_pending(cache);
    keep_limit(cache, PATIENCE);
    database_close(cache->database);
    pthread_mutex_destroy(&cache->mutex);
    free(cache->pending);
    free(cache->files);
    free(cache->touched);
    free(cache->base);
    free(cache->specialists);
    string_list_free(&cache->notes);
    free(cache);
}

void cache_flush(struct cache *cache) {
    if (cache == NULL)
        return;
    pthread_mutex_lock(&cache->mutex);
    flush(cache, SHORT_PATIENCE);
    pthread_mutex_unlock(&cache->mutex);
}

void cache_describe(struct cache *cache, const char *base, const char *specialists) {
    if (cache == NULL)
        return;
    pthread_mutex_lock(&cache->mutex);
    flush(cache, SHORT_PATIENCE);
    free(cache->base);
    free(cache->specialists);
    cache->base = memory_string(base);
    cache->specialists = memory_string(specialists);
    cache->analysis = 0;
    pthread_mutex_unlock(&cache->mutex);
}

/* Its use will be noted. */
static void touch(struct cache *cache, int64_t analysis) {
    for (size_t i = 0; i < cache->touched_count; i++)
        if (cache->touched[i] == analysis)
            return;
    cache->touched = memory_resize(cache->touched, cache->touched_count + 1, sizeof analysis);
    cache->touched[cache->touched_count++] = analysis;
}

static void note_damage(struct cache *cache) {
    if (cache->damaged++ == 0)
        string_list_add(&cache->notes, "damaged records of the cache are not used, but computed "
                                       "again");
}

bool cache_get(struct cache *cache, const char key[SHA256_TEXT], double *values, size_t count) {
    struct record record;
    bool found = false;
    if (cache == NULL)
        return false;
    pthread_mutex_lock(&cache->mutex);
    if (database_find(cache->database, key, &record)) {
        size_t bytes = count * sizeof *values;
        found = record.bytes == bytes && record.checksum == checksum(key, record.value, bytes);
        if (found && bytes > 0)
            memcpy(values, record.value, bytes);
        if (found)
            touch(cache, record.analysis);
        else
            note_damage(cache);
        database_release(cache->database);
    }
    pthread_mutex_unlock(&cache->mutex);
    return found;
}

static void put(struct cache *cache, const char *key, const double *values, size_t count) {
    if (cache->pending_count % 64 == 0)
        cache->pending =
            memory_resize(cache->pending, cache->pending_count + 64, sizeof *cache->pending);
    struct pending *one = &cache->pending[cache->pending_count++];
    snprintf(one->key, sizeof one->key, "%s", key);
    one->count = count;
    one->values = memory_array(count, sizeof *values);
    if (count > 0)
        memcpy(one->values, values, count * sizeof *values);
}

void cache_put(struct cache *cache, const char key[SHA256_TEXT], const double *values,
               size_t count) {
    if (cache == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return;
    pthread_mutex_lock(&cache->mutex);
    if (!cache->full)
        put(cache, key, values, count);
    if (cache->pending_count % FLUSH_RECORDS == FLUSH_RECORDS - 1 ||
        seconds_now() - cache->flushed > FLUSH_SECONDS)
        flush(cache, SHORT_PATIENCE);
    pthread_mutex_unlock(&cache->mutex);
}

bool cache_find_file(struct cache *cache, const char *path, struct cached_file *file) {
    if (cache == NULL)
        return false;
    pthread_mutex_lock(&cache->mutex);
    bool found = database_find_file(cache->database, path, file);
    pthread_mutex_unlock(&cache->mutex);
    return found;
}

void cache_put_file(struct cache *cache, const char *path, const struct cached_file *file) {
    if (cache == NULL)
        return;
    pthread_mutex_lock(&cache->mutex);
    if (!cache->full) {
        cache->files = memory_resize(cache->files, cache->file_count + 1, sizeof *cache->files);
        cache->files[cache->file_count++] = (struct pending_file){memory_string(path), *file};
    }
    pthread_mutex_unlock(&cache->mutex);
}

void cache_take_notes(struct cache *cache, struct string_list *list) {
    if (cache == NULL)
        return;
    pthread_mutex_lock(&cache->mutex);
    for (size_t i = 0; i < cache->notes.count; i++)
        string_list_add(list, cache->notes.items[i]);
    string_list_free(&cache->notes);
    cache->notes = (struct string_list){0};
    pthread_mutex_unlock(&cache->mutex);
}

static bool list_failure(const struct cache *cache, struct error *error) {
    return error_set(error, ERROR_INPUT, "%s", database_trouble(cache->database));
}

bool cache_list(struct cache *cache, struct cached_analysis **list, size_t *count, uint64_t *bytes,
                struct error *error) {
    pthread_mutex_lock(&cache->mutex);
    bool good = database_list(cache->database, list, count) || list_failure(cache, error);
    *bytes = database_bytes(cache->database);
    pthread_mutex_unlock(&cache->mutex);
    return good;
}

void cached_free(struct cached_analysis *list, size_t count) {
    for (size_t i = 0; i < count; i++) {
        free(list[i].base);
        free(list[i].specialists);
    }
    free(list);
}

bool cache_clear(struct cache *cache, struct error *error) {
    pthread_mutex_lock(&cache->mutex);
    drop_pending(cache);
    cache->analysis = 0;
    bool good = database_clear(cache->database) || list_failure(cache, error);
    pthread_mutex_unlock(&cache->mutex);
    return good;
}
