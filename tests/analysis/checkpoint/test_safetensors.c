/* A file by the official writer with every dtype: read whole, found by name, written again to the
 * same bytes. */
#include "analysis/checkpoint/checkpoint.h"
#include "analysis/checkpoint/writer.h"
#include "tests/scratch.h"

#include <fcntl.h>
#include <math.h>
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

#define OFFICIAL "tests/fixtures/official_all_dtypes.safetensors"

static struct checkpoint *open_official(void) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    if (!checkpoint_open(OFFICIAL, &checkpoint, &error))
        fail_msg("%s", error.message);
    return checkpoint;
}

static void the_table_is_that_of_the_file(void **state) {
    (void)state;
    struct checkpoint *checkpoint = open_official();
    assert_string_equal(checkpoint_path(checkpoint), OFFICIAL);
    assert_string_equal(checkpoint_format(checkpoint), "safetensors");
    assert_string_equal(checkpoint_metadata(checkpoint, "format"), "pt");
    assert_null(checkpoint_metadata(checkpoint, "forma"));
    assert_int_equal(checkpoint_warnings(checkpoint)->count, 0);
    assert_int_equal(checkpoint_count(checkpoint), 30);
    for (int dtype = 0; dtype < DTYPE_COUNT; dtype++) {
        char *name = memory_format("t.%s", dtype_name((enum dtype)dtype));
        const struct tensor *tensor = checkpoint_find(checkpoint, name, strlen(name));
        assert_non_null(tensor);
        assert_int_equal(tensor->dtype, dtype);
        assert_int_equal(tensor->rank, 2);
        assert_int_equal(tensor->shape[0], 2);
        assert_int_equal(tensor->shape[1], 4);
        assert_int_equal(tensor->elements, 8);
        assert_int_equal(tensor->bytes, dtype_bits(tensor->dtype));
        free(name);
    }
    checkpoint_close(checkpoint);
}

/* Written to in its place, and then replaced by another file under its name. */
static void a_file_that_was_written_to_is_told(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    size_t length;
    unsigned char *bytes = scratch_read(OFFICIAL, &length);
    const char *path = scratch_write(&scratch, "a.safetensors", bytes, length);
    const struct timespec past[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, path, past, 0), 0);
    assert_true(checkpoint_open(path, &checkpoint, &error));
    assert_true(checkpoint_unchanged(checkpoint, &error));
    int descriptor = open(path, O_WRONLY);
    assert_int_equal(pwrite(descriptor, "x", 1, (off_t)length - 1), 1);
    close(descriptor);
    assert_false(checkpoint_unchanged(checkpoint, &error));
    assert_non_null(strstr(error.message, "a.safetensors: was written to"));
    error_free(&error);
    assert_int_equal(rename(scratch_write(&scratch, "b", bytes, length), path), 0);
    assert_true(checkpoint_unchanged(checkpoint, &error));
    checkpoint_close(checkpoint);
    free(bytes);
    scratch_remove(&scratch);
}

static void every_tensor_is_found_by_its_name(void **state) {
    (void)state;
    struct checkpoint *checkpoint = open_official();
    for (size_t i = 0; i < checkpoint_count(checkpoint); i++) {
        const struct tensor *tensor = checkpoint_tensor(checkpoint, i);
        assert_int_equal(tensor->name[tensor->name_length], '\0');
        assert_ptr_equal(checkpoint_find(checkpoint, tensor->name, tensor->name_length), tensor);
        assert_null(checkpoint_find(checkpoint, tensor->name, tensor->name_length + 1));
    }
    assert_null(checkpoint_find(checkpoint, "", 0));
    assert_null(checkpoint_find(checkpoint, "T.F32", 5));
    checkpoint_close(checkpoint);
}

static void odd_names_are_unescaped(void **state) {
    (void)state;
    static const char *const names[] = {"a\"q\\\n\x1f\x7f/", "\xc3\xa4", "a.b", "Z"};
    struct checkpoint *checkpoint = open_official();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        assert_non_null(checkpoint_find(checkpoint, names[i], strlen(names[i])));
    const struct tensor *scalar = checkpoint_find(checkpoint, "scalar", 6);
    assert_int_equal(scalar->rank, 0);
    assert_int_equal(scalar->elements, 1);
    assert_int_equal(scalar->bytes, 8);
    const struct tensor *empty = checkpoint_find(checkpoint, "empty", 5);
    assert_int_equal(empty->elements, 0);
    assert_int_equal(empty->bytes, 0);
    checkpoint_close(checkpoint);
}

/* The data area starts at a multiple of 8 here, so a double in the file may be read in place. */
static void values_are_read_in_pieces(void **state) {
    (void)state;
    struct checkpoint *checkpoint = open_official();
    const struct tensor *f64 = checkpoint_find(checkpoint, "t.F64", 5);
    const struct tensor *f32 = checkpoint_find(checkpoint, "t.F32", 5);
    const struct tensor *bf16 = checkpoint_find(checkpoint, "t.BF16", 6);
    double values[8];
    tensor_read(f64, 0, 8, values);
    assert_memory_equal(values, f64->data, sizeof values);
    tensor_read(f64, 5, 3, values);
    assert_memory_equal(values, f64->data + 40, 24);
    tensor_read(f32, 2, 4, values);
    for (size_t i = 0; i < 4; i++) {
        float value;
        memcpy(&value, f32->data + 4 * (i + 2), sizeof value);
        assert_true(values[i] == (double)value);
    }
    tensor_read(bf16, 3, 1, values);
    assert_true(values[0] == 0.71875);
    checkpoint_close(checkpoint);
}

static void shapes_compare_and_print(void **state) {
    (void)state;
    char text[40];
    struct checkpoint *checkpoint = open_official();
    const struct tensor *matrix = checkpoint_find(checkpoint, "t.F64", 5);
    const struct tensor *other = checkpoint_find(checkpoint, "t.I8", 4);
    const struct tensor *scalar = checkpoint_find(checkpoint, "scalar", 6);
    const struct tensor *one = checkpoint_find(checkpoint, "a", 1);
    assert_true(tensor_same_shape(matrix, other));
    assert_true(tensor_same_shape(scalar, scalar));
    assert_false(tensor_same_shape(scalar, one));
    assert_false(tensor_same_shape(matrix, checkpoint_find(checkpoint, "empty", 5)));
    assert_string_equal(tensor_shape_text(matrix, text, sizeof text), "[2, 4]");
    assert_string_equal(tensor_shape_text(scalar, text, sizeof text), "[]");
    assert_string_equal(tensor_shape_text(matrix, text, 5), "[2, ");
    assert_string_equal(tensor_shape_text(matrix, text, 1), "");
    checkpoint_close(checkpoint);
}

/* specs in the file's order, or backwards: the writer sorts. */
static void write_again(struct checkpoint *checkpoint, const char *path, bool backwards) {
    struct error error = {0};
    struct writer *writer;
    size_t count = checkpoint_count(checkpoint);
    struct tensor_spec *specs = memory_array(count, sizeof *specs);
    const struct metadata_entry metadata = {"format", "pt"};
    for (size_t i = 0; i < count; i++) {
        const struct tensor *tensor = checkpoint_tensor(checkpoint, backwards ? count - 1 - i : i);
        specs[i] = (struct tensor_spec){tensor->name, tensor->name_length, tensor->dtype,
                                        tensor->rank, tensor->shape};
    }
    assert_true(writer_begin(
        path,
        &(struct writer_content){
            .specs = specs, .count = count, .metadata = &metadata, .metadata_count = 1},
        true, &writer, &error));
    for (size_t i = 0; i < count; i++) {
        const struct tensor *tensor = checkpoint_tensor(checkpoint, backwards ? count - 1 - i : i);
        assert_true(writer_put(writer, i, tensor->data, &error));
    }
    assert_true(writer_commit(writer, NULL, &error));
    free(specs);
}

static void written_again_it_is_the_same_file(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    char *path = scratch_path(&scratch, "again.safetensors");
    size_t length, expected_length;
    unsigned char *expected = scratch_read(OFFICIAL, &expected_length);
    for (int backwards = 0; backwards < 2; backwards++) {
        struct checkpoint *checkpoint = open_official();
        write_again(checkpoint, path, backwards);
        checkpoint_close(checkpoint);
        unsigned char *bytes = scratch_read(path, &length);
        assert_int_equal(length, expected_length);
        assert_memory_equal(bytes, expected, length);
        free(bytes);
    }
    free(expected);
    scratch_remove(&scratch);
}

/* 1 byte of header padding less than usual: the data is at an odd address. */
static void unaligned_data_and_strange_values_are_read(void **state) {
    (void)state;
    static const char header[] =
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}";
    const float data[4] = {NAN, -INFINITY, 1e-45f, -0.0f};
    unsigned char file[8 + sizeof header - 1 + sizeof data] = {sizeof header - 1};
    memcpy(file + 8, header, sizeof header - 1);
    memcpy(file + 8 + sizeof header - 1, data, sizeof data);
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    double values[4];
    char *path = scratch_write(&scratch, "odd.safetensors", file, sizeof file);
    assert_true(checkpoint_open(path, &checkpoint, &error));
    assert_int_not_equal((uintptr_t)checkpoint_tensor(checkpoint, 0)->data % 4, 0);
    tensor_read(checkpoint_tensor(checkpoint, 0), 0, 4, values);
    assert_true(isnan(values[0]));
    assert_true(values[1] == -INFINITY);
    assert_true(values[2] == 0x1p-149);
    assert_true(values[3] == 0 && signbit(values[3]));
    checkpoint_close(checkpoint);
    scratch_remove(&scratch);
}

static void the_last_of_two_metadata_entries_counts(void **state) {
    (void)state;
    static const char header[] =
        "{\"__metadata__\":{\"k\":\"1\",\"\":\"empty\",\"k\":\"\\u00e9\\ud83d\\ude00\\n\"}}";
    unsigned char file[8 + sizeof header - 1] = {sizeof header - 1};
    memcpy(file + 8, header, sizeof header - 1);
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    char *path = scratch_write(&scratch, "m.safetensors", file, sizeof file);
    assert_true(checkpoint_open(path, &checkpoint, &error));
    assert_int_equal(checkpoint_count(checkpoint), 0);
    assert_string_equal(checkpoint_metadata(checkpoint, "k"), "\xc3\xa9\xf0\x9f\x98\x80\n");
    assert_string_equal(checkpoint_metadata(checkpoint, ""), "empty");
    assert_null(checkpoint_find(checkpoint, "__metadata__", 12));
    checkpoint_close(checkpoint);
    scratch_remove(&scratch);
}

static void links_lead_to_the_same_file(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    char *file = scratch_write(&scratch, "file", "x", 1);
    char *copy = scratch_write(&scratch, "copy", "x", 1);
    char *hard = scratch_path(&scratch, "hard");
    char *soft = scratch_path(&scratch, "soft");
    assert_int_equal(link(file, hard), 0);
    assert_int_equal(symlink("file", soft), 0);
    assert_true(checkpoint_same_file(file, file));
    assert_true(checkpoint_same_file(file, hard));
    assert_true(checkpoint_same_file(soft, hard));
    assert_false(checkpoint_same_file(file, copy));
    assert_false(checkpoint_same_file(file, "/nonexistent"));
    assert_false(checkpoint_same_file("/nonexistent", "/nonexistent"));
    scratch_remove(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_that_of_the_file),
        cmocka_unit_test(a_file_that_was_written_to_is_told),
        cmocka_unit_test(every_tensor_is_found_by_its_name),
        cmocka_unit_test(odd_names_are_unescaped),
        cmocka_unit_test(values_are_read_in_pieces),
        cmocka_unit_test(shapes_compare_and_print),
        cmocka_unit_test(written_again_it_is_the_same_file),
        cmocka_unit_test(unaligned_data_and_strange_values_are_read),
        cmocka_unit_test(the_last_of_two_metadata_entries_counts),
        cmocka_unit_test(links_lead_to_the_same_file),
    };
    return cmocka_run_group_tests_name("safetensors", tests, NULL, NULL);
}
