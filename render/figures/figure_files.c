/* The figures of a plan as files in a folder. */
#include "analysis/support/memory.h"
#include "render/figures/figures.h"

#include <errno.h>
#include <fnmatch.h>
#include <libgen.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MANY_COLUMNS = 60 }; /* bars or columns from which on a picture is wider */

struct output {
    const struct figure_source *source;
    const struct figure_files *files;
    const char *text[3]; /* of the files: config */
};

void figure_fit(const struct page *page, struct image_options *options) {
    const struct chart *chart = page->charts[0];
    options->width_inches = fmax(options->width_inches * page->width, page->least_width);
    options->height_inches = fmax(options->height_inches * page->height, page->least_height);
    if (chart->bars.category_count + chart->map.column_count > MANY_COLUMNS)
        options->width_inches *= 1.5;
}

/* Draws into a file of the folder. */
static bool write_figure(const struct output *output, const struct figure_file *file,
                         struct error *error) {
    const struct figure_files *files = output->files;
    struct image_options options = files->image;
    struct page *page = figure_page(file->figure, output->source, file->subject);
    char *path =
        memory_format("%s/%s.%s", files->folder, file->name, image_format_names()[options.format]);
    options.text = output->text;
    figure_fit(page, &options);
    bool good = image_page_write(page, &options, path, files->overwrite, error);
    page_free(page);
    free(path);
    return good;
}

static bool fail_to_make(const char *folder, struct error *error) {
    return error_set(error, ERROR_INPUT, "%s: the folder cannot be made: %s", folder,
                     errno == EEXIST ? "a file is in the way" : strerror(errno));
}

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

static bool make_folder(const char *folder, struct error *error) {
    return mkdir(folder, 0777) == 0 || (errno == EEXIST && is_folder(folder)) ||
           fail_to_make(folder, error);
}

bool figures_check_folder(const char *folder, struct error *error) {
    if (is_folder(folder))
        return access(folder, W_OK | X_OK) == 0 ||
               error_set(error, ERROR_INPUT, "%s: the folder cannot be written: %s", folder,
                         strerror(errno));
    char *copy = memory_string(folder);
    bool in_the_way = access(folder, F_OK) == 0;
    bool good = !in_the_way && access(dirname(copy), W_OK | X_OK) == 0;
    free(copy);
    errno = in_the_way ? EEXIST : errno;
    return good || fail_to_make(folder, error);
}

static bool step(struct progress *progress, struct error *error) {
    if (progress == NULL)
        return true;
    atomic_fetch_add(&progress->done, 1);
    return !atomic_load(&progress->cancel) ||
           error_set(error, ERROR_CANCELLED, "stopped; the figures so far are written");
}

static bool is_wanted(const struct output *output, const struct figure_file *file) {
    const struct layer *layers = output->source->analysis->table->layers;
    const char *glob = output->files->layers;
    return figure_is_chosen(file->figure, file->name, output->files->figures) &&
           (file->figure->scope != FIGURE_LAYER || glob == NULL ||
            fnmatch(glob, layers[file->subject].name, 0) == 0);
}

static size_t count_wanted(const struct output *output, const struct figure_list *list) {
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++)
        count += is_wanted(output, &list->files[i]);
    return count;
}

static bool write_wanted(const struct output *output, const struct figure_list *list,
                         struct progress *progress, size_t *written, struct error *error) {
    bool good = true;
    for (size_t i = 0; good && i < list->count; i++) {
        if (!is_wanted(output, &list->files[i]))
            continue;
        good = write_figure(output, &list->files[i], error);
        *written += good;
        good = good && step(progress, error);
    }
    return good;
}

bool figures_write(const struct figure_source *source, const struct figure_files *files,
                   struct progress *progress, size_t *count, struct error *error) {
    const struct output output = {
        .source = source,
        .files = files,
        .text = {files->config != NULL ? "r2m.config" : NULL, files->config}};
    const struct tensor_table *table = source->analysis->table;
    struct figure_list list = figure_list_make(table);
    size_t written = 0;
    if (progress != NULL) {
        atomic_store(&progress->done, 0);
        atomic_store(&progress->total, count_wanted(&output, &list));
    }
    bool good = figures_check(table, files->figures, error) &&
                image_check_size(&files->image, error) && make_folder(files->folder, error) &&
                write_wanted(&output, &list, progress, &written, error);
    if (count != NULL)
        *count = written;
    figure_list_free(&list);
    return good;
}
