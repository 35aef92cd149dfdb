/* The figures of a plan as files in a folder. */
#include "analysis/layer_kinds.h"
#include "analysis/support/memory.h"
#include "render/figures/figures.h"

#include <errno.h>
#include <fnmatch.h>
#include <libgen.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    NAME_LIMIT = 150, /* characters of a layer's name in a file name */
    MANY_COLUMNS = 60 /* bars or columns from which on a picture is wider */
};

struct output {
    const struct figure_source *source;
    const struct figure_files *files;
    struct layer_kinds *kinds;
    struct progress *progress; /* may be NULL */
    const char *text[3];       /* of the files: config */
    size_t count;
    char **paths; /* of the figures written, [count] */
};

/* A name from a file is not to be trusted as a path. */
static char *safe_name(const char *name) {
    char *safe = memory_text(name, strnlen(name, NAME_LIMIT));
    for (char *c = safe; *c != '\0'; c++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", *c) == NULL)
            *c = '_';
    if (safe[0] == '.')
        safe[0] = '_';
    return safe;
}

/* No other figure of this run may have the path, not even where case does not count. */
static bool is_new(const struct output *output, const char *path) {
    for (size_t i = 0; i < output->count; i++)
        if (strcasecmp(output->paths[i], path) == 0)
            return false;
    return true;
}

/* folder/FIGURE-SUBJECT.ending; different names that look alike as files get a number. */
static char *figure_path(const struct output *output, const char *figure, const char *subject) {
    const struct figure_files *files = output->files;
    const char *ending = image_format_names()[files->image.format];
    char *safe = subject != NULL ? safe_name(subject) : memory_string("");
    const char *dash = subject != NULL ? "-" : "";
    char *path = memory_format("%s/%s%s%s.%s", files->folder, figure, dash, safe, ending);
    for (size_t number = 2; !is_new(output, path); number++) {
        free(path);
        path = memory_format("%s/%s%s%s-%zu.%s", files->folder, figure, dash, safe, number, ending);
    }
    free(safe);
    return path;
}

void figure_fit(const struct page *page, struct image_options *options) {
    const struct chart *chart = page->charts[0];
    options->width_inches = fmax(options->width_inches * page->width, page->least_width);
    options->height_inches = fmax(options->height_inches * page->height, page->least_height);
    if (chart->bars.category_count + chart->map.column_count > MANY_COLUMNS)
        options->width_inches *= 1.5;
}

/* Draws into a file of the folder. */
static bool write_figure(struct output *output, const struct figure *figure, size_t subject,
                         const char *subject_name, struct error *error) {
    struct image_options options = output->files->image;
    struct page *page = figure_page(figure, output->source, subject);
    char *path = figure_path(output, figure->name, subject_name);
    options.text = output->text;
    figure_fit(page, &options);
    bool good = image_page_write(page, &options, path, output->files->overwrite, error);
    page_free(page);
    if (!good) {
        free(path);
        return false;
    }
    output->paths = memory_resize(output->paths, output->count + 1, sizeof *output->paths);
    output->paths[output->count++] = path;
    return true;
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

/* ---- subjects: what a figure is made of each time ---- */

static size_t subject_count(const struct output *output, enum figure_scope scope) {
    const struct tensor_table *table = output->source->analysis->table;
    const size_t counts[] = {[FIGURE_WHOLE] = 1,
                             [FIGURE_SPECIALIST] = table->specialist_count,
                             [FIGURE_KIND] = output->kinds->count,
                             [FIGURE_LAYER] = table->layer_count};
    return table->matrix_count > 0 ? counts[scope] : 0;
}

static const char *subject_name(const struct output *output, enum figure_scope scope,
                                size_t subject) {
    const struct tensor_table *table = output->source->analysis->table;
    return scope == FIGURE_WHOLE        ? NULL
           : scope == FIGURE_KIND       ? output->kinds->kinds[subject].name
           : scope == FIGURE_SPECIALIST ? table->specialists[subject].name
                                        : table->layers[subject].name;
}

static bool is_wanted(const struct output *output, const struct figure *figure, size_t subject) {
    const struct layer *layer = &output->source->analysis->table->layers[subject];
    const char *glob = output->files->layers;
    return figure->scope != FIGURE_LAYER ||
           (layer->role == ROLE_MATRIX && (glob == NULL || fnmatch(glob, layer->name, 0) == 0));
}

/* Calls visit for every figure and subject that is wanted, as long as it returns true. */
typedef bool visitor(struct output *output, const struct figure *figure, size_t subject,
                     const char *subject_name, struct error *error);

static bool visit_all(struct output *output, visitor *visit, struct error *error) {
    size_t count;
    const struct figure *all = figures(&count);
    for (size_t f = 0; f < count; f++) {
        if (!figure_is_chosen(&all[f], output->files->figures))
            continue;
        for (size_t s = 0; s < subject_count(output, all[f].scope); s++)
            if (is_wanted(output, &all[f], s) &&
                !visit(output, &all[f], s, subject_name(output, all[f].scope, s), error))
                return false;
    }
    return true;
}

static bool count_one(struct output *output, const struct figure *figure, size_t subject,
                      const char *name, struct error *error) {
    (void)figure, (void)subject, (void)name, (void)error;
    if (output->progress != NULL)
        atomic_fetch_add(&output->progress->total, 1);
    return true;
}

static bool write_one(struct output *output, const struct figure *figure, size_t subject,
                      const char *name, struct error *error) {
    return write_figure(output, figure, subject, name, error) && step(output->progress, error);
}

bool figures_write(const struct figure_source *source, const struct figure_files *files,
                   struct progress *progress, size_t *count, struct error *error) {
    struct output output = {.source = source,
                            .files = files,
                            .kinds = layer_kinds_with_depth(source->analysis->table),
                            .progress = progress,
                            .text = {files->config != NULL ? "r2m.config" : NULL, files->config}};
    if (progress != NULL) {
        atomic_store(&progress->done, 0);
        atomic_store(&progress->total, 0);
    }
    bool good = figures_check(files->figures, error) && image_check_size(&files->image, error) &&
                make_folder(files->folder, error) && visit_all(&output, count_one, error) &&
                visit_all(&output, write_one, error);
    if (count != NULL)
        *count = output.count;
    for (size_t i = 0; i < output.count; i++)
        free(output.paths[i]);
    free(output.paths);
    layer_kinds_free(output.kinds);
    return good;
}
