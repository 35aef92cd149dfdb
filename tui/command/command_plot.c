/* The figures of an analysis as files. */
#include "merge/text.h"
#include "render/figures/figures.h"
#include "tui/command/command.h"
#include "tui/command/complain.h"
#include "tui/command/session.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_SHOWN = 3 };

static bool matches_some(const struct tensor_table *table, const char *glob) {
    for (size_t l = 0; l < table->layer_count; l++)
        if (table->layers[l].role == ROLE_MATRIX && fnmatch(glob, table->layers[l].name, 0) == 0)
            return true;
    return false;
}

/* The names nearest to the glob, or the first ones where none is near; free() it. */
static char *near_names(const struct tensor_table *table, const char *glob) {
    const char **names = memory_array(table->layer_count, sizeof *names);
    size_t count = 0, shown = 0;
    for (size_t l = 0; l < table->layer_count; l++)
        if (table->layers[l].role == ROLE_MATRIX)
            names[count++] = table->layers[l].name;
    while (shown < NAMES_SHOWN && shown < count) {
        const char *nearest = nearest_name(glob, names + shown, count - shown);
        size_t at = shown;
        while (nearest != NULL && names[at] != nearest)
            at++;
        const char *found = names[at];
        names[at] = names[shown];
        names[shown++] = found;
    }
    char *list = names_join(names, shown);
    free(names);
    return list;
}

static bool check_glob(const struct tensor_table *table, const char *glob, struct error *error) {
    if (glob == NULL || matches_some(table, glob))
        return true;
    char *list = near_names(table, glob), *quoted = error_quote(glob, strlen(glob));
    error_set(error, ERROR_USAGE, "--layer %s: matches no matrix", quoted);
    error_hint(error, "there are %s%s", list, table->matrix_count > NAMES_SHOWN ? ", ..." : "");
    free(list);
    free(quoted);
    return false;
}

/* Format, size and resolution as given. */
static struct image_options image_of(const struct options *options) {
    struct image_options image = image_options_default();
    const char *const *names = image_format_names();
    for (size_t i = 0; options->format != NULL && names[i] != NULL; i++)
        if (strcmp(names[i], options->format) == 0)
            image.format = (enum image_format)i;
    image.width_inches = options->width > 0 ? options->width : image.width_inches;
    image.height_inches = options->height > 0 ? options->height : image.height_inches;
    image.dpi = options->dpi > 0 ? options->dpi : image.dpi;
    return image;
}

/* A file that an earlier run may have written: FIGURE.png, FIGURE-SUBJECT.png. One of another
 * format is not in the way. */
static bool is_figure(const char *file, const char *patterns, const char *format) {
    const char *ending = strrchr(file, '.');
    if (ending == NULL || strcmp(ending + 1, format) != 0)
        return false;
    char *name = memory_text(file, (size_t)(ending - file));
    bool found = false;
    size_t count;
    const struct figure *all = figures(&count);
    for (size_t f = 0; f < count; f++) {
        size_t length = strlen(all[f].name);
        found |= figure_is_chosen(&all[f], name, patterns) &&
                 strncmp(name, all[f].name, length) == 0 &&
                 (name[length] == '-' || name[length] == '\0');
    }
    free(name);
    return found;
}

/* Figures of an earlier run are replaced together or not at all. */
static bool check_folder(const struct options *options, struct error *error) {
    DIR *folder = options->force ? NULL : opendir(options->output);
    const char *format = image_format_names()[image_of(options).format];
    bool good = true;
    for (struct dirent *entry; good && folder != NULL && (entry = readdir(folder)) != NULL;)
        if (is_figure(entry->d_name, options->figure, format)) {
            good = error_set(error, ERROR_INPUT, "%s/%s: the file exists", options->output,
                             entry->d_name);
            error_hint(error, "--force replaces the figures in this folder");
        }
    if (folder != NULL)
        closedir(folder);
    return good;
}

struct plotting {
    const struct session *session;
    const struct options *options;
    size_t files;
};

static bool write_figures(void *context, struct progress *progress, struct error *error) {
    struct plotting *plotting = context;
    const struct session *session = plotting->session;
    char *config = config_text(&session->config, NULL);
    const struct options *options = plotting->options;
    struct figure_source source = {session->analysis, session->preview, session->plan};
    struct figure_files files = {.folder = options->output,
                                 .image = image_of(options),
                                 .config = config,
                                 .figures = options->figure,
                                 .layers = options->layer,
                                 .overwrite = options->force};
    bool good = figures_write(&source, &files, progress, &plotting->files, error);
    free(config);
    return good;
}

static bool plot(struct session *session, const struct options *options, struct error *error) {
    struct plotting plotting = {session, options, 0};
    const struct progress_job job = {write_figures, &plotting, "figures", UNIT_ITEMS};
    struct image_options image = image_of(options);
    struct analysis_needs needs;
    if (!image_check_size(&image, error) || !session_open(session, options, error) ||
        !figures_check(session->table, options->figure, error) ||
        !check_glob(session->table, options->layer, error) ||
        !figures_check_folder(options->output, error) || !check_folder(options, error) ||
        !session_needs(session, options, &needs, error))
        return false;
    session_start(session, needs.threads);
    if (!session_analyze(session, true, error) || !progress_run(&session->line, &job, error))
        return false;
    if (!options->quiet) {
        session_warn(session);
        char *quoted = error_quote(options->output, strlen(options->output));
        printf("%s: %zu figure%s\n", quoted, plotting.files, plotting.files == 1 ? "" : "s");
        free(quoted);
    }
    return true;
}

int command_plot(const struct options *options) {
    struct session session = {0};
    struct error error = {0};
    int code = plot(&session, options, &error) ? EXIT_DONE : complain(&error);
    session_close(&session);
    return code;
}
