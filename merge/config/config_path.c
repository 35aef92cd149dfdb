#include "merge/config/config_parts.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *last_part(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

char *path_folder(const char *path) {
    const char *last = last_part(path);
    if (last == path)
        return memory_string(".");
    size_t length = (size_t)(last - path) - 1;
    return memory_text(path, length > 0 ? length : 1);
}

char *path_from(const char *folder, const char *path) {
    if (folder == NULL || strcmp(folder, ".") == 0 || *path == '/')
        return memory_string(path);
    bool slash = folder[strlen(folder) - 1] == '/';
    return memory_format("%s%s%s", folder, slash ? "" : "/", path);
}

/* Absolute path of a folder without links; of one that does not exist, the current folder and
 * its name. */
static char *folder_resolved(const char *folder) {
    char resolved[PATH_MAX], current[PATH_MAX];
    if (realpath(folder, resolved) != NULL)
        return memory_string(resolved);
    if (*folder == '/' || getcwd(current, sizeof current) == NULL)
        return memory_string(folder);
    return path_from(current, folder);
}

/* Length of folder where path lies below it (the slash included), else 0. */
static size_t below(const char *folder, const char *path) {
    size_t length = strlen(folder);
    if (length > 0 && folder[length - 1] == '/')
        return strncmp(folder, path, length) == 0 ? length : 0;
    return strncmp(folder, path, length) == 0 && path[length] == '/' ? length + 1 : 0;
}

char *path_to(const char *folder, const char *path) {
    char *of_path = path_folder(path);
    char *home = folder_resolved(of_path), *here = folder_resolved(folder);
    char *parent = path_folder(here), *target = path_from(home, last_part(path)), *result;
    size_t inside = below(here, target), beside = below(parent, target);
    if (inside > 0)
        result = memory_string(target + inside);
    else if (beside > 1) /* not below / alone, where everything is */
        result = memory_format("../%s", target + beside);
    else
        result = memory_string(target);
    free(of_path);
    free(home);
    free(here);
    free(parent);
    free(target);
    return result;
}

static bool starts_with(const char *text, const char *start) {
    return strncmp(text, start, strlen(start)) == 0;
}

/* Files that are called alike in every folder: the folder tells them apart. */
static bool named_by_folder(const char *path) {
    struct stat status;
    const char *name = last_part(path);
    size_t length = strlen(name);
    bool is_index = length > 11 && strcmp(name + length - 11, ".index.json") == 0;
    return is_index || starts_with(name, "adapter_model.") ||
           starts_with(name, "adapter_config.") ||
           (stat(path, &status) == 0 && S_ISDIR(status.st_mode));
}

char *path_default_name(const char *path) {
    struct stat status;
    char resolved[PATH_MAX];
    bool is_folder = stat(path, &status) == 0 && S_ISDIR(status.st_mode);
    bool by_folder = named_by_folder(path);
    char *folder = is_folder ? memory_string(path) : path_folder(path);
    bool known = by_folder && realpath(folder, resolved) != NULL;
    const char *name = known ? last_part(resolved) : last_part(path);
    const char *dot = strrchr(name, '.');
    size_t length = by_folder || dot == NULL || dot == name ? strlen(name) : (size_t)(dot - name);
    char *quoted = error_quote(length > 0 ? name : "specialist", length > 0 ? length : 10);
    free(folder);
    return quoted;
}
