#include "analysis/checkpoint/checkpoint.h"

#include "analysis/checkpoint/format.h"
#include "analysis/checkpoint/lora/lora.h"
#include "analysis/checkpoint/safetensors.h"
#include "analysis/checkpoint/sharded.h"
#include "analysis/checkpoint/torch/torch_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct format *const formats[] = {&safetensors_format, &torch_archive_format,
                                               &torch_legacy_format, &lora_format, &sharded_format};

enum { FORMATS = sizeof formats / sizeof formats[0] };

static char *format_reason(const char *format, va_list arguments) {
    char *reason = NULL;
    if (vasprintf(&reason, format, arguments) < 0)
        memory_exhausted(256);
    return reason;
}

void checkpoint_warn(struct checkpoint *checkpoint, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *warning = format_reason(format, arguments);
    va_end(arguments);
    string_list_add(&checkpoint->warnings, warning);
    free(warning);
}

bool checkpoint_fail(const struct checkpoint *checkpoint, struct error *error, const char *format,
                     ...) {
    va_list arguments;
    va_start(arguments, format);
    char *reason = format_reason(format, arguments);
    va_end(arguments);
    char *path = error_quote(checkpoint->path, strlen(checkpoint->path));
    error_set(error, ERROR_INPUT, "%s: %s", path, reason);
    free(path);
    free(reason);
    return false;
}

bool tensor_fail(const struct checkpoint *checkpoint, const struct tensor *tensor,
                 struct error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *reason = format_reason(format, arguments);
    va_end(arguments);
    char *name = error_quote(tensor->name, tensor->name_length);
    checkpoint_fail(checkpoint, error, "tensor %s: %s", name, reason);
    free(name);
    free(reason);
    return false;
}

/* A file that can be mapped: not a folder, and not a pipe or device, whose opening must not wait.
 */
static bool check_kind(const struct checkpoint *checkpoint, const struct stat *status,
                       struct error *error) {
    if (S_ISDIR(status->st_mode))
        return checkpoint_fail(checkpoint, error, "is a folder, and holds no %s or %s",
                               model_file_names[0], model_file_names[1]);
    if (!S_ISREG(status->st_mode))
        return checkpoint_fail(checkpoint, error, "is not a regular file");
    if (status->st_size == 0)
        return checkpoint_fail(checkpoint, error, "the file is empty");
    return true;
}

static bool map_file(struct checkpoint *checkpoint, struct error *error) {
    bool good = false;
    struct stat status;
    void *bytes;
    int descriptor = open(checkpoint->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        checkpoint_fail(checkpoint, error, "%s", strerror(errno));
        goto done;
    }
    if (!check_kind(checkpoint, &status, error))
        goto done;
    bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    if (bytes == MAP_FAILED) {
        checkpoint_fail(checkpoint, error, "cannot be mapped: %s", strerror(errno));
        goto done;
    }
    checkpoint->file = (struct mapping){bytes, (size_t)status.st_size};
    checkpoint->opened = status;
    good = true;
done:
    if (descriptor >= 0)
        close(descriptor);
    return good;
}

static bool has_ending(const char *path, const char *ending) {
    size_t length = strlen(path), ending_length = strlen(ending);
    return length >= ending_length && strcasecmp(path + length - ending_length, ending) == 0;
}

/* The ending of the path among these, or NULL. */
static const char *find_ending(const char *path, const char *const *endings) {
    for (const char *const *ending = endings; *ending != NULL; ending++)
        if (has_ending(path, *ending))
            return *ending;
    return NULL;
}

/* A name that promises another format is worth a warning, nothing more. */
static void check_ending(struct checkpoint *checkpoint, const struct format *format) {
    const char *other = NULL;
    for (size_t i = 0; i < FORMATS && other == NULL; i++)
        other = find_ending(checkpoint->path, formats[i]->endings);
    if (other != NULL && find_ending(checkpoint->path, format->endings) == NULL)
        checkpoint_warn(checkpoint, "the name ends in %s, the content is %s", other, format->name);
}

/* The content decides. Only where it tells nothing the name may: a broken safetensors file
 * deserves to hear what is broken. */
static const struct format *find_format(const struct checkpoint *checkpoint, struct error *error) {
    for (size_t i = 0; i < FORMATS; i++)
        if (formats[i]->recognise(&checkpoint->file))
            return formats[i];
    if (sniff_foreign(checkpoint, error))
        return NULL;
    for (size_t i = 0; i < FORMATS; i++)
        if (find_ending(checkpoint->path, formats[i]->endings) != NULL)
            return formats[i];
    checkpoint_fail(checkpoint, error, "not a checkpoint of a known format");
    return NULL;
}

static bool open_content(struct checkpoint *checkpoint, struct error *error) {
    const struct format *format = find_format(checkpoint, error);
    if (format == NULL)
        return false;
    check_ending(checkpoint, format);
    checkpoint->format = format->name;
    return format->open(checkpoint, error);
}

/* Opens what has a path and nothing else. */
static bool open_file(struct checkpoint *opened, struct checkpoint **checkpoint,
                      struct error *error) {
    bool good = map_file(opened, error) && open_content(opened, error);
    opened->wanted = NULL;
    *checkpoint = good ? opened : NULL;
    if (!good)
        checkpoint_close(opened);
    return good;
}

bool checkpoint_open_at(const char *path, const char *state_dict, struct checkpoint **checkpoint,
                        struct error *error) {
    struct checkpoint *opened = memory_array(1, sizeof *opened);
    opened->path = model_file(path);
    opened->wanted = state_dict;
    return open_file(opened, checkpoint, error);
}

bool checkpoint_open_shard(const char *path, struct checkpoint **checkpoint, struct error *error) {
    struct checkpoint *opened = memory_array(1, sizeof *opened);
    opened->path = memory_string(path);
    opened->is_shard = true;
    return open_file(opened, checkpoint, error);
}

bool checkpoint_open(const char *path, struct checkpoint **checkpoint, struct error *error) {
    return checkpoint_open_at(path, NULL, checkpoint, error);
}

void checkpoint_close(struct checkpoint *checkpoint) {
    if (checkpoint == NULL)
        return;
    if (checkpoint->file.bytes != NULL)
        munmap((void *)checkpoint->file.bytes, checkpoint->file.size);
    name_index_free(&checkpoint->index);
    arena_free(&checkpoint->arena);
    string_list_free(&checkpoint->warnings);
    for (size_t i = 0; i < checkpoint->skipped_count; i++)
        free(checkpoint->skipped[i].what);
    for (size_t i = 0; i < checkpoint->buffer_count; i++)
        free(checkpoint->buffers[i]);
    for (size_t i = 0; i < checkpoint->shard_count; i++)
        checkpoint_close(checkpoint->shards[i]);
    free(checkpoint->shards);
    free(checkpoint->skipped);
    free(checkpoint->buffers);
    free(checkpoint->tied);
    free(checkpoint->weights);
    free(checkpoint->seals);
    free(checkpoint->metadata);
    free(checkpoint->tensors);
    free(checkpoint->path);
    free(checkpoint);
}

const char *checkpoint_path(const struct checkpoint *checkpoint) {
    return checkpoint->path;
}

const char *checkpoint_format(const struct checkpoint *checkpoint) {
    return checkpoint->format;
}

const char *checkpoint_state_dict(const struct checkpoint *checkpoint) {
    return checkpoint->state_dict != NULL ? checkpoint->state_dict : "";
}

const struct skipped *checkpoint_skipped(const struct checkpoint *checkpoint, size_t *count) {
    *count = checkpoint->skipped_count;
    return checkpoint->skipped;
}

void checkpoint_skip(struct checkpoint *checkpoint, const char *what, size_t count) {
    size_t i = 0;
    while (i < checkpoint->skipped_count && strcmp(checkpoint->skipped[i].what, what) != 0)
        i++;
    if (i == checkpoint->skipped_count) {
        checkpoint->skipped = memory_resize(checkpoint->skipped, ++checkpoint->skipped_count,
                                            sizeof *checkpoint->skipped);
        checkpoint->skipped[i] = (struct skipped){memory_string(what), 0};
    }
    checkpoint->skipped[i].count += count;
}

void checkpoint_take_remarks(struct checkpoint *checkpoint, const struct checkpoint *shard) {
    char *name = error_quote(shard->path, strlen(shard->path));
    for (size_t i = 0; i < shard->warnings.count; i++)
        checkpoint_warn(checkpoint, "%s: %s", name, shard->warnings.items[i]);
    free(name);
    for (size_t i = 0; i < shard->skipped_count; i++)
        checkpoint_skip(checkpoint, shard->skipped[i].what, shard->skipped[i].count);
}

size_t checkpoint_count(const struct checkpoint *checkpoint) {
    return checkpoint->count;
}

const struct tensor *checkpoint_tensor(const struct checkpoint *checkpoint, size_t index) {
    return &checkpoint->tensors[index];
}

bool checkpoint_is_adapter(const struct checkpoint *checkpoint) {
    return checkpoint->is_adapter;
}

size_t checkpoint_weight_count(const struct checkpoint *checkpoint) {
    return checkpoint->is_adapter ? checkpoint->weight_count : checkpoint->count;
}

const struct tensor *checkpoint_weight(const struct checkpoint *checkpoint, size_t index) {
    return checkpoint->is_adapter ? &checkpoint->weights[index] : &checkpoint->tensors[index];
}

const struct tensor *checkpoint_find(const struct checkpoint *checkpoint, const char *name,
                                     size_t length) {
    return name_index_find(&checkpoint->index, name, length);
}

size_t checkpoint_tied(const struct checkpoint *checkpoint, size_t index) {
    return checkpoint->tied != NULL ? checkpoint->tied[index] : index;
}

const struct module_version *checkpoint_modules(const struct checkpoint *checkpoint,
                                                size_t *count) {
    *count = checkpoint->module_count;
    return checkpoint->modules;
}

/* From the end: of two entries with one key the last one counts, as for the official reader. */
const char *checkpoint_metadata(const struct checkpoint *checkpoint, const char *key) {
    for (size_t i = checkpoint->metadata_count; i-- > 0;)
        if (strcmp(checkpoint->metadata[i].key, key) == 0)
            return checkpoint->metadata[i].value;
    return NULL;
}

const struct string_list *checkpoint_warnings(const struct checkpoint *checkpoint) {
    return &checkpoint->warnings;
}

struct string_list checkpoint_files(const struct checkpoint *checkpoint) {
    struct string_list files = {0};
    string_list_add(&files, checkpoint->path);
    for (size_t i = 0; i < checkpoint->shard_count; i++)
        string_list_add(&files, checkpoint->shards[i]->path);
    return files;
}

/* Another file that has its name by now is no matter: what was mapped is still there. */
static bool was_written_to(const struct checkpoint *checkpoint) {
    const struct stat *then = &checkpoint->opened;
    struct stat now;
    return stat(checkpoint->path, &now) == 0 && now.st_dev == then->st_dev &&
           now.st_ino == then->st_ino &&
           (now.st_size != then->st_size || now.st_mtim.tv_sec != then->st_mtim.tv_sec ||
            now.st_mtim.tv_nsec != then->st_mtim.tv_nsec);
}

bool checkpoint_unchanged(const struct checkpoint *checkpoint, struct error *error) {
    bool good = !was_written_to(checkpoint) ||
                checkpoint_fail(checkpoint, error, "was written to while it was read");
    for (size_t i = 0; i < checkpoint->shard_count && good; i++)
        good = checkpoint_unchanged(checkpoint->shards[i], error);
    return good;
}

bool checkpoint_same_file(const char *one, const char *other) {
    struct stat a, b;
    return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino;
}

/* The folder that holds path. */
static char *folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return memory_format("%.*s", slash != NULL ? (int)(slash + 1 - path) : 2,
                         slash != NULL ? path : "./");
}

bool checkpoint_is_made_of(const struct checkpoint *checkpoint, const char *path) {
    char *folder = folder_of(checkpoint->path);
    bool found = checkpoint_same_file(checkpoint->path, path) || checkpoint_same_file(folder, path);
    for (size_t i = 0; i < checkpoint->shard_count && !found; i++)
        found = checkpoint_is_made_of(checkpoint->shards[i], path);
    free(folder);
    return found;
}
