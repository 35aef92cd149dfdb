/* The tensor table: names lined up, roles, warnings, and every disagreement named. */
#include "analysis/tensor_table.h"
#include "tests/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const float ones[64] = {1, 1, 1, 1};
static const int64_t ids[8] = {0, 1, 2, 3, 4, 5, 6, 7}, other_ids[8] = {0, 1, 2, 3, 9, 5, 6, 7};

#define F32(name, ...)                                                                             \
    { name, DTYPE_F32, sizeof((uint64_t[]){__VA_ARGS__}) / 8, {__VA_ARGS__}, ones }

enum { FILES = 4 };

/* Up to a base and three specialists, opened with keys. */
struct attempt {
    struct scratch scratch;
    struct table_keys keys;
    struct specialist_path files[FILES];
    char *base;
    size_t count; /* specialists so far */
    struct tensor_table *table;
    struct error error;
};

static struct attempt attempt_begin(const struct file_tensor *base, size_t count) {
    struct attempt attempt = {.scratch = scratch_make()};
    table_keys_defaults(&attempt.keys);
    attempt.base = file_of_tensors(&attempt.scratch, "base.safetensors", base, count);
    return attempt;
}

static void add(struct attempt *attempt, const struct file_tensor *tensors, size_t count) {
    char name[] = "s1.safetensors";
    name[1] = (char)('1' + attempt->count);
    attempt->files[attempt->count++].path =
        file_of_tensors(&attempt->scratch, name, tensors, count);
}

static bool try_open(struct attempt *attempt) {
    return tensor_table_open(attempt->base, attempt->files, attempt->count, &attempt->keys,
                             &attempt->table, &attempt->error);
}

static void attempt_end(struct attempt *attempt) {
    tensor_table_close(attempt->table);
    table_keys_free(&attempt->keys);
    error_free(&attempt->error);
    scratch_remove(&attempt->scratch);
}

static const struct layer *layer_named(const struct attempt *attempt, const char *name) {
    size_t index = tensor_table_find(attempt->table, name);
    assert_true(index < attempt->table->layer_count);
    assert_string_equal(attempt->table->layers[index].name, name);
    return &attempt->table->layers[index];
}

static bool has_warning(const struct tensor_table *table, const char *part) {
    for (size_t i = 0; i < table->warnings.count; i++)
        if (strstr(table->warnings.items[i], part) != NULL)
            return true;
    return false;
}

static size_t line_count(const char *text) {
    size_t lines = 1;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void a_model_gets_its_roles(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    struct model model = model_make(&recipe);
    struct tensor_table *table = model_open(&model);
    static const struct {
        const char *name;
        enum role role;
        size_t rows, cols;
    } expected[] = {
        {"backbone.embeddings.class_embedding", ROLE_VECTOR, 1, 12},
        {"backbone.embeddings.patch_embedding.weight", ROLE_MATRIX, 12, 12},
        {"backbone.embeddings.position_embedding.weight", ROLE_MATRIX, 5, 12},
        {"backbone.embeddings.position_ids", ROLE_BUFFER, 0, 0},
        {"backbone.encoder.layers.0.layer_norm1.bias", ROLE_VECTOR, 1, 12},
        {"backbone.encoder.layers.2.mlp.fc1.weight", ROLE_MATRIX, 20, 12},
        {"backbone.encoder.layers.10.mlp.fc2.weight", ROLE_MATRIX, 12, 20},
        {"head.weight", ROLE_HEAD, 0, 0},
        {"head.bias", ROLE_HEAD, 0, 0},
    };
    for (size_t k = 0; k < COUNT(expected); k++) {
        const struct layer *layer = &table->layers[tensor_table_find(table, expected[k].name)];
        assert_string_equal(layer->name, expected[k].name);
        assert_int_equal(layer->role, expected[k].role);
        if (expected[k].rows > 0) {
            assert_int_equal(layer->rows, expected[k].rows);
            assert_int_equal(layer->cols, expected[k].cols);
        }
        assert_ptr_equal(layer->like, layer->base != NULL ? layer->base : layer->specialists[0]);
    }
    assert_int_equal(table->layer_count, recipe.tensor_count);
    assert_int_equal(table->matrix_count, 11);
    assert_int_equal(table->warnings.count, 0);
    assert_string_equal(table->specialists[2].name, "s3");
    assert_true(tensor_table_find(table, "backbone.encoder.layers.2.mlp.fc2.weight") <
                tensor_table_find(table, "backbone.encoder.layers.10.mlp.fc1.weight"));
    assert_int_equal(tensor_table_find(table, "nothing"), table->layer_count);
    tensor_table_close(table);
    model_remove(&model);
}

static void sides_decide_what_is_a_matrix(void **state) {
    (void)state;
    const struct file_tensor tensors[] = {F32("a", 2, 2),    F32("b", 1, 9), F32("c", 9, 1),
                                          F32("d", 2, 1, 1), F32("e", 4),    F32("f", 2, 3, 2),
                                          F32("g", 4, 4),    F32("scalar"),  F32("z", 0, 4)};
    struct attempt attempt = attempt_begin(tensors, COUNT(tensors));
    add(&attempt, tensors, COUNT(tensors));
    string_list_add(&attempt.keys.exclude, "g*");
    assert_true(try_open(&attempt));
    static const char *const vectors[] = {"b", "c", "d", "e", "g", "scalar", "z"};
    for (size_t k = 0; k < COUNT(vectors); k++) {
        const struct layer *layer = layer_named(&attempt, vectors[k]);
        assert_int_equal(layer->role, ROLE_VECTOR);
        assert_int_equal(layer_max_rank(layer), 0);
        assert_int_equal(layer->rows * layer->cols, layer->elements);
    }
    assert_int_equal(layer_max_rank(layer_named(&attempt, "a")), 2);
    assert_int_equal(layer_named(&attempt, "f")->cols, 6);
    assert_int_equal(attempt.table->matrix_count, 2);
    attempt_end(&attempt);
}

static void prefixes_and_renames_line_names_up(void **state) {
    (void)state;
    const struct file_tensor base[] = {F32("vision.a.weight", 4, 4)};
    const struct file_tensor wrapped[] = {F32("module.backbone.a.weight", 4, 4),
                                          F32("module.head.weight", 2, 4)};
    struct attempt attempt = attempt_begin(base, COUNT(base));
    add(&attempt, wrapped, COUNT(wrapped));
    string_list_add(&attempt.keys.strip_prefix, "module.backbone.a.w");
    assert_false(try_open(&attempt)); /* the keys win over the vote */
    assert_non_null(strstr(attempt.error.message, "s1.safetensors: no tensor in common"));
    assert_non_null(strstr(attempt.error.hint, "vision.a.weight"));
    assert_non_null(strstr(attempt.error.hint, "module.backbone.a.weight"));
    string_list_free(&attempt.keys.strip_prefix);
    string_list_add(&attempt.keys.strip_prefix, "nothing.");
    string_list_add(&attempt.keys.strip_prefix, "module.");
    string_list_add(&attempt.keys.rename, "backbone.=vision.");
    assert_true(try_open(&attempt));
    assert_int_equal(layer_named(&attempt, "vision.a.weight")->role, ROLE_MATRIX);
    const struct layer *head = layer_named(&attempt, "head.weight");
    assert_int_equal(head->role, ROLE_HEAD);
    assert_string_equal(head->output_name, "head.weight"); /* beside the base's names */
    assert_string_equal(layer_named(&attempt, "vision.a.weight")->output_name, "vision.a.weight");
    attempt_end(&attempt);
}

static void two_tensors_may_not_get_one_name(void **state) {
    (void)state;
    const struct file_tensor base[] = {F32("a", 4)};
    const struct file_tensor both[] = {F32("a", 4), F32("module.a", 4)};
    struct attempt attempt = attempt_begin(base, COUNT(base));
    add(&attempt, both, COUNT(both));
    string_list_add(&attempt.keys.strip_prefix, "module.");
    assert_false(try_open(&attempt));
    assert_non_null(strstr(attempt.error.message, "s1.safetensors: tensor "));
    assert_non_null(strstr(attempt.error.message, "another tensor's name"));
    attempt_end(&attempt);
}

static void all_shape_disagreements_are_listed(void **state) {
    (void)state;
    const struct file_tensor base[] = {F32("a", 4, 4), F32("b", 8), F32("c", 2)};
    const struct file_tensor one[] = {F32("a", 4, 2), F32("b", 8), F32("c", 3)};
    const struct file_tensor two[] = {F32("a", 4, 4), F32("b", 2, 4), F32("c", 2)};
    struct attempt attempt = attempt_begin(base, COUNT(base));
    add(&attempt, one, COUNT(one));
    add(&attempt, two, COUNT(two));
    assert_false(try_open(&attempt));
    assert_int_equal(attempt.error.kind, ERROR_INPUT);
    assert_int_equal(line_count(attempt.error.message), 3);
    assert_non_null(strstr(attempt.error.message, "s1.safetensors: tensor a: shape [4, 2] differs "
                                                  "from the base's [4, 4]"));
    assert_non_null(strstr(attempt.error.message, "s1.safetensors: tensor c: shape [3]"));
    assert_non_null(strstr(attempt.error.message, "s2.safetensors: tensor b: shape [2, 4]"));
    attempt_end(&attempt);
}

static void files_that_do_not_open_are_all_named(void **state) {
    (void)state;
    const struct file_tensor base[] = {F32("a", 4)};
    struct attempt attempt = attempt_begin(base, COUNT(base));
    attempt.files[attempt.count++].path = "/nowhere/one.safetensors";
    attempt.files[attempt.count++].path = "/nowhere/two.safetensors";
    assert_false(try_open(&attempt));
    assert_non_null(strstr(attempt.error.message, "/nowhere/one.safetensors"));
    assert_non_null(strstr(attempt.error.message, "/nowhere/two.safetensors"));
    attempt_end(&attempt);
}

static void what_not_all_have_is_carried_or_left_out(void **state) {
    (void)state;
    const struct file_tensor base[] = {F32("a", 4), F32("only_base", 4), F32("partial", 4)};
    const struct file_tensor one[] = {F32("a", 4), F32("partial", 4), F32("extra", 4)};
    const struct file_tensor two[] = {F32("a", 4)};
    struct attempt attempt = attempt_begin(base, COUNT(base));
    add(&attempt, one, COUNT(one));
    add(&attempt, two, COUNT(two));
    assert_true(try_open(&attempt));
    assert_int_equal(layer_named(&attempt, "only_base")->role, ROLE_CARRIED);
    assert_int_equal(layer_named(&attempt, "partial")->role, ROLE_CARRIED);
    assert_int_equal(tensor_table_find(attempt.table, "extra"), attempt.table->layer_count);
    assert_true(has_warning(attempt.table, "partial is missing in s2"));
    assert_true(has_warning(attempt.table, "only_base"));
    assert_true(has_warning(attempt.table, "extra"));
    attempt_end(&attempt);
}

static void only_a_heads_bias_may_be_missing(void **state) {
    (void)state;
    const struct file_tensor base[] = {F32("a", 4)};
    const struct file_tensor one[] = {F32("a", 4), F32("head.weight", 2, 4), F32("head.bias", 2)};
    const struct file_tensor two[] = {F32("a", 4), F32("head.weight", 2, 4)};
    struct attempt attempt = attempt_begin(base, COUNT(base));
    add(&attempt, two, COUNT(two));
    add(&attempt, one, COUNT(one));
    assert_true(try_open(&attempt));
    const struct layer *bias = layer_named(&attempt, "head.bias");
    assert_int_equal(bias->role, ROLE_HEAD);
    assert_null(bias->specialists[0]);
    assert_ptr_equal(bias->like, bias->specialists[1]);
    tensor_table_close(attempt.table);
    attempt.table = NULL;
    add(&attempt, base, COUNT(base));
    assert_false(try_open(&attempt));
    assert_non_null(strstr(attempt.error.message, "s3.safetensors: tensor head.weight: missing"));
    attempt_end(&attempt);
}

static void buffers_must_agree_where_the_base_has_none(void **state) {
    (void)state;
    const struct file_tensor base[] = {F32("a", 4)};
    const struct file_tensor one[] = {F32("a", 4), {"ids", DTYPE_I64, 1, {8}, ids}};
    const struct file_tensor two[] = {F32("a", 4), {"ids", DTYPE_I64, 1, {8}, other_ids}};
    const struct file_tensor three[] = {F32("a", 4), {"ids", DTYPE_I64, 2, {1, 8}, ids}};
    struct attempt attempt = attempt_begin(base, COUNT(base));
    add(&attempt, one, COUNT(one));
    add(&attempt, one, COUNT(one));
    assert_true(try_open(&attempt));
    assert_int_equal(layer_named(&attempt, "ids")->role, ROLE_BUFFER);
    tensor_table_close(attempt.table);
    attempt.table = NULL;
    add(&attempt, two, COUNT(two));
    assert_false(try_open(&attempt));
    assert_non_null(strstr(attempt.error.message, "s3.safetensors: tensor ids: differs from s1's"));
    attempt_end(&attempt);

    attempt = attempt_begin(one, COUNT(one)); /* the base has it: the base's counts */
    add(&attempt, two, COUNT(two));
    add(&attempt, three, COUNT(three));
    assert_true(try_open(&attempt));
    assert_true(has_warning(attempt.table, "ids differs in type or shape in s2"));
    assert_int_equal(attempt.table->warnings.count, 1);
    attempt_end(&attempt);
}

static void types_without_arithmetic_are_refused(void **state) {
    (void)state;
    const struct file_tensor base[] = {F32("a", 4), F32("c", 4)};
    const struct file_tensor one[] = {{"a", DTYPE_C64, 1, {2}, ones},
                                      {"c", DTYPE_I32, 1, {4}, ones}};
    struct attempt attempt = attempt_begin(base, COUNT(base));
    add(&attempt, one, COUNT(one));
    assert_false(try_open(&attempt));
    assert_non_null(strstr(attempt.error.message, "s1.safetensors: tensor a: type C64"));
    assert_non_null(strstr(attempt.error.message, "s1.safetensors: tensor c: type I32 where"));
    attempt_end(&attempt);
}

static void names_of_specialists_are_unique(void **state) {
    (void)state;
    const struct file_tensor base[] = {F32("a", 4)};
    struct attempt attempt = attempt_begin(base, COUNT(base));
    char *path = file_of_tensors(&attempt.scratch, "fs.v1.safetensors", base, 1);
    attempt.files[0] = (struct specialist_path){NULL, path};
    attempt.files[1] = (struct specialist_path){NULL, path};
    attempt.files[2] = (struct specialist_path){"mine", path};
    attempt.files[3] = (struct specialist_path){"mine", path};
    attempt.count = 4;
    assert_true(try_open(&attempt));
    static const char *const expected[] = {"fs.v1", "fs.v1-2", "mine", "mine-2"};
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(attempt.table->specialists[i].name, expected[i]);
    attempt_end(&attempt);
}

static void names_never_drive_the_terminal(void **state) {
    (void)state;
    const struct file_tensor base[] = {F32("a\\u001b[2Jb", 4)}; /* as it stands in the JSON */
    struct attempt attempt = attempt_begin(base, COUNT(base));
    add(&attempt, base, COUNT(base));
    assert_true(try_open(&attempt));
    assert_string_equal(attempt.table->layers[0].name, "a\\x1b[2Jb");
    assert_int_equal(attempt.table->layers[0].like->name_length, 6);
    attempt_end(&attempt);
}

static void wrong_usage_is_told_apart(void **state) {
    (void)state;
    const struct file_tensor base[] = {F32("a", 4)};
    struct attempt attempt = attempt_begin(base, COUNT(base));
    assert_false(try_open(&attempt));
    assert_int_equal(attempt.error.kind, ERROR_USAGE);
    assert_false(tensor_table_open(attempt.base, attempt.files, SPECIALIST_LIMIT + 1, &attempt.keys,
                                   &attempt.table, &attempt.error));
    assert_int_equal(attempt.error.kind, ERROR_USAGE);
    add(&attempt, base, COUNT(base));
    string_list_add(&attempt.keys.rename, "no equals sign");
    assert_false(try_open(&attempt));
    assert_int_equal(attempt.error.kind, ERROR_USAGE);
    assert_non_null(strstr(attempt.error.message, "FROM=TO"));
    attempt_end(&attempt);
}

static void names_are_ordered_as_people_do(void **state) {
    (void)state;
    static const char *const ascending[] = {"",        "a",      "a.2",  "a.2.b", "a.9", "a.10",
                                            "a.010.b", "a.10.c", "a.11", "a.b",   "b"};
    for (size_t i = 0; i < COUNT(ascending); i++)
        for (size_t j = 0; j < COUNT(ascending); j++) {
            int order = natural_compare(ascending[i], ascending[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    assert_true(natural_compare("a1", "a01") != 0); /* a total order */
    assert_int_equal(natural_compare("a1", "a01"), -natural_compare("a01", "a1"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_gets_its_roles),
        cmocka_unit_test(sides_decide_what_is_a_matrix),
        cmocka_unit_test(prefixes_and_renames_line_names_up),
        cmocka_unit_test(two_tensors_may_not_get_one_name),
        cmocka_unit_test(all_shape_disagreements_are_listed),
        cmocka_unit_test(files_that_do_not_open_are_all_named),
        cmocka_unit_test(what_not_all_have_is_carried_or_left_out),
        cmocka_unit_test(only_a_heads_bias_may_be_missing),
        cmocka_unit_test(buffers_must_agree_where_the_base_has_none),
        cmocka_unit_test(types_without_arithmetic_are_refused),
        cmocka_unit_test(names_of_specialists_are_unique),
        cmocka_unit_test(names_never_drive_the_terminal),
        cmocka_unit_test(wrong_usage_is_told_apart),
        cmocka_unit_test(names_are_ordered_as_people_do),
    };
    return cmocka_run_group_tests_name("tensor_table", tests, NULL, NULL);
}
