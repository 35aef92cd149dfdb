#include "analysis/checkpoint/writer.h"

#include "analysis/checkpoint/safetensors.h"
#include "analysis/checkpoint/safetensors_text.h"
#include "analysis/support/atomic_file.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8 }; /* before the header's text */

struct writer {
    char *path;
    struct atomic_file file;
    const struct tensor_spec *specs;
    size_t count;
    struct place *places; /* [count], in the order of specs */
    _Atomic bool *put;    /* [count]: that tensor is in the file */
    struct text header;   /* with the length before it */
    uint64_t file_bytes;
};

/* Bytes of every tensor, from dtype and shape. draft lends its path to the message. */
static bool measure(struct writer *writer, const struct checkpoint *draft, struct error *error) {
    for (size_t i = 0; i < writer->count; i++) {
        const struct tensor_spec *spec = &writer->specs[i];
        struct tensor tensor = {.name = spec->name,
                                .name_length = spec->name_length,
                                .dtype = spec->dtype,
                                .rank = spec->rank,
                                .shape = spec->shape};
        const char *problem = tensor_measure(&tensor);
        if (problem != NULL)
            return tensor_fail(draft, &tensor, error, "%s", problem);
        writer->places[i] = (struct place){.spec = spec, .bytes = tensor.bytes};
    }
    return true;
}

/* Puts places, which safetensors_place has sorted, back into the order of specs. */
static void order_as_specs(struct writer *writer) {
    struct place *places = memory_array(writer->count, sizeof *places);
    for (size_t i = 0; i < writer->count; i++)
        places[writer->places[i].spec - writer->specs] = writer->places[i];
    free(writer->places);
    writer->places = places;
}

/* Reads the header as a reader will: two tensors of one name, a name that is not UTF-8 and so on
 * come to light before the work, by the same rules. */
static bool check_header(const struct writer *writer, struct checkpoint *draft, uint64_t data_bytes,
                         struct error *error) {
    size_t length = writer->header.length - LENGTH_BYTES;
    if (length > SAFETENSORS_HEADER_LIMIT)
        return checkpoint_fail(draft, error,
                               "its header would take %zu bytes; at most %d are allowed", length,
                               SAFETENSORS_HEADER_LIMIT);
    struct span *spans = safetensors_read_header(draft, writer->header.bytes + LENGTH_BYTES, length,
                                                 data_bytes, error);
    free(spans);
    return spans != NULL;
}

/* Gives every tensor its place and makes the header. */
static bool lay_out(struct writer *writer, const struct metadata_entry *metadata,
                    size_t metadata_count, struct error *error) {
    struct checkpoint *draft = memory_array(1, sizeof *draft);
    draft->path = memory_string(writer->path);
    bool good = measure(writer, draft, error);
    if (good) {
        uint64_t data_bytes = safetensors_place(writer->places, writer->count);
        writer->header =
            safetensors_write_header(writer->places, writer->count, metadata, metadata_count);
        order_as_specs(writer);
        good = check_header(writer, draft, data_bytes, error);
        if (__builtin_add_overflow(data_bytes, writer->header.length, &writer->file_bytes))
            writer->file_bytes = UINT64_MAX; /* there will be no space for it */
    }
    checkpoint_close(draft);
    return good;
}

bool writer_begin(const char *path, const struct tensor_spec *specs, size_t count,
                  const struct metadata_entry *metadata, size_t metadata_count, bool overwrite,
                  struct writer **writer, struct error *error) {
    struct writer *begun = memory_array(1, sizeof *begun);
    begun->path = memory_string(path);
    begun->specs = specs;
    begun->count = count;
    begun->places = memory_array(count, sizeof *begun->places);
    begun->put = memory_array(count, sizeof *begun->put);
    bool good = lay_out(begun, metadata, metadata_count, error) &&
                atomic_file_begin(&begun->file, path, overwrite, error) &&
                atomic_file_reserve(&begun->file, begun->file_bytes, error) &&
                atomic_file_put(&begun->file, begun->header.bytes, begun->header.length, 0, error);
    *writer = good ? begun : NULL;
    if (!good)
        writer_cancel(begun);
    return good;
}

uint64_t writer_file_bytes(const struct writer *writer) {
    return writer->file_bytes;
}

bool writer_put(struct writer *writer, size_t index, const void *data, struct error *error) {
    const struct place *place = &writer->places[index];
    if (!atomic_file_put(&writer->file, data, place->bytes, writer->header.length + place->offset,
                         error))
        return false;
    writer->put[index] = true;
    return true;
}

/* Error `PATH: reason`, or `PATH: tensor NAME: reason`. */
static bool fail(const struct writer *writer, const struct tensor_spec *spec, const char *reason,
                 struct error *error) {
    struct checkpoint draft = {.path = writer->path};
    if (spec == NULL)
        return checkpoint_fail(&draft, error, "%s", reason);
    struct tensor tensor = {.name = spec->name, .name_length = spec->name_length};
    return tensor_fail(&draft, &tensor, error, "%s", reason);
}

static bool check_complete(const struct writer *writer, struct error *error) {
    for (size_t i = 0; i < writer->count; i++)
        if (!writer->put[i])
            return fail(writer, &writer->specs[i], "was never written", error);
    return true;
}

/* Opens the file by all rules of the format. With the header as it was meant, the table of
 * tensors is as it was meant too. */
static bool check_file(const struct writer *writer, struct error *error) {
    struct checkpoint *checkpoint;
    if (!checkpoint_open(writer->file.temporary, &checkpoint, error))
        return false;
    bool same = memcmp(checkpoint->file.bytes, writer->header.bytes, writer->header.length) == 0;
    checkpoint_close(checkpoint);
    return same || fail(writer, NULL, "the header on the disk is not the one written", error);
}

bool writer_commit(struct writer *writer, char sha256[SHA256_TEXT], struct error *error) {
    bool good = check_complete(writer, error) && check_file(writer, error) &&
                (sha256 == NULL || digest_file(writer->file.temporary, sha256, error)) &&
                atomic_file_commit(&writer->file, error);
    writer_cancel(writer);
    return good;
}

void writer_cancel(struct writer *writer) {
    if (writer == NULL)
        return;
    atomic_file_cancel(&writer->file);
    free(writer->header.bytes);
    free(writer->put);
    free(writer->places);
    free(writer->path);
    free(writer);
}
