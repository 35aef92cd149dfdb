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
 * (Only in a zip archive with compressed entries they are unpacked into memory.)
 * (A file that somebody cuts shorter while it is open raises SIGBUS at the next read beyond its
 * end.) What a file is, its content decides, never its name.
 * Nothing here knows of base, specialist or R2M. Formats are rows of a table in checkpoint.c:
 * a new one is a recognise and an open function. */
#ifndef R2M_ANALYSIS_CHECKPOINT_CHECKPOINT_H
#define R2M_ANALYSIS_CHECKPOINT_CHECKPOINT_H

#include "analysis/checkpoint/dtype.h"
#include "analysis/support/digest.h"
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
    uint64_t bytes;            /* of the contiguous little-endian form; of an update its factors' */
    const unsigned char *data; /* the first element, in the mapped file, of any alignment */
    const uint64_t *strides;   /* rank steps in elements, as in torch; NULL when contiguous */
    bool swapped;              /* the elements are stored big-endian */
    const struct update *update; /* not NULL: no data; the tensor is what an adapter adds to the
                                    base's (lora/update.h); only tensor_read works on it */
};

/* What a file holds beside its weights. */
struct skipped {
    char *what; /* "objects of argparse.Namespace" */
    size_t count;
};

/* The version of a module, as a state dict's _metadata keeps it for load_state_dict. */
struct module_version {
    const char *module; /* "" for the whole model; not NUL-terminated */
    size_t length;
    int64_t version;
};

struct checkpoint;

/* Opens a file and checks every rule of its format. On failure the message names the file, the
 * tensor where there is one, and the reason. A folder opens as the weights in it: the index of
 * shards if there is one, else the single file. */
bool checkpoint_open(const char *path, struct checkpoint **checkpoint, struct error *error);

/* The same for a file of several state dicts: state_dict is the path of one in it, its keys joined
 * by dots, "" for everything in the file. NULL chooses: the one state dict there is, under a usual
 * name (state_dict, model, net, ...) before others; with several, the error lists them. */
bool checkpoint_open_at(const char *path, const char *state_dict, struct checkpoint **checkpoint,
                        struct error *error);

/* Unmaps and releases; NULL is accepted. */
void checkpoint_close(struct checkpoint *checkpoint);

/* The path as given to checkpoint_open; of a folder, the file in it that was opened. */
const char *checkpoint_path(const struct checkpoint *checkpoint);

/* "safetensors", "torch", "torch-legacy", "sharded" or "lora". */
const char *checkpoint_format(const struct checkpoint *checkpoint);

/* The path of the tensors within the file ("state_dict"), "" for its top. */
const char *checkpoint_state_dict(const struct checkpoint *checkpoint);

/* What the file holds beside these tensors, count kinds of it. */
const struct skipped *checkpoint_skipped(const struct checkpoint *checkpoint, size_t *count);

/* Tensors in the order of the file's header. */
size_t checkpoint_count(const struct checkpoint *checkpoint);
const struct tensor *checkpoint_tensor(const struct checkpoint *checkpoint, size_t index);

/* True for a LoRA adapter: its tensors are factors, and its weights say what they change. */
bool checkpoint_is_adapter(const struct checkpoint *checkpoint);

/* What the file says of a model's weights. An adapter's are updates, and whole tensors that take
 * the place of the base's; all other files' weights are their tensors. */
size_t checkpoint_weight_count(const struct checkpoint *checkpoint);
const struct tensor *checkpoint_weight(const struct checkpoint *checkpoint, size_t index);

/* The tensor of that exact name, or NULL. Constant time. */
const struct tensor *checkpoint_find(const struct checkpoint *checkpoint, const char *name,
                                     size_t length);

/* Tied tensors: the index of the first tensor made of the very same elements of the file (the same
 * memory, shape and strides); index itself where there is none before it. */
size_t checkpoint_tied(const struct checkpoint *checkpoint, size_t index);

/* Whether both are the very same elements in memory: of one place, type, shape and strides. */
bool tensor_same_elements(const struct tensor *one, const struct tensor *other);

/* A string of the file's metadata, or NULL. */
const char *checkpoint_metadata(const struct checkpoint *checkpoint, const char *key);

/* The _metadata of a torch state dict, count modules; none in other formats. */
const struct module_version *checkpoint_modules(const struct checkpoint *checkpoint, size_t *count);

/* Harmless oddities met while opening, one sentence each. */
const struct string_list *checkpoint_warnings(const struct checkpoint *checkpoint);

/* Parts of the file that have a checksum in it (entries of a torch archive), and their bytes.
 * Opening looks at small ones only. */
size_t checkpoint_seal_count(const struct checkpoint *checkpoint);
uint64_t checkpoint_seal_bytes(const struct checkpoint *checkpoint, size_t index);

/* Reads the whole part. An error that names the tensor in it when the checksum is another. */
bool checkpoint_seal_check(const struct checkpoint *checkpoint, size_t index, struct error *error);

/* A digest of what the file holds, of its tensors a sample: alike for copies of a file, another one
 * when tensors have changed (but for a few elements of a large one). Takes milliseconds. */
void checkpoint_fingerprint(const struct checkpoint *checkpoint, char sha256[SHA256_TEXT]);

/* The files that it is made of: the one that was opened, then its shards or an adapter's weights.
 */
struct string_list checkpoint_files(const struct checkpoint *checkpoint);

/* Whether no file that it is made of was written to since it was opened, which would mix old and
 * new weights; the error names the file. */
bool checkpoint_unchanged(const struct checkpoint *checkpoint, struct error *error);

/* True when both paths lead to the same file (also through links); false if one is missing. */
bool checkpoint_same_file(const char *one, const char *other);

/* True when path leads to a file of this checkpoint (the index, a shard), or to a folder that holds
 * one: what must not be written while it is open. */
bool checkpoint_is_made_of(const struct checkpoint *checkpoint, const char *path);

/* True when data points at the contiguous little-endian form, tensor->bytes of it. */
bool tensor_is_plain(const struct tensor *tensor);

/* Elements [first, first + count) of any tensor as contiguous little-endian bytes. Elements below
 * 8 bits: only whole bytes, that is, plain tensors from a multiple of 8. */
void tensor_copy(const struct tensor *tensor, uint64_t first, size_t count, void *bytes);

/* True when both have the same dtype, shape and, bit for bit, elements. */
bool tensor_equal(const struct tensor *one, const struct tensor *other);

/* Hexadecimal sha256 of the contiguous little-endian form. */
void tensor_digest(const struct tensor *tensor, char sha256[SHA256_TEXT]);

/* Elements [first, first + count) of a DTYPE_CLASS_FLOAT tensor as doubles. */
void tensor_read(const struct tensor *tensor, uint64_t first, size_t count, double *values);

/* True when both have the same rank and sizes. */
bool tensor_same_shape(const struct tensor *one, const struct tensor *other);

/* "[1024, 3, 14, 14]" in buffer (size bytes); returns buffer. */
char *tensor_shape_text(const struct tensor *tensor, char *buffer, size_t size);

#endif
