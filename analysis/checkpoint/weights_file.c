#include "analysis/checkpoint/weights_file.h"

#include "analysis/checkpoint/output_format.h"
#include "analysis/support/atomic_file.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct output_format *const formats[] = {&safetensors_output, &torch_output};

enum { FORMATS = sizeof formats / sizeof formats[0] };

struct weights_file {
    const struct output_format *format;
    struct checkpoint draft; /* the path, for messages */
    struct atomic_file file;
    struct layout layout;
    enum weights_begin how;
    _Atomic bool *put; /* [count]: that tensor is in the file */
};

/* The format of a name by its ending, or NULL. */
static const struct output_format *format_of(const char *name) {
    size_t length = strlen(name);
    for (size_t i = 0; i < FORMATS; i++)
        for (const char *const *ending = formats[i]->endings; *ending != NULL; ending++)
            if (length > strlen(*ending) &&
                strcasecmp(name + length - strlen(*ending), *ending) == 0)
                return formats[i];
    return NULL;
}

bool weights_file_is_named(const char *name) {
    return format_of(name) != NULL;
}

bool weights_file_is_torch(const char *name) {
    return format_of(name) == &torch_output;
}

/* Bytes of every tensor, from dtype and shape. */
static bool measure(struct weights_file *file, const struct tensor_spec *specs,
                    struct error *error) {
    for (size_t i = 0; i < file->layout.count; i++) {
        const struct tensor_spec *spec = &specs[i];
        struct tensor tensor = {.name = spec->name,
                                .name_length = spec->name_length,
                                .dtype = spec->dtype,
                                .rank = spec->rank,
                                .shape = spec->shape};
        const char *problem = tensor_measure(&tensor);
        if (problem != NULL)
            return tensor_fail(&file->draft, &tensor, error, "%s", problem);
        file->layout.places[i] = (struct place){.spec = spec, .bytes = tensor.bytes};
    }
    return true;
}

static bool create(struct weights_file *file, bool overwrite, struct error *error) {
    const struct text *head = &file->layout.head;
    if (file->how == WEIGHTS_JOINED)
        return atomic_file_join(&file->file, file->draft.path, overwrite, error);
    return (file->how == WEIGHTS_LASTING ? atomic_file_continue : atomic_file_begin)(
               &file->file, file->draft.path, overwrite, error) &&
           atomic_file_reserve(&file->file, file->layout.bytes, error) &&
           atomic_file_put(&file->file, head->bytes, head->length, 0, error);
}

struct weights_file *weights_file_begin(const char *path, const struct writer_content *content,
                                        bool overwrite, enum weights_begin how,
                                        struct error *error) {
    struct weights_file *file = memory_array(1, sizeof *file);
    file->how = how;
    file->format = format_of(path) != NULL ? format_of(path) : formats[0];
    file->draft.path = memory_string(path);
    file->put = memory_array(content->count, sizeof *file->put);
    file->layout =
        (struct layout){.draft = &file->draft,
                        .places = memory_array(content->count, sizeof *file->layout.places),
                        .count = content->count,
                        .metadata = content->metadata,
                        .metadata_count = content->metadata_count,
                        .modules = content->modules,
                        .module_count = content->module_count};
    if (measure(file, content->specs, error) && file->format->lay_out(&file->layout, error) &&
        create(file, overwrite, error))
        return file;
    weights_file_cancel(file);
    return NULL;
}

uint64_t weights_file_bytes(const struct weights_file *file) {
    return file->layout.bytes;
}

/* Where the data of a tensor begin, from the start of the file. */
static uint64_t data_start(const struct weights_file *file, size_t index) {
    return file->layout.head.length + file->layout.places[index].offset;
}

static bool put_frame(struct weights_file *file, size_t index, struct error *error) {
    if (file->format->frame == NULL)
        return true;
    struct text frame = file->format->frame(&file->layout, index);
    bool good = atomic_file_put(&file->file, frame.bytes, frame.length,
                                data_start(file, index) - frame.length, error);
    free(frame.bytes);
    return good;
}

bool weights_file_put(struct weights_file *file, size_t index, const void *data,
                      struct error *error) {
    struct place *place = &file->layout.places[index];
    if (file->how != WEIGHTS_PASSING || file->format->frame != NULL)
        place->checksum = seal_checksum(data, place->bytes);
    if (!put_frame(file, index, error) ||
        !atomic_file_put(&file->file, data, place->bytes, data_start(file, index), error))
        return false;
    file->put[index] = true;
    return true;
}

uint32_t weights_file_checksum(const struct weights_file *file, size_t index) {
    return file->layout.places[index].checksum;
}

/* CRC-32 of bytes of the temporary file; false where they cannot be read. */
static bool read_checksum(const struct weights_file *file, uint64_t start, uint64_t bytes,
                          uint32_t *checksum) {
    enum { PIECE = 1 << 20 };
    unsigned char *piece = memory_array(PIECE, 1);
    bool good = true;
    *checksum = 0;
    for (uint64_t done = 0; done < bytes && good; done += PIECE) {
        size_t count = (size_t)(bytes - done < PIECE ? bytes - done : PIECE);
        good = atomic_file_get(&file->file, piece, count, start + done);
        *checksum = seal_checksum_more(*checksum, piece, count);
    }
    free(piece);
    return good;
}

static bool fail_tensor(const struct weights_file *file, size_t index, const char *reason,
                        struct error *error) {
    const struct tensor_spec *spec = file->layout.places[index].spec;
    struct tensor tensor = {.name = spec->name, .name_length = spec->name_length};
    return tensor_fail(&file->draft, &tensor, error, "%s", reason);
}

bool weights_file_take(struct weights_file *file, size_t index, uint32_t checksum,
                       struct error *error) {
    struct place *place = &file->layout.places[index];
    if (!read_checksum(file, data_start(file, index), place->bytes, &place->checksum) ||
        place->checksum != checksum)
        return fail_tensor(file, index, "what is on the disk is not what was written", error);
    bool good = put_frame(file, index, error);
    file->put[index] = good;
    return good;
}

bool weights_file_sync(const struct weights_file *file, struct error *error) {
    return atomic_file_sync(&file->file, error);
}

bool weights_file_check(const struct weights_file *file, struct error *error) {
    for (size_t i = 0; i < file->layout.count; i++)
        if (!file->put[i])
            return fail_tensor(file, i, "was never written", error);
    return true;
}

/* Opens the file by all rules of its format. With head and tail as they were meant, the table of
 * tensors is as it was meant too. */
static bool check_file(const struct weights_file *file, const struct text *tail,
                       struct error *error) {
    struct checkpoint *checkpoint;
    const struct text *head = &file->layout.head;
    if (!checkpoint_open(file->file.temporary, &checkpoint, error))
        return false;
    const struct mapping *bytes = &checkpoint->file;
    bool same = bytes->size == file->layout.bytes &&
                memcmp(bytes->bytes, head->bytes, head->length) == 0 &&
                (tail->length == 0 ||
                 memcmp(bytes->bytes + bytes->size - tail->length, tail->bytes, tail->length) == 0);
    checkpoint_close(checkpoint);
    return same ||
           checkpoint_fail(&file->draft, error, "the header on the disk is not the one written");
}

bool weights_file_commit(struct weights_file *file, struct digest *digest, struct error *error) {
    struct text tail = {0};
    if (file->format->tail != NULL)
        tail = file->format->tail(&file->layout);
    bool good = atomic_file_put(&file->file, tail.bytes, tail.length,
                                file->layout.bytes - tail.length, error) &&
                check_file(file, &tail, error) &&
                (digest == NULL || digest_add_file(digest, file->file.temporary, NULL, error)) &&
                atomic_file_commit(&file->file, error);
    free(tail.bytes);
    weights_file_cancel(file);
    return good;
}

void weights_file_cancel(struct weights_file *file) {
    if (file != NULL)
        atomic_file_cancel(&file->file);
    weights_file_leave(file);
}

void weights_file_leave(struct weights_file *file) {
    if (file == NULL)
        return;
    atomic_file_leave(&file->file);
    free(file->layout.head.bytes);
    free(file->layout.places);
    free(file->layout.records);
    free(file->put);
    free(file->draft.path);
    free(file);
}
