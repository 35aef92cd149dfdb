/* The tensors of an adapter's file by what their names say (lora.h). Private to the folder. */
#ifndef R2M_ANALYSIS_CHECKPOINT_LORA_MEMBERS_H
#define R2M_ANALYSIS_CHECKPOINT_LORA_MEMBERS_H

#include "analysis/checkpoint/format.h"

/* What a tensor of the file is to its module. */
enum part { PART_A, PART_B, PART_B_BIAS, PART_WHOLE };

/* A tensor of the file: MODULE.lora_A.weight, MODULE.lora_A.ADAPTER.weight, ... */
struct member {
    const struct tensor *tensor;
    const char *module; /* in the tensor's name; PART_WHOLE: all of the name but the prefix */
    size_t length;
    enum part part;
    bool embedding;
};

/* All of them, sorted by module, then by part. */
struct members {
    struct member *items;
    size_t count;
};

/* Reads the names of all tensors. free() the items in every case. */
bool lora_members_read(const struct checkpoint *checkpoint, struct members *members,
                       struct error *error);

/* True when both are of one module. */
bool lora_members_meet(const struct member *one, const struct member *other);

/* True when a module of that member's name and ending is there. */
bool lora_members_have(const struct members *members, const struct member *member,
                       const char *ending);

/* How a name starts and ends; it may hold NUL bytes. */
bool text_begins(const char *text, size_t length, const char *with);
bool text_ends(const char *text, size_t length, const char *with);

#endif
