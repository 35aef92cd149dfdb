#include "analysis/cache/database.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* In the file's header: whose it is, and the version of the tables. */
#define APPLICATION 0x72326d63 /* "r2mc" */
#define VERSION 1

/* Milliseconds for which another process is waited for. */
enum { PATIENCE = 5000, READ_PATIENCE = 50 };

enum { FILES_KEPT = 10000 };

static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE IF NOT EXISTS analysis(id INTEGER PRIMARY KEY, base TEXT NOT NULL,"
    " specialists TEXT NOT NULL, created INTEGER, used INTEGER,"
    " records INTEGER, bytes INTEGER, UNIQUE(base, specialists));"
    "CREATE TABLE IF NOT EXISTS record(key TEXT PRIMARY KEY, analysis INTEGER NOT NULL"
    " REFERENCES analysis ON DELETE CASCADE, value BLOB, checksum INTEGER);"
    "CREATE INDEX IF NOT EXISTS record_analysis ON record(analysis);"
    "CREATE TABLE IF NOT EXISTS file(path TEXT PRIMARY KEY, stamp TEXT, sample TEXT,"
    " identity TEXT);"
    "PRAGMA application_id = 1915907427;" /* APPLICATION */
    "PRAGMA user_version = 1;"            /* VERSION */
    "COMMIT;";

enum statement {
    FIND,
    ANALYSIS,
    ANALYSIS_ID,
    TOUCH,
    UNCOUNT_RECORD,
    ADD,
    COUNT_RECORD,
    OLDEST,
    FORGET,
    FIND_FILE,
    PUT_FILE,
    PRUNE_FILES,
    LIST,
    STATEMENT_COUNT
};

static const char *const statements[STATEMENT_COUNT] = {
    [FIND] = "SELECT analysis, value, checksum FROM record WHERE key = ?1",
    [ANALYSIS] = "INSERT OR IGNORE INTO analysis VALUES(NULL, ?1, ?2, ?3, ?3, 0, 0)",
    [ANALYSIS_ID] = "SELECT id FROM analysis WHERE base = ?1 AND specialists = ?2",
    [TOUCH] = "UPDATE analysis SET used = ?2 WHERE id = ?1 AND used < ?2 - ?3",
    [UNCOUNT_RECORD] = ("UPDATE analysis SET records = records - 1, bytes = bytes - ("
                        "SELECT length(value) FROM record WHERE key = ?1)"
                        " WHERE id = (SELECT analysis FROM record WHERE key = ?1)"),
    [ADD] = "INSERT OR REPLACE INTO record VALUES(?1, ?2, ?3, ?4)",
    [COUNT_RECORD] = "UPDATE analysis SET records = records + 1, bytes = bytes + ?2 WHERE id = ?1",
    [OLDEST] = "SELECT id FROM analysis WHERE id <> ?1 ORDER BY used, id LIMIT 1",
    [FORGET] = "DELETE FROM analysis WHERE id = ?1",
    [FIND_FILE] = "SELECT stamp, sample, identity FROM file WHERE path = ?1",
    [PUT_FILE] = "INSERT OR REPLACE INTO file VALUES(?1, ?2, ?3, ?4)",
    [PRUNE_FILES] = "DELETE FROM file WHERE rowid <= (SELECT max(rowid) FROM file) - ?1",
    [LIST] = "SELECT * FROM analysis ORDER BY used DESC, id DESC",
};

struct database {
    sqlite3 *file;
    char *path;
    char *trouble;
    sqlite3_stmt *prepared[STATEMENT_COUNT];
};

const char *database_trouble(const struct database *database) {
    return database->trouble != NULL ? database->trouble : "the cache failed";
}

#define DAMAGED "damaged, not used; 'r2m cache clear --force' removes it"

/* What a failure means for who uses the cache, and what to do about it. */
static const struct {
    int code; /* SQLite's, whose own words are about its insides; 0: any other */
    const char *words;
} meanings[] = {
    {SQLITE_CORRUPT, DAMAGED},
    {SQLITE_NOTADB, DAMAGED},
    {SQLITE_ERROR, DAMAGED}, /* its tables are not what was made */
    {SQLITE_CONSTRAINT, DAMAGED},
    {SQLITE_FULL,
     "the disk is full, the cache is not written; 'r2m cache clear --force' makes room"},
    {SQLITE_READONLY, "only readable, the cache is not written; --cache DIR takes another folder"},
    {SQLITE_CANTOPEN, "cannot be opened, no cache is used; --cache DIR takes another folder"},
    {SQLITE_IOERR, "reading or writing failed (a bad disk, ulimit -f), the cache is not written; "
                   "--cache DIR takes another folder"},
    {SQLITE_BUSY, "another process holds it, the cache is not written"},
    {0, "it failed, the cache is not written; 'r2m cache clear --force' removes it"},
};

/* Notes why; false. */
static bool note_trouble(struct database *database) {
    int code = sqlite3_errcode(database->file);
    size_t which = 0;
    while (meanings[which].code != code && meanings[which].code != 0)
        which++;
    char *path = error_quote(database->path, strlen(database->path));
    free(database->trouble);
    database->trouble = memory_format("%s: %s", path, meanings[which].words);
    free(path);
    return false;
}

static sqlite3_stmt *prepare(struct database *database, enum statement which) {
    sqlite3_stmt **statement = &database->prepared[which];
    if (*statement == NULL &&
        sqlite3_prepare_v3(database->file, statements[which], -1, SQLITE_PREPARE_PERSISTENT,
                           statement, NULL) != SQLITE_OK)
        note_trouble(database);
    return *statement;
}

/* Runs a statement that gives no row, or the first row of one that does: the caller resets it. */
static int step(struct database *database, sqlite3_stmt *statement) {
    int code = statement != NULL ? sqlite3_step(statement) : SQLITE_ERROR;
    if (statement != NULL && code != SQLITE_ROW && code != SQLITE_DONE)
        note_trouble(database);
    return code;
}

static bool run(struct database *database, sqlite3_stmt *statement) {
    bool good = step(database, statement) == SQLITE_DONE;
    sqlite3_reset(statement);
    return good;
}

static void bind_text(sqlite3_stmt *statement, int at, const char *text) {
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

/* A number that a pragma or a query gives; 0 where it gives none. */
static int64_t number(struct database *database, const char *query) {
    sqlite3_stmt *statement = NULL;
    int64_t value = 0;
    if (sqlite3_prepare_v2(database->file, query, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static bool execute(struct database *database, const char *text) {
    return sqlite3_exec(database->file, text, NULL, NULL, NULL) == SQLITE_OK ||
           note_trouble(database);
}

/* The folder and those above it. */
static bool make_folder(const char *folder, struct error *error) {
    char *path = memory_string(folder);
    bool good = true;
    for (char *at = path + 1; good; at++) {
        char end = *at;
        if (end != '/' && end != '\0')
            continue;
        *at = '\0';
        struct stat status;
        good = mkdir(path, 0777) == 0 || (stat(path, &status) == 0 && S_ISDIR(status.st_mode));
        if (end == '\0')
            break;
        *at = end;
    }
    if (!good) {
        char *quoted = error_quote(folder, strlen(folder));
        error_set(error, ERROR_INPUT, "%s: cannot be made a folder for the cache: %s", quoted,
                  strerror(errno == EEXIST ? ENOTDIR : errno));
        free(quoted);
    }
    free(path);
    return good;
}

/* A file that is empty gets the tables; another one has to be a cache of this version. */
static bool is_ours(struct database *database, struct error *error) {
    char *path = error_quote(database->path, strlen(database->path));
    bool good = true;
    if (!execute(database, "PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
                           "PRAGMA synchronous = NORMAL; SELECT count(*) FROM sqlite_schema"))
        good = error_set(error, ERROR_INPUT, "%s", database_trouble(database));
    else if (number(database, "SELECT count(*) FROM sqlite_schema") == 0 &&
             number(database, "PRAGMA application_id") == 0)
        good =
            (execute(database, "PRAGMA auto_vacuum = INCREMENTAL") && execute(database, schema)) ||
            error_set(error, ERROR_INPUT, "%s", database_trouble(database));
    else if (number(database, "PRAGMA application_id") != APPLICATION)
        good = error_set(error, ERROR_INPUT, "%s: not a cache of r2m, not used", path);
    else if (number(database, "PRAGMA user_version") != VERSION)
        good = error_set(error, ERROR_INPUT,
                         "%s: a cache of another version of r2m, not used; 'r2m cache clear "
                         "--force' removes it",
                         path);
    free(path);
    return good;
}

static bool fail_to_open(struct database *database, struct error *error) {
    note_trouble(database);
    return error_set(error, ERROR_INPUT, "%s", database_trouble(database));
}

struct database *database_open(const char *folder, struct error *error) {
    if (folder != NULL && !make_folder(folder, error))
        return NULL;
    struct database *database = memory_array(1, sizeof *database);
    database->path =
        folder != NULL ? memory_format("%s/%s", folder, CACHE_FILE) : memory_string(":memory:");
    int code =
        sqlite3_open_v2(database->path, &database->file,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        sqlite3_busy_timeout(database->file, PATIENCE);
    if (!(code == SQLITE_OK ? is_ours : fail_to_open)(database, error)) {
        database_close(database);
        return NULL;
    }
    sqlite3_busy_timeout(database->file, READ_PATIENCE);
    return database;
}

void database_close(struct database *database) {
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(database->prepared[i]);
    sqlite3_close(database->file);
    free(database->trouble);
    free(database->path);
    free(database);
}

bool database_find(struct database *database, const char *key, struct record *record) {
    sqlite3_stmt *find = prepare(database, FIND);
    if (find == NULL)
        return false;
    bind_text(find, 1, key);
    if (step(database, find) != SQLITE_ROW) {
        sqlite3_reset(find);
        return false;
    }
    record->analysis = sqlite3_column_int64(find, 0);
    record->value = sqlite3_column_blob(find, 1);
    record->bytes = (size_t)sqlite3_column_bytes(find, 1);
    record->checksum = (uint32_t)sqlite3_column_int64(find, 2);
    return true;
}

void database_release(struct database *database) {
    sqlite3_reset(database->prepared[FIND]);
}

enum database_result database_begin(struct database *database, int patience) {
    sqlite3_busy_timeout(database->file, patience);
    int code = sqlite3_exec(database->file, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    sqlite3_busy_timeout(database->file, READ_PATIENCE);
    if (code == SQLITE_OK)
        return DATABASE_DONE;
    if (code == SQLITE_BUSY)
        return DATABASE_BUSY;
    note_trouble(database);
    return DATABASE_FAILED;
}

bool database_commit(struct database *database) {
    return execute(database, "COMMIT");
}

void database_rollback(struct database *database) {
    if (sqlite3_get_autocommit(database->file) == 0)
        sqlite3_exec(database->file, "ROLLBACK", NULL, NULL, NULL);
}

int64_t database_analysis(struct database *database, const char *base, const char *specialists,
                          int64_t now) {
    sqlite3_stmt *add = prepare(database, ANALYSIS), *find = prepare(database, ANALYSIS_ID);
    int64_t id = 0;
    if (add == NULL || find == NULL)
        return 0;
    bind_text(add, 1, base);
    bind_text(add, 2, specialists);
    sqlite3_bind_int64(add, 3, now);
    bind_text(find, 1, base);
    bind_text(find, 2, specialists);
    if (run(database, add) && step(database, find) == SQLITE_ROW)
        id = sqlite3_column_int64(find, 0);
    sqlite3_reset(find);
    return id;
}

bool database_touch(struct database *database, int64_t analysis, int64_t now, int64_t interval) {
    sqlite3_stmt *touch = prepare(database, TOUCH);
    sqlite3_bind_int64(touch, 1, analysis);
    sqlite3_bind_int64(touch, 2, now);
    sqlite3_bind_int64(touch, 3, interval);
    return run(database, touch);
}

bool database_add(struct database *database, int64_t analysis, const char *key, const void *value,
                  size_t bytes, uint32_t checksum) {
    sqlite3_stmt *add = prepare(database, ADD), *count = prepare(database, COUNT_RECORD);
    sqlite3_stmt *uncount = prepare(database, UNCOUNT_RECORD); /* the one that is replaced */
    bind_text(uncount, 1, key);
    bind_text(add, 1, key);
    sqlite3_bind_int64(add, 2, analysis);
    sqlite3_bind_blob64(add, 3, value, bytes, SQLITE_STATIC);
    sqlite3_bind_int64(add, 4, checksum);
    sqlite3_bind_int64(count, 1, analysis);
    sqlite3_bind_int64(count, 2, (int64_t)bytes);
    return run(database, uncount) && run(database, add) && run(database, count);
}

uint64_t database_bytes(struct database *database) {
    return (uint64_t)number(database, "PRAGMA page_count") *
           (uint64_t)number(database, "PRAGMA page_size");
}

enum database_result database_forget_oldest(struct database *database, int64_t own) {
    sqlite3_stmt *oldest = prepare(database, OLDEST), *forget = prepare(database, FORGET);
    sqlite3_bind_int64(oldest, 1, own);
    int code = step(database, oldest);
    int64_t id = code == SQLITE_ROW ? sqlite3_column_int64(oldest, 0) : 0;
    sqlite3_reset(oldest);
    if (code == SQLITE_DONE)
        return DATABASE_NOTHING;
    sqlite3_bind_int64(forget, 1, id);
    return code == SQLITE_ROW && run(database, forget) &&
                   execute(database, "PRAGMA incremental_vacuum")
               ? DATABASE_DONE
               : DATABASE_FAILED;
}

/* Text of at most one digest; what else stands there is cut, and will not be found equal. */
static void take_text(sqlite3_stmt *statement, int column, char text[SHA256_TEXT]) {
    const unsigned char *found = sqlite3_column_text(statement, column);
    snprintf(text, SHA256_TEXT, "%s", found != NULL ? (const char *)found : "");
}

bool database_find_file(struct database *database, const char *path, struct cached_file *file) {
    sqlite3_stmt *find = prepare(database, FIND_FILE);
    bind_text(find, 1, path);
    bool found = step(database, find) == SQLITE_ROW;
    if (found) {
        take_text(find, 0, file->stamp);
        take_text(find, 1, file->sample);
        take_text(find, 2, file->identity);
    }
    sqlite3_reset(find);
    return found;
}

bool database_put_file(struct database *database, const char *path,
                       const struct cached_file *file) {
    sqlite3_stmt *put = prepare(database, PUT_FILE), *prune = prepare(database, PRUNE_FILES);
    bind_text(put, 1, path);
    bind_text(put, 2, file->stamp);
    bind_text(put, 3, file->sample);
    bind_text(put, 4, file->identity);
    sqlite3_bind_int64(prune, 1, FILES_KEPT);
    return run(database, put) && run(database, prune);
}

static char *text_of(sqlite3_stmt *statement, int column) {
    const unsigned char *text = sqlite3_column_text(statement, column);
    return memory_string(text != NULL ? (const char *)text : "");
}

bool database_list(struct database *database, struct cached_analysis **list, size_t *count) {
    sqlite3_stmt *rows = prepare(database, LIST);
    int code;
    *list = NULL;
    *count = 0;
    while ((code = step(database, rows)) == SQLITE_ROW) {
        *list = memory_resize(*list, *count + 1, sizeof **list);
        (*list)[(*count)++] =
            (struct cached_analysis){.base = text_of(rows, 1),
                                     .specialists = text_of(rows, 2),
                                     .created = sqlite3_column_int64(rows, 3),
                                     .used = sqlite3_column_int64(rows, 4),
                                     .records = (uint64_t)sqlite3_column_int64(rows, 5),
                                     .bytes = (uint64_t)sqlite3_column_int64(rows, 6)};
    }
    sqlite3_reset(rows);
    return code == SQLITE_DONE;
}

bool database_clear(struct database *database) {
    sqlite3_busy_timeout(database->file, PATIENCE);
    bool good = execute(database, "DELETE FROM analysis; DELETE FROM file; VACUUM");
    sqlite3_busy_timeout(database->file, READ_PATIENCE);
    return good;
}
