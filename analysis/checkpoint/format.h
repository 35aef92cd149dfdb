/* What the formats of this room share: the inside of a checkpoint, and a format as a row of the
 * table in checkpoint.c. Private to the room. */
#ifndef R2M_ANALYSIS_CHECKPOINT_FORMAT_H
#define R2M_ANALYSIS_CHECKPOINT_FORMAT_H

#include "analysis/checkpoint/checkpoint.h"
#include "analysis/checkpoint/name_index.h"
#include "analysis/support/arena.h"

#include <sys/stat.h>

/* A whole file mapped for reading. */
struct mapping {
    const unsigned char *bytes;
    size_t size; /* never 0 */
};

/* A string of the metadata; both NUL-terminated. */
struct metadata {
    const char *key;
    const char *value;
};

/* A part of the file whose checksum the file knows. */
struct seal {
    const char *name; /* of the zip entry, in the mapped file, without a NUL behind */
    size_t name_length;
    const unsigned char *bytes;
    uint64_t size;
    uint32_t checksum; /* CRC-32 */
};

struct checkpoint {
    char *path;
    const char *format;
    const char *wanted;     /* the state dict to open, NULL to choose; until it is open */
    const char *state_dict; /* the one that is open; NULL as "" */
    struct mapping file;
    struct stat opened;     /* of the file, when it was mapped */
    struct tensor *tensors; /* [count] */
    size_t count;
    struct name_index index; /* of tensors */
    struct metadata *metadata;
    size_t metadata_count;
    struct module_version *modules; /* in the arena */
    size_t module_count;
    size_t *tied; /* [count] as checkpoint_tied tells, or NULL when nothing is */
    struct skipped *skipped;
    size_t skipped_count;
    void **buffers; /* unpacked parts of the file */
    size_t buffer_count;
    struct checkpoint **shards; /* where the file is an index: the files that hold the tensors */
    size_t shard_count;
    bool is_shard;      /* of another checkpoint, so it cannot be an index */
    struct seal *seals; /* [seal_count] of its own parts, not of its shards' */
    size_t seal_count, seal_room;
    struct tensor *weights; /* [weight_count] of an adapter: what it says of the model's weights */
    size_t weight_count;
    bool is_adapter;
    struct arena arena; /* names, shapes and metadata */
    struct string_list warnings;
};

/* One format: recognise looks at the content only; open fills tensors and metadata. */
struct format {
    const char *name;
    const char *const *endings; /* of file names, the usual one first; then NULL */
    bool (*recognise)(const struct mapping *file);
    bool (*open)(struct checkpoint *checkpoint, struct error *error);
};

/* True when a file that no format recognises is of a known foreign kind: the error says which, and
 * hints at what to do. */
bool sniff_foreign(const struct checkpoint *checkpoint, struct error *error);

/* checkpoint_open for a shard: a file that holds its tensors itself. */
bool checkpoint_open_shard(const char *path, struct checkpoint **checkpoint, struct error *error);

/* Counts something that is left out; kinds are told apart by what. */
void checkpoint_skip(struct checkpoint *checkpoint, const char *what, size_t count);

/* Warnings of a shard, under its name, and what it left out. */
void checkpoint_take_remarks(struct checkpoint *checkpoint, const struct checkpoint *shard);

/* Adds a part to those that checkpoint_seal_check knows. */
void checkpoint_seal(struct checkpoint *checkpoint, struct seal seal);

/* CRC-32 of bytes of any number; and of those with more behind them. */
uint32_t seal_checksum(const void *bytes, uint64_t size);
uint32_t seal_checksum_more(uint32_t checksum, const void *bytes, uint64_t size);

/* Adds a warning. */
void checkpoint_warn(struct checkpoint *checkpoint, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Elements and bytes of a tensor from its dtype and shape. Returns NULL, or what is wrong. */
const char *tensor_measure(struct tensor *tensor);

/* Error `FILE: reason`, and `FILE: tensor NAME: reason`. Both return false. */
bool checkpoint_fail(const struct checkpoint *checkpoint, struct error *error, const char *format,
                     ...) __attribute__((format(printf, 3, 4)));
bool tensor_fail(const struct checkpoint *checkpoint, const struct tensor *tensor,
                 struct error *error, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
