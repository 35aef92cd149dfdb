/* The figures of a plan as files in a folder. */
#include "analysis/support/memory.h"
#include "render/figures.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { NAME_LIMIT = 150 }; /* characters of a layer's name in a file name */

struct output {
    const char *folder;
    const char *text[3]; /* tEXt: config */
    bool overwrite;
    size_t count;
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

/* Draws into folder/PREFIXname.png; takes the chart. */
static bool write_figure(struct output *output, struct chart *chart, const char *prefix,
                         const char *name, struct error *error) {
    struct image_options options = image_options_default();
    char *safe = safe_name(name);
    char *path = memory_format("%s/%s%s.png", output->folder, prefix, safe);
    options.text = output->text;
    if (chart->bars.category_count > 60)
        options.width_inches *= 1.5; /* many bars want room */
    bool good = image_write_png(chart, &options, path, output->overwrite, error);
    output->count += good;
    free(path);
    free(safe);
    chart_free(chart);
    return good;
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
                   const char *config, const char *folder, const char *layer_glob, bool overwrite,
                   struct progress *progress, size_t *count, struct error *error) {
    struct output output = {.folder = folder,
                            .text = {config != NULL ? "r2m.config" : NULL, config, NULL},
                            .overwrite = overwrite};
    uint64_t total = analysis->table->specialist_count + 2;
    for (size_t l = 0; l < analysis->table->layer_count; l++)
        total += wanted(&analysis->table->layers[l], layer_glob);
    if (progress != NULL) {
        atomic_store(&progress->done, 0);
        atomic_store(&progress->total, total);
    }
    bool good = make_folder(folder, error) &&
                write_spectra(&output, analysis, preview, layer_glob, progress, error) &&
                (analysis->table->matrix_count == 0 ||
                 write_overviews(&output, analysis, preview, progress, error));
    if (count != NULL)
        *count = output.count;
    return good;
}
