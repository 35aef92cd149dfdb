/* The safetensors format (formats.md A): N, a JSON header of N bytes, the data.
 *
 *     | N, 8 bytes | {"name":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},...} | data |
 *
 * Every rule of the official reader is checked, in its order; on top of that, two tensors of one
 * name, a tensor written as a list, names above TENSOR_NAME_LIMIT and ranks above
 * TENSOR_RANK_LIMIT are refused. */
#ifndef R2M_ANALYSIS_CHECKPOINT_SAFETENSORS_H
#define R2M_ANALYSIS_CHECKPOINT_SAFETENSORS_H

#include "analysis/checkpoint/format.h"

enum { SAFETENSORS_HEADER_LIMIT = 100000000 };

extern const struct format safetensors_format;

/* Bytes [begin, end) of the data area hold that tensor. */
struct span {
    uint64_t begin, end;
    size_t tensor;
};

/* Reads the header text (length bytes) of a file with data_bytes bytes of data into checkpoint,
 * whose path must be set, and checks it. Returns the spans in the order of the tensors, with
 * every tensor's data still NULL; free() them. NULL on failure. */
struct span *safetensors_read_header(struct checkpoint *checkpoint, const char *text, size_t length,
                                     uint64_t data_bytes, struct error *error);

/* Rules 7 to 11: the spans, in ascending order, cover the data without hole or overlap and fit
 * dtype and shape. Measures the tensors. */
bool safetensors_check_layout(struct checkpoint *checkpoint, const struct span *spans,
                              uint64_t data_bytes, struct error *error);

#endif
