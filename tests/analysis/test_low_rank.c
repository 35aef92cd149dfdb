/* Truncation in strips against an explicit singular value decomposition (gesdd), and identity 10 of
 * method.md: what is missing is exactly the discarded tail. */
#include "analysis/low_rank.h"
#include "analysis/spectrum.h"
#include "tests/matrix_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static double *combination(const double *one, const double *two, size_t count, const double *c) {
    double *sum = memory_array(count, sizeof *sum);
    for (size_t i = 0; i < count; i++)
        sum[i] = c[0] * one[i] + c[1] * two[i];
    return sum;
}

static void check(size_t rows, size_t cols, size_t rank) {
    size_t n = rows < cols ? rows : cols, count = rows * cols;
    double sigma[700], coefficients[] = {0.7, -0.4}, tail = 0, difference = 0;
    for (size_t k = 0; k < n; k++)
        sigma[k] = 1e-3 / (1 + (double)k);
    double *one = matrix_with_spectrum(rows, cols, sigma, 1);
    double *two = matrix_with_spectrum(rows, cols, sigma, 2);
    struct layer layer = memory_layer((const double *[]){one, two}, 2, rows, cols);
    double *residual = combination(one, two, count, coefficients);
    double *expected = matrix_truncated(residual, rows, cols, rank);
    double *target = memory_array(count, sizeof *target);
    for (size_t i = 0; i < count; i++)
        target[i] = 1; /* the truncation is added to what is there */

    struct low_rank low_rank;
    struct error error = {0};
    assert_true(low_rank_prepare(&layer, 2, coefficients, rank, &low_rank, &error));
    assert_true(low_rank_add(&low_rank, &layer, 2, coefficients, 0.5, target));
    for (size_t i = 0; i < count; i++) {
        assert_true(fabs(target[i] - 1 - 0.5 * expected[i]) < 1e-12);
        double missing = residual[i] - 2 * (target[i] - 1);
        difference += missing * missing;
    }
    struct spectrum spectrum;
    assert_true(spectrum_reference(residual, rows, cols, &spectrum, &error));
    tail = spectrum_total(&spectrum) - spectrum.cumulative[rank];
    assert_true(fabs(difference - tail) <= 1e-9 * spectrum_total(&spectrum));

    spectrum_free(&spectrum);
    low_rank_free(&low_rank);
    memory_layer_free(&layer);
    free(one);
    free(two);
    free(residual);
    free(expected);
    free(target);
}

static void tall(void **state) {
    (void)state;
    check(50, 20, 1);
    check(50, 20, 10);
    check(50, 20, 19);
}

static void wide(void **state) {
    (void)state;
    check(20, 50, 1);
    check(20, 50, 11);
    check(20, 50, 19);
}

static void square_and_tiny(void **state) {
    (void)state;
    check(30, 30, 7);
    check(2, 2, 1);
    check(2, 90, 1);
}

/* More than one strip in either direction. */
static void several_strips(void **state) {
    (void)state;
    check(9000, 64, 9);
    check(64, 9000, 40);
}

static double *truncation(const double *matrix, size_t rows, size_t cols, size_t rank) {
    const double whole = 1;
    struct layer layer = memory_layer(&matrix, 1, rows, cols);
    struct low_rank low_rank;
    struct error error = {0};
    double *target = memory_array(rows * cols, sizeof *target);
    assert_true(low_rank_prepare(&layer, 1, &whole, rank, &low_rank, &error));
    assert_true(low_rank_add(&low_rank, &layer, 1, &whole, 1, target));
    low_rank_free(&low_rank);
    memory_layer_free(&layer);
    return target;
}

/* More than one chunk of columns: as the transposed matrix, which is done by strips of rows. */
static void several_chunks(void **state) {
    (void)state;
    enum { ROWS = 70, COLS = 16400, RANK = 37 };
    uint64_t seed = 7;
    double *matrix = memory_array(ROWS * COLS, sizeof *matrix);
    double *transposed = memory_array(ROWS * COLS, sizeof *matrix);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t c = 0; c < COLS; c++)
            transposed[c * ROWS + r] = matrix[r * COLS + c] = random_uniform(&seed);
    double *wide = truncation(matrix, ROWS, COLS, RANK);
    double *tall = truncation(transposed, COLS, ROWS, RANK);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t c = 0; c < COLS; c++)
            assert_true(fabs(wide[r * COLS + c] - tall[c * ROWS + r]) < 1e-10);
    free(matrix);
    free(transposed);
    free(wide);
    free(tall);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tall),
        cmocka_unit_test(wide),
        cmocka_unit_test(square_and_tiny),
        cmocka_unit_test(several_strips),
        cmocka_unit_test(several_chunks),
    };
    return cmocka_run_group_tests_name("low_rank", tests, NULL, NULL);
}
