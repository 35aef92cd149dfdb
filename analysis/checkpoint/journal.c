#include "analysis/checkpoint/journal.h"

#include "analysis/checkpoint/format.h"
#include "analysis/support/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
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

/* free() it. */
static char *journal_path(const char *path, size_t member) {
    char *settled = atomic_file_settle(path), number[24] = "";
    if (member > 0)
        snprintf(number, sizeof number, "-%zu", member);
    char *name = memory_format("%s.journal%s.r2m-part", settled, number);
    free(settled);
    return name;
}

static uint32_t seal_of(const struct record *record) {
    return seal_checksum(record, offsetof(struct record, seal));
}

static int compare_records(const void *one, const void *other) {
    const struct record *a = one, *b = other;
    return (a->index > b->index) - (a->index < b->index);
}

/* Adds the whole records; one that is not as it was written is left out. */
static void take_records(struct journal *journal, const unsigned char *bytes, size_t size) {
    struct record record;
    journal->records =
        memory_resize(journal->records, journal->told + size / sizeof record + 1, sizeof record);
    for (size_t at = 0; at + sizeof record <= size; at += sizeof record) {
        memcpy(&record, bytes + at, sizeof record);
        if (record.seal == seal_of(&record))
            journal->records[journal->told++] = record;
    }
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

/* Takes over what a journal tells; one that is no journal tells nothing. *length: of its whole
 * records and what is before them. false: it belongs to another key. */
static bool take_over(struct journal *journal, int descriptor, const char *key, size_t *length) {
    size_t size = 0;
    unsigned char *bytes = read_all(descriptor, &size);
    bool is_journal = bytes != NULL && memcmp(bytes, TITLE, TITLE_BYTES) == 0;
    bool good = !is_journal || memcmp(bytes + TITLE_BYTES, key, SHA256_TEXT - 1) == 0;
    *length = 0;
    if (is_journal && good) {
        take_records(journal, bytes + HEAD_BYTES, size - HEAD_BYTES);
        *length = size - (size - HEAD_BYTES) % RECORD_BYTES;
    }
    free(bytes);
    return good;
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

/* What the journal tells, without a torn record at its end: records are found by their places. */
static bool take_own(struct journal *journal, const char *key, struct error *error) {
    size_t length;
    if (!take_over(journal, journal->descriptor, key, &length)) {
        fail(journal->output, error,
             "what is there to go on from belongs to other inputs or settings");
        error_hint(error, "without --resume it begins anew");
        return false;
    }
    return ftruncate(journal->descriptor, (off_t)length) == 0 ||
           fail(journal->path, error, strerror(errno));
}

/* Takes over, where asked, and removes the journals of other members. */
static bool take_others(struct journal *journal, const char *path, const char *key, bool resume,
                        struct error *error) {
    size_t told = journal->told, length;
    for (size_t member = 1;; member++) {
        char *other = journal_path(path, member);
        int descriptor = open(other, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (descriptor >= 0) {
            if (resume)
                take_over(journal, descriptor, key, &length);
            close(descriptor);
            unlink(other);
        }
        free(other);
        if (descriptor < 0)
            break;
    }
    return append(journal, journal->records + told, (journal->told - told) * RECORD_BYTES, error);
}

/* A journal whose file is open, or fails to be. */
static struct journal *make_journal(const char *path, size_t member) {
    struct journal *journal = memory_array(1, sizeof *journal);
    journal->output = memory_string(path);
    journal->path = journal_path(path, member);
    journal->records = memory_array(0, RECORD_BYTES);
    journal->descriptor = open_locked(journal->path);
    return journal;
}

/* The journal, ready; where it is not good, NULL, and end is its end. */
static struct journal *finish(struct journal *journal, bool good, void (*end)(struct journal *)) {
    if (!good) {
        end(journal);
        return NULL;
    }
    qsort(journal->records, journal->told, RECORD_BYTES, compare_records);
    journal->count = journal->told;
    return journal;
}

struct journal *journal_open(const char *path, const char *key, bool resume, struct error *error) {
    struct journal *journal = make_journal(path, 0);
    bool good = journal->descriptor >= 0;
    if (!good)
        fail(path, error,
             errno == EWOULDBLOCK ? "somebody else is writing it just now" : strerror(errno));
    if (!good || (resume && !take_own(journal, key, error)))
        return finish(journal, false, journal_leave);
    good = (journal->told > 0 || begin_empty(journal, key, error)) &&
           take_others(journal, path, key, resume, error) &&
           (fsync(journal->descriptor) == 0 || fail(journal->path, error, strerror(errno)));
    return finish(journal, good, journal->told > 0 ? journal_leave : journal_remove);
}

struct journal *journal_join(const char *path, const char *key, size_t member,
                             struct error *error) {
    struct journal *journal = make_journal(path, member);
    char *first = journal_path(path, 0);
    size_t length;
    int descriptor = open(first, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    bool good = journal->descriptor >= 0 && descriptor >= 0;
    if (!good)
        fail(path, error, strerror(errno));
    else if (!take_over(journal, descriptor, key, &length))
        good = fail(path, error, "its journal is that of another merge");
    if (descriptor >= 0)
        close(descriptor);
    free(first);
    journal = finish(journal, good && begin_empty(journal, key, error), journal_remove);
    if (journal != NULL)
        journal->count = 0; /* those are the first member's */
    return journal;
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
    if (journal != NULL && journal->descriptor >= 0)
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
