/* From a name to its place in a list, in constant time even for names chosen to collide: the
 * hash is SipHash with a random key. */
#ifndef R2M_ANALYSIS_CHECKPOINT_NAME_INDEX_H
#define R2M_ANALYSIS_CHECKPOINT_NAME_INDEX_H

#include "analysis/checkpoint/checkpoint.h"

struct name_index {
    const struct tensor *tensors; /* borrowed */
    uint32_t *slots;              /* index + 1 of a tensor, 0 for none */
    size_t mask;                  /* number of slots - 1, a power of two less one */
    uint64_t key[2];
};

/* Builds the index of tensors, fewer than 2^31. Returns the index of the first tensor whose name
 * occurs before it, or count. */
size_t name_index_build(struct name_index *index, const struct tensor *tensors, size_t count);

/* The tensor of that name, or NULL. */
const struct tensor *name_index_find(const struct name_index *index, const char *name,
                                     size_t length);

void name_index_free(struct name_index *index);

#endif
