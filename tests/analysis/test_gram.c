/* The Gram pass against plain loops in long double; what is not finite is found and named; the
 * same bytes for any number of threads. */
#include "analysis/gram.h"
#include "tests/matrix_fixture.h"
#include "tests/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

enum { N = 3 };

/* One layer is longer than one item of the pass (2^20 elements). */
static const struct model_tensor shapes[] = {
    {"long", IN_ALL_FILES, false, 1, {(1 << 20) + 1500}},
    {"matrix", IN_ALL_FILES, false, 2, {70, 50}},
    {"scalar", IN_ALL_FILES, false, 0, {0}},
    {"head.weight", IN_SPECIALISTS, false, 2, {2, 700}},
    {"ids", IN_ALL_FILES, true, 1, {77}},
};

static struct model_recipe recipe_of_shapes(void) {
    struct model_recipe recipe = model_recipe_default(N);
    recipe.tensors = shapes;
    recipe.tensor_count = sizeof shapes / sizeof shapes[0];
    recipe.scales[1] = 3e-3;
    return recipe;
}

/* A copy of the result, [layers x N x N]; free() it. */
static double *gram_of(const struct tensor_table *table, unsigned threads,
                       struct progress *progress) {
    struct error error = {0};
    struct pool *pool = pool_create(threads);
    struct gram_pass *pass = gram_start(table, pool, NULL, progress, (struct notifier){0});
    assert_true(gram_wait(pass, -1));
    assert_true(gram_finished(pass));
    const double *gram = gram_result(pass, &error);
    assert_non_null(gram);
    assert_ptr_equal(gram, gram_result(pass, &error));
    size_t count = table->layer_count * N * N;
    double *copy = memory_array(count, sizeof *copy);
    memcpy(copy, gram, count * sizeof *copy);
    gram_free(pass);
    pool_free(pool);
    return copy;
}

static double inner_product(const struct model *model, const char *name, size_t count, size_t i,
                            size_t j) {
    const double *base = model_values(model, 0, name);
    const double *one = model_values(model, i + 1, name), *other = model_values(model, j + 1, name);
    double sum = 0, lost = 0; /* Kahan: as good as exact, under valgrind too */
    for (size_t k = 0; k < count; k++) {
        double term = (one[k] - base[k]) * (other[k] - base[k]) - lost, next = sum + term;
        lost = (next - sum) - term;
        sum = next;
    }
    return sum;
}

static void agrees_with_plain_loops(const struct model_recipe *recipe) {
    struct model model = model_make(recipe);
    struct tensor_table *table = model_open(&model);
    double *gram = gram_of(table, 2, NULL);
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        const double *g = gram + l * N * N;
        for (size_t i = 0; i < N; i++)
            for (size_t j = 0; j < N; j++) {
                double expected = layer_is_shared(layer)
                                      ? inner_product(&model, layer->name, layer->elements, i, j)
                                      : 0;
                assert_close(g[i * N + j], expected, 1e-12 * sqrt(g[i * N + i] * g[j * N + j]));
                assert_true(g[i * N + j] == g[j * N + i]);
            }
    }
    free(gram);
    tensor_table_close(table);
    model_remove(&model);
}

static void every_layer_has_its_inner_products(void **state) {
    (void)state;
    struct model_recipe clip = model_recipe_default(N), long_ones = recipe_of_shapes();
    agrees_with_plain_loops(&clip);
    agrees_with_plain_loops(&long_ones);
    clip.dtype = DTYPE_F16;
    agrees_with_plain_loops(&clip);
    clip.dtype = DTYPE_F64;
    agrees_with_plain_loops(&clip);
}

static void threads_do_not_change_a_byte(void **state) {
    (void)state;
    struct model_recipe recipe = recipe_of_shapes();
    struct model model = model_make(&recipe);
    struct tensor_table *table = model_open(&model);
    double *one = gram_of(table, 1, NULL);
    for (unsigned threads = 2; threads <= 8; threads *= 2) {
        double *many = gram_of(table, threads, NULL);
        assert_memory_equal(one, many, table->layer_count * N * N * sizeof *one);
        free(many);
    }
    free(one);
    tensor_table_close(table);
    model_remove(&model);
}

static void progress_counts_the_bytes_read(void **state) {
    (void)state;
    struct model_recipe recipe = recipe_of_shapes();
    struct model model = model_make(&recipe);
    struct tensor_table *table = model_open(&model);
    struct progress progress = {0};
    free(gram_of(table, 2, &progress));
    uint64_t shared = (1 << 20) + 1500 + 70 * 50 + 1, head = 2 * 700;
    assert_int_equal(progress.total, 4 * (shared * (N + 1) + head * N));
    assert_int_equal(progress.done, progress.total);
    tensor_table_close(table);
    model_remove(&model);
}

static void cancelling_ends_early(void **state) {
    (void)state;
    struct model_recipe recipe = recipe_of_shapes();
    struct model model = model_make(&recipe);
    struct tensor_table *table = model_open(&model);
    struct progress progress = {.cancel = true};
    struct error error = {0};
    struct pool *pool = pool_create(2);
    struct gram_pass *pass = gram_start(table, pool, NULL, &progress, (struct notifier){0});
    assert_true(gram_wait(pass, -1));
    assert_null(gram_result(pass, &error));
    assert_int_equal(error.kind, ERROR_CANCELLED);
    assert_int_equal(progress.done, 0);
    error_free(&error);
    gram_free(pass);
    pool_free(pool);
    tensor_table_close(table);
    model_remove(&model);
}

static const struct cache_settings in_memory = {.limit = 1 << 24};

/* A base and two specialists of one matrix and one head, with values of our choice. */
struct faulty {
    float base[3000], one[3000], two[3000], head[4];
};

/* Twice, with one cache: what is wrong is not forgotten. */
static void gram_of_faulty(const struct faulty *values, struct error *error) {
    struct scratch scratch = scratch_make();
    struct file_tensor base[] = {{"m", DTYPE_F32, 2, {50, 60}, values->base}};
    struct file_tensor one[] = {{"m", DTYPE_F32, 2, {50, 60}, values->one},
                                {"head.weight", DTYPE_F32, 1, {4}, values->head}};
    struct file_tensor two[] = {{"m", DTYPE_F32, 2, {50, 60}, values->two},
                                {"head.weight", DTYPE_F32, 1, {4}, values->base}};
    char *base_path = file_of_tensors(&scratch, "base.safetensors", base, 1);
    struct specialist_path files[] = {{NULL, file_of_tensors(&scratch, "one.safetensors", one, 2)},
                                      {NULL, file_of_tensors(&scratch, "two.safetensors", two, 2)}};
    struct table_keys keys;
    struct tensor_table *table;
    table_keys_defaults(&keys);
    assert_true(tensor_table_open(base_path, files, 2, &keys, &table, error));
    struct pool *pool = pool_create(2);
    struct cache *cache;
    assert_true(cache_open(&in_memory, &cache, error));
    for (int turn = 0; turn < 2; turn++) {
        struct known *known = known_start(table, cache, pool, NULL, (struct notifier){0});
        known_wait(known, -1);
        struct gram_pass *pass = gram_start(table, pool, known, NULL, (struct notifier){0});
        gram_wait(pass, -1);
        assert_true((gram_result(pass, error) == NULL) == (error->kind != ERROR_NONE));
        gram_free(pass);
        known_release(known);
    }
    cache_close(cache);
    pool_free(pool);
    table_keys_free(&keys);
    tensor_table_close(table);
    scratch_remove(&scratch);
}

static void what_is_not_finite_is_named(void **state) {
    (void)state;
    static struct faulty values;
    struct error error = {0};
    gram_of_faulty(&values, &error);
    assert_int_equal(error.kind, ERROR_NONE);
    values.one[2999] = NAN;
    values.one[1030] = INFINITY;
    values.one[1025] = -INFINITY;
    values.head[3] = NAN;
    gram_of_faulty(&values, &error);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_non_null(strstr(error.message, "one.safetensors: tensor m: 3 of 3000 values NaN or "
                                          "infinite, the first at index 1025"));
    assert_non_null(strstr(error.message, "one.safetensors: tensor head.weight: 1 of 4"));
    assert_null(strstr(error.message, "two.safetensors"));
    assert_null(strstr(error.message, "base.safetensors"));
    error_free(&error);
}

static void infinite_alike_does_not_cancel(void **state) {
    (void)state;
    static struct faulty values;
    struct error error = {0};
    values.base[0] = values.one[0] = values.two[0] = INFINITY;
    gram_of_faulty(&values, &error);
    assert_non_null(strstr(error.message, "base.safetensors: tensor m: 1 of 3000"));
    assert_non_null(strstr(error.message, "one.safetensors: tensor m: 1 of 3000"));
    assert_non_null(strstr(error.message, "two.safetensors: tensor m: 1 of 3000"));
    error_free(&error);
}

/* A pass with what the cache (may be NULL) knows; bytes: what it had to read. */
static struct gram_pass *pass_over(struct tensor_table *table, struct pool *pool,
                                   struct cache *cache, uint64_t *bytes) {
    struct error error = {0};
    struct progress progress = {0};
    struct known *known = known_start(table, cache, pool, NULL, (struct notifier){0});
    assert_true(known_wait(known, -1));
    struct gram_pass *pass = gram_start(table, pool, known, &progress, (struct notifier){0});
    assert_true(gram_wait(pass, -1));
    assert_non_null(gram_result(pass, &error));
    *bytes = progress.total;
    known_release(known);
    cache_flush(cache);
    return pass;
}

static struct tensor_table *table_of(const struct model *model, const size_t *files, size_t count) {
    struct specialist_path paths[N];
    struct tensor_table *table;
    struct table_keys keys = {0};
    struct error error = {0};
    table_keys_defaults(&keys);
    for (size_t i = 0; i < count; i++)
        paths[i] = model->files[files[i]];
    assert_true(tensor_table_open(model->base, paths, count, &keys, &table, &error));
    table_keys_free(&keys);
    return table;
}

/* Whatever is known, and in whatever order: the bytes of a pass that knows nothing. */
static void what_is_known_is_not_read_again(void **state) {
    (void)state;
    static const struct {
        size_t files[N], count;
        bool reads;
    } steps[] = {{{2, 0}, 2, true},    {{0, 2}, 2, false},   {{1}, 1, true},
                 {{0, 1}, 2, true},    {{1, 2, 0}, 3, true}, /* only 1 with 2 is new */
                 {{2, 1, 0}, 3, false}};
    struct model_recipe recipe = recipe_of_shapes();
    struct model model = model_make(&recipe);
    struct pool *pool = pool_create(2);
    struct error error = {0};
    struct cache *cache;
    assert_true(cache_open(&in_memory, &cache, &error));
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        struct tensor_table *table = table_of(&model, steps[s].files, steps[s].count);
        uint64_t bytes, all;
        struct gram_pass *pass = pass_over(table, pool, cache, &bytes);
        struct gram_pass *fresh = pass_over(table, pool, NULL, &all);
        assert_int_equal(bytes > 0, steps[s].reads);
        assert_true(bytes <= all);
        assert_memory_equal(gram_result(pass, &error), gram_result(fresh, &error),
                            table->layer_count * steps[s].count * steps[s].count * sizeof(double));
        gram_free(pass);
        gram_free(fresh);
        tensor_table_close(table);
    }
    cache_close(cache);
    pool_free(pool);
    model_remove(&model);
}

/* A pass that is cut short leaves whole layers; the next one reads the others. */
static void an_interrupted_pass_is_gone_on_with(void **state) {
    (void)state;
    static const size_t all[] = {0, 1, 2};
    struct model_recipe recipe = recipe_of_shapes();
    struct model model = model_make(&recipe);
    struct tensor_table *table = table_of(&model, all, N);
    struct pool *pool = pool_create(1);
    struct error error = {0};
    struct cache *cache;
    uint64_t whole, rest;
    assert_true(cache_open(&in_memory, &cache, &error));
    struct gram_pass *fresh = pass_over(table, pool, NULL, &whole);
    struct known *known = known_start(table, cache, pool, NULL, (struct notifier){0});
    assert_true(known_wait(known, -1));
    size_t layer = tensor_table_find(table, "matrix"), n = N;
    const double *gram = gram_result(fresh, &error) + layer * n * n;
    for (size_t i = 0; i < n; i++) /* as a pass leaves it that has read one layer */
        for (size_t j = i; j < n; j++)
            known_add_product(known, layer, i, j, gram[i * n + j]);
    known_release(known);
    struct gram_pass *again = pass_over(table, pool, cache, &rest);
    assert_int_equal(whole - rest, 70 * 50 * 4 * sizeof(float));
    assert_memory_equal(gram_result(again, &error), gram_result(fresh, &error),
                        table->layer_count * n * n * sizeof(double));
    gram_free(again);
    gram_free(fresh);
    cache_close(cache);
    pool_free(pool);
    tensor_table_close(table);
    model_remove(&model);
}

static void forms_are_quadratic(void **state) {
    (void)state;
    const double gram[] = {2, 1, 1, 5}, a[] = {1, -2}, b[] = {3, 4};
    assert_close(gram_form(gram, 2, a, b), 1 * (2 * 3 + 1 * 4) - 2 * (1 * 3 + 5 * 4), 1e-15);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_has_its_inner_products),
        cmocka_unit_test(threads_do_not_change_a_byte),
        cmocka_unit_test(progress_counts_the_bytes_read),
        cmocka_unit_test(cancelling_ends_early),
        cmocka_unit_test(what_is_not_finite_is_named),
        cmocka_unit_test(infinite_alike_does_not_cancel),
        cmocka_unit_test(what_is_known_is_not_read_again),
        cmocka_unit_test(an_interrupted_pass_is_gone_on_with),
        cmocka_unit_test(forms_are_quadratic),
    };
    return cmocka_run_group_tests_name("gram", tests, NULL, NULL);
}
