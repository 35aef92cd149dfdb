/* Checksums that a file has of its own parts: a zip archive of its entries. */
#include "analysis/checkpoint/format.h"

#include <libdeflate.h>
#include <stdlib.h>

uint32_t seal_checksum(const void *bytes, uint64_t size) {
    return seal_checksum_more(0, bytes, size);
}

uint32_t seal_checksum_more(uint32_t checksum, const void *bytes, uint64_t size) {
    return libdeflate_crc32(checksum, bytes, (size_t)size);
}

void checkpoint_seal(struct checkpoint *checkpoint, struct seal seal) {
    if (checkpoint->seal_count == checkpoint->seal_room) {
        checkpoint->seal_room = 2 * checkpoint->seal_room + 16;
        checkpoint->seals =
            memory_resize(checkpoint->seals, checkpoint->seal_room, sizeof *checkpoint->seals);
    }
    checkpoint->seals[checkpoint->seal_count++] = seal;
}

size_t checkpoint_seal_count(const struct checkpoint *checkpoint) {
    size_t count = checkpoint->seal_count;
    for (size_t i = 0; i < checkpoint->shard_count; i++)
        count += checkpoint_seal_count(checkpoint->shards[i]);
    return count;
}

/* The file that the seal is of, the checkpoint or one of its shards, and its index there. */
static const struct checkpoint *sealed_file(const struct checkpoint *checkpoint, size_t *index) {
    if (*index < checkpoint->seal_count)
        return checkpoint;
    *index -= checkpoint->seal_count;
    size_t shard = 0;
    for (size_t own; *index >= (own = checkpoint_seal_count(checkpoint->shards[shard])); shard++)
        *index -= own;
    return sealed_file(checkpoint->shards[shard], index);
}

/* The first tensor with elements in the part, or NULL. */
static const struct tensor *tensor_in(const struct checkpoint *file, const struct seal *seal) {
    for (size_t i = 0; i < file->count; i++) {
        const struct tensor *tensor = &file->tensors[i];
        if (tensor->elements > 0 && tensor->data >= seal->bytes &&
            tensor->data < seal->bytes + seal->size)
            return tensor;
    }
    return NULL;
}

uint64_t checkpoint_seal_bytes(const struct checkpoint *checkpoint, size_t index) {
    const struct checkpoint *file = sealed_file(checkpoint, &index);
    return file->seals[index].size;
}

bool checkpoint_seal_check(const struct checkpoint *checkpoint, size_t index, struct error *error) {
    const struct checkpoint *file = sealed_file(checkpoint, &index);
    const struct seal *seal = &file->seals[index];
    if (seal_checksum(seal->bytes, seal->size) == seal->checksum)
        return true;
    const struct tensor *tensor = tensor_in(file, seal);
    static const char damaged[] = "its bytes do not give the checksum that the file has of them";
    if (tensor != NULL)
        return tensor_fail(file, tensor, error, "%s", damaged);
    char *name = error_quote(seal->name, seal->name_length);
    checkpoint_fail(file, error, "zip entry %s: %s", name, damaged);
    free(name);
    return false;
}
