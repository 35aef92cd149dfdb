/* Updates of adapters, multiplied out and as factors, against plain loops and LAPACK's gesdd. */
#include "analysis/checkpoint/lora/update.h"
#include "analysis/factors.h"
#include "analysis/low_rank.h"
#include "analysis/task_vector.h"
#include "analysis/tensor_view.h"
#include "tests/matrix_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

enum { UPDATES = 3, RANK_LIMIT = 40 };

/* A layer of adapters only: specialist j's update has rank ranks[j]; the second is transposed. */
struct adapters {
    size_t rows, cols, ranks[UPDATES];
    uint64_t shapes[2 * UPDATES + 1][2];
    double *data[2 * UPDATES + 1];
    struct tensor tensors[2 * UPDATES + 1]; /* A and B of each, the base */
    struct update updates[UPDATES];
    struct tensor weights[UPDATES];
    const struct tensor *specialists[UPDATES];
    struct layer layer;
};

static const double coefficients[] = {0.75, -0.5, 1.25};

/* free() it. */
static double *random_matrix(size_t rows, size_t cols, uint64_t seed) {
    double *matrix = memory_array(rows * cols, sizeof *matrix);
    for (size_t k = 0; k < rows * cols; k++)
        matrix[k] = random_normal(&seed);
    return matrix;
}

static void make_tensor(struct adapters *adapters, size_t index, size_t rows, size_t cols) {
    adapters->shapes[index][0] = rows;
    adapters->shapes[index][1] = cols;
    adapters->data[index] = random_matrix(rows, cols, 7 + index);
    adapters->tensors[index] = (struct tensor){.dtype = DTYPE_F64,
                                               .rank = 2,
                                               .shape = adapters->shapes[index],
                                               .elements = rows * cols,
                                               .bytes = rows * cols * sizeof(double),
                                               .data = (unsigned char *)adapters->data[index]};
}

static void adapters_make(struct adapters *adapters, size_t rows, size_t cols,
                          const size_t ranks[UPDATES]) {
    *adapters = (struct adapters){.rows = rows, .cols = cols};
    make_tensor(adapters, 2 * UPDATES, rows, cols);
    for (size_t j = 0; j < UPDATES; j++) {
        bool transposed = j == 1;
        make_tensor(adapters, 2 * j, ranks[j], transposed ? rows : cols);
        make_tensor(adapters, 2 * j + 1, transposed ? cols : rows, ranks[j]);
        adapters->updates[j] = (struct update){.a = &adapters->tensors[2 * j],
                                               .b = &adapters->tensors[2 * j + 1],
                                               .scale = 0.5 + (double)j,
                                               .transposed = transposed,
                                               .rank = ranks[j],
                                               .rows = rows,
                                               .cols = cols};
        adapters->weights[j] = adapters->tensors[2 * UPDATES];
        adapters->weights[j].data = NULL;
        adapters->weights[j].update = &adapters->updates[j];
        adapters->specialists[j] = &adapters->weights[j];
    }
    adapters->layer = (struct layer){.name = (char *)"w",
                                     .role = ROLE_MATRIX,
                                     .base = &adapters->tensors[2 * UPDATES],
                                     .specialists = adapters->specialists,
                                     .rows = rows,
                                     .cols = cols,
                                     .elements = rows * cols};
}

static void adapters_free(struct adapters *adapters) {
    for (size_t i = 0; i < 2 * UPDATES + 1; i++)
        free(adapters->data[i]);
}

/* One element of an update, by its definition. */
static double element(const struct adapters *adapters, size_t j, size_t row, size_t col) {
    const struct update *update = &adapters->updates[j];
    const double *a = adapters->data[2 * j], *b = adapters->data[2 * j + 1];
    size_t inputs = (size_t)adapters->shapes[2 * j][1], rank = update->rank;
    size_t out = update->transposed ? col : row, in = update->transposed ? row : col;
    double sum = 0;
    for (size_t k = 0; k < rank; k++)
        sum += b[out * rank + k] * a[k * inputs + in];
    return update->scale * sum;
}

/* The combination by its definition; free() it. */
static double *expected(const struct adapters *adapters) {
    double *sum = memory_array(adapters->rows * adapters->cols, sizeof *sum);
    for (size_t row = 0; row < adapters->rows; row++)
        for (size_t col = 0; col < adapters->cols; col++)
            for (size_t j = 0; j < UPDATES; j++)
                sum[row * adapters->cols + col] += coefficients[j] * element(adapters, j, row, col);
    return sum;
}

static const struct {
    size_t rows, cols, ranks[UPDATES];
} cases[] = {
    {90, 70, {4, 9, 1}}, {70, 300, {3, 3, 3}}, {700, 90, {2, 40, 3}}, {64, 64, {1, 1, 30}}};

enum { CASES = sizeof cases / sizeof cases[0] };

static void updates_are_multiplied_out(void **state) {
    (void)state;
    for (size_t c = 0; c < CASES; c++) {
        struct adapters adapters;
        adapters_make(&adapters, cases[c].rows, cases[c].cols, cases[c].ranks);
        size_t count = cases[c].rows * cases[c].cols, cols = cases[c].cols;
        double *wanted = expected(&adapters), *values = memory_array(count, sizeof *values);
        for (size_t first = 0; first < 2 * cols + 3; first += cols / 2 + 1) {
            task_vector_combine(&adapters.layer, UPDATES, coefficients, first, count - first - 5,
                                values);
            for (size_t k = 0; k < count - first - 5; k++)
                assert_close(values[k], wanted[first + k], 1e-12);
        }
        task_vector_block(&adapters.layer, UPDATES, coefficients, 3, 20, 5, 31, values);
        for (size_t k = 0; k < 20 * 31; k++)
            assert_close(values[k], wanted[(3 + k / 31) * cols + 5 + k % 31], 1e-12);
        free(values);
        free(wanted);
        adapters_free(&adapters);
    }
}

static void spectra_of_factors_are_those_of_the_matrix(void **state) {
    (void)state;
    for (size_t c = 0; c < CASES; c++) {
        struct adapters adapters;
        struct spectrum found, reference;
        struct error error = {0};
        adapters_make(&adapters, cases[c].rows, cases[c].cols, cases[c].ranks);
        size_t rank = cases[c].ranks[0] + cases[c].ranks[1] + cases[c].ranks[2];
        assert_int_equal(factors_rank(&adapters.layer, UPDATES, coefficients), rank);
        double *matrix = expected(&adapters);
        assert_true(factors_spectrum(&adapters.layer, UPDATES, coefficients, &found, &error));
        assert_true(spectrum_reference(matrix, adapters.rows, adapters.cols, &reference, &error));
        assert_int_equal(found.count, reference.count);
        for (size_t k = 0; k < found.count; k++)
            assert_close(found.sigma[k], reference.sigma[k], 1e-12 * reference.sigma[0]);
        assert_true(found.sigma[rank] == 0 && found.sigma[rank - 1] > 0);
        spectrum_free(&found);
        spectrum_free(&reference);
        free(matrix);
        adapters_free(&adapters);
    }
}

/* ||A - T_r(A)||^2 is the tail of the spectrum, whatever the rank. */
static void truncation_leaves_the_tail(void **state) {
    (void)state;
    for (size_t c = 0; c < CASES; c++) {
        struct adapters adapters;
        struct spectrum spectrum;
        struct error error = {0};
        adapters_make(&adapters, cases[c].rows, cases[c].cols, cases[c].ranks);
        size_t count = adapters.rows * adapters.cols;
        assert_true(factors_spectrum(&adapters.layer, UPDATES, coefficients, &spectrum, &error));
        double total = spectrum_total(&spectrum);
        for (size_t rank = 1; rank < RANK_LIMIT; rank += 3) {
            struct low_rank low_rank;
            double *left = expected(&adapters), rest = 0;
            assert_true(
                low_rank_prepare(&adapters.layer, UPDATES, coefficients, rank, &low_rank, &error));
            assert_true(low_rank_add(&low_rank, &adapters.layer, UPDATES, coefficients, -1, left));
            for (size_t k = 0; k < count; k++)
                rest += left[k] * left[k];
            assert_close(rest, total - spectrum.cumulative[rank], 1e-12 * total);
            low_rank_free(&low_rank);
            free(left);
        }
        spectrum_free(&spectrum);
        adapters_free(&adapters);
    }
}

static void what_no_adapter_touches_is_zero(void **state) {
    (void)state;
    struct adapters adapters;
    struct spectrum spectrum;
    struct error error = {0};
    adapters_make(&adapters, 30, 20, (size_t[]){1, 2, 3});
    for (size_t j = 0; j < UPDATES; j++)
        adapters.specialists[j] = adapters.layer.base;
    assert_int_equal(factors_rank(&adapters.layer, UPDATES, coefficients), 0);
    assert_true(factors_spectrum(&adapters.layer, UPDATES, coefficients, &spectrum, &error));
    assert_true(spectrum.count == 20 && spectrum.sigma[0] == 0);
    spectrum_free(&spectrum);
    adapters.specialists[1] = &adapters.tensors[0]; /* a whole model */
    assert_true(factors_rank(&adapters.layer, UPDATES, coefficients) == SIZE_MAX);
    adapters_free(&adapters);
}

static void views_of_updates_are_parts_of_them(void **state) {
    (void)state;
    struct adapters adapters;
    struct arena arena = {0};
    adapters_make(&adapters, 30, 20, (size_t[]){4, 5, 3});
    for (size_t j = 0; j < UPDATES; j++) {
        double values[30 * 20];
        const struct tensor *rows = tensor_view_rows(&arena, adapters.specialists[j], 10, 7);
        assert_int_equal(rows->elements, 7 * 20);
        tensor_read(rows, 0, 7 * 20, values);
        for (size_t k = 0; k < 7 * 20; k++)
            assert_close(values[k], element(&adapters, j, 10 + k / 20, k % 20), 1e-13);
        const struct tensor *turned = tensor_view_transposed(&arena, rows);
        tensor_read(turned, 0, 7 * 20, values);
        for (size_t k = 0; k < 7 * 20; k++)
            assert_close(values[k], element(&adapters, j, 10 + k % 7, k / 7), 1e-13);
    }
    arena_free(&arena);
    adapters_free(&adapters);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_are_multiplied_out),
        cmocka_unit_test(spectra_of_factors_are_those_of_the_matrix),
        cmocka_unit_test(truncation_leaves_the_tail),
        cmocka_unit_test(what_no_adapter_touches_is_zero),
        cmocka_unit_test(views_of_updates_are_parts_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
