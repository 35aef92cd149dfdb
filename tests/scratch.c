#include "tests/scratch.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void stop(const char *what) {
    perror(what);
    abort();
}

struct scratch scratch_make(void) {
    struct scratch scratch = {0};
    const char *root = getenv("TMPDIR");
    snprintf(scratch.folder, sizeof scratch.folder, "%s/r2m-test-XXXXXX", root ? root : "/tmp");
    if (mkdtemp(scratch.folder) == NULL)
        stop(scratch.folder);
    return scratch;
}

char *scratch_path(struct scratch *scratch, const char *name) {
    char *path = memory_format("%s/%s", scratch->folder, name);
    string_list_add(&scratch->paths, path);
    free(path);
    return scratch->paths.items[scratch->paths.count - 1];
}

char *scratch_write(struct scratch *scratch, const char *name, const void *bytes, size_t length) {
    char *path = scratch_path(scratch, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || (length > 0 && fwrite(bytes, length, 1, file) != 1) || fclose(file) != 0)
        stop(path);
    return path;
}

size_t scratch_count(const struct scratch *scratch) {
    size_t count = 0;
    DIR *folder = opendir(scratch->folder);
    if (folder == NULL)
        stop(scratch->folder);
    for (const struct dirent *entry; (entry = readdir(folder)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk) {
    (void)status;
    (void)kind;
    (void)walk;
    return remove(path);
}

void scratch_remove(struct scratch *scratch) {
    nftw(scratch->folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    string_list_free(&scratch->paths);
}

unsigned char *scratch_read(const char *path, size_t *length) {
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    *length = (size_t)ftell(file);
    rewind(file);
    unsigned char *bytes = memory_array(*length + 1, 1);
    if (*length > 0 && fread(bytes, *length, 1, file) != 1)
        stop(path);
    fclose(file);
    return bytes;
}
