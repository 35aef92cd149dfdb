/* Values and vectors of squares whose spectra are known: orthonormal, and S v = value v. */
#include "analysis/tridiagonal.h"
#include "tests/matrix_fixture.h"

#include <cblas.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

enum { SIDE = 48 };

/* The square of a matrix with these singular values, times factor. */
static double *square_of(const double *sigma, double factor) {
    double *matrix = matrix_with_spectrum(SIDE, SIDE, sigma, 7);
    double *square = memory_array(SIDE * SIDE, sizeof *square);
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, SIDE, SIDE, 1, matrix, SIDE, 0, square,
                SIDE);
    for (size_t i = 0; i < SIDE * SIDE; i++)
        square[i] *= factor;
    for (size_t i = 0; i < SIDE; i++)
        for (size_t j = 0; j < i; j++)
            square[i * SIDE + j] = square[j * SIDE + i];
    free(matrix);
    return square;
}

/* The residual of column c, and its product with every column up to it. */
static void check_vector(const double *square, const double *vectors, size_t count, size_t c,
                         double value, double largest) {
    double image[SIDE];
    for (size_t i = 0; i < SIDE; i++)
        image[i] = cblas_ddot(SIDE, square + i * SIDE, 1, vectors + c, (int)count) -
                   value * vectors[i * count + c];
    assert_true(cblas_dnrm2(SIDE, image, 1) <= 1e-12 * largest);
    for (size_t d = 0; d <= c; d++)
        assert_close(cblas_ddot(SIDE, vectors + c, (int)count, vectors + d, (int)count), d == c,
                     1e-11);
}

/* Takes square over. */
static void check(double *square, size_t first, size_t count, double unit) {
    struct tridiagonal reduced;
    double *vectors = memory_array(SIDE * count, sizeof *vectors);
    double *copy = memory_array(SIDE * SIDE, sizeof *copy);
    memcpy(copy, square, SIDE * SIDE * sizeof *copy);
    assert_int_equal(tridiagonal_make(square, SIDE, &reduced), 0);
    assert_true(reduced.unit == unit || unit == 0);
    assert_int_equal(tridiagonal_vectors(&reduced, first, count, vectors), 0);
    for (size_t c = 0; c < count; c++)
        check_vector(copy, vectors, count, c, reduced.values[first + c], reduced.values[SIDE - 1]);
    tridiagonal_free(&reduced);
    free(vectors);
    free(copy);
}

static void vectors_belong_to_the_values(void **state) {
    (void)state;
    double sigma[SIDE];
    for (size_t k = 0; k < SIDE; k++)
        sigma[k] = 1 / (1.0 + (double)k);
    check(square_of(sigma, 1), SIDE - 5, 5, 1);
    check(square_of(sigma, 1), 0, SIDE / 2, 1);
    check(square_of(sigma, 1e-8), 0, SIDE, 1);
}

static void values_that_coincide_have_orthonormal_vectors(void **state) {
    (void)state;
    double alike[SIDE], few[SIDE] = {3, 2, 1};
    for (size_t k = 0; k < SIDE; k++)
        alike[k] = k < SIDE / 2 ? 2 : 1;
    check(square_of(alike, 1), SIDE / 4, SIDE / 2, 1);
    check(square_of(few, 1), SIDE - 6, 6, 1); /* more vectors than the rank */
}

static void squares_in_blocks_and_of_zeros(void **state) {
    (void)state;
    double *zero = memory_array(SIDE * SIDE, sizeof *zero);
    check(zero, SIDE - 3, 3, 1);
    double *diagonal = memory_array(SIDE * SIDE, sizeof *diagonal);
    for (size_t i = 0; i < SIDE; i++)
        diagonal[i * SIDE + i] = i % 3 == 0 ? 4 : (double)(i % 3) - 1;
    check(diagonal, SIDE - 20, 20, 1);
}

static void sizes_beyond_the_range_of_squares(void **state) {
    (void)state;
    static const double factors[] = {0x1p-900, 0x1p900};
    double sigma[SIDE];
    for (size_t k = 0; k < SIDE; k++)
        sigma[k] = 1 + (double)k;
    for (size_t f = 0; f < 2; f++) {
        struct tridiagonal reduced;
        assert_int_equal(tridiagonal_make(square_of(sigma, factors[f]), SIDE, &reduced), 0);
        assert_true(reduced.unit != 1);
        for (size_t k = 0; k < SIDE; k++) {
            double expected = sigma[k] * sigma[k];
            assert_close(reduced.values[k] / factors[f], expected, 1e-9);
        }
        tridiagonal_free(&reduced);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_belong_to_the_values),
        cmocka_unit_test(values_that_coincide_have_orthonormal_vectors),
        cmocka_unit_test(squares_in_blocks_and_of_zeros),
        cmocka_unit_test(sizes_beyond_the_range_of_squares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
