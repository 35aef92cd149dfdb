/* The names in pickles that mean something here, as tables. Private to the room. */
#ifndef R2M_ANALYSIS_CHECKPOINT_TORCH_PICKLE_GLOBALS_H
#define R2M_ANALYSIS_CHECKPOINT_TORCH_PICKLE_GLOBALS_H

#include "analysis/checkpoint/dtype.h"

#include <stdint.h>

enum global_role {
    ROLE_OBJECT,       /* unknown: whatever it makes is opaque */
    ROLE_VALUE,        /* makes a plain value, such as torch.Size */
    ROLE_DICT,         /* makes a dictionary, perhaps from a list of pairs */
    ROLE_SET,          /* makes a set from a list */
    ROLE_TENSOR_V1,    /* storage, offset, size, stride */
    ROLE_TENSOR_V2,    /* and requires_grad, hooks[, metadata] */
    ROLE_TENSOR_V3,    /* and requires_grad, hooks, dtype[, metadata]; a storage of bytes */
    ROLE_TENSOR_OTHER, /* makes a tensor that is not supported */
    ROLE_PARAMETER,    /* its first argument is the tensor */
    ROLE_WRAPPED,      /* function, type, arguments, state: the function applied */
    ROLE_STORAGE,      /* a class of storages */
    ROLE_DTYPE
};

struct global {
    const char *module, *name;
    enum global_role role;
    unsigned bytes;   /* of an element, of STORAGE and DTYPE */
    enum dtype dtype; /* of STORAGE and DTYPE, if what is NULL */
    const char *what; /* kind of a tensor that is not supported */
};

/* Row 0 stands for everything unknown. */
extern const struct global pickle_globals[];

/* The row of a name (module and name of the given lengths). */
uint8_t pickle_global_find(const char *module, size_t module_length, const char *name,
                           size_t name_length);

/* True when the name can only be there to run code. */
bool pickle_global_is_payload(const char *module, size_t module_length, const char *name,
                              size_t name_length);

#endif
