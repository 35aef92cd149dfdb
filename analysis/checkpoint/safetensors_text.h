/* The header of a safetensors file as the official writer would write it (formats.md A4). */
#ifndef R2M_ANALYSIS_CHECKPOINT_SAFETENSORS_TEXT_H
#define R2M_ANALYSIS_CHECKPOINT_SAFETENSORS_TEXT_H

#include "analysis/checkpoint/writer.h"

/* Where a tensor lies in the data area. */
struct place {
    const struct tensor_spec *spec;
    uint64_t offset, bytes;
};

/* Text that grows; free(bytes). */
struct text {
    char *bytes;
    size_t length, capacity;
};

/* Brings places (specs and bytes set) into the official order, by descending dtype, then name,
 * and gives them their offsets. Returns the bytes of the data area, UINT64_MAX for too many. */
uint64_t safetensors_place(struct place *places, size_t count);

/* The first bytes of the file: the length N and the header itself, padded with spaces to 8. */
struct text safetensors_write_header(const struct place *places, size_t count,
                                     const struct metadata_entry *metadata, size_t metadata_count);

#endif
