/* The figures of a plan as files in a folder. */
#include "analysis/support/memory.h"
#include "render/figures.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum {
    NAME_LIMIT = 150, /* characters of a layer's name in a file name */
    MANY_BARS = 60    /* from so many on a picture is wider */
};

struct output {
    const char *folder;
    struct image_options image;
    const char *text[3]; /* of the files: config */
    bool overwrite;
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

/* folder/PREFIXname.ending; different names that look alike as files get a number. */
static char *figure_path(const struct output *output, const char *prefix, const char *name) {
    char *safe = safe_name(name);
    const char *ending = image_format_names()[output->image.format];
    char *path = memory_format("%s/%s%s.%s", output->folder, prefix, safe, ending);
    for (size_t number = 2; !is_new(output, path); number++) {
        free(path);
        path = memory_format("%s/%s%s-%zu.%s", output->folder, prefix, safe, number, ending);
    }
    free(safe);
    return path;
}

/* Draws into a file of the folder; takes the chart. */
static bool write_figure(struct output *output, struct chart *chart, const char *prefix,
                         const char *name, struct error *error) {
    struct image_options options = output->image;
    char *path = figure_path(output, prefix, name);
    options.text = output->text;
    if (chart->bars.category_count > MANY_BARS)
        options.width_inches *= 1.5;
    bool good = image_write(chart, &options, path, output->overwrite, error);
    chart_free(chart);
    if (!good) {
        free(path);
        return false;
    }
    output->paths = memory_resize(output->paths, output->count + 1, sizeof *output->paths);
    output->paths[output->count++] = path;
    return true;
}

static bool make_folder(const char *folder, struct error *error) {
    struct stat status;
    if (mkdir(folder, 0777) == 0 ||
        (errno == EEXIST && stat(folder, &status) == 0 && S_ISDIR(status.st_mode)))
        return true;
    return error_set(error, ERROR_INPUT, "%s: the folder cannot be made: %s", folder,
                     errno == EEXIST ? "a file is in the way" : strerror(errno));
}

static bool wanted(const struct layer *layer, const char *glob) {
    return layer->role == ROLE_MATRIX && (glob == NULL || fnmatch(glob, layer->name, 0) == 0);
}

static bool step(struct progress *progress, struct error *error) {
    if (progress == NULL)
        return true;
    atomic_fetch_add(&progress->done, 1);
    return !atomic_load(&progress->cancel) ||
           error_set(error, ERROR_CANCELLED, "stopped; the figures so far are written");
}

static bool write_spectra(struct output *output, const struct analysis *analysis,
                          const struct preview *preview, const char *glob,
                          struct progress *progress, struct error *error) {
    struct spectrum_view view = spectrum_view_default();
    for (size_t l = 0; l < analysis->table->layer_count; l++) {
        const struct layer *layer = &analysis->table->layers[l];
        if (wanted(layer, glob) &&
            (!write_figure(output, figure_spectrum(analysis, preview, l, &view), "spectrum-",
                           layer->name, error) ||
             !step(progress, error)))
            return false;
    }
    return true;
}

static bool write_overviews(struct output *output, const struct analysis *analysis,
                            const struct preview *preview, struct progress *progress,
                            struct error *error) {
    for (size_t i = 0; i < analysis->table->specialist_count; i++)
        if (!write_figure(output, figure_energy(analysis, i), "energy-",
                          analysis->table->specialists[i].name, error) ||
            !step(progress, error))
            return false;
    for (int after = 0; after <= 1; after++)
        if (!write_figure(output, figure_contributions(analysis, preview, after), "contributions-",
                          after ? "after" : "before", error) ||
            !step(progress, error))
            return false;
    return true;
}

bool figures_write(const struct analysis *analysis, const struct preview *preview,
                   const struct image_options *image, const char *config, const char *folder,
                   const char *layer_glob, bool overwrite, struct progress *progress, size_t *count,
                   struct error *error) {
    struct output output = {.folder = folder,
                            .image = *image,
                            .text = {config != NULL ? "r2m.config" : NULL, config, NULL},
                            .overwrite = overwrite};
    uint64_t total = analysis->table->specialist_count + 2;
    for (size_t l = 0; l < analysis->table->layer_count; l++)
        total += wanted(&analysis->table->layers[l], layer_glob);
    if (progress != NULL) {
        atomic_store(&progress->done, 0);
        atomic_store(&progress->total, total);
    }
    bool good = image_check_size(image, error) && make_folder(folder, error) &&
                write_spectra(&output, analysis, preview, layer_glob, progress, error) &&
                (analysis->table->matrix_count == 0 ||
                 write_overviews(&output, analysis, preview, progress, error));
    if (count != NULL)
        *count = output.count;
    for (size_t i = 0; i < output.count; i++)
        free(output.paths[i]);
    free(output.paths);
    return good;
}
