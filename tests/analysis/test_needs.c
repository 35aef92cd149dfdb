/* What an analysis needs: the arithmetic by hand, and how many workers fit a bound. */
#include "analysis/needs.h"
#include "tests/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

enum { N = 3 };

/* A layer that is a matrix of that size and nothing else. */
static struct layer matrix(size_t rows, size_t cols) {
    return (struct layer){
        .role = ROLE_MATRIX, .rows = rows, .cols = cols, .elements = (uint64_t)rows * cols};
}

static void a_reduction_by_hand(void **state) {
    (void)state;
    struct layer square = matrix(1024, 1024), wide = matrix(1000, 3000), tall = matrix(3000, 1000);
    double n = 1024;
    assert_close(reduction_operations(&square), n * n * n * 7 / 3, 1);
    assert_close(reduction_operations(&wide), 1e6 * 3e3 + 4e9 / 3, 1);
    assert_close(reduction_operations(&tall), reduction_operations(&wide), 0);
    /* the square, a strip of 2 MiB, 64 rows and 2 for each vector */
    assert_int_equal(reduction_memory(&square, 0), 8 * (1024 * 1024 + (1 << 18) + 64 * 1024));
    assert_int_equal(reduction_memory(&square, 10) - reduction_memory(&square, 0), 8 * 20 * 1024);
}

static void one_of_the_largest_for_each_worker(void **state) {
    (void)state;
    uint64_t bytes[] = {5, 70, 1, 200, 30};
    memory_sort(bytes, 5);
    const uint64_t expected[] = {200, 70, 30, 5, 1};
    assert_memory_equal(bytes, expected, sizeof bytes);
    uint64_t none = memory_in_flight(bytes, 0, 1), each = memory_in_flight(bytes, 0, 2) - none;
    assert_true(none > 0 && each > 0);
    assert_int_equal(memory_in_flight(bytes, 5, 1), none + 200);
    assert_int_equal(memory_in_flight(bytes, 5, 3), none + 2 * each + 300);
    assert_int_equal(memory_in_flight(bytes, 5, 9), none + 8 * each + 306); /* idle ones cost too */
}

static void fewer_workers_within_less_memory(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(N);
    struct model model = model_make(&recipe);
    struct tensor_table *table = model_open(&model);
    struct analysis_needs needs, fewer;
    struct error error = {0};
    struct work_limits limits = {.threads = 4};
    assert_true(analysis_needs(table, &limits, &needs, &error));
    assert_int_equal(needs.threads, 4);
    assert_int_equal(needs.passes, 2);
    uint64_t shared = 0, matrices = 0;
    double operations = 0;
    for (size_t l = 0; l < table->layer_count; l++) {
        shared += layer_bytes(&table->layers[l], N);
        if (table->layers[l].role == ROLE_MATRIX) {
            matrices += layer_bytes(&table->layers[l], N);
            operations += reduction_operations(&table->layers[l]);
        }
    }
    assert_int_equal(needs.read_bytes, shared + N * matrices);
    assert_close(needs.operations, N * operations, 1e-6 * operations);
    for (unsigned threads = 4; threads > 1; threads--) {
        limits = (struct work_limits){.threads = threads};
        assert_true(analysis_needs(table, &limits, &needs, &error));
        limits = (struct work_limits){.threads = 4, .memory = needs.memory_bytes};
        assert_true(analysis_needs(table, &limits, &fewer, &error));
        assert_int_equal(fewer.threads, threads);
        limits.memory--;
        assert_true(analysis_needs(table, &limits, &fewer, &error));
        assert_int_equal(fewer.threads, threads - 1);
        assert_true(fewer.memory_bytes <= limits.memory);
    }
    tensor_table_close(table);
    model_remove(&model);
}

static void too_little_names_the_largest_tensor(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(N);
    struct model model = model_make(&recipe);
    struct tensor_table *table = model_open(&model);
    struct work_limits limits = {.threads = 4, .memory = 5 << 20};
    struct analysis_needs needs;
    struct error error = {0};
    const struct layer *largest = NULL;
    for (size_t l = 0; l < table->layer_count; l++)
        if (table->layers[l].role == ROLE_MATRIX &&
            (largest == NULL ||
             reduction_memory(&table->layers[l], 0) > reduction_memory(largest, 0)))
            largest = &table->layers[l];
    assert_false(analysis_needs(table, &limits, &needs, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_non_null(strstr(error.message, largest->name));
    assert_non_null(strstr(error.message, "the analysis needs at least"));
    assert_non_null(strstr(error.message, "of memory, 5 are allowed"));
    assert_int_equal(needs.threads, 1);
    error_free(&error);
    tensor_table_close(table);
    model_remove(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reduction_by_hand),
        cmocka_unit_test(one_of_the_largest_for_each_worker),
        cmocka_unit_test(fewer_workers_within_less_memory),
        cmocka_unit_test(too_little_names_the_largest_tensor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
