#include "analysis/checkpoint/model_folder.h"

#include "analysis/support/atomic_file.h"
#include "analysis/support/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMPANION_LIMIT = 10000000 }; /* bytes of a file that is copied along */

/* Weights that a model of ours in the same place replaces. */
#define DIGITS "[0-9][0-9][0-9][0-9][0-9]"
#define SHARD "model-" DIGITS "-of-" DIGITS ".safetensors"
static const char *const weights[] = {MODEL_FILE, MODEL_INDEX, SHARD, NULL};

/* Weights being written, by the lasting names of atomic_file.h. */
static const char *const unfinished[] = {MODEL_FILE ".r2m-part", SHARD ".r2m-part", NULL};

/* What belongs to a model beside its weights. */
static const char *const companions[] = {"*.json", "*.txt",   "*.model", "*.jinja",
                                         "*.py",   "LICENSE", NULL};

static bool matches(const char *name, const char *const *patterns) {
    while (*patterns != NULL && fnmatch(*patterns, name, FNM_PERIOD) != 0)
        patterns++;
    return *patterns != NULL;
}

static bool is_companion(const char *name) {
    return matches(name, companions) && fnmatch("*.index*.json", name, 0) != 0;
}

/* Error `PATH: reason`. */
static bool fail(const char *path, struct error *error, const char *reason) {
    char *quoted = error_quote(path, strlen(path));
    error_set(error, ERROR_INPUT, "%s: %s", quoted, reason);
    free(quoted);
    return false;
}

static char *join(const char *folder, const char *name) {
    return memory_format("%s/%s", folder, name);
}

/* The names in a folder, without "." and "..". */
static struct string_list list_names(const char *path) {
    struct string_list names = {0};
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            string_list_add(&names, entry->d_name);
    if (folder != NULL)
        closedir(folder);
    return names;
}

static bool holds(const char *folder, const char *name) {
    char *path = join(folder, name);
    bool there = access(path, F_OK) == 0;
    free(path);
    return there;
}

static bool check_existing(const char *path, bool overwrite, struct error *error) {
    struct string_list names = list_names(path);
    bool empty = names.count == 0;
    string_list_free(&names);
    if (empty)
        return true;
    if (!overwrite) {
        fail(path, error, "the folder exists and is not empty");
        error_hint(error, "--force replaces the model in it");
        return false;
    }
    return holds(path, MODEL_FILE) || holds(path, MODEL_INDEX) ||
           fail(path, error, "the folder holds other things than a model, it is not replaced");
}

/* A name that leads nowhere is free, unless it is a link's: that would be replaced. */
static bool check_new(const char *path, struct error *error) {
    struct stat status;
    char *settled = atomic_file_settle(path);
    bool good = lstat(settled, &status) != 0 || fail(path, error, "is a link that leads nowhere");
    free(settled);
    return good;
}

bool model_folder_check(const char *path, bool overwrite, struct error *error) {
    struct stat status;
    if (stat(path, &status) != 0)
        return errno == ENOENT ? check_new(path, error) : fail(path, error, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return fail(path, error, "is not a folder");
    return check_existing(path, overwrite, error);
}

void model_folder_leave(struct model_folder *folder) {
    free(folder->temporary);
    free(folder->path);
    *folder = (struct model_folder){0};
}

/* Shards that were finished are not any more; what is made at the end is made again. */
static void reopen(const char *path) {
    struct string_list names = list_names(path);
    for (size_t i = 0; i < names.count; i++) {
        char *file = join(path, names.items[i]), *lasting = atomic_file_lasting(file);
        if (matches(names.items[i], weights) && strcmp(names.items[i], MODEL_INDEX) != 0)
            (void)!rename(file, lasting);
        else if (!matches(names.items[i], unfinished))
            unlink(file);
        free(lasting);
        free(file);
    }
    string_list_free(&names);
}

/* Makes PATH.r2m-part, or takes the one that is there. */
static int take_lasting(const char *path, char **temporary) {
    struct stat status;
    *temporary = atomic_file_lasting(path);
    if (mkdir(*temporary, 0777) == 0)
        return 0;
    if (errno != EEXIST || lstat(*temporary, &status) != 0)
        return -1;
    errno = ENOTDIR;
    if (!S_ISDIR(status.st_mode))
        return -1;
    reopen(*temporary);
    return 0;
}

/* make_folder: makes the folder and its name. */
static bool begin(struct model_folder *folder, const char *path, bool overwrite,
                  int (*make_folder)(const char *, char **), struct error *error) {
    struct stat status;
    *folder = (struct model_folder){.overwrite = overwrite};
    if (!model_folder_check(path, overwrite, error))
        return false;
    folder->path = atomic_file_settle(path);
    if (make_folder(folder->path, &folder->temporary) == 0) {
        if (stat(folder->path, &status) == 0) /* as private as the one that is there */
            (void)!chmod(folder->temporary, status.st_mode & 0777);
        return true;
    }
    fail(path, error, strerror(errno));
    model_folder_leave(folder);
    return false;
}

bool model_folder_begin(struct model_folder *folder, const char *path, bool overwrite,
                        struct error *error) {
    return begin(folder, path, overwrite, atomic_file_folder, error);
}

bool model_folder_continue(struct model_folder *folder, const char *path, bool overwrite,
                           struct error *error) {
    return begin(folder, path, overwrite, take_lasting, error);
}

static int name_lasting(const char *path, char **temporary) {
    *temporary = atomic_file_lasting(path);
    return 0;
}

bool model_folder_join(struct model_folder *folder, const char *path, bool overwrite,
                       struct error *error) {
    return begin(folder, path, overwrite, name_lasting, error);
}

char *model_folder_file(const struct model_folder *folder, const char *name) {
    return join(folder->temporary, name);
}

/* The bytes of a regular file of at most COMPANION_LIMIT bytes, through links; NULL for others. */
static char *read_small(const char *path, size_t *length) {
    struct stat status;
    char *bytes = NULL;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (descriptor >= 0 && fstat(descriptor, &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size <= COMPANION_LIMIT) {
        bytes = memory_array((size_t)status.st_size + 1, 1);
        ssize_t got = read(descriptor, bytes, (size_t)status.st_size);
        *length = got > 0 ? (size_t)got : 0;
    }
    if (descriptor >= 0)
        close(descriptor);
    return bytes;
}

static bool copy_file(const struct model_folder *folder, const char *source, const char *name,
                      struct error *error) {
    size_t length;
    char *from = join(source, name), *to = model_folder_file(folder, name);
    char *bytes = read_small(from, &length);
    bool good = bytes == NULL || atomic_file_write(to, bytes, length, false, error);
    free(bytes);
    free(to);
    free(from);
    return good;
}

bool model_folder_copy(const struct model_folder *folder, const char *source, struct error *error) {
    if (!holds(source, "config.json"))
        return true;
    struct string_list names = list_names(source);
    bool good = true;
    for (size_t i = 0; i < names.count && good; i++)
        good = !is_companion(names.items[i]) || copy_file(folder, source, names.items[i], error);
    string_list_free(&names);
    return good;
}

void model_folder_remove(const char *path) {
    struct string_list names = list_names(path);
    for (size_t i = 0; i < names.count; i++) {
        char *file = join(path, names.items[i]);
        unlink(file);
        free(file);
    }
    string_list_free(&names);
    rmdir(path);
}

/* From the replaced folder into the new one goes what the new one does not bring along. */
static void keep_others(const char *old, const char *new) {
    struct string_list names = list_names(old);
    for (size_t i = 0; i < names.count; i++) {
        const char *name = names.items[i];
        char *from = join(old, name), *to = join(new, name);
        if (!matches(name, weights) && access(to, F_OK) != 0)
            (void)!rename(from, to);
        free(to);
        free(from);
    }
    string_list_free(&names);
}

/* rename replaces an empty folder; a full one, known as a model, changes places. */
static bool put_in_place(const struct model_folder *folder) {
    if (rename(folder->temporary, folder->path) == 0)
        return true;
    if ((errno != ENOTEMPTY && errno != EEXIST) || !folder->overwrite ||
        renameat2(AT_FDCWD, folder->temporary, AT_FDCWD, folder->path, RENAME_EXCHANGE) != 0)
        return false;
    keep_others(folder->temporary, folder->path);
    model_folder_remove(folder->temporary);
    return true;
}

bool model_folder_commit(struct model_folder *folder, struct error *error) {
    bool good = model_folder_check(folder->path, folder->overwrite, error) &&
                (put_in_place(folder) || fail(folder->path, error, strerror(errno)));
    if (good) {
        atomic_file_sync_folder(folder->path);
        free(folder->temporary);
        folder->temporary = NULL;
    }
    model_folder_cancel(folder);
    return good;
}

void model_folder_cancel(struct model_folder *folder) {
    if (folder->temporary != NULL)
        model_folder_remove(folder->temporary);
    model_folder_leave(folder);
}
