/* Combinations of task vectors against plain loops in long double. */
#include "analysis/task_vector.h"
#include "tests/matrix_fixture.h"
#include "tests/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

/* Long enough for several pieces, tall and wide enough for several strips. */
static const struct model_tensor shapes[] = {
    {"long", IN_ALL_FILES, false, 1, {5000}},        {"tall", IN_ALL_FILES, false, 2, {9000, 33}},
    {"wide", IN_ALL_FILES, false, 2, {33, 9000}},    {"square", IN_ALL_FILES, false, 2, {40, 40}},
    {"conv", IN_ALL_FILES, false, 4, {12, 3, 2, 2}},
};

static struct model make_shapes(enum dtype dtype) {
    struct model_recipe recipe = model_recipe_default(3);
    recipe.tensors = shapes;
    recipe.tensor_count = sizeof shapes / sizeof shapes[0];
    recipe.dtype = dtype;
    return model_make(&recipe);
}

static const double coefficients[] = {0.75, 0, -1.25};

/* sum_j c_j (theta_j - theta_0). free() it. */
static double *expected_combination(const struct model *model, const char *name, size_t count) {
    double *sum = memory_array(count, sizeof *sum);
    const double *base = model_values(model, 0, name);
    for (size_t k = 0; k < count; k++) {
        long double value = 0;
        for (size_t j = 0; j < 3; j++)
            value += (long double)coefficients[j] *
                     ((long double)model_values(model, j + 1, name)[k] - (long double)base[k]);
        sum[k] = (double)value;
    }
    return sum;
}

static void combines(enum dtype dtype) {
    struct model model = make_shapes(dtype);
    struct tensor_table *table = model_open(&model);
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        size_t count = (size_t)layer->elements;
        double *expected = expected_combination(&model, layer->name, count);
        double *values = memory_array(count, sizeof *values);
        task_vector_combine(layer, 3, coefficients, 0, count, values);
        for (size_t k = 0; k < count; k++)
            assert_close(values[k], expected[k], 1e-17);
        task_vector_combine(layer, 3, coefficients, 7, count - 9, values);
        for (size_t k = 0; k < count - 9; k++)
            assert_close(values[k], expected[k + 7], 1e-17);
        free(expected);
        free(values);
    }
    tensor_table_close(table);
    model_remove(&model);
}

static void pieces_are_the_combination(void **state) {
    (void)state;
    combines(DTYPE_F32);
    combines(DTYPE_F64);
    combines(DTYPE_BF16);
}

static void blocks_are_cut_from_the_matrix_view(void **state) {
    (void)state;
    struct model model = make_shapes(DTYPE_F32);
    struct tensor_table *table = model_open(&model);
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        if (layer->role != ROLE_MATRIX)
            continue;
        size_t row = 3, rows = layer->rows / 2, col = 2, cols = layer->cols - 5;
        double *expected = expected_combination(&model, layer->name, (size_t)layer->elements);
        double *block = memory_array(rows * cols, sizeof *block);
        task_vector_block(layer, 3, coefficients, row, rows, col, cols, block);
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < cols; c++)
                assert_close(block[r * cols + c], expected[(row + r) * layer->cols + col + c],
                             1e-17);
        free(expected);
        free(block);
    }
    tensor_table_close(table);
    model_remove(&model);
}

/* Entry i, j of A^T A (rows >= cols) or A A^T. */
static double square_entry(const double *a, const struct layer *layer, size_t i, size_t j) {
    bool tall = layer->rows >= layer->cols;
    long double sum = 0;
    for (size_t k = 0; k < (tall ? layer->rows : layer->cols); k++) {
        double one = tall ? a[k * layer->cols + i] : a[i * layer->cols + k];
        double other = tall ? a[k * layer->cols + j] : a[j * layer->cols + k];
        sum += (long double)one * (long double)other;
    }
    return (double)sum;
}

static void squares_are_of_the_smaller_side(void **state) {
    (void)state;
    struct model model = make_shapes(DTYPE_F32);
    struct tensor_table *table = model_open(&model);
    size_t squares = 0;
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        size_t n = layer_max_rank(layer);
        if (n == 0)
            continue;
        squares++;
        double *a = expected_combination(&model, layer->name, (size_t)layer->elements);
        double *square = memory_array(n * n, sizeof *square);
        memset(square, 0xFF, n * n * sizeof *square); /* NaN: all of it must be written */
        assert_true(task_vector_square(layer, 3, coefficients, square));
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                double expected = j < i ? 0 : square_entry(a, layer, i, j);
                assert_close(square[i * n + j], expected, 1e-13 * square[i * n + i]);
            }
        free(a);
        free(square);
    }
    assert_int_equal(squares, 4);
    tensor_table_close(table);
    model_remove(&model);
}

static void strips_are_bounded(void **state) {
    (void)state;
    static const size_t sides[][2] = {{4096, 1024}, {1024, 4096}, {50000, 50000}, {2, 1000000}};
    for (size_t k = 0; k < 4; k++) {
        struct layer layer = {.role = ROLE_MATRIX, .rows = sides[k][0], .cols = sides[k][1]};
        size_t strip = task_vector_strip(&layer), side = layer_max_rank(&layer);
        assert_true(strip >= 1 && strip <= (1 << 18) / side + 32);
        assert_true(strip <= (layer.rows > layer.cols ? layer.rows : layer.cols));
    }
}

static void equal_to_the_base_is_exactly_zero(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(2);
    recipe.scales[0] = recipe.scales[1] = 0;
    struct model model = model_make(&recipe);
    struct tensor_table *table = model_open(&model);
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        double values[512], factors[] = {0.3, 1e8};
        if (!layer_is_shared(layer))
            continue;
        task_vector_combine(layer, 2, factors, 0, (size_t)layer->elements, values);
        for (size_t k = 0; k < layer->elements; k++)
            assert_true(values[k] == 0);
    }
    tensor_table_close(table);
    model_remove(&model);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_the_combination),
        cmocka_unit_test(blocks_are_cut_from_the_matrix_view),
        cmocka_unit_test(squares_are_of_the_smaller_side),
        cmocka_unit_test(strips_are_bounded),
        cmocka_unit_test(equal_to_the_base_is_exactly_zero),
    };
    return cmocka_run_group_tests_name("task_vector", tests, NULL, NULL);
}
