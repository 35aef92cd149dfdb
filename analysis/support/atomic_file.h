/* Output files that appear complete or not at all: temporary name in the same folder, fsync,
 * rename. Used for every file the program writes, checkpoints, configs and figures alike. */
#ifndef R2M_ANALYSIS_SUPPORT_ATOMIC_FILE_H
#define R2M_ANALYSIS_SUPPORT_ATOMIC_FILE_H

#include "analysis/support/error.h"

#include <stdbool.h>
#include <stddef.h>

struct atomic_file {
    int descriptor;  /* open for reading and writing */
    char *path;      /* final name */
    char *temporary; /* PATH.XXXXXX.r2m-part */
    bool overwrite;
};

/* Creates the temporary file. An existing path is an error unless overwrite is true; a folder, a
 * missing folder or one that cannot be written gives an error that says so. */
bool atomic_file_begin(struct atomic_file *file, const char *path, bool overwrite,
                       struct error *error);

/* Syncs, closes, renames to path (without replacing a file that appeared meanwhile, unless
 * overwrite) and syncs the folder. Releases file in every case; on failure nothing is left. */
bool atomic_file_commit(struct atomic_file *file, struct error *error);

/* Removes the temporary file and releases; a zeroed struct is accepted. */
void atomic_file_cancel(struct atomic_file *file);

/* begin, write, commit in one. */
bool atomic_file_write(const char *path, const void *data, size_t bytes, bool overwrite,
                       struct error *error);

#endif
