#include "analysis/checkpoint/sharded.h"

#include "analysis/checkpoint/header_json.h"
#include "analysis/checkpoint/lora/lora.h"
#include "analysis/support/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum {
    INDEX_LIMIT = 100000000, /* bytes of an index, as of a safetensors header */
    SHARD_NAME_LIMIT = 255,
    NUMBER_SHOWN = 40
};

/* A member of weight_map. */
struct entry {
    const char *shard; /* in the arena */
    size_t tensor;     /* index in the checkpoint */
};

struct reader {
    struct checkpoint *checkpoint;
    struct json json;
    struct entry *entries; /* [capacity], one a tensor */
    size_t capacity;
    bool map_seen, metadata_seen;
    struct json_text total; /* total_size as it stands in the text; start NULL without one */
    uint64_t bytes;         /* of the tensors */
    struct error *error;
};

const char *const model_file_names[] = {"model.safetensors.index.json",
                                        "model.safetensors",
                                        "diffusion_pytorch_model.safetensors.index.json",
                                        "diffusion_pytorch_model.safetensors",
                                        "pytorch_model.bin.index.json",
                                        "pytorch_model.bin",
                                        ADAPTER_CONFIG, /* without its weights, which is said */
                                        NULL};

char *model_file(const char *path) {
    struct stat status;
    char *config = lora_config_of(path);
    if (config != NULL)
        return config;
    if (stat(path, &status) != 0 || !S_ISDIR(status.st_mode))
        return memory_string(path);
    const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";
    for (const char *const *name = model_file_names; *name != NULL; name++) {
        char *file = memory_format("%s%s%s", path, slash, *name);
        if (stat(file, &status) == 0)
            return file;
        free(file);
    }
    return memory_string(path);
}

static const char *keep_text(struct reader *reader, const struct json_text *text, size_t *length) {
    char *copy = arena_take(&reader->checkpoint->arena, text->length + 1);
    *length = json_decode(text, copy);
    copy[*length] = '\0';
    return copy;
}

/* What is wrong with the name of a shard, or NULL. It is a name beside the index, never a path
 * (where a link of that name leads does not matter), and never another index. */
static const char *shard_name_problem(const char *name, size_t length) {
    if (length == 0 || length > SHARD_NAME_LIMIT)
        return "its shard has an empty name or one that is too long";
    if (strlen(name) != length || strpbrk(name, "/\\") != NULL || strcmp(name, ".") == 0 ||
        strcmp(name, "..") == 0)
        return "its shard must be the name of a file beside the index, not a path";
    if (length >= 5 && strcasecmp(name + length - 5, ".json") == 0)
        return "its shard is a JSON file";
    return NULL;
}

static struct tensor *add_tensor(struct reader *reader) {
    struct checkpoint *checkpoint = reader->checkpoint;
    if (checkpoint->count == reader->capacity) {
        reader->capacity = 2 * reader->capacity + 64;
        checkpoint->tensors =
            memory_resize(checkpoint->tensors, reader->capacity, sizeof *checkpoint->tensors);
        reader->entries = memory_resize(reader->entries, reader->capacity, sizeof *reader->entries);
    }
    struct tensor *tensor = &checkpoint->tensors[checkpoint->count];
    *tensor = (struct tensor){0};
    reader->entries[checkpoint->count] = (struct entry){NULL, checkpoint->count};
    checkpoint->count++;
    return tensor;
}

/* "TENSOR": "SHARD" */
static bool read_entry(struct reader *reader) {
    struct json_text key, value;
    size_t length, at = reader->json.at;
    if (!json_key(&reader->json, &key))
        return false;
    struct tensor *tensor = add_tensor(reader);
    struct entry *entry = &reader->entries[reader->checkpoint->count - 1];
    tensor->name = keep_text(reader, &key, &tensor->name_length);
    if (tensor->name_length > TENSOR_NAME_LIMIT)
        return json_fail(&reader->json, "a name of more than 4096 bytes");
    const char *problem = NULL;
    if (json_string(&reader->json, &value)) {
        entry->shard = keep_text(reader, &value, &length);
        problem = shard_name_problem(entry->shard, length);
    } else {
        problem = reader->json.problem;
    }
    return problem == NULL ||
           tensor_fail(reader->checkpoint, tensor, reader->error, "%s (byte %zu)", problem, at);
}

static bool read_map(struct reader *reader) {
    if (reader->map_seen)
        return json_fail(&reader->json, "weight_map occurs twice");
    reader->map_seen = true;
    json_open(&reader->json, '{');
    for (bool first = true; json_next(&reader->json, '}', &first);)
        if (!read_entry(reader))
            return false;
    return reader->json.problem == NULL;
}

/* The value of total_size as text: it is told to people only. */
static bool read_total(struct reader *reader) {
    struct json *json = &reader->json;
    if (reader->total.start != NULL)
        return json_fail(json, "total_size occurs twice");
    json_peek(json);
    reader->total = (struct json_text){.start = json->text + json->at};
    if (!json_skip(json))
        return false;
    reader->total.length = (size_t)(json->text + json->at - reader->total.start);
    return true;
}

static bool read_metadata(struct reader *reader) {
    struct json *json = &reader->json;
    struct json_text key;
    if (reader->metadata_seen)
        return json_fail(json, "metadata occurs twice");
    reader->metadata_seen = true;
    if (json_peek(json) != '{')
        return json_skip(json);
    json_open(json, '{');
    for (bool first = true; json_next(json, '}', &first);)
        if (json_key(json, &key))
            (void)(json_equals(&key, "total_size") ? read_total(reader) : json_skip(json));
    return json->problem == NULL;
}

static bool read_member(struct reader *reader) {
    struct json_text key;
    if (!json_key(&reader->json, &key))
        return false;
    if (json_equals(&key, "weight_map"))
        return read_map(reader);
    return json_equals(&key, "metadata") ? read_metadata(reader) : json_skip(&reader->json);
}

static bool read_index(struct reader *reader) {
    struct json *json = &reader->json;
    json_open(json, '{');
    for (bool first = true; json_next(json, '}', &first);)
        if (!read_member(reader))
            break;
    if (reader->error->kind == ERROR_NONE && !json_end(json))
        checkpoint_fail(reader->checkpoint, reader->error, "%s (byte %zu)", json->problem,
                        json->at);
    return reader->error->kind == ERROR_NONE;
}

static bool check_index(struct reader *reader) {
    struct checkpoint *checkpoint = reader->checkpoint;
    if (!reader->map_seen)
        return checkpoint_fail(checkpoint, reader->error,
                               "JSON, but not an index of shards: it has no weight_map");
    if (checkpoint->count == 0)
        return checkpoint_fail(checkpoint, reader->error, "its weight_map is empty");
    size_t twice = name_index_build(&checkpoint->index, checkpoint->tensors, checkpoint->count);
    return twice == checkpoint->count ||
           tensor_fail(checkpoint, &checkpoint->tensors[twice], reader->error, "occurs twice");
}

/* By shard, then by tensor. */
static int compare_entries(const void *one, const void *other) {
    const struct entry *a = one, *b = other;
    int order = strcmp(a->shard, b->shard);
    return order != 0 ? order : (a->tensor > b->tensor) - (a->tensor < b->tensor);
}

/* Opens the shard beside the index; the checkpoint owns it. */
static struct checkpoint *open_shard(struct reader *reader, const char *name) {
    struct checkpoint *checkpoint = reader->checkpoint, *shard;
    struct error error = {0};
    const char *slash = strrchr(checkpoint->path, '/');
    int folder = slash != NULL ? (int)(slash + 1 - checkpoint->path) : 0;
    char *path = memory_format("%.*s%s", folder, checkpoint->path, name);
    if (checkpoint_open_shard(path, &shard, &error)) {
        checkpoint->shards = memory_resize(checkpoint->shards, checkpoint->shard_count + 1,
                                           sizeof(struct checkpoint *));
        checkpoint->shards[checkpoint->shard_count++] = shard;
    } else {
        checkpoint_fail(checkpoint, reader->error, "shard %s", error.message);
        if (error.hint != NULL)
            error_hint(reader->error, "%s", error.hint);
    }
    error_free(&error);
    free(path);
    return shard;
}

/* Ties within the shard; ties between files there are none. */
static void take_ties(struct checkpoint *checkpoint, const struct checkpoint *shard,
                      const struct entry *entries, size_t count) {
    if (shard->tied == NULL)
        return;
    if (checkpoint->tied == NULL) {
        checkpoint->tied = memory_array(checkpoint->count, sizeof *checkpoint->tied);
        for (size_t i = 0; i < checkpoint->count; i++)
            checkpoint->tied[i] = i;
    }
    size_t *first = memory_array(shard->count, sizeof *first); /* + 1 */
    for (size_t i = 0; i < count; i++) {
        const struct tensor *tensor = &checkpoint->tensors[entries[i].tensor];
        const struct tensor *there = checkpoint_find(shard, tensor->name, tensor->name_length);
        size_t *root = &first[shard->tied[there - shard->tensors]];
        if (*root == 0)
            *root = entries[i].tensor + 1;
        checkpoint->tied[entries[i].tensor] = *root - 1;
    }
    free(first);
}

/* The tensors of entries, all of one shard. */
static bool take_tensors(struct reader *reader, const struct checkpoint *shard,
                         const struct entry *entries, size_t count) {
    struct checkpoint *checkpoint = reader->checkpoint;
    for (size_t i = 0; i < count; i++) {
        struct tensor *tensor = &checkpoint->tensors[entries[i].tensor];
        const struct tensor *there = checkpoint_find(shard, tensor->name, tensor->name_length);
        if (there == NULL) {
            char *name = error_quote(shard->path, strlen(shard->path));
            tensor_fail(checkpoint, tensor, reader->error, "is not in its shard %s", name);
            free(name);
            return false;
        }
        *tensor = *there;
        reader->bytes += tensor->bytes;
    }
    take_ties(checkpoint, shard, entries, count);
    return true;
}

static bool read_shard(struct reader *reader, const struct entry *entries, size_t count) {
    struct checkpoint *shard = open_shard(reader, entries[0].shard);
    if (shard == NULL || !take_tensors(reader, shard, entries, count))
        return false;
    checkpoint_take_remarks(reader->checkpoint, shard);
    return true;
}

static bool read_shards(struct reader *reader) {
    size_t count = reader->checkpoint->count;
    struct entry *entries = reader->entries;
    qsort(entries, count, sizeof *entries, compare_entries);
    for (size_t first = 0, end; first < count; first = end) {
        end = first + 1;
        while (end < count && strcmp(entries[end].shard, entries[first].shard) == 0)
            end++;
        if (!read_shard(reader, &entries[first], end - first))
            return false;
    }
    return true;
}

/* "3 tensors that ... (the first: NAME)" */
static void warn_of(struct checkpoint *checkpoint, size_t count, const struct tensor *first,
                    const char *what) {
    if (count == 0)
        return;
    char *name = error_quote(first->name, first->name_length);
    checkpoint_warn(checkpoint, "%zu tensor%s of the shards %s; the first is %s", count,
                    count == 1 ? "" : "s", what, name);
    free(name);
}

/* Tensors of the shards that are not taken. A name of the checkpoint is that of its shard. */
static void warn_unused(struct checkpoint *checkpoint) {
    const struct tensor *first_extra = NULL, *first_twice = NULL;
    size_t extra = 0, twice = 0;
    for (size_t s = 0; s < checkpoint->shard_count; s++)
        for (size_t i = 0; i < checkpoint->shards[s]->count; i++) {
            const struct tensor *there = &checkpoint->shards[s]->tensors[i];
            const struct tensor *taken =
                checkpoint_find(checkpoint, there->name, there->name_length);
            if (taken == NULL && extra++ == 0)
                first_extra = there;
            else if (taken != NULL && taken->name != there->name && twice++ == 0)
                first_twice = there;
        }
    warn_of(checkpoint, extra, first_extra, "are left out: they are not in the index");
    warn_of(checkpoint, twice, first_twice, "are not taken: the index names another shard");
}

static void warn_total(const struct reader *reader) {
    char total[24];
    if (reader->total.start == NULL)
        return;
    int length = snprintf(total, sizeof total, "%" PRIu64, reader->bytes);
    size_t said = reader->total.length;
    if (said == (size_t)length && memcmp(total, reader->total.start, said) == 0)
        return;
    char *text = error_quote(reader->total.start, said < NUMBER_SHOWN ? said : NUMBER_SHOWN);
    checkpoint_warn(reader->checkpoint, "total_size is %s, the tensors have %s bytes", text, total);
    free(text);
}

/* Any JSON object; safetensors, which begins with a length, was asked before. */
static bool recognise(const struct mapping *file) {
    struct json json = {.text = (const char *)file->bytes, .length = file->size};
    if (json.length > INDEX_LIMIT)
        json.length = INDEX_LIMIT;
    return json_peek(&json) == '{';
}

static bool check_text(const struct checkpoint *checkpoint, struct error *error) {
    const struct mapping *file = &checkpoint->file;
    if (checkpoint->is_shard)
        return checkpoint_fail(checkpoint, error, "is itself an index of shards");
    if (checkpoint->wanted != NULL && checkpoint->wanted[0] != '\0')
        return checkpoint_fail(checkpoint, error,
                               "a sharded checkpoint has no state dicts to choose from");
    if (file->size > INDEX_LIMIT)
        return checkpoint_fail(checkpoint, error, "an index of %zu bytes; at most %d are allowed",
                               file->size, INDEX_LIMIT);
    size_t valid = utf8_check((const char *)file->bytes, file->size);
    return valid == file->size ||
           checkpoint_fail(checkpoint, error, "byte %zu is not UTF-8", valid);
}

static bool open_sharded(struct checkpoint *checkpoint, struct error *error) {
    const struct mapping *file = &checkpoint->file;
    struct reader reader = {.checkpoint = checkpoint,
                            .json = {.text = (const char *)file->bytes, .length = file->size},
                            .error = error};
    bool good = check_text(checkpoint, error) && read_index(&reader) && check_index(&reader) &&
                read_shards(&reader);
    if (good) {
        warn_unused(checkpoint);
        warn_total(&reader);
    }
    free(reader.entries);
    return good;
}

static const char *const endings[] = {".index.json", NULL};

const struct format sharded_format = {"sharded", endings, recognise, open_sharded};
