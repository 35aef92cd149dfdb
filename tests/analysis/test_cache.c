/* The cache: what was put is there for the next one who opens it, what is damaged or foreign is
 * not, and nothing that goes wrong is fatal. */
#include "analysis/cache/cache.h"
#include "tests/scratch.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/support.h"

enum { LIMIT = 1 << 24, VALUES = 100 };

static const double values[VALUES] = {1.5, -0.0, 1e-300, 3};

struct place {
    struct scratch scratch;
    char *folder, *file;
};

static struct place place_make(void) {
    struct place place = {.scratch = scratch_make()};
    place.folder = scratch_path(&place.scratch, "one/two");
    place.file = scratch_path(&place.scratch, "one/two/" CACHE_FILE);
    return place;
}

static struct cache *open_at(const char *folder, uint64_t limit) {
    const struct cache_settings settings = {.folder = folder, .limit = limit};
    struct error error = {0};
    struct cache *cache = NULL;
    if (!cache_open(&settings, &cache, &error))
        fail_msg("%s", error.message);
    return cache;
}

static void key_of(int number, char key[SHA256_TEXT]) {
    digest_memory(&number, sizeof number, key);
}

static void put_at(struct cache *cache, int number, size_t count) {
    char key[SHA256_TEXT];
    key_of(number, key);
    cache_put(cache, key, values, count);
}

static bool get_at(struct cache *cache, int number, size_t count) {
    char key[SHA256_TEXT];
    double found[VALUES];
    key_of(number, key);
    if (!cache_get(cache, key, found, count))
        return false;
    assert_memory_equal(found, values, count * sizeof *found);
    return true;
}

static size_t notes_of(struct cache *cache) {
    struct string_list notes = {0};
    cache_take_notes(cache, &notes);
    size_t count = notes.count;
    string_list_free(&notes);
    return count;
}

static void what_was_put_is_there(void **state) {
    (void)state;
    struct place place = place_make();
    struct cache *cache = open_at(place.folder, LIMIT);
    assert_false(get_at(cache, 1, VALUES));
    put_at(cache, 1, VALUES);
    put_at(cache, 2, 1);
    cache_close(cache);
    cache = open_at(place.folder, LIMIT);
    assert_true(get_at(cache, 1, VALUES));
    assert_true(get_at(cache, 2, 1));
    assert_false(get_at(cache, 3, VALUES));
    assert_int_equal(notes_of(cache), 0);
    assert_false(get_at(cache, 1, VALUES - 1)); /* another length is no answer */
    assert_int_equal(notes_of(cache), 1);
    cache_close(cache);
    scratch_remove(&place.scratch);
}

static void what_is_put_again_counts_once(void **state) {
    (void)state;
    struct cache *cache = open_at(NULL, LIMIT);
    struct cached_analysis *list;
    struct error error = {0};
    uint64_t bytes;
    size_t count;
    cache_describe(cache, "base", "specialists");
    for (int times = 0; times < 3; times++) {
        put_at(cache, 1, VALUES);
        put_at(cache, 2, 1);
        cache_flush(cache);
    }
    assert_true(cache_list(cache, &list, &count, &bytes, &error));
    assert_int_equal(count, 1);
    assert_int_equal(list[0].records, 2);
    assert_int_equal(list[0].bytes, (VALUES + 1) * sizeof(double));
    cached_free(list, count);
    cache_close(cache);
}

static void no_cache_is_an_empty_one(void **state) {
    (void)state;
    put_at(NULL, 1, VALUES);
    assert_false(get_at(NULL, 1, VALUES));
    cache_describe(NULL, "", "");
    cache_flush(NULL);
    cache_close(NULL);
}

static void what_is_not_finite_is_not_kept(void **state) {
    (void)state;
    char key[SHA256_TEXT];
    const double bad[] = {1, (double)INFINITY};
    double found[2];
    struct cache *cache = open_at(NULL, LIMIT);
    key_of(1, key);
    cache_put(cache, key, bad, 2);
    cache_flush(cache);
    assert_false(cache_get(cache, key, found, 2));
    cache_close(cache);
}

static void files_are_remembered(void **state) {
    (void)state;
    struct place place = place_make();
    struct cached_file file = {"stamp", "sample", "identity"}, found;
    struct cache *cache = open_at(place.folder, LIMIT);
    cache_put_file(cache, "/a", &file);
    cache_close(cache);
    cache = open_at(place.folder, LIMIT);
    assert_true(cache_find_file(cache, "/a", &found));
    assert_string_equal(found.stamp, "stamp");
    assert_string_equal(found.sample, "sample");
    assert_string_equal(found.identity, "identity");
    assert_false(cache_find_file(cache, "/b", &found));
    cache_close(cache);
    scratch_remove(&place.scratch);
}

/* Runs SQL on the file as somebody else would. */
static void disturb(const char *file, const char *sql) {
    sqlite3 *database;
    assert_int_equal(sqlite3_open(file, &database), SQLITE_OK);
    assert_int_equal(sqlite3_exec(database, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(database);
}

static void damaged_records_are_not_used(void **state) {
    (void)state;
    static const char *const damage[] = {
        "UPDATE record SET value = zeroblob(length(value))", "UPDATE record SET value = NULL",
        "UPDATE record SET value = 'text'", "UPDATE record SET checksum = checksum + 1",
        "UPDATE record SET checksum = NULL"};
    for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
        struct place place = place_make();
        struct cache *cache = open_at(place.folder, LIMIT);
        put_at(cache, 1, VALUES);
        cache_close(cache);
        disturb(place.file, damage[i]);
        cache = open_at(place.folder, LIMIT);
        assert_false(get_at(cache, 1, VALUES));
        assert_int_equal(notes_of(cache), 1);
        put_at(cache, 1, VALUES); /* the right one takes its place */
        cache_flush(cache);
        assert_true(get_at(cache, 1, VALUES));
        cache_close(cache);
        scratch_remove(&place.scratch);
    }
}

static void refuses(const char *folder, const char *reason) {
    const struct cache_settings settings = {.folder = folder, .limit = LIMIT};
    struct error error = {0};
    struct cache *cache;
    assert_false(cache_open(&settings, &cache, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    if (strstr(error.message, reason) == NULL)
        fail_msg("%s, not %s", error.message, reason);
    error_free(&error);
}

static void what_is_not_ours_is_left_alone(void **state) {
    (void)state;
    struct place place = place_make();
    struct cache *cache = open_at(place.folder, LIMIT);
    cache_close(cache);
    disturb(place.file, "PRAGMA user_version = 7");
    refuses(place.folder, "another version");
    unlink(place.file);
    disturb(place.file, "CREATE TABLE mine(text); INSERT INTO mine VALUES('precious')");
    refuses(place.folder, "not a cache of r2m");
    disturb(place.file, "DELETE FROM mine WHERE text = 'precious'"); /* the table is there */
    unlink(place.file);
    FILE *file = fopen(place.file, "w");
    for (int i = 0; i < 4000; i++)
        fputc(i % 251, file);
    fclose(file);
    refuses(place.folder, "damaged");
    struct stat status;
    assert_int_equal(stat(place.file, &status), 0);
    assert_int_equal(status.st_size, 4000);
    refuses(place.file, "cannot be made a folder");
    scratch_remove(&place.scratch);
}

static void random_damage_is_never_fatal(void **state) {
    (void)state;
    struct place place = place_make();
    struct cache *cache = open_at(place.folder, LIMIT);
    for (int i = 0; i < 200; i++)
        put_at(cache, i, VALUES);
    cache_close(cache);
    struct stat status;
    assert_int_equal(stat(place.file, &status), 0);
    for (unsigned seed = 1; seed <= 60; seed++) {
        FILE *file = fopen(place.file, "r+");
        unsigned at = seed * 2654435761u;
        for (int i = 0; i < 20; i++, at = at * 1664525 + 1013904223) {
            fseek(file, (long)(at % (unsigned)status.st_size), SEEK_SET);
            fputc((int)(at >> 24), file);
        }
        fclose(file);
        const struct cache_settings settings = {.folder = place.folder, .limit = LIMIT};
        struct error error = {0};
        if (!cache_open(&settings, &cache, &error)) {
            assert_int_equal(error.kind, ERROR_INPUT);
            error_free(&error);
            break;
        }
        for (int i = 0; i < 200; i += 7)
            get_at(cache, i, VALUES); /* the right values or none: get_at looks */
        put_at(cache, 1000 + (int)seed, VALUES);
        cache_close(cache);
    }
    scratch_remove(&place.scratch);
}

static size_t listed(struct cache *cache, char **latest) {
    struct cached_analysis *list;
    struct error error = {0};
    size_t count;
    uint64_t bytes;
    assert_true(cache_list(cache, &list, &count, &bytes, &error));
    *latest = count > 0 ? memory_string(list[0].specialists) : memory_string("");
    for (size_t i = 0; i < count; i++)
        assert_true(list[i].records > 0 && list[i].bytes > 0 && list[i].used > 1000000000);
    cached_free(list, count);
    return count;
}

static off_t size_of(const struct place *place) {
    struct stat status;
    assert_int_equal(stat(place->file, &status), 0);
    return status.st_size;
}

static void the_size_is_bounded(void **state) {
    (void)state;
    enum { SMALL = 300000, EACH = 100 };
    struct place place = place_make();
    struct cache *cache = open_at(place.folder, SMALL);
    char *latest, name[20];
    for (int analysis = 0; analysis < 12; analysis++) {
        snprintf(name, sizeof name, "s%d", analysis);
        cache_describe(cache, "base", name);
        for (int i = 0; i < EACH; i++)
            put_at(cache, EACH * analysis + i, VALUES);
        cache_flush(cache);
        assert_true(size_of(&place) <= SMALL);
        assert_true(get_at(cache, EACH * analysis, VALUES));
    }
    size_t count = listed(cache, &latest);
    assert_true(count >= 1 && count < 12);
    assert_string_equal(latest, "s11");
    free(latest);
    assert_false(get_at(cache, 0, VALUES)); /* the first one made room */
    assert_int_equal(notes_of(cache), 0);
    cache_describe(cache, "base", "huge");
    for (int i = 0; i < 600; i++)
        put_at(cache, 10000 + i, VALUES);
    cache_flush(cache);
    assert_int_equal(notes_of(cache), 1); /* it alone is too large */
    assert_true(size_of(&place) <= SMALL);
    cache_close(cache);
    cache = open_at(place.folder, SMALL / 3); /* a limit that is lower now, nothing to write */
    cache_close(cache);
    assert_true(size_of(&place) <= SMALL / 3);
    scratch_remove(&place.scratch);
}

static void clearing_forgets_all(void **state) {
    (void)state;
    struct place place = place_make();
    struct cache *cache = open_at(place.folder, LIMIT);
    struct error error = {0};
    char *latest;
    cache_describe(cache, "base", "one");
    put_at(cache, 1, VALUES);
    cache_flush(cache);
    assert_int_equal(listed(cache, &latest), 1);
    free(latest);
    assert_true(cache_clear(cache, &error));
    assert_int_equal(listed(cache, &latest), 0);
    free(latest);
    assert_false(get_at(cache, 1, VALUES));
    put_at(cache, 1, VALUES);
    cache_close(cache);
    cache = open_at(place.folder, LIMIT);
    assert_true(get_at(cache, 1, VALUES));
    cache_close(cache);
    scratch_remove(&place.scratch);
}

/* Another process clears the cache, or makes room, while this one goes on. */
static void another_may_forget_what_is_under_way(void **state) {
    (void)state;
    struct place place = place_make();
    struct cache *cache = open_at(place.folder, LIMIT), *other = open_at(place.folder, LIMIT);
    struct error error = {0};
    char *latest;
    cache_describe(cache, "base", "one");
    put_at(cache, 1, VALUES);
    cache_flush(cache);
    assert_true(cache_clear(other, &error));
    cache_describe(other, "base", "other"); /* gets the number of the row that is gone */
    put_at(other, 2, VALUES);
    cache_flush(other);
    put_at(cache, 3, VALUES);
    cache_flush(cache);
    assert_int_equal(notes_of(cache), 0);
    assert_true(get_at(other, 3, VALUES));
    assert_int_equal(listed(other, &latest), 2);
    free(latest);
    assert_true(cache_clear(other, &error));
    put_at(cache, 4, VALUES);
    cache_close(cache);
    assert_true(get_at(other, 4, VALUES));
    cache_close(other);
    scratch_remove(&place.scratch);
}

/* Several processes write and read at once; all of it is there in the end. */
static void processes_share_it(void **state) {
    (void)state;
    enum { PROCESSES = 4, EACH = 50 };
    struct place place = place_make();
    pid_t children[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        children[p] = fork();
        if (children[p] != 0)
            continue;
        struct cache *cache = open_at(place.folder, LIMIT);
        for (int i = 0; i < EACH; i++) {
            put_at(cache, p * EACH + i, VALUES);
            cache_flush(cache);
            get_at(cache, (p + 1) % PROCESSES * EACH + i, VALUES);
        }
        cache_close(cache);
        _exit(0);
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_int_equal(waitpid(children[p], &status, 0), children[p]);
        assert_int_equal(status, 0);
    }
    struct cache *cache = open_at(place.folder, LIMIT);
    for (int i = 0; i < PROCESSES * EACH; i++)
        assert_true(get_at(cache, i, VALUES));
    cache_close(cache);
    scratch_remove(&place.scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_there),
        cmocka_unit_test(what_is_put_again_counts_once),
        cmocka_unit_test(no_cache_is_an_empty_one),
        cmocka_unit_test(what_is_not_finite_is_not_kept),
        cmocka_unit_test(files_are_remembered),
        cmocka_unit_test(damaged_records_are_not_used),
        cmocka_unit_test(what_is_not_ours_is_left_alone),
        cmocka_unit_test(random_damage_is_never_fatal),
        cmocka_unit_test(the_size_is_bounded),
        cmocka_unit_test(clearing_forgets_all),
        cmocka_unit_test(another_may_forget_what_is_under_way),
        cmocka_unit_test(processes_share_it),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
