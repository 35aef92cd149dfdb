#include "analysis/checkpoint/journal.h"

#include "analysis/checkpoint/format.h"
#include "analysis/support/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define TITLE "r2m journal 1\n"

enum { TITLE_BYTES = sizeof TITLE - 1, HEAD_BYTES = TITLE_BYTES + SHA256_TEXT };

struct record {
    uint64_t index;
    uint32_t checksum; /* of the tensor */
    uint32_t seal;     /* of what stands before it: a record may be torn */
};

enum { RECORD_BYTES = sizeof(struct record) };

struct journal {
    char *output, *path;
    int descriptor;
    struct record *records; /* [told] of earlier runs, by index */
    size_t told;
    _Atomic size_t count;
};

static bool fail(const char *path, struct error *error, const char *reason) {
    char *quoted = error_quote(path, strlen(path));
    error_set(error, ERROR_INPUT, "%s: %s", quoted, reason);
    free(quoted);
    return false;
}

/* Locks the file of that name, not one that another writer has removed meanwhile. -1 on failure. */
static int open_locked(const char *path) {
    struct stat own, named;
    for (;;) {
        int descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (descriptor < 0)
            return -1;
        bool busy = flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
        if (!busy && fstat(descriptor, &own) == 0 && stat(path, &named) == 0 &&
            own.st_ino == named.st_ino && own.st_dev == named.st_dev)
            return descriptor;
        close(descriptor);
        if (busy) {
            errno = EWOULDBLOCK;
            return -1;
        }
    }
}

static uint32_t seal_of(const struct record *record) {
    return seal_checksum(record, offsetof(struct record, seal));
}

static int compare_records(const void *one, const void *other) {
    const struct record *a = one, *b = other;
    return (a->index > b->index) - (a->index < b->index);
}

/* Whole records; one that is not as it was written is left out. */
static void take_records(struct journal *journal, const unsigned char *bytes, size_t size) {
    struct record record;
    journal->records = memory_resize(journal->records, size / sizeof record + 1, sizeof record);
    for (size_t at = 0; at + sizeof record <= size; at += sizeof record) {
        memcpy(&record, bytes + at, sizeof record);
        if (record.seal == seal_of(&record))
            journal->records[journal->told++] = record;
    }
    qsort(journal->records, journal->told, sizeof record, compare_records);
}

/* The whole file, or NULL. */
static unsigned char *read_all(int descriptor, size_t *size) {
    struct stat status;
    const struct atomic_file file = {.descriptor = descriptor};
    if (fstat(descriptor, &status) != 0 || status.st_size < HEAD_BYTES)
        return NULL;
    *size = (size_t)status.st_size;
    unsigned char *bytes = memory_array(*size, 1);
    if (atomic_file_get(&file, bytes, *size, 0))
        return bytes;
    free(bytes);
    return NULL;
}

/* Takes over what the journal tells. A file that is no journal tells nothing. false: it is one of
 * another output. */
static bool take_over(struct journal *journal, const char *key, struct error *error) {
    size_t size = 0;
    unsigned char *bytes = read_all(journal->descriptor, &size);
    bool good = true;
    if (bytes != NULL && memcmp(bytes, TITLE, TITLE_BYTES) == 0) {
        good = memcmp(bytes + TITLE_BYTES, key, SHA256_TEXT - 1) == 0;
        if (good)
            take_records(journal, bytes + HEAD_BYTES, size - HEAD_BYTES);
    }
    free(bytes);
    if (good) /* a torn record at the end goes: the next ones are found by their places */
        return size < HEAD_BYTES ||
               ftruncate(journal->descriptor, (off_t)(size - (size - HEAD_BYTES) % RECORD_BYTES)) ==
                   0 ||
               fail(journal->path, error, strerror(errno));
    fail(journal->output, error, "what is there to go on from belongs to other inputs or settings");
    error_hint(error, "without --resume it begins anew");
    return false;
}

static bool append(struct journal *journal, const void *bytes, size_t size, struct error *error) {
    ssize_t written = write(journal->descriptor, bytes, size); /* one call: whole at the end */
    return written == (ssize_t)size ||
           fail(journal->path, error, strerror(written < 0 ? errno : ENOSPC));
}

/* An empty journal. */
static bool begin_empty(struct journal *journal, const char *key, struct error *error) {
    char head[HEAD_BYTES];
    memcpy(head, TITLE, TITLE_BYTES);
    memcpy(head + TITLE_BYTES, key, SHA256_TEXT - 1);
    head[HEAD_BYTES - 1] = '\n';
    if (ftruncate(journal->descriptor, 0) != 0)
        return fail(journal->path, error, strerror(errno));
    return append(journal, head, HEAD_BYTES, error);
}

struct journal *journal_open(const char *path, const char *key, bool resume, struct error *error) {
    struct journal *journal = memory_array(1, sizeof *journal);
    char *settled = atomic_file_settle(path);
    journal->output = memory_string(path);
    journal->path = memory_format("%s.journal.r2m-part", settled);
    journal->descriptor = open_locked(journal->path);
    journal->records = memory_array(0, RECORD_BYTES);
    free(settled);
    if (journal->descriptor < 0)
        fail(path, error,
             errno == EWOULDBLOCK ? "somebody else is writing it just now" : strerror(errno));
    if (journal->descriptor >= 0 && (!resume || take_over(journal, key, error)) &&
        (journal->told > 0 || begin_empty(journal, key, error))) {
        journal->count = journal->told;
        return journal;
    }
    journal_leave(journal);
    return NULL;
}

bool journal_find(const struct journal *journal, size_t index, uint32_t *checksum) {
    const struct record wanted = {.index = index};
    const struct record *found = bsearch(&wanted, journal->records, journal->told,
                                         sizeof *journal->records, compare_records);
    if (found != NULL)
        *checksum = found->checksum;
    return found != NULL;
}

size_t journal_count(const struct journal *journal) {
    return journal->count;
}

bool journal_add(struct journal *journal, size_t index, uint32_t checksum, struct error *error) {
    struct record record = {.index = index, .checksum = checksum};
    record.seal = seal_of(&record);
    if (!append(journal, &record, sizeof record, error))
        return false;
    journal->count++;
    return true;
}

void journal_remove(struct journal *journal) {
    if (journal != NULL)
        unlink(journal->path);
    journal_leave(journal);
}

void journal_leave(struct journal *journal) {
    if (journal == NULL)
        return;
    if (journal->descriptor >= 0)
        close(journal->descriptor);
    free(journal->records);
    free(journal->output);
    free(journal->path);
    free(journal);
}
