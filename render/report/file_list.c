#include "render/report/file_list.h"

#include "analysis/support/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_AT = SHA256_TEXT + 1, LIST_LIMIT = 1 << 20 };

void file_list_add(char **list, const char *name, const void *bytes, size_t size) {
    char sha256[SHA256_TEXT];
    digest_memory(bytes, size, sha256);
    char *longer = memory_format("%s%s  %s\n", *list != NULL ? *list : "", sha256, name);
    free(*list);
    *list = longer;
}

char *file_list_read(const char *folder) {
    char *path = memory_format("%s/" FILE_LIST_NAME, folder);
    char *text = memory_array(LIST_LIMIT + 1, 1);
    FILE *file = fopen(path, "re");
    size_t size = file != NULL ? fread(text, 1, LIST_LIMIT, file) : 0;
    if (file != NULL)
        fclose(file);
    free(path);
    text[size] = '\0';
    return text;
}

static bool is_in(const struct string_list *names, const char *name) {
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->items[i], name) == 0)
            return true;
    return false;
}

/* A file of our own, as it was written. */
static bool is_unchanged(const char *path, const char *sha256) {
    struct stat status;
    struct error error = {0};
    char own[SHA256_TEXT];
    bool same = lstat(path, &status) == 0 && S_ISREG(status.st_mode) &&
                digest_file(path, own, &error) && strncmp(own, sha256, SHA256_TEXT - 1) == 0;
    error_free(&error);
    return same;
}

/* One line without its end. Names that lead elsewhere are none of ours. */
static void clear_line(const char *line, const char *folder, const char *below,
                       const struct string_list *kept) {
    size_t length = strlen(below);
    const char *name = line + NAME_AT;
    if (strlen(line) <= NAME_AT || strncmp(name, below, length) != 0 || name[length] != '/' ||
        strchr(name + length + 1, '/') != NULL || is_in(kept, name))
        return;
    char *path = memory_format("%s/%s", folder, name);
    if (is_unchanged(path, line))
        unlink(path);
    free(path);
}

void file_list_clear(const char *list, const char *folder, const char *below,
                     const struct string_list *kept) {
    char *copy = memory_string(list), *rest = copy, *line;
    while ((line = strsep(&rest, "\n")) != NULL)
        clear_line(line, folder, below, kept);
    free(copy);
}
