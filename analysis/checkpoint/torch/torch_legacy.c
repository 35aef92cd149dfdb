/* Torch checkpoints before 1.6: five pickles, then the storages (formats.md B7).
 *
 *     magic number | 1001 | {"little_endian": True, ...} | the object | ["KEY", ...] |
 *     for every key: number of elements, 8 bytes; the elements */
#include "analysis/checkpoint/torch/torch_file.h"

#include <stdlib.h>
#include <string.h>

enum { PROTOCOL_VERSION = 1001, COUNT_BYTES = 8 };

static const unsigned char magic[] = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";

enum { MAGIC_BYTES = sizeof magic - 1 };

/* A key of the list: storage number index. */
struct legacy_key {
    const char *text;
    size_t length, index;
};

struct legacy {
    size_t at; /* next byte of the file */
    struct pickle list;
    struct legacy_key *keys; /* sorted */
    size_t count;
    const unsigned char **data; /* [count], by storage */
};

static bool recognise(const struct mapping *file) {
    return file->size >= MAGIC_BYTES && memcmp(file->bytes, magic, MAGIC_BYTES) == 0;
}

static int compare_keys(const void *one, const void *other) {
    const struct legacy_key *a = one, *b = other;
    int order = (a->length > b->length) - (a->length < b->length);
    return order != 0 ? order : memcmp(a->text, b->text, a->length);
}

static bool find_storage(const struct torch_file *file, const char *key, size_t length,
                         size_t *storage) {
    const struct legacy *legacy = file->format;
    const struct legacy_key wanted = {key, length, 0};
    const struct legacy_key *found =
        bsearch(&wanted, legacy->keys, legacy->count, sizeof *legacy->keys, compare_keys);
    if (found != NULL)
        *storage = found->index;
    return found != NULL;
}

static const unsigned char *read_storage(struct torch_file *file, size_t storage,
                                         const char **problem) {
    (void)problem;
    const struct legacy *legacy = file->format;
    return legacy->data[storage];
}

/* The next pickle of the file, called where in messages. */
static bool next_pickle(struct torch_file *file, struct legacy *legacy, const char *where,
                        struct pickle *pickle) {
    const struct mapping *bytes = &file->checkpoint->file;
    bool good = pickle_read(pickle, bytes->bytes + legacy->at, bytes->size - legacy->at, true) ||
                checkpoint_fail(file->checkpoint, file->error, "%s: %s", where, pickle->problem);
    legacy->at += pickle->at;
    return good;
}

static bool check_protocol(struct torch_file *file, struct legacy *legacy) {
    struct pickle version;
    bool good = next_pickle(file, legacy, "protocol version", &version);
    const struct node *root = good ? &version.nodes[version.root] : NULL;
    if (good && (root->kind != NODE_INTEGER || root->integer != PROTOCOL_VERSION))
        good = checkpoint_fail(file->checkpoint, file->error, "a protocol of torch other than %d",
                               PROTOCOL_VERSION);
    pickle_free(&version);
    return good;
}

static bool check_system(struct torch_file *file, struct legacy *legacy) {
    struct pickle system;
    bool good = next_pickle(file, legacy, "system information", &system);
    if (good && (system.nodes[system.root].kind != NODE_DICT ||
                 pickle_value(&system, system.root, "little_endian") != NODE_AT_TRUE))
        good = checkpoint_fail(file->checkpoint, file->error,
                               "its system information does not say that it is little-endian");
    pickle_free(&system);
    return good;
}

static bool read_keys(struct torch_file *file, struct legacy *legacy) {
    if (!next_pickle(file, legacy, "list of keys", &legacy->list))
        return false;
    const struct pickle *list = &legacy->list;
    const struct node *root = &list->nodes[list->root];
    if (root->kind != NODE_LIST)
        return checkpoint_fail(file->checkpoint, file->error, "its list of keys is no list");
    legacy->keys = memory_array(root->count, sizeof *legacy->keys);
    for (uint32_t cell = root->first; cell != 0; cell = list->cells[cell].next) {
        uint32_t key = list->cells[cell].value;
        if (list->nodes[key].kind != NODE_TEXT)
            return checkpoint_fail(file->checkpoint, file->error,
                                   "its list holds a key that is "
                                   "no string");
        legacy->keys[legacy->count] =
            (struct legacy_key){pickle_text(list, key), list->nodes[key].count, legacy->count};
        legacy->count++;
    }
    qsort(legacy->keys, legacy->count, sizeof *legacy->keys, compare_keys);
    for (size_t i = 1; i < legacy->count; i++)
        if (compare_keys(&legacy->keys[i - 1], &legacy->keys[i]) == 0)
            return checkpoint_fail(file->checkpoint, file->error, "a storage key occurs twice");
    return true;
}

/* One storage at legacy->at. NULL, or what is wrong. */
static const char *place_storage(const struct torch_file *file, struct legacy *legacy, size_t i) {
    const struct mapping *bytes = &file->checkpoint->file;
    const struct torch_storage *storage = &file->storages[i];
    uint64_t elements;
    if (storage->class == NULL)
        return "belongs to no tensor";
    if (bytes->size - legacy->at < COUNT_BYTES)
        return "is cut off: the file is truncated";
    memcpy(&elements, bytes->bytes + legacy->at, COUNT_BYTES);
    legacy->at += COUNT_BYTES;
    if (elements != storage->elements)
        return "has another number of elements than the pickle says";
    if (storage->bytes > bytes->size - legacy->at)
        return "is cut off: the file is truncated";
    legacy->data[i] = bytes->bytes + legacy->at;
    legacy->at += storage->bytes;
    return NULL;
}

static bool place_storages(struct torch_file *file, struct legacy *legacy) {
    legacy->data = memory_array(legacy->count, sizeof *legacy->data);
    for (size_t i = 0; i < legacy->count; i++) {
        const char *problem = place_storage(file, legacy, i);
        if (problem != NULL)
            return checkpoint_fail(file->checkpoint, file->error, "storage %zu of %zu %s", i + 1,
                                   legacy->count, problem);
    }
    size_t left = file->checkpoint->file.size - legacy->at;
    return left == 0 || checkpoint_fail(file->checkpoint, file->error,
                                        "%zu bytes follow the last storage", left);
}

static bool load(struct torch_file *file, struct legacy *legacy) {
    legacy->at = MAGIC_BYTES;
    if (!check_protocol(file, legacy) || !check_system(file, legacy) ||
        !next_pickle(file, legacy, file->where, &file->pickle) || !read_keys(file, legacy))
        return false;
    file->storage_count = legacy->count;
    file->storages = memory_array(legacy->count, sizeof *file->storages);
    return torch_storages_mark(file) && place_storages(file, legacy) && torch_file_load(file);
}

static bool open_legacy(struct checkpoint *checkpoint, struct error *error) {
    struct legacy legacy = {0};
    struct torch_file file = {.checkpoint = checkpoint,
                              .error = error,
                              .where = "object",
                              .format = &legacy,
                              .find = find_storage,
                              .read = read_storage};
    bool good = recognise(&checkpoint->file)
                    ? load(&file, &legacy)
                    : checkpoint_fail(checkpoint, error, "not a torch checkpoint");
    torch_file_free(&file);
    pickle_free(&legacy.list);
    free(legacy.keys);
    free(legacy.data);
    return good;
}

const struct format torch_legacy_format = {"torch-legacy", torch_endings, recognise, open_legacy};
