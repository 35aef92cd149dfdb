/* A file in the place of the cache: it is refused, or what it gives has the right checksum, and it
 * can be written to, listed and cleared without harm. */
#include "analysis/cache/cache.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds) {
    if (!holds)
        abort();
}

static void write_file(const char *path, const uint8_t *data, size_t size) {
    FILE *file = fopen(path, "wb");
    require(file != NULL && fwrite(data, 1, size, file) == size);
    require(fclose(file) == 0);
}

/* The keys that the corpus's databases hold. */
static void use(struct cache *cache) {
    double values[3];
    char key[SHA256_TEXT];
    struct cached_file file;
    for (int i = 0; i < 4; i++) {
        digest_memory(&i, sizeof i, key);
        if (cache_get(cache, key, values, 3))
            require(values[0] == 1 && values[1] == 2 && values[2] == i);
    }
    cache_find_file(cache, "/a", &file);
    cache_describe(cache, "base", "specialists");
    cache_put(cache, key, (double[]){1, 2, 3}, 3);
    cache_put_file(cache, "/b", &(struct cached_file){"stamp", "sample", "identity"});
    cache_flush(cache);
}

static void look(struct cache *cache) {
    struct cached_analysis *list;
    struct string_list notes = {0};
    struct error error = {0};
    size_t count;
    uint64_t bytes;
    cache_list(cache, &list, &count, &bytes, &error);
    cached_free(list, count);
    error_free(&error);
    cache_clear(cache, &error);
    error_free(&error);
    cache_take_notes(cache, &notes);
    string_list_free(&notes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char folder[] = "/tmp/r2m-fuzz-XXXXXX", path[64], journal[80];
    require(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/%s", folder, CACHE_FILE);
    snprintf(journal, sizeof journal, "%s-journal", path);
    write_file(path, data, size);
    const struct cache_settings settings = {.folder = folder, .limit = 1 << 20};
    struct error error = {0};
    struct cache *cache = NULL;
    bool good = cache_open(&settings, &cache, &error);
    require(good == (error.kind == ERROR_NONE));
    if (good) {
        use(cache);
        look(cache);
    }
    cache_close(cache);
    error_free(&error);
    unlink(path);
    unlink(journal);
    rmdir(folder);
    return 0;
}
