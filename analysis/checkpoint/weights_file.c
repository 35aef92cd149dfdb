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
    size_t *order;     /* [count] tensors as they follow each other in the file */
    size_t whole;      /* so many of these are known to be put; only weights_file_follow uses it */
    bool ended;        /* the tail is there */
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

/* A tensor, for sorting. */
struct start {
    uint64_t offset;
    size_t index;
};

static int compare_starts(const void *one, const void *other) {
    const struct start *a = one, *b = other;
    return a->offset != b->offset ? (a->offset > b->offset) - (a->offset < b->offset)
                                  : (a->index > b->index) - (a->index < b->index);
}

static void find_order(struct weights_file *file) {
    size_t count = file->layout.count;
    struct start *starts = memory_array(count, sizeof *starts);
    file->order = memory_array(count, sizeof *file->order);
    for (size_t i = 0; i < count; i++)
        starts[i] = (struct start){file->layout.places[i].offset, i};
    qsort(starts, count, sizeof *starts, compare_starts);
    for (size_t i = 0; i < count; i++)
        file->order[i] = starts[i].index;
    free(starts);
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
        create(file, overwrite, error)) {
        find_order(file);
        return file;
    }
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
    atomic_file_flow(&file->file, data_start(file, index), place->bytes);
    file->put[index] = true;
    return true;
}

uint32_t weights_file_checksum(const struct weights_file *file, size_t index) {
    return file->layout.places[index].checksum;
}

/* Takes bytes of a file piece by piece. */
typedef void taker(void *context, const void *piece, size_t bytes);

/* False where they cannot be read. */
static bool read_pieces(const struct weights_file *file, uint64_t start, uint64_t bytes,
                        taker *take, void *context) {
    enum { PIECE = 1 << 20 };
    unsigned char *piece = memory_array(PIECE, 1);
    bool good = true;
    for (uint64_t done = 0; done < bytes && good; done += PIECE) {
        size_t count = (size_t)(bytes - done < PIECE ? bytes - done : PIECE);
        good = atomic_file_get(&file->file, piece, count, start + done);
        if (good)
            take(context, piece, count);
    }
    free(piece);
    return good;
}

static void take_checksum(void *context, const void *piece, size_t bytes) {
    uint32_t *checksum = context;
    *checksum = seal_checksum_more(*checksum, piece, bytes);
}

/* CRC-32 of bytes of the temporary file; false where they cannot be read. */
static bool read_checksum(const struct weights_file *file, uint64_t start, uint64_t bytes,
                          uint32_t *checksum) {
    *checksum = 0;
    return read_pieces(file, start, bytes, take_checksum, checksum);
}

static void take_digest(void *context, const void *piece, size_t bytes) {
    digest_add(context, piece, bytes);
}

/* Bytes that are as they stay, from the start of the file on. */
static uint64_t whole_bytes(struct weights_file *file) {
    const struct layout *layout = &file->layout;
    while (file->whole < layout->count && file->put[file->order[file->whole]])
        file->whole++;
    if (file->whole == layout->count && file->ended)
        return layout->bytes;
    if (file->whole == 0)
        return layout->head.length;
    size_t last = file->order[file->whole - 1];
    return data_start(file, last) + layout->places[last].bytes;
}

bool weights_file_follow(struct weights_file *file, struct digest *digest, uint64_t *done,
                         struct error *error) {
    uint64_t end = whole_bytes(file);
    if (end > *done && !read_pieces(file, *done, end - *done, take_digest, digest))
        return checkpoint_fail(&file->draft, error, "what was written cannot be read back");
    *done = end;
    return true;
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

/* What ends the file. */
static struct text tail_of(const struct weights_file *file) {
    return file->format->tail != NULL ? file->format->tail(&file->layout) : (struct text){0};
}

bool weights_file_end(struct weights_file *file, struct error *error) {
    struct text tail = tail_of(file);
    file->ended = atomic_file_put(&file->file, tail.bytes, tail.length,
                                  file->layout.bytes - tail.length, error);
    free(tail.bytes);
    return file->ended;
}

bool weights_file_commit(struct weights_file *file, struct error *error) {
    struct text tail = tail_of(file);
    bool good = check_file(file, &tail, error) && atomic_file_commit(&file->file, error);
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
    free(file->order);
    free(file->draft.path);
    free(file);
}
