/* The report as a folder: made under another name, then put in place. */
#include "render/report/report.h"

#include "analysis/support/atomic_file.h"
#include "merge/layers_csv.h"
#include "merge/report.h"
#include "render/report/file_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIGURES "figures"
#define MAKING ".report." /* begins the name of a folder in the making */

/* A folder in the making. */
struct output {
    char *path;   /* where it will be */
    char *making; /* where it is made: beside that, or in it where it is there already */
    struct string_list files; /* written so far, relative to it */
    char *list;               /* of them, with their hashes */
};

/* Error `PATH: reason`. */
static bool fail(const char *path, struct error *error, const char *reason) {
    char *quoted = error_quote(path, strlen(path));
    error_set(error, ERROR_INPUT, "%s: %s", quoted, reason);
    free(quoted);
    return false;
}

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Whether nothing but our own folder in the making is in it. */
static bool is_empty(const char *path) {
    DIR *folder = opendir(path);
    bool empty = true;
    for (struct dirent *entry; folder != NULL && empty && (entry = readdir(folder)) != NULL;)
        empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
                strncmp(entry->d_name, MAKING, strlen(MAKING)) == 0;
    if (folder != NULL)
        closedir(folder);
    return empty;
}

/* Whether a folder could be made there: told before the work, not after it. */
static bool check_place(const char *folder, struct error *error) {
    struct stat status;
    char *path = atomic_file_settle(folder), *slash = strrchr(path, '/');
    bool is_link = lstat(path, &status) == 0;
    if (slash != NULL)
        slash[slash == path] = '\0';
    const char *parent = slash != NULL ? path : ".";
    bool good = access(parent, W_OK | X_OK) == 0 || fail(folder, error, strerror(errno));
    if (good && is_link)
        good = fail(folder, error, "is a link that leads nowhere");
    free(path);
    return good;
}

bool report_check_folder(const char *folder, bool overwrite, struct error *error) {
    struct stat status;
    if (stat(folder, &status) != 0)
        return errno == ENOENT ? check_place(folder, error) : fail(folder, error, strerror(errno));
    if (!S_ISDIR(status.st_mode))
        return fail(folder, error, "is not a folder");
    if (access(folder, W_OK | X_OK) != 0)
        return fail(folder, error, strerror(errno));
    if (overwrite || is_empty(folder))
        return true;
    fail(folder, error, "the folder exists and is not empty");
    error_hint(error, "--force replaces the report in it and leaves what is not of a report");
    return false;
}

static char *join(const char *folder, const char *name) {
    return memory_format("%s/%s", folder, name);
}

/* Makes the temporary folder with its folder for figures. */
static bool begin(struct output *output, const char *path, struct error *error) {
    *output = (struct output){.path = atomic_file_settle(path)};
    char *start = is_folder(output->path) ? join(output->path, ".report") : NULL;
    int made = atomic_file_folder(start != NULL ? start : output->path, &output->making);
    free(start);
    if (made != 0) {
        fail(path, error, strerror(errno));
        free(output->making);
        output->making = NULL;
        return false;
    }
    char *figures = join(output->making, FIGURES);
    bool good = mkdir(figures, 0777) == 0 || fail(figures, error, strerror(errno));
    free(figures);
    return good;
}

static bool put(struct output *output, const char *name, const char *bytes, size_t size,
                struct error *error) {
    char *path = join(output->making, name);
    bool good = atomic_file_write(path, bytes, size, false, error);
    if (good) {
        string_list_add(&output->files, name);
        file_list_add(&output->list, name, bytes, size);
    }
    free(path);
    return good;
}

/* The whole text, which is released. */
static bool put_text(struct output *output, const char *name, char *text, struct error *error) {
    bool good = put(output, name, text, strlen(text), error);
    free(text);
    return good;
}

static bool put_figures(struct output *output, const struct article *article, struct error *error) {
    bool good = true;
    for (size_t b = 0; b < article->count && good; b++) {
        const struct block *block = &article->blocks[b];
        if (block->kind != BLOCK_FIGURE)
            continue;
        char *name = memory_format(FIGURES "/%s.svg", block->name);
        good = put(output, name, block->svg, block->svg_size, error);
        free(name);
    }
    return good;
}

static bool put_all(struct output *output, const struct report_source *source,
                    const struct article *article, struct error *error) {
    const struct plan *plan = source->plan;
    const struct analysis *analysis = source->analysis;
    const struct preview *preview = source->preview;
    return put_figures(output, article, error) &&
           put_text(output, "analysis.json", report_json(plan, analysis, preview, false), error) &&
           put_text(output, "layers.csv", layers_csv(analysis, preview), error) &&
           put_text(output, "config.json", config_text(&plan->config, output->path), error) &&
           put_text(output, "report.md", article_markdown(article), error) &&
           put_text(output, "report.html", article_html(article), error) &&
           put_text(output, FILE_LIST_NAME, memory_string(output->list), error);
}

/* File by file into the folder that is there; what an older report had beyond that goes. */
static bool move_files(const struct output *output, struct error *error) {
    char *older = file_list_read(output->path);
    char *figures = join(output->path, FIGURES);
    bool good = mkdir(figures, 0777) == 0 || is_folder(figures) ||
                fail(figures, error, "cannot be made a folder");
    for (size_t f = 0; f < output->files.count && good; f++) {
        char *from = join(output->making, output->files.items[f]);
        char *to = join(output->path, output->files.items[f]);
        good = rename(from, to) == 0 || fail(to, error, strerror(errno));
        free(from);
        free(to);
    }
    if (good)
        file_list_clear(older, output->path, FIGURES, &output->files);
    free(figures);
    free(older);
    return good;
}

/* All at once where nothing is yet. */
static bool publish(const struct output *output, bool overwrite, struct error *error) {
    bool good = report_check_folder(output->path, overwrite, error);
    if (good && is_folder(output->path))
        good = move_files(output, error);
    else if (good)
        good =
            rename(output->making, output->path) == 0 || fail(output->path, error, strerror(errno));
    atomic_file_sync_folder(output->path);
    return good;
}

/* Removes what is left of the folder in the making. */
static void end(struct output *output) {
    char *figures = output->making != NULL ? join(output->making, FIGURES) : NULL;
    for (size_t f = 0; f < output->files.count && output->making != NULL; f++) {
        char *path = join(output->making, output->files.items[f]);
        unlink(path);
        free(path);
    }
    if (output->making != NULL) {
        rmdir(figures);
        rmdir(output->making);
    }
    free(figures);
    string_list_free(&output->files);
    free(output->list);
    free(output->making);
    free(output->path);
}

static bool is_wanted(const struct progress *progress, struct error *error) {
    return progress == NULL || !atomic_load(&progress->cancel) ||
           error_set(error, ERROR_CANCELLED, "stopped; nothing is written");
}

bool report_write(const struct report_source *source, const char *folder, bool overwrite,
                  struct progress *progress, struct error *error) {
    struct article article = {0};
    struct output output = {0};
    bool good = report_check_folder(folder, overwrite, error) &&
                report_article(source, &article, progress, error) &&
                begin(&output, folder, error) && put_all(&output, source, &article, error) &&
                is_wanted(progress, error) && publish(&output, overwrite, error);
    end(&output);
    article_free(&article);
    return good;
}
