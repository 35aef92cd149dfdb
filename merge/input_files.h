/* The files that a merge is made of, by which it can be told apart from every other. */
#ifndef R2M_MERGE_INPUT_FILES_H
#define R2M_MERGE_INPUT_FILES_H

#include "analysis/support/pool.h"
#include "analysis/tensor_table.h"

struct input_file {
    size_t source; /* 0: the base's; i + 1: specialist i's */
    char *path;
    uint64_t bytes;
    char sha256[SHA256_TEXT];
};

struct input_files {
    struct input_file *items; /* the base's first, each source's in the order it names them */
    size_t count;
};

/* Reads every file of the table whole, as many at a time as the pool has threads. progress (may be
 * NULL) counts bytes. On failure files is empty, and the error that of the first such file. */
bool input_files_read(const struct tensor_table *table, struct pool *pool,
                      struct input_files *files, struct progress *progress, struct error *error);
void input_files_free(struct input_files *files);

#endif
