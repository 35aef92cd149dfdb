/* Numbers that took long to compute, kept on disk under the digest of all that they depend on.
 *
 *     cache_open(&settings, &cache, &error)
 *     cache_describe(cache, base, specialists)
 *     if (!cache_get(cache, key, values, count)) { compute; cache_put(cache, key, values, count); }
 *     cache_close(cache)
 *
 * It is a help, never a need: what cannot be read is not there, what cannot be written is dropped,
 * and the first trouble of each kind is told in a note. The file is an SQLite database, so any
 * number of processes may use it at once and a killed one leaves it whole; every record has a
 * checksum. All functions may be called by any thread, and accept NULL: no cache. */
#ifndef R2M_ANALYSIS_CACHE_CACHE_H
#define R2M_ANALYSIS_CACHE_CACHE_H

#include "analysis/support/digest.h"
#include "analysis/support/error.h"
#include "analysis/support/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The database's name in its folder. */
#define CACHE_FILE "analysis.sqlite"

struct cache_settings {
    const char
        *folder;    /* made if missing, with those above it; NULL: in memory, for this process */
    uint64_t limit; /* bytes; the analyses not used for the longest time make room */
    bool verify;    /* files are known by all their bytes, not by a sample (known.h) */
};

struct cache;

/* Opens the cache of that folder. Errors: the folder cannot be made, the file is not a cache of
 * this version of r2m or is damaged (nothing is changed in it). */
bool cache_open(const struct cache_settings *settings, struct cache **cache, struct error *error);

bool cache_verifies(const struct cache *cache);

/* Writes what is left and releases. */
void cache_close(struct cache *cache);

/* Writes what has been put; where another process is writing, later. */
void cache_flush(struct cache *cache);

/* Whose records are put from now on, for the list; both texts are for the eye. Writes what has been
 * put before. */
void cache_describe(struct cache *cache, const char *base, const char *specialists);

/* values[count] (at least one) of that key; false when they are not there. What has been put a
 * moment ago may be still on its way. */
bool cache_get(struct cache *cache, const char key[SHA256_TEXT], double *values, size_t count);

/* Keeps finite values[count]. Written in the background of the work, about once a second. */
void cache_put(struct cache *cache, const char key[SHA256_TEXT], const double *values,
               size_t count);

/* What was last found of the file at a path (known.c), digests as text. */
struct cached_file {
    char stamp[SHA256_TEXT];    /* of sizes and times */
    char sample[SHA256_TEXT];   /* of some of its bytes */
    char identity[SHA256_TEXT]; /* what stands for its contents in keys */
};
bool cache_find_file(struct cache *cache, const char *path, struct cached_file *file);
void cache_put_file(struct cache *cache, const char *path, const struct cached_file *file);

/* Appends the notes since the last call to list; the cache goes on without what failed. */
void cache_take_notes(struct cache *cache, struct string_list *list);

/* One line of the list: an analysis whose records are kept. */
struct cached_analysis {
    char *base, *specialists;
    uint64_t records, bytes;
    int64_t created, used; /* seconds since 1970; use is noted about once a day */
};

/* All of them, the latest used first; false with an error when it cannot be read. cached_free
 * releases. *bytes: the size of the file. */
bool cache_list(struct cache *cache, struct cached_analysis **list, size_t *count, uint64_t *bytes,
                struct error *error);
void cached_free(struct cached_analysis *list, size_t count);

/* Forgets everything. */
bool cache_clear(struct cache *cache, struct error *error);

#endif
