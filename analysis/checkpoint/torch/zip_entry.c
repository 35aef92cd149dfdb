/* The bytes of a zip entry: in the mapped file, or unpacked. */
#include "analysis/checkpoint/torch/zip_directory.h"

#include <stdlib.h>
#include <zlib.h>

static const uint64_t CHECKED_LIMIT = 4 << 20; /* bytes of stored entries to check */
static const uint64_t UNPACKED_SPARE = 32 << 20;
static const uint64_t PIECE_LIMIT = 1 << 30; /* zlib counts in 32 bits */

static uInt piece(uint64_t left) {
    return (uInt)(left < PIECE_LIMIT ? left : PIECE_LIMIT);
}

/* True when the data inflate to exactly entry->size bytes. */
static bool inflate_whole(const struct zip_entry *entry, unsigned char *target) {
    z_stream stream = {.next_in = (Bytef *)entry->data, .next_out = target};
    uint64_t in = 0, out = 0;
    int state = Z_OK;
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        memory_exhausted(0);
    while (state == Z_OK) {
        uInt in_piece = piece(entry->compressed - in), out_piece = piece(entry->size - out);
        stream.avail_in = in_piece;
        stream.avail_out = out_piece;
        state = inflate(&stream, Z_NO_FLUSH);
        in += in_piece - stream.avail_in;
        out += out_piece - stream.avail_out;
    }
    inflateEnd(&stream);
    return state == Z_STREAM_END && in == entry->compressed && out == entry->size;
}

static unsigned char *unpack(struct zip_directory *directory, struct checkpoint *checkpoint,
                             const struct zip_entry *entry, struct error *error) {
    uint64_t limit = 2 * (uint64_t)checkpoint->file.size + UNPACKED_SPARE;
    if (entry->size > limit - directory->unpacked) {
        zip_entry_fail(checkpoint, entry, error,
                       "unpacks to far more than the file holds; compressed archives are read up "
                       "to twice their size");
        return NULL;
    }
    unsigned char *bytes = malloc(entry->size > 0 ? entry->size : 1);
    if (bytes == NULL) {
        zip_entry_fail(checkpoint, entry, error, "not enough memory to unpack it");
        return NULL;
    }
    checkpoint->buffers = memory_resize(checkpoint->buffers, checkpoint->buffer_count + 1,
                                        sizeof *checkpoint->buffers);
    checkpoint->buffers[checkpoint->buffer_count++] = bytes;
    directory->unpacked += entry->size;
    if (inflate_whole(entry, bytes))
        return bytes;
    zip_entry_fail(checkpoint, entry, error, "its compressed data are damaged");
    return NULL;
}

static void check(struct zip_directory *directory, const struct zip_entry *entry,
                  const unsigned char *bytes) {
    if (!entry->deflated) {
        if (entry->size > CHECKED_LIMIT - directory->checked)
            return;
        directory->checked += entry->size;
    }
    if (seal_checksum(bytes, entry->size) == entry->checksum)
        return;
    if (entry->checksum == 0) {
        directory->unset_count++;
        return;
    }
    if (directory->bad_count++ == 0)
        directory->bad = entry;
}

const unsigned char *zip_entry_bytes(struct zip_directory *directory, struct checkpoint *checkpoint,
                                     const struct zip_entry *entry, struct error *error) {
    const unsigned char *bytes =
        entry->deflated ? unpack(directory, checkpoint, entry, error) : entry->data;
    if (bytes == NULL)
        return NULL;
    check(directory, entry, bytes);
    if (entry->checksum != 0)
        checkpoint_seal(checkpoint, (struct seal){entry->name, entry->name_length, bytes,
                                                  entry->size, entry->checksum});
    return bytes;
}

void zip_directory_warn(const struct zip_directory *directory, struct checkpoint *checkpoint) {
    if (directory->unset_count > 0)
        checkpoint_warn(checkpoint, "saved without checksums");
    if (directory->bad_count == 0)
        return;
    char *name = error_quote(directory->bad->name, directory->bad->name_length);
    if (directory->bad_count > 1)
        checkpoint_warn(checkpoint, "zip entry %s and %zu more have a wrong checksum", name,
                        directory->bad_count - 1);
    else
        checkpoint_warn(checkpoint, "zip entry %s has a wrong checksum", name);
    free(name);
}
