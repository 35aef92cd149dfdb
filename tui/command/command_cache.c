/* What the cache keeps, and forgetting it. */
#include "merge/config/document.h"
#include "tui/command/cache_choice.h"
#include "tui/command/command.h"
#include "tui/command/complain.h"
#include "tui/command/text_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct listing {
    const struct options *options;
    const char *folder;
    struct cached_analysis *analyses;
    size_t count;
    uint64_t bytes; /* of the file */
};

static void print_json(const struct listing *listing) {
    struct document json;
    document_begin(&json);
    document_open(&json, NULL, '{', DOCUMENT_LINES);
    document_number(&json, "r2m", 1);
    document_string(&json, "folder", listing->folder);
    document_number(&json, "bytes", (double)listing->bytes);
    document_open(&json, "analyses", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < listing->count; i++) {
        const struct cached_analysis *one = &listing->analyses[i];
        document_open(&json, NULL, '{', DOCUMENT_ROW);
        document_string(&json, "base", one->base);
        document_string(&json, "specialists", one->specialists);
        document_number(&json, "records", (double)one->records);
        document_number(&json, "bytes", (double)one->bytes);
        document_number(&json, "created", (double)one->created);
        document_number(&json, "used", (double)one->used);
        document_close(&json);
    }
    document_close(&json);
    document_close(&json);
    char *text = document_end(&json);
    fputs(text, stdout);
    free(text);
}

static void add_day(struct text_table *table, int64_t seconds) {
    time_t time = (time_t)seconds;
    struct tm day;
    char text[32];
    if (localtime_r(&time, &day) == NULL || strftime(text, sizeof text, "%Y-%m-%d", &day) == 0)
        text[0] = '\0';
    text_table_add(table, text);
}

static void print_table(const struct listing *listing) {
    static const struct text_column columns[] = {{"specialists", true, 0},
                                                 {"base", true, 2},
                                                 {"last used", true, 0},
                                                 {"numbers", false, 1},
                                                 {"size", false, 0}};
    struct text_table *table = text_table_create(text_style_choose(listing->options), columns,
                                                 sizeof columns / sizeof *columns);
    for (size_t i = 0; i < listing->count; i++) {
        const struct cached_analysis *one = &listing->analyses[i];
        char room[TEXT_ROOM];
        text_table_add(table, text_shown(one->specialists, room));
        text_table_add(table, text_shown(one->base, room));
        add_day(table, one->used);
        text_table_count(table, (double)one->records);
        text_table_bytes(table, (double)one->bytes);
    }
    text_table_print(table, stdout);
}

static void print_summary(const struct listing *listing) {
    char size[32], *folder = error_quote(listing->folder, strlen(listing->folder));
    if (!listing->options->quiet)
        fprintf(stderr, "r2m: %zu %s, %s in %s\n", listing->count,
                listing->count == 1 ? "analysis" : "analyses",
                bytes_text((double)listing->bytes, size), folder);
    free(folder);
}

static bool list(struct cache *cache, struct listing *listing, struct error *error) {
    if (cache != NULL &&
        !cache_list(cache, &listing->analyses, &listing->count, &listing->bytes, error))
        return false;
    if (listing->options->json)
        print_json(listing);
    else if (listing->count > 0)
        print_table(listing);
    if (!listing->options->json)
        print_summary(listing);
    cached_free(listing->analyses, listing->count);
    return true;
}

/* Opens the cache where there is one; *cache NULL: there is none. */
static bool open_there(const char *path, const char *folder, struct cache **cache,
                       struct error *error) {
    const struct cache_settings settings = {.folder = folder, .limit = UINT64_MAX};
    bool is_there = access(path, F_OK) == 0 || errno != ENOENT;
    *cache = NULL;
    return !is_there || cache_open(&settings, cache, error);
}

/* A file that is no cache that can be opened, and what SQLite keeps beside it. */
static bool remove_file(const char *path, struct error *error) {
    char *journal = memory_format("%s-journal", path);
    bool good = unlink(path) == 0;
    if (!good)
        error_set(error, ERROR_INPUT, "%s: %s", path, strerror(errno));
    unlink(journal);
    free(journal);
    return good;
}

static bool clear(const struct options *options, const char *path, const char *folder,
                  struct error *error) {
    struct cache *cache;
    bool good = open_there(path, folder, &cache, error);
    if (good && cache != NULL)
        good = cache_clear(cache, error);
    cache_close(cache);
    if (good || !options->force)
        return good;
    error_free(error);
    return remove_file(path, error);
}

static bool show(const struct options *options, const char *path, const char *folder,
                 struct error *error) {
    struct listing listing = {.options = options, .folder = folder};
    struct cache *cache;
    bool good = open_there(path, folder, &cache, error) && list(cache, &listing, error);
    cache_close(cache);
    return good;
}

int command_cache(const struct options *options) {
    struct error error = {0};
    char *folder = cache_choice_folder(options);
    bool clears = options->operand_count > 0 && strcmp(options->operands[0], "clear") == 0;
    if (folder == NULL)
        return complain_usage("cache", "there is no cache: --cache DIR says where one is");
    char *path = memory_format("%s/%s", folder, CACHE_FILE);
    bool good = (clears ? clear : show)(options, path, folder, &error);
    free(path);
    free(folder);
    return good ? EXIT_DONE : complain(&error);
}
