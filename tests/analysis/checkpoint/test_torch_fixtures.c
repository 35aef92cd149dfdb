/* Files that torch wrote, versions 1.13 and 2.13 in both its formats, and some made by hand: names,
 * dtypes, shapes and the sha256 of every tensor, as torch itself told them. */
#include "analysis/checkpoint/checkpoint.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cJSON.h>
#include <cmocka.h>

#define FOLDER "tests/fixtures/torch/"
#define FOLDER_213 "tests/fixtures/torch213/"

/* Dtypes as torch and as safetensors name them. */
static const char *const dtypes[][2] = {
    {"float64", "F64"},         {"float32", "F32"},   {"float16", "F16"},
    {"bfloat16", "BF16"},       {"int64", "I64"},     {"int32", "I32"},
    {"int16", "I16"},           {"int8", "I8"},       {"uint8", "U8"},
    {"uint16", "U16"},          {"uint32", "U32"},    {"uint64", "U64"},
    {"bool", "BOOL"},           {"complex64", "C64"}, {"float8_e4m3fn", "F8_E4M3"},
    {"float8_e5m2", "F8_E5M2"},
};

/* Tensors of expected.json that are not read: complex128, a tuple as key, a name that is taken. */
static const struct {
    const char *file, *name;
} absent[] = {{"11_all_dtypes.pth", "complex128"}, {"21_odd_keys.pth", "(1, 'x')"}};

static struct checkpoint *open_file(const char *path, const char *state_dict) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    if (!checkpoint_open_at(path, state_dict, &checkpoint, &error))
        fail_msg("%s", error.message);
    return checkpoint;
}

static void assert_refused(const char *path, const char *state_dict, const char *message) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    assert_false(checkpoint_open_at(path, state_dict, &checkpoint, &error));
    if (strstr(error.message, message) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", message, error.message);
    error_free(&error);
}

static void replace(char *text, const char *old, const char *new) {
    for (char *at = text; (at = strstr(at, old)) != NULL;)
        memcpy(at, new, strlen(new));
}

/* cJSON reads neither \u0000 nor a lone surrogate; here and in plain_name they get other codes. */
static cJSON *read_expected(const char *path) {
    size_t length;
    char *text = (char *)scratch_read(path, &length);
    assert_non_null(text);
    replace(text, "\\u0000", "\\u0001");
    replace(text, "\\udc80", "\\ufffd");
    cJSON *expected = cJSON_Parse(text);
    assert_non_null(expected);
    free(text);
    return expected;
}

static char *plain_name(const struct tensor *tensor) {
    char *name = memory_text(tensor->name, tensor->name_length);
    for (size_t i = 0; i < tensor->name_length; i++)
        if (name[i] == '\0')
            name[i] = 1;
    replace(name, "\xed\xb2\x80", "\xef\xbf\xbd");
    return name;
}

static const char *text_of(const cJSON *tensor, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(tensor, key)->valuestring;
}

static const char *safetensors_dtype(const char *name) {
    for (size_t i = 0; i < sizeof dtypes / sizeof dtypes[0]; i++)
        if (strcmp(dtypes[i][0], name) == 0)
            return dtypes[i][1];
    return "none";
}

static void check_tensor(const struct tensor *tensor, const cJSON *expected) {
    char sha256[SHA256_TEXT], shape[TENSOR_RANK_LIMIT * 24] = "[", own[sizeof shape];
    const cJSON *size;
    cJSON_ArrayForEach(size, cJSON_GetObjectItemCaseSensitive(expected, "shape")) {
        size_t used = strlen(shape);
        snprintf(shape + used, sizeof shape - used, "%s%d", used > 1 ? ", " : "", size->valueint);
    }
    strcat(shape, "]");
    tensor_digest(tensor, sha256);
    assert_string_equal(dtype_name(tensor->dtype), safetensors_dtype(text_of(expected, "dtype")));
    assert_string_equal(tensor_shape_text(tensor, own, sizeof own), shape);
    assert_string_equal(sha256, text_of(expected, "sha256"));
    unsigned char *bytes = memory_array(tensor->bytes + 1, 1);
    tensor_copy(tensor, 0, (size_t)tensor->elements, bytes);
    digest_memory(bytes, tensor->bytes, sha256);
    assert_string_equal(sha256, text_of(expected, "sha256"));
    free(bytes);
}

static const struct tensor *find_tensor(const struct checkpoint *checkpoint, const char *name) {
    for (size_t i = 0; i < checkpoint_count(checkpoint); i++) {
        char *own = plain_name(checkpoint_tensor(checkpoint, i));
        bool same = strcmp(own, name) == 0;
        free(own);
        if (same)
            return checkpoint_tensor(checkpoint, i);
    }
    return NULL;
}

static bool is_absent(const char *file, const char *name) {
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++)
        if (strcmp(file, absent[i].file) == 0 && strcmp(name, absent[i].name) == 0)
            return true;
    return false;
}

/* Every expected tensor is there, and no other. */
static void check_file(const char *path, const char *file, const cJSON *expected) {
    print_message("%s\n", path);
    struct checkpoint *checkpoint = open_file(path, "");
    const char *before = "";
    size_t count = 0;
    const cJSON *one;
    cJSON_ArrayForEach(one, expected) {
        const char *name = text_of(one, "name");
        const struct tensor *tensor = find_tensor(checkpoint, name);
        bool taken = strcmp(name, before) == 0 && count > 0;
        before = name;
        if (taken || is_absent(file, name))
            continue;
        if (tensor == NULL)
            fail_msg("%s: %s is missing", file, name);
        check_tensor(tensor, one);
        count++;
    }
    assert_int_equal(checkpoint_count(checkpoint), count);
    checkpoint_close(checkpoint);
}

static void check_folder(const char *folder) {
    char *list = memory_format("%sexpected.json", folder);
    cJSON *expected = read_expected(list);
    const cJSON *file;
    cJSON_ArrayForEach(file, cJSON_GetObjectItemCaseSensitive(expected, "files")) {
        char *path = memory_format("%s%s", folder, file->string);
        if (cJSON_GetArraySize(file) > 0 && strchr(file->string, '/') == NULL)
            check_file(path, file->string, file);
        else if (cJSON_IsArray(file) && strchr(file->string, '/') == NULL)
            assert_refused(path, NULL, "holds no tensors");
        free(path);
    }
    cJSON_Delete(expected);
    free(list);
}

static void files_of_torch_1_13(void **state) {
    (void)state;
    check_folder(FOLDER);
}

static void files_of_torch_2_13(void **state) {
    (void)state;
    check_folder(FOLDER_213);
}

/* What is chosen when nothing is said. */
static const struct {
    const char *path, *format, *state_dict;
    size_t count;
} chosen[] = {
    {FOLDER "02_state_dict.pth", "torch", "", 9},
    {FOLDER "03_wrapped_state_dict.pth", "torch", "state_dict", 9},
    {FOLDER "04_wrapped_model.pth", "torch", "model", 9},
    {FOLDER "05_lightning.ckpt", "torch", "state_dict", 9},
    {FOLDER "06_ddp_prefix.pth", "torch", "", 9},
    {FOLDER "07_with_optimizer.pth", "torch", "model_state_dict", 9},
    {FOLDER "20_tensor_root.pth", "torch", "", 1},
    {FOLDER "21_odd_keys.pth", "torch", "", 9},
    {FOLDER "24_many_tensors.pth", "torch", "", 400},
    {FOLDER "25_torch_objects.pth", "torch", "", 1},
    {FOLDER "28_cycle.pth", "torch", "", 2},
    {FOLDER "31_argparse_ns.pth", "torch", "model", 9},
    {FOLDER "34_misc_python.pth", "torch", "model", 9},
    {FOLDER "35_whole_module.pth", "torch", "", 9},
    {FOLDER "41_storage_value.pth", "torch", "", 1},
    {FOLDER "48_legacy.pth", "torch-legacy", "", 9},
    {FOLDER "57_sharded_bin/pytorch_model-00001-of-00002.bin", "torch", "", 4},
    {FOLDER "57_sharded_bin/pytorch_model-00002-of-00002.bin", "torch", "", 5},
    {FOLDER_213 "wrapped.pth", "torch", "model", 8},
    {FOLDER_213 "whole_module.pth", "torch", "", 8},
    {FOLDER_213 "legacy_module.pth", "torch-legacy", "", 8},
};

static void the_state_dict_is_chosen_by_content(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof chosen / sizeof chosen[0]; i++) {
        struct checkpoint *checkpoint = open_file(chosen[i].path, NULL);
        print_message("%s\n", chosen[i].path);
        assert_string_equal(checkpoint_format(checkpoint), chosen[i].format);
        assert_string_equal(checkpoint_state_dict(checkpoint), chosen[i].state_dict);
        assert_int_equal(checkpoint_count(checkpoint), chosen[i].count);
        checkpoint_close(checkpoint);
    }
}

static void several_state_dicts_are_listed(void **state) {
    (void)state;
    static const char path[] = FOLDER "08_ema_two_models.pth";
    assert_refused(path, NULL,
                   "holds 2 state dicts: state_dict (9 tensors), state_dict_ema (9 tensors)");
    struct checkpoint *checkpoint = open_file(path, "state_dict_ema");
    assert_string_equal(checkpoint_state_dict(checkpoint), "state_dict_ema");
    assert_int_equal(checkpoint_count(checkpoint), 9);
    assert_non_null(checkpoint_find(checkpoint, "conv.weight", 11));
    checkpoint_close(checkpoint);
    checkpoint = open_file(path, "");
    assert_int_equal(checkpoint_count(checkpoint), 18);
    checkpoint_close(checkpoint);
    assert_refused(path, "state_dict_em", "holds no state dict state_dict_em");
    assert_refused(path, "state_dict.conv.weight", "holds no state dict state_dict.conv.weight");
    assert_refused(FOLDER "02_state_dict.pth", "model", "holds no state dict model");
    assert_refused("tests/fixtures/official_all_dtypes.safetensors", "model", "no state dicts");
}

static void files_without_weights_are_refused(void **state) {
    (void)state;
    assert_refused(FOLDER "29_empty_dict.pth", NULL, "holds no tensors");
    assert_refused(FOLDER "29_empty_dict.pth", "", "holds no tensors");
    assert_refused(FOLDER "30_none_root.pth", NULL, "holds no tensors");
    assert_refused(FOLDER "reject_50_torchscript.pt", NULL, "TorchScript");
    assert_refused(FOLDER "reject_56_synthetic_tar.pth", NULL, "tar archive");
}

static size_t skipped(const struct checkpoint *checkpoint, const char *what) {
    size_t count, found = 0;
    const struct skipped *list = checkpoint_skipped(checkpoint, &count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].what, what) == 0)
            found = list[i].count;
    return found;
}

static void what_is_left_out_is_counted(void **state) {
    (void)state;
    struct checkpoint *checkpoint = open_file(FOLDER "31_argparse_ns.pth", NULL);
    assert_int_equal(skipped(checkpoint, "objects of argparse.Namespace"), 1);
    assert_int_equal(checkpoint_warnings(checkpoint)->count, 0);
    checkpoint_close(checkpoint);
    checkpoint = open_file(FOLDER "07_with_optimizer.pth", NULL);
    assert_int_equal(skipped(checkpoint, "tensors outside the state dict"), 18);
    checkpoint_close(checkpoint);
    checkpoint = open_file(FOLDER "37_quantized.pth", NULL);
    assert_int_equal(skipped(checkpoint, "unsupported tensors (quantized)"), 2);
    assert_string_equal(checkpoint_warnings(checkpoint)->items[0],
                        "unsupported tensors are left out: q (quantized), qc (quantized)");
    checkpoint_close(checkpoint);
    checkpoint = open_file(FOLDER_213 "lazy_conjugate.pth", NULL);
    assert_int_equal(skipped(checkpoint, "unsupported tensors (a lazy conjugate or negative)"), 1);
    checkpoint_close(checkpoint);
}

static void ties_are_known(void **state) {
    (void)state;
    struct checkpoint *checkpoint = open_file(FOLDER "16_tied.pth", NULL);
    static const size_t ties[] = {0, 0, 2, 3}; /* rows of the matrix are no ties of it */
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(checkpoint_tied(checkpoint, i), ties[i]);
    checkpoint_close(checkpoint);
    checkpoint = open_file(FOLDER_213 "legacy_tied.pth", NULL);
    assert_int_equal(checkpoint_tied(checkpoint, 1), 0);
    assert_int_equal(checkpoint_tied(checkpoint, 2), 2);
    checkpoint_close(checkpoint);
}

/* Any range of a strided or swapped tensor is that range of the whole. */
static void check_ranges(const struct checkpoint *checkpoint, const struct tensor *tensor) {
    size_t width = dtype_bits(tensor->dtype) / 8, count = (size_t)tensor->elements;
    unsigned char *whole = memory_array(tensor->bytes, 1), *part = memory_array(tensor->bytes, 1);
    assert_int_equal(tensor_is_plain(tensor), tensor->strides == NULL && !tensor->swapped);
    tensor_copy(tensor, 0, count, whole);
    for (size_t first = 0; first < count; first++)
        for (size_t length = 0; length <= count - first; length++) {
            tensor_copy(tensor, first, length, part);
            assert_memory_equal(part, whole + first * width, length * width);
        }
    if (dtype_class(tensor->dtype) == DTYPE_CLASS_FLOAT) {
        double *values = memory_array(count, sizeof *values);
        double *expected = memory_array(count, sizeof *expected);
        dtype_widen(tensor->dtype, whole, count, expected);
        tensor_read(tensor, 0, count, values);
        assert_memory_equal(values, expected, count * sizeof *values);
        free(values);
        free(expected);
    }
    assert_true(tensor_equal(tensor, tensor));
    assert_int_equal(checkpoint_tied(checkpoint, 0), 0);
    free(whole);
    free(part);
}

static void any_range_can_be_read(void **state) {
    (void)state;
    static const char *const paths[] = {
        FOLDER "15_strided.pth", FOLDER "55_synthetic_bigendian.pth", FOLDER_213 "strided.pth"};
    for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
        struct checkpoint *checkpoint = open_file(paths[p], NULL);
        for (size_t i = 0; i < checkpoint_count(checkpoint); i++)
            check_ranges(checkpoint, checkpoint_tensor(checkpoint, i));
        checkpoint_close(checkpoint);
    }
}

static void the_content_decides_not_the_name(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    size_t length;
    unsigned char *bytes = scratch_read(FOLDER "02_state_dict.pth", &length);
    char *path = scratch_write(&scratch, "model.safetensors", bytes, length);
    struct checkpoint *checkpoint = open_file(path, NULL);
    assert_string_equal(checkpoint_format(checkpoint), "torch");
    assert_int_equal(checkpoint_warnings(checkpoint)->count, 1);
    assert_string_equal(checkpoint_warnings(checkpoint)->items[0],
                        "the name ends in .safetensors, the content is torch");
    checkpoint_close(checkpoint);
    free(bytes);
    scratch_remove(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_torch_1_13),
        cmocka_unit_test(files_of_torch_2_13),
        cmocka_unit_test(the_state_dict_is_chosen_by_content),
        cmocka_unit_test(several_state_dicts_are_listed),
        cmocka_unit_test(files_without_weights_are_refused),
        cmocka_unit_test(what_is_left_out_is_counted),
        cmocka_unit_test(ties_are_known),
        cmocka_unit_test(any_range_can_be_read),
        cmocka_unit_test(the_content_decides_not_the_name),
    };
    return cmocka_run_group_tests_name("torch fixtures", tests, NULL, NULL);
}
