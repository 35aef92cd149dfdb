/* Checkpoints in shards: the rows X01 to X16 of the table of bad inputs, folders, and many shards.
 */
#include "analysis/checkpoint/checkpoint.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define INDEX "model.safetensors.index.json"

/* A safetensors file of two F32 tensors of two elements: from, from + 1 and -from, -from - 1. */
static char *write_pair(struct scratch *scratch, const char *file, const char *one,
                        const char *other, float from) {
    unsigned char bytes[512] = {0};
    int length = snprintf((char *)bytes + 8, sizeof bytes - 8,
                          "{\"%s\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8]},"
                          "\"%s\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]}}",
                          one, other);
    const float values[4] = {from, from + 1, -from, -from - 1};
    bytes[0] = (unsigned char)length;
    memcpy(bytes + 8 + length, values, sizeof values);
    return scratch_write(scratch, file, bytes, 8 + (size_t)length + sizeof values);
}

/* Two shards: a and b in s1, c and d in s2. */
static struct scratch make_shards(void) {
    struct scratch scratch = scratch_make();
    write_pair(&scratch, "s1.safetensors", "a", "b", 1);
    write_pair(&scratch, "s2.safetensors", "c", "d", 10);
    return scratch;
}

static char *write_index(struct scratch *scratch, const char *text) {
    return scratch_write(scratch, INDEX, text, strlen(text));
}

#define S1 "\"s1.safetensors\""
#define S2 "\"s2.safetensors\""
#define MAP(body) "{\"metadata\": {\"total_size\": 32}, \"weight_map\": {" body "}}"
#define FULL "\"d\": " S2 ", \"a\": " S1 ", \"b\": " S1 ", \"c\": " S2

static struct checkpoint *open_good(const char *path) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    if (!checkpoint_open(path, &checkpoint, &error))
        fail_msg("%s", error.message);
    return checkpoint;
}

static void assert_values(const struct checkpoint *checkpoint, const char *name, double first,
                          double second) {
    double values[2];
    const struct tensor *tensor = checkpoint_find(checkpoint, name, strlen(name));
    assert_non_null(tensor);
    assert_int_equal(tensor->elements, 2);
    tensor_read(tensor, 0, 2, values);
    assert_true(values[0] == first && values[1] == second);
}

/* Whatever the warnings, the four tensors are there. */
static void assert_four(const char *path, const char *warning) {
    struct checkpoint *checkpoint = open_good(path);
    assert_string_equal(checkpoint_format(checkpoint), "sharded");
    assert_int_equal(checkpoint_count(checkpoint), 4);
    assert_values(checkpoint, "a", 1, 2);
    assert_values(checkpoint, "b", -1, -2);
    assert_values(checkpoint, "c", 10, 11);
    assert_values(checkpoint, "d", -10, -11);
    const struct string_list *warnings = checkpoint_warnings(checkpoint);
    assert_int_equal(warnings->count, warning != NULL);
    if (warning != NULL && strstr(warnings->items[0], warning) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", warning, warnings->items[0]);
    checkpoint_close(checkpoint);
}

static void assert_refused(const char *path, const char *one, const char *other) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    assert_false(checkpoint_open(path, &checkpoint, &error));
    assert_null(checkpoint);
    assert_int_equal(error.kind, ERROR_INPUT);
    if (strstr(error.message, one) == NULL || strstr(error.message, other) == NULL)
        fail_msg("expected \"%s\" and \"%s\" in \"%s\"", one, other, error.message);
    assert_null(strchr(error.message, '\n'));
    error_free(&error);
}

/* X01, in the order of the index. */
static void an_index_opens_its_shards(void **state) {
    (void)state;
    struct scratch scratch = make_shards();
    char *path = write_index(&scratch, MAP(FULL));
    assert_four(path, NULL);
    struct checkpoint *checkpoint = open_good(path);
    assert_string_equal(checkpoint_tensor(checkpoint, 0)->name, "d");
    assert_string_equal(checkpoint_tensor(checkpoint, 3)->name, "c");
    struct string_list files = checkpoint_files(checkpoint);
    assert_string_equal(files.items[0], path);
    for (size_t f = 0; f < files.count; f++)
        assert_true(checkpoint_is_made_of(checkpoint, files.items[f]));
    assert_int_equal(files.count, 3);
    string_list_free(&files);
    assert_true(checkpoint_is_made_of(checkpoint, path));
    assert_true(checkpoint_is_made_of(checkpoint, scratch_path(&scratch, "s2.safetensors")));
    assert_true(checkpoint_is_made_of(checkpoint, scratch.folder));
    write_pair(&scratch, "other.safetensors", "a", "b", 1);
    assert_false(checkpoint_is_made_of(checkpoint, scratch_path(&scratch, "other.safetensors")));
    checkpoint_close(checkpoint);
    scratch_remove(&scratch);
}

static void refused_indexes(void **state) {
    (void)state;
    static const struct {
        const char *text, *one, *other;
    } rows[] = {
        /* X04 */
        {MAP("\"a\": \"s9.safetensors\""), INDEX ": shard ", "s9.safetensors: No such file"},
        /* X05, X06, X12, X14 and their like */
        {MAP("\"a\": \"../s1.safetensors\""), "tensor a: ", "not a path"},
        {MAP("\"a\": \"/etc/passwd\""), "tensor a: ", "not a path"},
        {MAP("\"a\": \"x\\\\s1.safetensors\""), "tensor a: ", "not a path"},
        {MAP("\"a\": \"s1.safetensors\\u0000x\""), "tensor a: ", "not a path"},
        {MAP("\"a\": \".\""), "tensor a: ", "not a path"},
        {MAP("\"a\": \"..\""), "tensor a: ", "not a path"},
        {MAP("\"a\": \"\""), "tensor a: ", "empty name"},
        {MAP("\"a\": \"" INDEX "\""), "tensor a: ", "JSON file"},
        {MAP("\"a\": \"other.JSON\""), "tensor a: ", "JSON file"},
        /* X07 */
        {MAP("\"a\": " S1 ", \"z\": " S2), "tensor z: is not in its shard ", "s2.safetensors"},
        /* X09, also equal only when unescaped */
        {MAP("\"a\": " S1 ", \"a\": " S1), "tensor a: occurs twice", ""},
        {MAP("\"a\": " S1 ", \"\\u0061\": " S2), "tensor a: occurs twice", ""},
        {"{\"weight_map\": {\"a\": " S1 "}, \"weight_map\": {}}", "weight_map occurs twice", ""},
        {"{\"metadata\": {}, \"metadata\": {}, \"weight_map\": {\"a\": " S1 "}}",
         "metadata occurs twice", ""},
        {"{\"metadata\": {\"total_size\": 1, \"total_size\": 1}}", "total_size occurs twice", ""},
        /* X10, X15, X11 */
        {"{\"metadata\": {\"total_size\": 32}}", "no weight_map", "not an index"},
        {MAP(""), "weight_map is empty", ""},
        {MAP("\"a\": 1"), "tensor a: expected a string", "byte"},
        {MAP("\"a\": null"), "tensor a: expected a string", "byte"},
        {MAP("\"a\": [" S1 "]"), "tensor a: expected a string", "byte"},
        {"{\"weight_map\": []}", "expected an object", "byte 15"},
        /* not JSON */
        {"{\"weight_map\": {\"a\": " S1 "}", "expected , or }", "byte"},
        {MAP("\"a\": " S1 ",\n"), "a comma before the closing bracket", ""},
        {MAP(FULL) "x", "something after the end", ""},
        {"[1]", "", ""},
        {"{\"a\xff\": 1}", "byte 3 is not UTF-8", ""},
    };
    struct scratch scratch = make_shards();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_refused(write_index(&scratch, rows[i].text), rows[i].one, rows[i].other);
    scratch_remove(&scratch);
}

static void accepted_with_a_warning(void **state) {
    (void)state;
    static const struct {
        const char *text, *warning;
    } rows[] = {
        {"{\"weight_map\": {" FULL "}}", NULL},                     /* X02 */
        {"{\"metadata\": {}, \"weight_map\": {" FULL "}}", NULL},   /* X02 */
        {"{\"metadata\": null, \"weight_map\": {" FULL "}}", NULL}, /* X02 */
        {"{\"metadata\": {\"total_size\": 33}, \"weight_map\": {" FULL "}}",
         "total_size is 33, the tensors have 32 bytes"}, /* X03 */
        {"{\"metadata\": {\"total_size\": 32.0}, \"weight_map\": {" FULL "}}",
         "total_size is 32.0, "}, /* X03 */
        {"{\"metadata\": {\"total_size\": {\"x\": []}}, \"weight_map\": {" FULL "}}",
         "total_size is {\"x\": []}, "}, /* X03 */
        {"{\"more\": [1, {}], \"weight_map\": {" FULL "}, \"metadata\": {\"x\": 1}}", NULL},
    };
    struct scratch scratch = make_shards();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_four(write_index(&scratch, rows[i].text), rows[i].warning);
    scratch_remove(&scratch);
}

/* X08, X13. */
static void tensors_beside_the_index_are_left_out(void **state) {
    (void)state;
    struct scratch scratch = make_shards();
    char *path = write_index(&scratch, "{\"weight_map\": {\"a\": " S1 ", \"c\": " S2 "}}");
    struct checkpoint *checkpoint = open_good(path);
    assert_int_equal(checkpoint_count(checkpoint), 2);
    assert_null(checkpoint_find(checkpoint, "b", 1));
    assert_int_equal(checkpoint_warnings(checkpoint)->count, 1);
    assert_string_equal(checkpoint_warnings(checkpoint)->items[0],
                        "2 tensors of the shards are left out: they are not in the index; the "
                        "first is b");
    checkpoint_close(checkpoint);
    write_pair(&scratch, "s1.safetensors", "a", "b", 1);
    write_pair(&scratch, "s2.safetensors", "a", "d", 10);
    path = write_index(&scratch, "{\"weight_map\": {\"a\": " S1 ", \"b\": " S1 ", \"d\": " S2 "}}");
    checkpoint = open_good(path);
    assert_values(checkpoint, "a", 1, 2);
    assert_int_equal(checkpoint_warnings(checkpoint)->count, 1);
    assert_non_null(strstr(checkpoint_warnings(checkpoint)->items[0], "the index names another"));
    checkpoint_close(checkpoint);
    scratch_remove(&scratch);
}

/* X16: a Hugging Face snapshot, whose files are links to blobs elsewhere. */
static void shards_may_be_links(void **state) {
    (void)state;
    struct scratch scratch = make_shards();
    write_index(&scratch, MAP(FULL));
    char *snapshot = scratch_path(&scratch, "snapshot");
    assert_int_equal(mkdir(snapshot, 0700), 0);
    static const char *const names[] = {"s1.safetensors", "s2.safetensors", INDEX};
    for (size_t i = 0; i < 3; i++) {
        char *to = memory_format("../%s", names[i]), *at = memory_format("snapshot/%s", names[i]);
        assert_int_equal(symlink(to, scratch_path(&scratch, at)), 0);
        free(to);
        free(at);
    }
    assert_four(snapshot, NULL);
    scratch_remove(&scratch);
}

static void broken_shards_are_named(void **state) {
    (void)state;
    struct scratch scratch = make_shards();
    char *path = write_index(&scratch, MAP(FULL));
    char *second = scratch_path(&scratch, "s2.safetensors");
    assert_int_equal(truncate(second, 100), 0);
    assert_refused(path, INDEX ": shard ", "s2.safetensors: truncated");
    /* An index that says it is safetensors, even this one: no endless descent. */
    assert_int_equal(unlink(second), 0);
    assert_int_equal(symlink(INDEX, second), 0);
    assert_refused(path, "s2.safetensors: ", "is itself an index of shards");
    assert_int_equal(unlink(second), 0);
    assert_int_equal(mkdir(second, 0700), 0);
    assert_refused(path, "s2.safetensors: ", "is a folder");
    scratch_remove(&scratch);
}

static void folders_open_as_their_weights(void **state) {
    (void)state;
    struct scratch scratch = make_shards();
    assert_refused(scratch.folder, "is a folder", "model.safetensors");
    write_pair(&scratch, "pytorch_model.bin", "p", "q", 3);
    struct checkpoint *checkpoint = open_good(scratch.folder);
    assert_values(checkpoint, "p", 3, 4);
    checkpoint_close(checkpoint);
    char *single = write_pair(&scratch, "model.safetensors", "x", "y", 5);
    checkpoint = open_good(scratch.folder);
    assert_string_equal(checkpoint_format(checkpoint), "safetensors");
    assert_string_equal(checkpoint_path(checkpoint), single);
    assert_values(checkpoint, "y", -5, -6);
    checkpoint_close(checkpoint);
    write_index(&scratch, MAP(FULL));
    assert_four(scratch.folder, NULL);
    char *slash = memory_format("%s/", scratch.folder);
    assert_four(slash, NULL);
    free(slash);
    scratch_remove(&scratch);
}

/* The path of the index has no folder in it. */
static void the_current_folder_holds_the_shards(void **state) {
    (void)state;
    struct scratch scratch = make_shards();
    char before[4096];
    assert_non_null(getcwd(before, sizeof before));
    write_index(&scratch, MAP(FULL));
    assert_int_equal(chdir(scratch.folder), 0);
    assert_four(INDEX, NULL);
    assert_four(".", NULL);
    assert_int_equal(chdir(before), 0);
    scratch_remove(&scratch);
}

/* O7: what was opened stays, whatever comes to stand in the place of its files. */
static void an_open_checkpoint_stays_as_it_was(void **state) {
    (void)state;
    struct scratch scratch = make_shards();
    struct checkpoint *checkpoint = open_good(write_index(&scratch, MAP(FULL)));
    static const char *const names[] = {"s1.safetensors", "s2.safetensors", INDEX};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(unlink(scratch_path(&scratch, names[i])), 0);
    write_pair(&scratch, "s1.safetensors", "a", "b", 50);
    write_index(&scratch, MAP("\"a\": " S2 ", \"b\": " S2));
    assert_int_equal(checkpoint_count(checkpoint), 4);
    assert_values(checkpoint, "a", 1, 2);
    checkpoint_close(checkpoint);
    scratch_remove(&scratch);
}

/* O8: far more shards than file descriptors. */
static void many_shards_need_no_descriptors(void **state) {
    enum { SHARDS = 2000 };
    (void)state;
    struct scratch scratch = scratch_make();
    char *text = memory_array(SHARDS, 64), *at = text + sprintf(text, "{\"weight_map\": {");
    for (int i = 0; i < SHARDS; i++) {
        char file[32], name[32];
        snprintf(file, sizeof file, "s%d", i);
        snprintf(name, sizeof name, "t%d", i);
        write_pair(&scratch, file, name, "same", (float)i);
        at += sprintf(at, "%s\"%s\": \"%s\"", i > 0 ? ", " : "", name, file);
    }
    strcpy(at, "}}");
    char *path = write_index(&scratch, text);
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = (struct rlimit){64, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    struct checkpoint *checkpoint = open_good(path);
    assert_int_equal(checkpoint_count(checkpoint), SHARDS);
    assert_values(checkpoint, "t1234", 1234, 1235);
    assert_int_equal(checkpoint_warnings(checkpoint)->count, 1);
    checkpoint_close(checkpoint);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    free(text);
    scratch_remove(&scratch);
}

/* Shards of any format, with ties within one. */
static void torch_shards_keep_their_ties(void **state) {
    (void)state;
    static const char tied[] = "tests/fixtures/torch/16_tied.pth";
    struct error error = {0};
    struct scratch scratch = scratch_make();
    struct checkpoint *alone = open_good(tied), *checkpoint;
    size_t count = checkpoint_count(alone), length;
    unsigned char *bytes = scratch_read(tied, &length);
    scratch_write(&scratch, "s.bin", bytes, length);
    free(bytes);
    char *text = memory_string("{\"weight_map\": {");
    for (size_t i = count; i-- > 0;) { /* the other way round */
        char *longer = memory_format("%s\"%s\": \"s.bin\"%s", text,
                                     checkpoint_tensor(alone, i)->name, i > 0 ? ", " : "}}");
        free(text);
        text = longer;
    }
    char *path = scratch_write(&scratch, "pytorch_model.bin.index.json", text, strlen(text));
    free(text);
    assert_true(checkpoint_open(path, &checkpoint, &error));
    size_t ties = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            size_t k = count - 1 - i, l = count - 1 - j;
            bool one = checkpoint_tied(alone, i) == checkpoint_tied(alone, j);
            assert_true(one == (checkpoint_tied(checkpoint, k) == checkpoint_tied(checkpoint, l)));
            ties += one;
        }
    assert_true(ties > 0);
    checkpoint_close(alone);
    checkpoint_close(checkpoint);
    assert_false(checkpoint_open_at(path, "model", &checkpoint, &error));
    assert_non_null(strstr(error.message, "no state dicts"));
    error_free(&error);
    scratch_remove(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_opens_its_shards),
        cmocka_unit_test(refused_indexes),
        cmocka_unit_test(accepted_with_a_warning),
        cmocka_unit_test(tensors_beside_the_index_are_left_out),
        cmocka_unit_test(shards_may_be_links),
        cmocka_unit_test(broken_shards_are_named),
        cmocka_unit_test(folders_open_as_their_weights),
        cmocka_unit_test(the_current_folder_holds_the_shards),
        cmocka_unit_test(an_open_checkpoint_stays_as_it_was),
        cmocka_unit_test(many_shards_need_no_descriptors),
        cmocka_unit_test(torch_shards_keep_their_ties),
    };
    return cmocka_run_group_tests_name("sharded", tests, NULL, NULL);
}
