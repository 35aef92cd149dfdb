/* Writing a checkpoint: the whole layout is known first, then tensors stream in, in any order and
 * from any thread, and only what is complete, synced and re-read gets the final name.
 *
 *     writer_begin(path, &content, overwrite, &writer, &error)
 *     writer_put(writer, index, data, &error)         for every tensor
 *     writer_commit(writer, sha256, &error)           or writer_cancel(writer)
 *
 * A file goes to `PATH.XXXXXX.r2m-part` in the same folder and is renamed by commit. With
 * content.key it has a lasting name, `PATH.r2m-part`, and a journal beside it: after an
 * interruption, writer_kept tells which tensors are there already. Its format follows the ending of
 * PATH:
 *
 *     .safetensors     the bytes of the official writer (formats.md A4): tensors by descending
 *                      dtype, then name; compact JSON; `__metadata__` first with sorted keys
 *     .pth .pt .bin    a torch file (formats.md B8) with the plain dict of tensors in the order of
 *                      specs, for torch.load(weights_only=True); metadata as records extra/KEY
 *
 * A folder of safetensors shards and their index (formats.md A5) is begun by writer_begin_folder;
 * it too is made under such a name and renamed. */
#ifndef R2M_ANALYSIS_CHECKPOINT_WRITER_H
#define R2M_ANALYSIS_CHECKPOINT_WRITER_H

#include "analysis/checkpoint/checkpoint.h"

/* What will be written; names and shapes are borrowed until commit or cancel. */
struct tensor_spec {
    const char *name;
    size_t name_length;
    enum dtype dtype;
    size_t rank;
    const uint64_t *shape;
};

struct metadata_entry {
    const char *key;
    const char *value;
};

/* All that is to be written. The texts of metadata and modules are needed only while it begins. */
struct writer_content {
    const struct tensor_spec *specs;
    size_t count;
    const struct metadata_entry *metadata;
    size_t metadata_count;
    const struct module_version *modules; /* the _metadata of a torch file; 0: none */
    size_t module_count;
    const char *key; /* sha256 of all that the tensors are made of, so that another run may go on
                        with them; NULL: nothing outlives an interruption */
    bool resume;     /* goes on with what is there under that key, else begins anew */
    size_t member;   /* with a key, of several processes that write one output: 0 begins and commits
                        it, the others begin after it and end before its commit */
};

struct writer;

/* True when path names a folder: it ends in a slash, or a folder is there. */
bool writer_is_folder(const char *path);

/* True when path is a folder or its ending is one of those above. */
bool writer_is_named(const char *path);

/* True when path is to be a torch file. */
bool writer_is_torch(const char *path);

/* Whether path could be written now: makes and removes the temporary file or folder. */
bool writer_check(const char *path, bool overwrite, struct error *error);

/* Where the tensors of content.key are before commit; free() it. */
char *writer_lasting(const char *path);

/* Creates the temporary file at its full size (so that a full disk is found before the work) and
 * writes the header. An existing PATH is an error unless overwrite is true. Any other ending than
 * those above gives safetensors. What is there to go on from belongs to another key, or somebody
 * else writes it: errors too. */
bool writer_begin(const char *path, const struct writer_content *content, bool overwrite,
                  struct writer **writer, struct error *error);

/* The same for a folder: shards model-00001-of-0000N.safetensors of at most shard_bytes bytes of
 * tensors (a larger tensor is alone) and their index, or one model.safetensors if that suffices or
 * shard_bytes is 0. From the folder companions (may be NULL), if it holds a config.json, the small
 * files that belong to a model are copied. A folder that is there and not empty is an error, unless
 * overwrite is true and it holds such a model, which is replaced; its other files stay. */
bool writer_begin_folder(const char *path, const struct writer_content *content,
                         uint64_t shard_bytes, const char *companions, bool overwrite,
                         struct writer **writer, struct error *error);

/* Which shard of such a folder each tensor goes to: shards[count], from 0 on. Returns their number,
 * at least 1. */
size_t writer_shards(const struct tensor_spec *specs, size_t count, uint64_t shard_bytes,
                     size_t *shards);

/* Size of the whole file in bytes; of a folder, of all its files of weights. */
uint64_t writer_file_bytes(const struct writer *writer);

/* Stores tensor index (of specs): its contiguous little-endian bytes. Thread-safe. */
bool writer_put(struct writer *writer, size_t index, const void *data, struct error *error);

/* True when an earlier run left the tensor whole, by its checksum: it need not be put. Reads it.
 * Thread-safe. */
bool writer_kept(struct writer *writer, size_t index);

/* Tensors that another run could go on with. */
size_t writer_journaled(const struct writer *writer);

/* CRC-32 of a tensor that was put or is kept. Only with content.key. */
uint32_t writer_checksum(const struct writer *writer, size_t index);

/* Counts a tensor as put that another member wrote; an error when its bytes do not give the
 * checksum. */
bool writer_take(struct writer *writer, size_t index, uint32_t checksum, struct error *error);

/* Brings all that was put to the disk, for other members to read. */
bool writer_sync(const struct writer *writer, struct error *error);

/* Checks that every tensor was put, syncs, opens the file again with checkpoint_open's rules and
 * compares the table, renames it to PATH and syncs the folder. Stores the file's sha256 when
 * sha256 is not NULL; of a folder, that of its files of weights one after another. Frees the writer
 * in every case; on failure nothing is left behind. */
bool writer_commit(struct writer *writer, char sha256[SHA256_TEXT], struct error *error);

/* Removes what is temporary (of another member than 0 only its journal) and frees the writer; NULL
 * is accepted. */
void writer_cancel(struct writer *writer);

/* The same, but leaves what another run can go on with, where there is any. */
void writer_leave(struct writer *writer);

#endif
