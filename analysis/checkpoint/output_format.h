/* A format of weights files as the writer sees it: a row of the table in weights_file.c. Private to
 * the room.
 *
 *     | head | frame, tensor | frame, tensor | ... | tail |
 *
 * Everything but the tensors' own bytes is made here. Sizes and places are known before the first
 * tensor comes; frames and tail may hold what only the data tells, a checksum. */
#ifndef R2M_ANALYSIS_CHECKPOINT_OUTPUT_FORMAT_H
#define R2M_ANALYSIS_CHECKPOINT_OUTPUT_FORMAT_H

#include "analysis/checkpoint/format.h"
#include "analysis/checkpoint/output_text.h"
#include "analysis/checkpoint/torch/zip_output.h"
#include "analysis/checkpoint/writer.h"

/* Where a tensor lies in the file. */
struct place {
    const struct tensor_spec *spec;
    uint64_t offset, bytes; /* offset from the end of the head */
    uint32_t checksum;      /* CRC-32, where format or journal hold it; before its frame is made */
};

struct layout {
    const struct checkpoint *draft; /* lends its path to messages */
    struct place *places;           /* [count], in the order of the specs */
    size_t count;
    const struct metadata_entry *metadata;
    size_t metadata_count;
    const struct module_version *modules;
    size_t module_count;
    struct text head;
    uint64_t bytes;             /* of the whole file, UINT64_MAX for too many to count */
    struct zip_record *records; /* in a zip archive, those of the head; free() them */
    size_t record_count;
};

struct output_format {
    const char *const *endings; /* of file names, then NULL */

    /* From specs and bytes of the places: their offsets, head and bytes. Fails for what the format
     * cannot hold. */
    bool (*lay_out)(struct layout *layout, struct error *error);

    /* What stands directly before the data of a tensor, whose checksum is known. NULL for nothing.
     */
    struct text (*frame)(const struct layout *layout, size_t index);

    /* What ends the file, once every frame was made; NULL for nothing. */
    struct text (*tail)(const struct layout *layout);
};

extern const struct output_format safetensors_output, torch_output;

#endif
