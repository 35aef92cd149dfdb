#include "analysis/support/atomic_file.h"

#include "analysis/support/mapped_file.h"
#include "analysis/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Error `PATH: reason`. */
static bool fail(const char *path, struct error *error, const char *reason) {
    char *quoted = error_quote(path, strlen(path));
    error_set(error, ERROR_INPUT, "%s: %s", quoted, reason);
    free(quoted);
    return false;
}

static bool fail_exists(const char *path, struct error *error) {
    fail(path, error, "the file exists");
    error_hint(error, "--force replaces it");
    return false;
}

/* The folder that holds path. */
static char *folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        return memory_string(".");
    return memory_text(path, slash == path ? 1 : (size_t)(slash - path));
}

static bool check_target(const char *path, bool overwrite, struct error *error) {
    struct stat status;
    if (path[0] == '\0' || path[strlen(path) - 1] == '/')
        return fail(path, error, "is not the name of a file");
    if (stat(path, &status) != 0) /* where there is a name all the same, it is a link's */
        return lstat(path, &status) != 0 || fail(path, error, "is a link that leads nowhere");
    if (S_ISDIR(status.st_mode))
        return fail(path, error, "is a folder");
    if (!S_ISREG(status.st_mode))
        return fail(path, error, "is not a regular file");
    return overwrite || fail_exists(path, error);
}

static bool check_folder(const char *path, struct error *error) {
    struct stat status;
    char *folder = folder_of(path), *reason = NULL;
    if (stat(folder, &status) != 0)
        reason = memory_format("the folder %s: %s", folder, strerror(errno));
    else if (!S_ISDIR(status.st_mode))
        reason = memory_format("%s is not a folder", folder);
    else if (access(folder, W_OK | X_OK) != 0)
        reason = memory_format("the folder %s cannot be written: %s", folder, strerror(errno));
    if (reason != NULL)
        fail(path, error, reason);
    bool good = reason == NULL;
    free(reason);
    free(folder);
    return good;
}

/* The next name for a temporary file or folder beside path; NULL when the system gives no random
 * numbers. */
static char *next_temporary(const char *path) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    unsigned char random[6];
    char mark[sizeof random + 1] = "";
    if (getrandom(random, sizeof random, 0) != sizeof random)
        return NULL;
    for (size_t i = 0; i < sizeof random; i++)
        mark[i] = letters[random[i] % (sizeof letters - 1)];
    return memory_format("%s.%s.r2m-part", path, mark);
}

char *atomic_file_lasting(const char *path) {
    return memory_format("%s.r2m-part", path);
}

char *atomic_file_settle(const char *path) {
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    char *bare = memory_text(path, length), *real = realpath(bare, NULL);
    if (real == NULL) /* it is to be new */
        return bare;
    free(bare);
    return real;
}

/* Creates PATH.XXXXXX.r2m-part. Not by mkstemp, whose file nobody else may read: here the umask
 * decides, as for any new file. */
static int create_temporary(const char *path, char **temporary) {
    int descriptor;
    do {
        free(*temporary);
        *temporary = next_temporary(path);
        if (*temporary == NULL)
            return -1;
        descriptor = open(*temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (descriptor < 0 && errno == EEXIST);
    return descriptor;
}

int atomic_file_folder(const char *path, char **temporary) {
    int made;
    *temporary = NULL;
    do {
        free(*temporary);
        *temporary = next_temporary(path);
        made = *temporary != NULL ? mkdir(*temporary, 0777) : -1;
    } while (made != 0 && errno == EEXIST);
    return made;
}

/* Opens PATH.r2m-part, or creates it. */
static int open_lasting(const char *path, char **temporary) {
    *temporary = atomic_file_lasting(path);
    return open(*temporary, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
}

static int open_there(const char *path, char **temporary) {
    *temporary = atomic_file_lasting(path);
    return open(*temporary, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
}

/* open_temporary: makes the file and its name. */
static bool begin(struct atomic_file *file, const char *path, bool overwrite,
                  int (*open_temporary)(const char *, char **), struct error *error) {
    struct stat status;
    *file = (struct atomic_file){.descriptor = -1, .overwrite = overwrite};
    if (!check_target(path, overwrite, error) || !check_folder(path, error))
        return false;
    file->path = atomic_file_settle(path);
    file->descriptor = open_temporary(file->path, &file->temporary);
    if (file->descriptor < 0) {
        fail(path, error, strerror(errno));
        free(file->temporary);
        free(file->path);
        *file = (struct atomic_file){.descriptor = -1};
        return false;
    }
    if (stat(file->path, &status) == 0) /* the new file is as private as the old one */
        (void)!fchmod(file->descriptor, status.st_mode & 0777);
    return true;
}

bool atomic_file_begin(struct atomic_file *file, const char *path, bool overwrite,
                       struct error *error) {
    return begin(file, path, overwrite, create_temporary, error);
}

bool atomic_file_check(const char *path, bool overwrite, struct error *error) {
    struct atomic_file file;
    bool good = atomic_file_begin(&file, path, overwrite, error);
    atomic_file_cancel(&file);
    return good;
}

bool atomic_file_join(struct atomic_file *file, const char *path, bool overwrite,
                      struct error *error) {
    return begin(file, path, overwrite, open_there, error);
}

bool atomic_file_continue(struct atomic_file *file, const char *path, bool overwrite,
                          struct error *error) {
    return begin(file, path, overwrite, open_lasting, error);
}

static bool fail_space(const struct atomic_file *file, uint64_t needed, uint64_t available,
                       const char *what, struct error *error) {
    char *reason = memory_format("%s: %" PRIu64 " bytes are needed, %" PRIu64 " are free", what,
                                 needed, available);
    fail(file->path, error, reason);
    free(reason);
    return false;
}

/* Space that the file may take: what it has, and what this user may still fill in the file system;
 * a great deal where that does not tell. */
static uint64_t free_space(const struct atomic_file *file) {
    enum { BLOCK_BYTES = 512 }; /* unit of st_blocks */
    struct statvfs status;
    struct stat own;
    if (fstatvfs(file->descriptor, &status) != 0 || status.f_blocks == 0 ||
        fstat(file->descriptor, &own) != 0)
        return UINT64_MAX;
    return (uint64_t)status.f_bavail * status.f_frsize + (uint64_t)own.st_blocks * BLOCK_BYTES;
}

bool atomic_file_reserve(struct atomic_file *file, uint64_t bytes, struct error *error) {
    struct rlimit limit;
    /* Looked up, because going beyond the limit sends SIGXFSZ, which ends the process. */
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && bytes > limit.rlim_cur)
        return fail_space(file, bytes, limit.rlim_cur, "limit on file sizes (ulimit -f)", error);
    uint64_t available = free_space(file);
    if (bytes > INT64_MAX || bytes > available)
        return fail_space(file, bytes, available, "not enough space on the disk", error);
    if (ftruncate(file->descriptor, (off_t)bytes) != 0)
        return fail(file->path, error, strerror(errno));
    /* Not posix_fallocate: where the file system cannot do it, that writes every block. */
    if (bytes == 0 || fallocate(file->descriptor, 0, 0, (off_t)bytes) == 0 || errno == EOPNOTSUPP ||
        errno == ENOSYS || errno == EINVAL)
        return true;
    if (errno == ENOSPC || errno == EDQUOT)
        return fail_space(file, bytes, available, strerror(errno), error);
    return fail(file->path, error, strerror(errno));
}

/* Why a write of data failed. EFAULT: they lie in a mapped file, which is to blame. */
static bool fail_write(const struct atomic_file *file, const void *data, ssize_t written,
                       struct error *error) {
    int reason = written == 0 ? ENOSPC : errno;
    char *source = reason == EFAULT ? mapped_file(data) : NULL;
    if (source != NULL)
        fail(source, error, "became shorter while it was read");
    else
        fail(file->path, error, strerror(reason));
    free(source);
    return false;
}

bool atomic_file_put(const struct atomic_file *file, const void *data, size_t bytes,
                     uint64_t offset, struct error *error) {
    /* Larger writes make the kernel ask for larger pages; a virtual machine has to get those from
     * its host each time, which makes writing up to ten times as slow. */
    enum { PIECE = 1 << 16 };
    const char *from = data;
    while (bytes > 0) {
        ssize_t written =
            pwrite(file->descriptor, from, bytes < PIECE ? bytes : PIECE, (off_t)offset);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return fail_write(file, from, written, error);
        from += written;
        bytes -= (size_t)written;
        offset += (uint64_t)written;
    }
    return true;
}

bool atomic_file_get(const struct atomic_file *file, void *data, size_t bytes, uint64_t offset) {
    char *to = data;
    while (bytes > 0) {
        ssize_t got = pread(file->descriptor, to, bytes, (off_t)offset);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        to += got;
        bytes -= (size_t)got;
        offset += (uint64_t)got;
    }
    return true;
}

void atomic_file_flow(const struct atomic_file *file, uint64_t offset, uint64_t bytes) {
    if (bytes > 0)
        (void)!sync_file_range(file->descriptor, (off_t)offset, (off_t)bytes,
                               SYNC_FILE_RANGE_WRITE);
}

/* renameat2 where it can refuse to replace; else a hard link, which never replaces. */
static bool rename_to(const struct atomic_file *file) {
    if (file->overwrite)
        return rename(file->temporary, file->path) == 0;
    if (renameat2(AT_FDCWD, file->temporary, AT_FDCWD, file->path, RENAME_NOREPLACE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS)
        return false;
    return link(file->temporary, file->path) == 0 && unlink(file->temporary) == 0;
}

void atomic_file_sync_folder(const char *path) {
    char *folder = folder_of(path);
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor >= 0) {
        fsync(descriptor);
        close(descriptor);
    }
    free(folder);
}

bool atomic_file_sync(const struct atomic_file *file, struct error *error) {
    return fsync(file->descriptor) == 0 || fail(file->path, error, strerror(errno));
}

static bool close_synced(struct atomic_file *file) {
    bool synced = fsync(file->descriptor) == 0;
    int reason = errno;
    bool closed = close(file->descriptor) == 0;
    file->descriptor = -1;
    if (!synced)
        errno = reason;
    return synced && closed;
}

bool atomic_file_commit(struct atomic_file *file, struct error *error) {
    bool good = close_synced(file) && rename_to(file);
    if (good)
        atomic_file_sync_folder(file->path);
    else if (errno == EEXIST)
        fail_exists(file->path, error);
    else
        fail(file->path, error, strerror(errno));
    if (good) { /* the temporary name is gone: nothing to remove */
        free(file->temporary);
        file->temporary = NULL;
    }
    atomic_file_cancel(file);
    return good;
}

void atomic_file_cancel(struct atomic_file *file) {
    if (file->temporary != NULL)
        unlink(file->temporary);
    atomic_file_leave(file);
}

void atomic_file_leave(struct atomic_file *file) {
    if (file->path != NULL && file->descriptor >= 0)
        close(file->descriptor);
    free(file->temporary);
    free(file->path);
    *file = (struct atomic_file){.descriptor = -1};
}

bool atomic_file_write(const char *path, const void *data, size_t bytes, bool overwrite,
                       struct error *error) {
    struct atomic_file file;
    if (!atomic_file_begin(&file, path, overwrite, error))
        return false;
    if (atomic_file_reserve(&file, bytes, error) && atomic_file_put(&file, data, bytes, 0, error))
        return atomic_file_commit(&file, error);
    atomic_file_cancel(&file);
    return false;
}
