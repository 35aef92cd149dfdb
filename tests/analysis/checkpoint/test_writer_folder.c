/* Model folders: shards and index as asked for, the files beside the weights, and no folder but the
 * complete one. */
#include "analysis/checkpoint/checkpoint.h"
#include "analysis/checkpoint/writer.h"
#include "analysis/support/pool.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const uint64_t ten[1] = {10}, hundred[1] = {100}, one[1] = {1};

#define SPEC(name, shape)                                                                          \
    { name, sizeof name - 1, DTYPE_F32, 1, shape }

/* 40, 40, 400, 4 and 40 bytes. */
static const struct tensor_spec specs[] = {SPEC("e", ten), SPEC("d", ten), SPEC("c\"", hundred),
                                           SPEC("b", one), SPEC("a", ten)};

enum { SPECS = sizeof specs / sizeof specs[0] };

static void put_one(void *context, size_t index) {
    struct error error = {0};
    float values[100];
    for (size_t i = 0; i < 100; i++)
        values[i] = (float)(100 * index + i);
    if (!writer_put(context, index, values, &error))
        abort();
}

static struct writer *begin(const char *path, uint64_t shard_bytes, const char *companions,
                            bool overwrite) {
    struct error error = {0};
    struct writer *writer;
    static const struct metadata_entry metadata[] = {{"format", "pt"}};
    if (!writer_begin_folder(
            path,
            &(struct writer_content){
                .specs = specs, .count = SPECS, .metadata = metadata, .metadata_count = 1},
            shard_bytes, companions, overwrite, &writer, &error))
        fail_msg("%s", error.message);
    return writer;
}

static void finish(struct writer *writer, char sha256[SHA256_TEXT]) {
    struct error error = {0};
    struct pool *pool = pool_create(3);
    pool_run(pool, SPECS, put_one, writer);
    pool_free(pool);
    if (!writer_commit(writer, sha256, &error))
        fail_msg("%s", error.message);
}

static void assert_content(const char *path, const char *format) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    if (!checkpoint_open(path, &checkpoint, &error))
        fail_msg("%s", error.message);
    assert_string_equal(checkpoint_format(checkpoint), format);
    assert_int_equal(checkpoint_count(checkpoint), SPECS);
    assert_int_equal(checkpoint_warnings(checkpoint)->count, 0);
    for (size_t i = 0; i < SPECS; i++) {
        double values[100];
        const struct tensor *tensor =
            checkpoint_find(checkpoint, specs[i].name, specs[i].name_length);
        assert_non_null(tensor);
        assert_int_equal(tensor->elements, specs[i].shape[0]);
        tensor_read(tensor, 0, tensor->elements, values);
        for (size_t k = 0; k < tensor->elements; k++)
            assert_true(values[k] == (double)(100 * i + k));
    }
    checkpoint_close(checkpoint);
}

static bool there(struct scratch *scratch, const char *name) {
    return access(scratch_path(scratch, name), F_OK) == 0;
}

/* Number of entries of a folder in the scratch. */
static size_t count_in(struct scratch *scratch, const char *name) {
    struct scratch inner = {0};
    char *path = scratch_path(scratch, name);
    assert_true(strlen(path) < sizeof inner.folder);
    strcpy(inner.folder, path);
    return scratch_count(&inner);
}

static char *make_folder(struct scratch *scratch, const char *name) {
    char *path = scratch_path(scratch, name);
    assert_int_equal(mkdir(path, 0755), 0);
    return path;
}

static void assert_text(struct scratch *scratch, const char *name, const char *text) {
    size_t length;
    unsigned char *bytes = scratch_read(scratch_path(scratch, name), &length);
    assert_non_null(bytes);
    assert_string_equal(bytes, text);
    free(bytes);
}

static void tensors_are_split_in_their_order(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    char sha256[SHA256_TEXT], again[SHA256_TEXT];
    struct digest *digest = digest_begin();
    struct writer *writer = begin(scratch_path(&scratch, "out/"), 80, NULL, false);
    uint64_t expected = writer_file_bytes(writer), total = 0;
    assert_false(there(&scratch, "out"));
    assert_int_equal(scratch_count(&scratch), 1);
    finish(writer, sha256);
    assert_int_equal(scratch_count(&scratch), 1);
    /* e and d fill a shard to the limit, c" exceeds it alone, b and a are left. */
    assert_text(&scratch, "out/model.safetensors.index.json",
                "{\n"
                "  \"metadata\": {\n"
                "    \"total_size\": 524\n"
                "  },\n"
                "  \"weight_map\": {\n"
                "    \"a\": \"model-00003-of-00003.safetensors\",\n"
                "    \"b\": \"model-00003-of-00003.safetensors\",\n"
                "    \"c\\\"\": \"model-00002-of-00003.safetensors\",\n"
                "    \"d\": \"model-00001-of-00003.safetensors\",\n"
                "    \"e\": \"model-00001-of-00003.safetensors\"\n"
                "  }\n"
                "}\n");
    for (int i = 1; i <= 3; i++) {
        char name[64];
        size_t length;
        snprintf(name, sizeof name, "out/model-%05d-of-00003.safetensors", i);
        unsigned char *bytes = scratch_read(scratch_path(&scratch, name), &length);
        digest_add(digest, bytes, length);
        total += length;
        free(bytes);
    }
    digest_end(digest, again);
    assert_string_equal(sha256, again);
    assert_int_equal(total, expected);
    assert_content(scratch_path(&scratch, "out"), "sharded");
    scratch_remove(&scratch);
}

static void what_fits_one_file_is_one(void **state) {
    (void)state;
    static const uint64_t limits[] = {0, 524, 1000000};
    for (size_t i = 0; i < 3; i++) {
        struct scratch scratch = scratch_make();
        make_folder(&scratch, "out"); /* an empty folder is as good as none */
        finish(begin(scratch_path(&scratch, "out"), limits[i], NULL, false), NULL);
        assert_true(there(&scratch, "out/model.safetensors"));
        assert_false(there(&scratch, "out/model.safetensors.index.json"));
        assert_content(scratch_path(&scratch, "out"), "safetensors");
        scratch_remove(&scratch);
    }
}

static void no_tensors_make_a_folder_too(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct writer *writer;
    assert_true(writer_begin_folder(scratch_path(&scratch, "out"),
                                    &(struct writer_content){.count = 0}, 5, NULL, false, &writer,
                                    &error));
    assert_true(writer_commit(writer, NULL, &error));
    assert_true(there(&scratch, "out/model.safetensors"));
    scratch_remove(&scratch);
}

/* From the folder of a model, and only from such; files of the known kinds up to 10 MB. */
static void small_files_come_along(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    make_folder(&scratch, "base");
    char *base = scratch_path(&scratch, "base");
    scratch_write(&scratch, "base/preprocessor_config.json", "{p}", 3);
    finish(begin(scratch_path(&scratch, "one"), 0, base, false), NULL);
    assert_false(there(&scratch, "one/preprocessor_config.json")); /* no config.json there */
    scratch_write(&scratch, "blob", "{c}", 3);
    assert_int_equal(symlink("../blob", scratch_path(&scratch, "base/config.json")), 0);
    scratch_write(&scratch, "base/merges.txt", "", 0);
    static const char *const left[] = {"model-00001-of-00002.safetensors",
                                       "pytorch_model.bin",
                                       "model.safetensors.index.json",
                                       ".hidden.json",
                                       "README.md",
                                       "large.json"};
    for (size_t i = 0; i < 6; i++) {
        char *name = memory_format("base/%s", left[i]);
        scratch_write(&scratch, name, "x", 1);
        free(name);
    }
    assert_int_equal(truncate(scratch_path(&scratch, "base/large.json"), 10000001), 0);
    make_folder(&scratch, "base/folder.json");
    finish(begin(scratch_path(&scratch, "two"), 100, base, false), NULL);
    assert_text(&scratch, "two/config.json", "{c}");
    assert_text(&scratch, "two/preprocessor_config.json", "{p}");
    assert_text(&scratch, "two/merges.txt", "");
    assert_int_equal(count_in(&scratch, "two"), 3 + 3 + 1);
    assert_content(scratch_path(&scratch, "two"), "sharded");
    scratch_remove(&scratch);
}

static void assert_begin_fails(const char *path, bool overwrite, const char *message) {
    struct error error = {0};
    struct writer *writer;
    assert_false(writer_begin_folder(path, &(struct writer_content){.specs = specs, .count = SPECS},
                                     80, NULL, overwrite, &writer, &error));
    assert_null(writer);
    if (strstr(error.message, message) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", message, error.message);
    error_free(&error);
    if (writer_is_folder(path)) {
        assert_false(writer_check(path, overwrite, &error));
        assert_non_null(strstr(error.message, message));
        error_free(&error);
    }
}

static void folders_that_stay(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    make_folder(&scratch, "full");
    scratch_write(&scratch, "full/thesis.tex", "x", 1);
    scratch_write(&scratch, "file", "x", 1);
    assert_begin_fails(scratch_path(&scratch, "full"), false, "exists and is not empty");
    assert_begin_fails(scratch_path(&scratch, "full/"), true, "other things than a model");
    assert_begin_fails(scratch_path(&scratch, "file"), true, "is not a folder");
    assert_begin_fails(scratch_path(&scratch, "none/out/"), true, "No such file");
    assert_int_equal(symlink("nothing", scratch_path(&scratch, "astray")), 0);
    assert_begin_fails(scratch_path(&scratch, "astray/"), true, "is a link that leads nowhere");
    assert_int_equal(scratch_count(&scratch), 3);
    scratch_remove(&scratch);
}

/* The model changes, the user's other files stay. */
static void a_model_is_replaced_when_asked(void **state) {
    (void)state;
    struct error error = {0};
    struct scratch scratch = scratch_make();
    char *path = scratch_path(&scratch, "out");
    finish(begin(path, 80, NULL, false), NULL);
    scratch_write(&scratch, "out/notes.md", "mine", 4);
    scratch_write(&scratch, "out/config.json", "{mine}", 6);
    make_folder(&scratch, "out/logs");
    scratch_write(&scratch, "out/logs/1", "log", 3);
    assert_begin_fails(path, false, "exists");
    assert_int_equal(symlink("out", scratch_path(&scratch, "link")), 0);
    char *link = scratch_path(&scratch, "link/");
    assert_true(writer_check(link, true, &error));
    finish(begin(link, 0, NULL, true), NULL);
    assert_content(path, "safetensors");
    assert_text(&scratch, "out/notes.md", "mine");
    assert_text(&scratch, "out/config.json", "{mine}");
    assert_text(&scratch, "out/logs/1", "log");
    assert_int_equal(count_in(&scratch, "out"), 4);
    assert_int_equal(scratch_count(&scratch), 2);
    scratch_remove(&scratch);
}

static void what_fails_leaves_nothing(void **state) {
    (void)state;
    struct error error = {0};
    struct scratch scratch = scratch_make();
    char *path = scratch_path(&scratch, "out");
    struct writer *writer = begin(path, 80, NULL, false);
    put_one(writer, 0);
    writer_cancel(writer);
    assert_int_equal(scratch_count(&scratch), 0);
    writer = begin(path, 80, NULL, false);
    for (size_t i = 0; i + 1 < SPECS; i++)
        put_one(writer, i);
    assert_false(writer_commit(writer, NULL, &error));
    assert_non_null(strstr(error.message, "tensor a: was never written"));
    error_free(&error);
    assert_int_equal(scratch_count(&scratch), 0);
    /* Somebody else makes the folder meanwhile. */
    writer = begin(path, 80, NULL, false);
    for (size_t i = 0; i < SPECS; i++)
        put_one(writer, i);
    make_folder(&scratch, "out");
    scratch_write(&scratch, "out/mine", "x", 1);
    assert_false(writer_commit(writer, NULL, &error));
    assert_non_null(strstr(error.message, "exists and is not empty"));
    error_free(&error);
    assert_int_equal(scratch_count(&scratch), 1);
    assert_text(&scratch, "out/mine", "x");
    scratch_remove(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_split_in_their_order),
        cmocka_unit_test(what_fits_one_file_is_one),
        cmocka_unit_test(no_tensors_make_a_folder_too),
        cmocka_unit_test(small_files_come_along),
        cmocka_unit_test(folders_that_stay),
        cmocka_unit_test(a_model_is_replaced_when_asked),
        cmocka_unit_test(what_fails_leaves_nothing),
    };
    return cmocka_run_group_tests_name("writer_folder", tests, NULL, NULL);
}
