/* A checkpoint file, whatever its format: named tensors that can be read piece by piece.
 *
 *     struct checkpoint *checkpoint;
 *     if (!checkpoint_open("fs.safetensors", &checkpoint, &error)) ...
 *     for (size_t i = 0; i < checkpoint_count(checkpoint); i++) {
 *         const struct tensor *tensor = checkpoint_tensor(checkpoint, i);
 *         tensor_read(tensor, 0, tensor->elements, values);
 *     }
 *     checkpoint_close(checkpoint);
 *
 * Opening reads headers only and takes milliseconds; weights are mapped and touched when read.
 * (A file that somebody cuts shorter while it is open raises SIGBUS at the next read beyond its
 * end.) What a file is, its content decides, never its name.
 * Nothing here knows of base, specialist or R2M. Formats are rows of a table in checkpoint.c:
 * a new one is a recognise and an open function. */
#ifndef R2M_ANALYSIS_CHECKPOINT_CHECKPOINT_H
#define R2M_ANALYSIS_CHECKPOINT_CHECKPOINT_H

#include "analysis/checkpoint/dtype.h"
#include "analysis/support/error.h"
#include "analysis/support/memory.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TENSOR_RANK_LIMIT = 64, TENSOR_NAME_LIMIT = 4096 };

/* One tensor of an open checkpoint; owned by it and valid until it is closed. Row-major. */
struct tensor {
    const char *name;   /* UTF-8, NUL-terminated, but may hold NUL bytes itself */
    size_t name_length; /* bytes */
    enum dtype dtype;
    size_t rank;               /* 0 for a scalar */
    const uint64_t *shape;     /* rank sizes */
    uint64_t elements;         /* product of the shape, 1 for a scalar */
    uint64_t bytes;            /* of the contiguous little-endian form */
    const unsigned char *data; /* that form, in the mapped file, of any alignment */
};

struct checkpoint;

/* Opens a file and checks every rule of its format. On failure the message names the file, the
 * tensor where there is one, and the reason. */
bool checkpoint_open(const char *path, struct checkpoint **checkpoint, struct error *error);

/* Unmaps and releases; NULL is accepted. */
void checkpoint_close(struct checkpoint *checkpoint);

/* The path as given to checkpoint_open. */
const char *checkpoint_path(const struct checkpoint *checkpoint);

/* "safetensors" (later "torch", "torch-legacy", "sharded", "lora"). */
const char *checkpoint_format(const struct checkpoint *checkpoint);

/* Tensors in the order of the file's header. */
size_t checkpoint_count(const struct checkpoint *checkpoint);
const struct tensor *checkpoint_tensor(const struct checkpoint *checkpoint, size_t index);

/* The tensor of that exact name, or NULL. Constant time. */
const struct tensor *checkpoint_find(const struct checkpoint *checkpoint, const char *name,
                                     size_t length);

/* A string of the file's metadata, or NULL. */
const char *checkpoint_metadata(const struct checkpoint *checkpoint, const char *key);

/* Harmless oddities met while opening, one sentence each. */
const struct string_list *checkpoint_warnings(const struct checkpoint *checkpoint);

/* True when both paths lead to the same file (also through links); false if one is missing. */
bool checkpoint_same_file(const char *one, const char *other);

/* Elements [first, first + count) of a DTYPE_CLASS_FLOAT tensor as doubles. */
void tensor_read(const struct tensor *tensor, uint64_t first, size_t count, double *values);

/* True when both have the same rank and sizes. */
bool tensor_same_shape(const struct tensor *one, const struct tensor *other);

/* "[1024, 3, 14, 14]" in buffer (size bytes); returns buffer. */
char *tensor_shape_text(const struct tensor *tensor, char *buffer, size_t size);

#endif
