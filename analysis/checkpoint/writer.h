/* Writing a checkpoint: the whole layout is known first, then tensors stream in, in any order and
 * from any thread, and only a complete, synced and re-read file gets the final name.
 *
 *     writer_begin(path, specs, count, metadata, metadata_count, overwrite, &writer, &error)
 *     writer_put(writer, index, data, &error)         for every tensor
 *     writer_commit(writer, sha256, &error)           or writer_cancel(writer)
 *
 * The file goes to `PATH.XXXXXX.r2m-part` in the same folder and is renamed by commit. The bytes
 * are those of the official safetensors writer (formats.md A4): tensors by descending dtype, then
 * name; compact JSON; `__metadata__` first with sorted keys; header padded with spaces to 8. */
#ifndef R2M_ANALYSIS_CHECKPOINT_WRITER_H
#define R2M_ANALYSIS_CHECKPOINT_WRITER_H

#include "analysis/checkpoint/dtype.h"
#include "analysis/support/digest.h"
#include "analysis/support/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

struct writer;

/* Creates the temporary file at its full size (so that a full disk is found before the work) and
 * writes the header. An existing PATH is an error unless overwrite is true. */
bool writer_begin(const char *path, const struct tensor_spec *specs, size_t count,
                  const struct metadata_entry *metadata, size_t metadata_count, bool overwrite,
                  struct writer **writer, struct error *error);

/* Size of the whole file in bytes. */
uint64_t writer_file_bytes(const struct writer *writer);

/* Stores tensor index (of specs): its contiguous little-endian bytes. Thread-safe. */
bool writer_put(struct writer *writer, size_t index, const void *data, struct error *error);

/* Checks that every tensor was put, syncs, opens the file again with checkpoint_open's rules and
 * compares the table, renames it to PATH and syncs the folder. Stores the file's sha256 when
 * sha256 is not NULL. Frees the writer in every case; on failure nothing is left behind. */
bool writer_commit(struct writer *writer, char sha256[SHA256_TEXT], struct error *error);

/* Removes the temporary file and frees the writer; NULL is accepted. */
void writer_cancel(struct writer *writer);

#endif
