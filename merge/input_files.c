#include "merge/input_files.h"

#include <stdlib.h>
#include <sys/stat.h>

static void add_files(struct input_files *files, const struct tensor_table *table, size_t source) {
    struct string_list paths = checkpoint_files(tensor_table_file(table, source));
    struct stat about;
    files->items = memory_resize(files->items, files->count + paths.count, sizeof *files->items);
    for (size_t p = 0; p < paths.count; p++) {
        struct input_file *file = &files->items[files->count++];
        *file = (struct input_file){.source = source, .path = memory_string(paths.items[p])};
        file->bytes = stat(file->path, &about) == 0 ? (uint64_t)about.st_size : 0;
    }
    string_list_free(&paths);
}

static bool read_file(struct input_file *file, struct progress *progress, struct error *error) {
    struct digest *digest = digest_begin();
    bool good = digest_add_file(digest, file->path, progress, error);
    digest_end(digest, file->sha256);
    return good;
}

bool input_files_read(const struct tensor_table *table, struct input_files *files,
                      struct progress *progress, struct error *error) {
    uint64_t total = 0;
    bool good = true;
    *files = (struct input_files){0};
    for (size_t source = 0; source <= table->specialist_count; source++)
        add_files(files, table, source);
    for (size_t f = 0; f < files->count; f++)
        total += files->items[f].bytes;
    if (progress != NULL) {
        atomic_store(&progress->done, 0);
        atomic_store(&progress->total, total);
    }
    for (size_t f = 0; f < files->count && good; f++)
        good = read_file(&files->items[f], progress, error);
    if (!good)
        input_files_free(files);
    return good;
}

void input_files_free(struct input_files *files) {
    for (size_t f = 0; f < files->count; f++)
        free(files->items[f].path);
    free(files->items);
    *files = (struct input_files){0};
}
