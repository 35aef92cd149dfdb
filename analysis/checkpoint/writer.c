#include "analysis/checkpoint/writer.h"

#include "analysis/checkpoint/journal.h"
#include "analysis/checkpoint/model_folder.h"
#include "analysis/checkpoint/output_text.h"
#include "analysis/checkpoint/weights_file.h"
#include "analysis/support/atomic_file.h"
#include "analysis/support/memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A shard: tensors [first, first + count). */
struct part {
    size_t first, count;
    char *name; /* NULL for the only file of a writer without a folder */
    struct weights_file *file;
};

struct writer {
    const struct tensor_spec *specs;
    size_t count;
    struct part *parts;
    size_t part_count;
    struct model_folder folder; /* path NULL for a single file */
    char *companions;           /* the folder to copy small files from, or NULL */
    uint64_t tensor_bytes;
    struct journal *journal; /* NULL: nothing outlives an interruption */
    bool is_joined;          /* another member began the output */
    pthread_mutex_t mutex;   /* of the rest: the digest of the files, made while they grow */
    struct digest *digest;
    size_t digested_parts;
    uint64_t digested_bytes; /* of the next part */
};

bool writer_is_folder(const char *path) {
    struct stat status;
    size_t length = strlen(path);
    return (length > 0 && path[length - 1] == '/') ||
           (stat(path, &status) == 0 && S_ISDIR(status.st_mode));
}

bool writer_is_named(const char *path) {
    const char *slash = strrchr(path, '/');
    return writer_is_folder(path) || weights_file_is_named(slash != NULL ? slash + 1 : path);
}

bool writer_is_torch(const char *path) {
    const char *slash = strrchr(path, '/');
    return !writer_is_folder(path) && weights_file_is_torch(slash != NULL ? slash + 1 : path);
}

bool writer_check(const char *path, bool overwrite, struct error *error) {
    struct model_folder folder;
    if (!writer_is_folder(path))
        return atomic_file_check(path, overwrite, error);
    if (!model_folder_begin(&folder, path, overwrite, error))
        return false;
    model_folder_cancel(&folder);
    return true;
}

static struct writer *make_writer(const struct tensor_spec *specs, size_t count) {
    struct writer *writer = memory_array(1, sizeof *writer);
    writer->specs = specs;
    writer->count = count;
    writer->digest = digest_begin();
    pthread_mutex_init(&writer->mutex, NULL);
    return writer;
}

static bool begin_part(struct writer *writer, size_t p, const char *path,
                       const struct writer_content *content, bool overwrite, struct error *error) {
    struct part *part = &writer->parts[p];
    struct writer_content own = *content;
    own.specs = content->specs != NULL ? content->specs + part->first : NULL;
    own.count = part->count;
    enum weights_begin how = writer->journal == NULL ? WEIGHTS_PASSING
                             : writer->is_joined     ? WEIGHTS_JOINED
                                                     : WEIGHTS_LASTING;
    part->file = weights_file_begin(path, &own, overwrite, how, error);
    return part->file != NULL;
}

char *writer_lasting(const char *path) {
    char *settled = atomic_file_settle(path), *lasting = atomic_file_lasting(settled);
    free(settled);
    return lasting;
}

/* What an earlier run left goes, unless this one goes on with it. */
static void remove_older(const char *path) {
    char *lasting = writer_lasting(path);
    if (unlink(lasting) != 0)
        model_folder_remove(lasting);
    free(lasting);
}

/* The journal, with content.key; before anything else, as it keeps other writers away. */
static bool begin_journal(struct writer *writer, const char *path,
                          const struct writer_content *content, bool overwrite,
                          struct error *error) {
    if (content->key == NULL)
        return true;
    writer->is_joined = content->member > 0;
    if (writer->is_joined) {
        writer->journal = journal_join(path, content->key, content->member, error);
        return writer->journal != NULL;
    }
    if (!writer_check(path, overwrite, error))
        return false;
    writer->journal = journal_open(path, content->key, content->resume, error);
    if (writer->journal != NULL && journal_count(writer->journal) == 0)
        remove_older(path);
    return writer->journal != NULL;
}

bool writer_begin(const char *path, const struct writer_content *content, bool overwrite,
                  struct writer **writer, struct error *error) {
    struct writer *begun = make_writer(content->specs, content->count);
    begun->parts = memory_array(1, sizeof *begun->parts);
    begun->parts[0].count = content->count;
    begun->part_count = 1;
    bool good = begin_journal(begun, path, content, overwrite, error) &&
                begin_part(begun, 0, path, content, overwrite, error);
    *writer = good ? begun : NULL;
    if (!good)
        writer_leave(begun);
    return good;
}

/* Bytes of a tensor; more than there are where they cannot be counted: weights_file says so. */
static uint64_t spec_bytes(const struct tensor_spec *spec) {
    uint64_t bits = dtype_bits(spec->dtype);
    for (size_t d = 0; d < spec->rank; d++)
        if (__builtin_mul_overflow(bits, spec->shape[d], &bits))
            return UINT64_MAX / 8;
    return bits / 8;
}

/* Greedy, in the order of the specs: a shard is closed when the next tensor would exceed the limit,
 * so that one larger than the limit has a shard of its own. shard_bytes 0: no limit. */
size_t writer_shards(const struct tensor_spec *specs, size_t count, uint64_t shard_bytes,
                     size_t *shards) {
    uint64_t bytes = 0;
    size_t shard = 0;
    for (size_t i = 0; i < count; i++) {
        uint64_t more = spec_bytes(&specs[i]);
        bool over = __builtin_add_overflow(bytes, more, &bytes) || bytes > shard_bytes;
        if (shard_bytes > 0 && over && i > 0 && shards[i - 1] == shard) {
            shard++;
            bytes = more;
        }
        shards[i] = shard;
    }
    return shard + 1;
}

static void split(struct writer *writer, uint64_t shard_bytes) {
    size_t *shards = memory_array(writer->count, sizeof *shards);
    writer->part_count = writer_shards(writer->specs, writer->count, shard_bytes, shards);
    writer->parts = memory_array(writer->part_count, sizeof *writer->parts);
    for (size_t i = 0; i < writer->count; i++) {
        struct part *part = &writer->parts[shards[i]];
        if (part->count++ == 0)
            part->first = i;
        writer->tensor_bytes += spec_bytes(&writer->specs[i]);
    }
    free(shards);
}

static void name_parts(struct writer *writer) {
    if (writer->part_count == 1)
        writer->parts[0].name = memory_string(MODEL_FILE);
    for (size_t p = 0; writer->part_count > 1 && p < writer->part_count; p++)
        writer->parts[p].name = memory_format(MODEL_SHARD, p + 1, writer->part_count);
}

static bool begin_folder(struct writer *writer, const char *path, bool overwrite,
                         struct error *error) {
    if (writer->journal == NULL)
        return model_folder_begin(&writer->folder, path, overwrite, error);
    return (writer->is_joined ? model_folder_join : model_folder_continue)(&writer->folder, path,
                                                                           overwrite, error);
}

bool writer_begin_folder(const char *path, const struct writer_content *content,
                         uint64_t shard_bytes, const char *companions, bool overwrite,
                         struct writer **writer, struct error *error) {
    struct writer *begun = make_writer(content->specs, content->count);
    begun->companions = memory_string(companions);
    split(begun, shard_bytes);
    name_parts(begun);
    bool good = begin_journal(begun, path, content, overwrite, error) &&
                begin_folder(begun, path, overwrite, error);
    for (size_t p = 0; good && p < begun->part_count; p++) {
        char *file = model_folder_file(&begun->folder, begun->parts[p].name);
        good = begin_part(begun, p, file, content, false, error);
        free(file);
    }
    *writer = good ? begun : NULL;
    if (!good)
        writer_leave(begun);
    return good;
}

uint64_t writer_file_bytes(const struct writer *writer) {
    uint64_t bytes = 0;
    for (size_t p = 0; p < writer->part_count; p++)
        bytes += weights_file_bytes(writer->parts[p].file);
    return bytes;
}

/* The part that holds tensor index. */
static const struct part *part_of(const struct writer *writer, size_t index) {
    size_t low = 0, high = writer->part_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (writer->parts[middle].first <= index)
            low = middle;
        else
            high = middle;
    }
    return &writer->parts[low];
}

/* Digests what is new, as far as the files are whole. */
static bool digest_parts(struct writer *writer, struct error *error) {
    for (; writer->digested_parts < writer->part_count; writer->digested_parts++) {
        struct weights_file *file = writer->parts[writer->digested_parts].file;
        if (!weights_file_follow(file, writer->digest, &writer->digested_bytes, error))
            return false;
        if (writer->digested_bytes < weights_file_bytes(file))
            return true;
        writer->digested_bytes = 0;
    }
    return true;
}

/* The same, where it is this member's and no other thread is at it. */
static bool digest_on(struct writer *writer, struct error *error) {
    if (writer->is_joined || pthread_mutex_trylock(&writer->mutex) != 0)
        return true;
    bool good = digest_parts(writer, error);
    pthread_mutex_unlock(&writer->mutex);
    return good;
}

bool writer_put(struct writer *writer, size_t index, const void *data, struct error *error) {
    const struct part *part = part_of(writer, index);
    size_t place = index - part->first;
    return weights_file_put(part->file, place, data, error) &&
           (writer->journal == NULL ||
            journal_add(writer->journal, index, weights_file_checksum(part->file, place), error)) &&
           digest_on(writer, error);
}

bool writer_kept(struct writer *writer, size_t index) {
    uint32_t checksum;
    struct error error = {0}; /* it is made again */
    bool kept = writer->journal != NULL && journal_find(writer->journal, index, &checksum) &&
                writer_take(writer, index, checksum, &error);
    error_free(&error);
    return kept;
}

uint32_t writer_checksum(const struct writer *writer, size_t index) {
    const struct part *part = part_of(writer, index);
    return weights_file_checksum(part->file, index - part->first);
}

bool writer_take(struct writer *writer, size_t index, uint32_t checksum, struct error *error) {
    const struct part *part = part_of(writer, index);
    return weights_file_take(part->file, index - part->first, checksum, error);
}

bool writer_sync(const struct writer *writer, struct error *error) {
    bool good = true;
    for (size_t p = 0; p < writer->part_count && good; p++)
        good = weights_file_sync(writer->parts[p].file, error);
    return good;
}

size_t writer_journaled(const struct writer *writer) {
    return writer->journal != NULL ? journal_count(writer->journal) : 0;
}

/* A line of weight_map. */
struct mapped {
    const struct tensor_spec *spec;
    const char *shard;
};

static int compare_mapped(const void *one, const void *other) {
    const struct tensor_spec *a = ((const struct mapped *)one)->spec;
    const struct tensor_spec *b = ((const struct mapped *)other)->spec;
    size_t shorter = a->name_length < b->name_length ? a->name_length : b->name_length;
    int order = memcmp(a->name, b->name, shorter);
    return order != 0 ? order
                      : (a->name_length > b->name_length) - (a->name_length < b->name_length);
}

/* As Python's json.dumps(index, indent=2, sort_keys=True) and a new line. */
static struct text index_text(const struct writer *writer) {
    struct text text = {0};
    struct mapped *map = memory_array(writer->count, sizeof *map);
    for (size_t i = 0; i < writer->count; i++)
        map[i] = (struct mapped){&writer->specs[i], part_of(writer, i)->name};
    qsort(map, writer->count, sizeof *map, compare_mapped);
    text_add_word(&text, "{\n  \"metadata\": {\n    \"total_size\": ");
    text_add_number(&text, writer->tensor_bytes);
    text_add_word(&text, "\n  },\n  \"weight_map\": {");
    for (size_t i = 0; i < writer->count; i++) {
        text_add_word(&text, i > 0 ? ",\n    " : "\n    ");
        text_add_string(&text, map[i].spec->name, map[i].spec->name_length);
        text_add_word(&text, ": \"");
        text_add_word(&text, map[i].shard);
        text_add_word(&text, "\"");
    }
    text_add_word(&text, "\n  }\n}\n");
    free(map);
    return text;
}

static bool write_index(const struct writer *writer, struct error *error) {
    if (writer->part_count == 1)
        return true;
    struct text text = index_text(writer);
    char *path = model_folder_file(&writer->folder, MODEL_INDEX);
    bool good = atomic_file_write(path, text.bytes, text.length, false, error);
    free(path);
    free(text.bytes);
    return good;
}

/* What a folder holds beside the weights, and its name. */
static bool commit_folder(struct writer *writer, struct error *error) {
    return write_index(writer, error) &&
           (writer->companions == NULL ||
            model_folder_copy(&writer->folder, writer->companions, error)) &&
           model_folder_commit(&writer->folder, error);
}

static bool commit_parts(struct writer *writer, struct error *error) {
    bool good = true;
    for (size_t p = 0; p < writer->part_count && good; p++)
        good = weights_file_check(writer->parts[p].file, error) &&
               weights_file_end(writer->parts[p].file, error);
    good = good && digest_parts(writer, error);
    for (size_t p = 0; p < writer->part_count && good; p++) {
        good = weights_file_commit(writer->parts[p].file, error);
        writer->parts[p].file = NULL;
    }
    return good;
}

bool writer_commit(struct writer *writer, char sha256[SHA256_TEXT], struct error *error) {
    bool good = commit_parts(writer, error) &&
                (writer->folder.path == NULL || commit_folder(writer, error));
    if (good && sha256 != NULL) {
        digest_end(writer->digest, sha256);
        writer->digest = NULL;
    }
    writer_cancel(writer);
    return good;
}

/* end_file, end_folder, end_journal: what becomes of what is temporary. */
static void end(struct writer *writer, void (*end_file)(struct weights_file *),
                void (*end_folder)(struct model_folder *), void (*end_journal)(struct journal *)) {
    if (writer == NULL)
        return;
    for (size_t p = 0; p < writer->part_count; p++) {
        end_file(writer->parts[p].file);
        free(writer->parts[p].name);
    }
    end_folder(&writer->folder);
    end_journal(writer->journal);
    digest_free(writer->digest);
    pthread_mutex_destroy(&writer->mutex);
    free(writer->parts);
    free(writer->companions);
    free(writer);
}

void writer_cancel(struct writer *writer) {
    if (writer != NULL && writer->is_joined)
        end(writer, weights_file_leave, model_folder_leave, journal_remove);
    else
        end(writer, weights_file_cancel, model_folder_cancel, journal_remove);
}

void writer_leave(struct writer *writer) {
    if (writer == NULL || writer_journaled(writer) == 0)
        writer_cancel(writer);
    else
        end(writer, weights_file_leave, model_folder_leave, journal_leave);
}
