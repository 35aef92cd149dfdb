/* What the two torch formats share: from a pickle and storages to tensors. Private to the room.
 *
 *     pickle_read(&file.pickle, ...)
 *     torch_storages_mark(&file)     once find and storages are set
 *     torch_file_load(&file)         once read is set: fills the checkpoint */
#ifndef R2M_ANALYSIS_CHECKPOINT_TORCH_TORCH_FILE_H
#define R2M_ANALYSIS_CHECKPOINT_TORCH_TORCH_FILE_H

#include "analysis/checkpoint/format.h"
#include "analysis/checkpoint/torch/pickle_globals.h"
#include "analysis/checkpoint/torch/pickle_walk.h"

/* A storage of the file: a one-dimensional array that tensors are views of. */
struct torch_storage {
    const struct global *class; /* as the pickle says; NULL when it does not mention it */
    uint64_t elements;
    uint64_t bytes;            /* of the elements */
    const unsigned char *data; /* NULL until a tensor needs it */
};

struct torch_file {
    struct checkpoint *checkpoint;
    struct error *error;
    const char *where; /* of the pickle: "data.pkl" */
    struct pickle pickle;
    struct torch_storage *storages;
    size_t storage_count;
    bool swapped; /* the elements are big-endian */
    void *format; /* what the two functions need */

    /* The storage of that key; false when there is none. */
    bool (*find)(const struct torch_file *file, const char *key, size_t length, size_t *storage);

    /* Its data, all bytes of it. NULL with a problem, or with the error set. */
    const unsigned char *(*read)(struct torch_file *file, size_t storage, const char **problem);
};

/* Tensors from the pickle, into the checkpoint. */
bool torch_file_load(struct torch_file *file);
void torch_file_free(struct torch_file *file);

/* Error `FILE: data.pkl: reason` from the problem of the pickle. Returns false. */
bool torch_pickle_fail(const struct torch_file *file);

/* Ends a walk. An error when it was exhausted. */
bool torch_walk_end(const struct torch_file *file, struct walk *walk);

/* The storage of every persistent id, held against what other ids say of it. The node's callee
 * becomes the storage's index + 1, 0 for one that is not in the file. */
bool torch_storages_mark(struct torch_file *file);

/* dtype, shape, strides and data of a TENSOR node. Returns NULL, or what is wrong (empty: the
 * error is set). *unsupported: the kind of a tensor that cannot be read, or NULL. */
const char *torch_tensor_read(struct torch_file *file, uint32_t node, struct tensor *tensor,
                              const char **unsupported);

/* The state dict to open: checkpoint->wanted, or the one to choose. Sets checkpoint->state_dict.
 */
bool torch_state_dict_find(struct torch_file *file, uint32_t *node);

extern const struct format torch_archive_format, torch_legacy_format;
extern const char *const torch_endings[];

#endif
