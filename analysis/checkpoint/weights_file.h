/* One file of weights being written: a temporary file until it is complete and read back. Private
 * to the room. */
#ifndef R2M_ANALYSIS_CHECKPOINT_WEIGHTS_FILE_H
#define R2M_ANALYSIS_CHECKPOINT_WEIGHTS_FILE_H

#include "analysis/checkpoint/writer.h"

struct weights_file;

/* How the temporary file is begun: atomic_file_begin, _continue or _join. */
enum weights_begin { WEIGHTS_PASSING, WEIGHTS_LASTING, WEIGHTS_JOINED };

/* As writer_begin; the ending of path chooses the format. NULL on failure. */
struct weights_file *weights_file_begin(const char *path, const struct writer_content *content,
                                        bool overwrite, enum weights_begin how,
                                        struct error *error);

uint64_t weights_file_bytes(const struct weights_file *file);

/* Thread-safe. */
bool weights_file_put(struct weights_file *file, size_t index, const void *data,
                      struct error *error);

/* CRC-32 of a tensor that was put into a lasting file. */
uint32_t weights_file_checksum(const struct weights_file *file, size_t index);

/* Counts a tensor as put whose bytes are there already; an error where they do not give the
 * checksum. Thread-safe. */
bool weights_file_take(struct weights_file *file, size_t index, uint32_t checksum,
                       struct error *error);

/* Brings what was put to the disk. */
bool weights_file_sync(const struct weights_file *file, struct error *error);

/* Every tensor was put. */
bool weights_file_check(const struct weights_file *file, struct error *error);

/* Adds to the digest what follows the first *done bytes of the file and is as it stays, reading it
 * back, and moves *done there. By one thread at a time; others may put meanwhile. */
bool weights_file_follow(struct weights_file *file, struct digest *digest, uint64_t *done,
                         struct error *error);

/* Writes what ends the file; nothing is put thereafter. */
bool weights_file_end(struct weights_file *file, struct error *error);

/* Opens the ended file by the rules of its format, compares, and gives it its name. Frees it in
 * every case. */
bool weights_file_commit(struct weights_file *file, struct error *error);

/* NULL is accepted. */
void weights_file_cancel(struct weights_file *file);

/* The same, but what is in the temporary file stays. */
void weights_file_leave(struct weights_file *file);

/* True when the name has a known ending and something before it. */
bool weights_file_is_named(const char *name);

/* True when that ending is one of torch's. */
bool weights_file_is_torch(const char *name);

#endif
