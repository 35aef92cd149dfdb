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

/* What the workers have at hand. */
struct reading {
    struct input_files *files;
    struct progress *progress;
    struct error *errors; /* of each file */
};

static void read_file(void *context, size_t item) {
    const struct reading *reading = context;
    struct input_file *file = &reading->files->items[item];
    struct digest *digest = digest_begin();
    digest_add_file(digest, file->path, reading->progress, &reading->errors[item]);
    digest_end(digest, file->sha256);
}

static void announce_bytes(const struct input_files *files, struct progress *progress) {
    uint64_t total = 0;
    for (size_t f = 0; f < files->count; f++)
        total += files->items[f].bytes;
    atomic_store(&progress->done, 0);
    atomic_store(&progress->total, total);
}

bool input_files_read(const struct tensor_table *table, struct pool *pool,
                      struct input_files *files, struct progress *progress, struct error *error) {
    struct reading reading = {.files = files, .progress = progress};
    bool good = true;
    *files = (struct input_files){0};
    for (size_t source = 0; source <= table->specialist_count; source++)
        add_files(files, table, source);
    if (progress != NULL)
        announce_bytes(files, progress);
    reading.errors = memory_array(files->count, sizeof *reading.errors);
    pool_run(pool, files->count, read_file, &reading);
    for (size_t f = 0; f < files->count; f++) {
        if (good && reading.errors[f].kind != ERROR_NONE)
            good = error_move(error, &reading.errors[f]);
        error_free(&reading.errors[f]);
    }
    free(reading.errors);
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
