/* Output files that appear complete or not at all: temporary name in the same folder, fsync,
 * rename. Used for every file the program writes, checkpoints, configs and figures alike.
 *
 *     atomic_file_begin(&file, path, overwrite, &error)
 *     atomic_file_reserve(&file, bytes, &error)          where the size is known
 *     atomic_file_put(&file, data, bytes, offset, &error)
 *     atomic_file_commit(&file, &error)                  or atomic_file_cancel(&file)
 *
 * A file that is to be gone on with after an interruption is begun by atomic_file_continue and
 * left by atomic_file_leave. */
#ifndef R2M_ANALYSIS_SUPPORT_ATOMIC_FILE_H
#define R2M_ANALYSIS_SUPPORT_ATOMIC_FILE_H

#include "analysis/support/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct atomic_file {
    int descriptor;  /* open for reading and writing */
    char *path;      /* final name; where path is a symbolic link, the file it leads to */
    char *temporary; /* PATH.XXXXXX.r2m-part, or PATH.r2m-part */
    bool overwrite;
};

/* Creates the temporary file. An existing path is an error unless overwrite is true; a folder, a
 * link that leads nowhere, a missing folder or one that cannot be written gives an error that says
 * so. */
bool atomic_file_begin(struct atomic_file *file, const char *path, bool overwrite,
                       struct error *error);

/* Whether atomic_file_begin would succeed, before the work whose result it is; leaves nothing. */
bool atomic_file_check(const char *path, bool overwrite, struct error *error);

/* The same under the lasting name PATH.r2m-part; a file that is there is opened as it stands. */
bool atomic_file_continue(struct atomic_file *file, const char *path, bool overwrite,
                          struct error *error);

/* The same for one that another process has begun in this way, which commits or cancels it. */
bool atomic_file_join(struct atomic_file *file, const char *path, bool overwrite,
                      struct error *error);

/* Gives the file its size and the disk space for it, so that a full disk or a limit on file sizes
 * is met before the work; the message tells the bytes needed and free. Thereafter writing within
 * that size does not run out of space. */
bool atomic_file_reserve(struct atomic_file *file, uint64_t bytes, struct error *error);

/* Writes all bytes at offset. Threads may write to different places at the same time. */
bool atomic_file_put(const struct atomic_file *file, const void *data, size_t bytes,
                     uint64_t offset, struct error *error);

/* Reads bytes at offset; false where there are fewer or they cannot be read. */
bool atomic_file_get(const struct atomic_file *file, void *data, size_t bytes, uint64_t offset);

/* Lets bytes that were written begin their way to the disk, so that a sync finds little left. */
void atomic_file_flow(const struct atomic_file *file, uint64_t offset, uint64_t bytes);

/* Brings what was written to the disk. */
bool atomic_file_sync(const struct atomic_file *file, struct error *error);

/* Syncs, closes, renames to path (without replacing a file that appeared meanwhile, unless
 * overwrite) and syncs the folder. Releases file in every case; on failure nothing is left. */
bool atomic_file_commit(struct atomic_file *file, struct error *error);

/* Removes the temporary file and releases; a zeroed struct is accepted. */
void atomic_file_cancel(struct atomic_file *file);

/* Releases without removing the temporary file; a zeroed struct is accepted. */
void atomic_file_leave(struct atomic_file *file);

/* The final name that path stands for: without slashes at its end, and where it leads through
 * links. free() it. */
char *atomic_file_settle(const char *path);

/* Makes a temporary folder beside path, PATH.XXXXXX.r2m-part; *temporary is its name, to be freed
 * in every case. -1 and errno when it cannot be made. */
int atomic_file_folder(const char *path, char **temporary);

/* The lasting one, PATH.r2m-part; free() it. */
char *atomic_file_lasting(const char *path);

/* Makes the names in the folder that holds path last. A folder that cannot be synced is no reason
 * to fail. */
void atomic_file_sync_folder(const char *path);

/* begin, write, commit in one. */
bool atomic_file_write(const char *path, const void *data, size_t bytes, bool overwrite,
                       struct error *error);

#endif
