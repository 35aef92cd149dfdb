/* The SQLite file of the cache: all that knows SQL. Private to the folder; one thread at a time. */
#ifndef R2M_ANALYSIS_CACHE_DATABASE_H
#define R2M_ANALYSIS_CACHE_DATABASE_H

#include "analysis/cache/cache.h"

struct database;

/* What became of a statement. */
enum database_result { DATABASE_DONE, DATABASE_NOTHING, DATABASE_BUSY, DATABASE_FAILED };

/* As cache_open says. A file that may only be read is opened so; writing then fails. */
struct database *database_open(const char *folder, struct error *error);
void database_close(struct database *database);

/* Why the last statement failed: a sentence for a note. */
const char *database_trouble(const struct database *database);

/* One record; value stays valid until database_release. */
struct record {
    int64_t analysis;
    const void *value;
    size_t bytes;
    uint32_t checksum;
};
bool database_find(struct database *database, const char *key, struct record *record);
void database_release(struct database *database);

/* A transaction for what follows; waits for another process up to patience milliseconds. */
enum database_result database_begin(struct database *database, int patience);
bool database_commit(struct database *database);
void database_rollback(struct database *database);

/* The row of that analysis, made if it is not there; 0 when that failed. */
int64_t database_analysis(struct database *database, const char *base, const char *specialists,
                          int64_t now);

/* Notes the use of an analysis, unless it was noted less than interval seconds before. */
bool database_touch(struct database *database, int64_t analysis, int64_t now, int64_t interval);

/* A key that is there already gets the new value. */
bool database_add(struct database *database, int64_t analysis, const char *key, const void *value,
                  size_t bytes, uint32_t checksum);

/* Size of the file. */
uint64_t database_bytes(struct database *database);

/* Forgets the analysis that was not used for the longest time, other than own, and gives its room
 * back; DATABASE_NOTHING when there is no other. */
enum database_result database_forget_oldest(struct database *database, int64_t own);

bool database_find_file(struct database *database, const char *path, struct cached_file *file);
bool database_put_file(struct database *database, const char *path, const struct cached_file *file);

bool database_list(struct database *database, struct cached_analysis **list, size_t *count);
bool database_clear(struct database *database);

#endif
