#include "tui/command/cache_choice.h"

#include "tui/screen/places.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_DEFAULT ((uint64_t)1 << 30)
#define MEMORY_SIZE ((uint64_t)256 << 20)

char *cache_choice_folder(const struct options *options) {
    const char *given = options->cache != NULL ? options->cache : getenv("R2M_CACHE");
    if (given == NULL || *given == '\0')
        return place_cache();
    return strcmp(given, "none") != 0 ? memory_string(given) : NULL;
}

struct cache *cache_choose(const struct options *options, struct string_list *notes) {
    struct cache *cache = NULL;
    struct error error = {0};
    char *folder = cache_choice_folder(options);
    const struct cache_settings settings = {.folder = folder,
                                            .limit = options->cache_size != 0 ? options->cache_size
                                                                              : SIZE_DEFAULT,
                                            .verify = options->cache_verify};
    if (folder != NULL && !cache_open(&settings, &cache, &error))
        string_list_add(notes, error.message);
    error_free(&error);
    free(folder);
    return cache;
}

struct cache *cache_choose_for_screen(const struct options *options, struct string_list *notes) {
    const struct cache_settings memory = {.limit = MEMORY_SIZE};
    struct cache *cache = cache_choose(options, notes);
    struct error error = {0};
    if (cache == NULL)
        cache_open(&memory, &cache, &error);
    error_free(&error);
    return cache;
}
