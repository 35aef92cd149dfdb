/* The automatic rank: hand-counted spectra, planted directions in noise, and what must not matter.
 */
#include "analysis/auto_rank.h"
#include "analysis/support/memory.h"
#include "tests/matrix_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "tests/support.h"

static struct auto_rank of_values(const double *sigma, size_t count, size_t rows, size_t cols) {
    struct spectrum spectrum;
    spectrum_of_values(sigma, count, rows, cols, &spectrum);
    struct auto_rank found = auto_rank(&spectrum);
    spectrum_free(&spectrum);
    return found;
}

/* Median 0: no noise. Energies 4 and 1, p = 0.8 and 0.2: exp(0.5004) = 1.6494. */
static void without_noise_it_is_the_effective_rank_of_the_energies(void **state) {
    (void)state;
    const double sigma[] = {2e-4, 1e-4}, steep[] = {4, 1}, equal[] = {3, 3, 3};
    struct auto_rank found = of_values(sigma, 2, 5, 7);
    assert_close(found.directions, 1.6493848, 1e-6);
    assert_int_equal(found.rank, 2);
    assert_int_equal(found.above, 2);
    assert_int_equal(of_values(steep, 2, 9, 5).rank, 1);
    assert_int_equal(of_values(equal, 3, 9, 8).rank, 3);
    assert_int_equal(of_values(NULL, 0, 9, 8).rank, 0);
}

/* Square, median 1: edge 2.4754 (mu_1 = 0.6528), so the noise is 1.2377. y = 4 and 3 of it:
 * eta^2 = y^2 - 4 = 12 and 5 for beta = 1; p = 12/17, 5/17: exp(0.6058) = 1.8328. */
static void noise_is_taken_out_of_what_stands_above(void **state) {
    (void)state;
    const double sigma[] = {4 * 1.2377, 3 * 1.2377, 1, 1, 1, 0.5, 0.2};
    struct auto_rank found = of_values(sigma, 7, 7, 7);
    assert_close(found.edge, 2.4754, 1e-3);
    assert_int_equal(found.above, 2);
    assert_close(found.directions, 1.8328, 1e-3);
    assert_int_equal(found.rank, 2);
}

/* count equal directions of that strength in noise of variance 1. */
static struct auto_rank planted(size_t rows, size_t cols, size_t count, double strength,
                                double factor, bool transposed) {
    double sigma[128] = {0};
    struct spectrum spectrum;
    struct error error = {0};
    uint64_t seed = 7;
    for (size_t k = 0; k < count; k++)
        sigma[k] = strength;
    double *signal = matrix_with_spectrum(rows, cols, sigma, 3);
    double *matrix = memory_array(rows * cols, sizeof *matrix);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            matrix[transposed ? j * rows + i : i * cols + j] =
                factor * (signal[i * cols + j] + random_normal(&seed));
    assert_true(spectrum_reference(matrix, transposed ? cols : rows, transposed ? rows : cols,
                                   &spectrum, &error));
    struct auto_rank found = auto_rank(&spectrum);
    spectrum_free(&spectrum);
    free(signal);
    free(matrix);
    return found;
}

static void planted_directions_are_counted(void **state) {
    (void)state;
    for (size_t count = 1; count <= 8; count++) {
        assert_int_equal(planted(120, 100, count, 60, 1, false).rank, count);
        assert_int_equal(planted(300, 40, count, 60, 1, false).rank, count);
    }
}

static void noise_alone_has_next_to_none(void **state) {
    (void)state;
    assert_true(planted(120, 120, 0, 0, 1, false).rank <= 1);
    assert_true(planted(300, 60, 0, 0, 1, false).rank <= 1);
}

static void scale_and_transposition_do_not_matter(void **state) {
    (void)state;
    struct auto_rank one = planted(90, 60, 4, 40, 1, false);
    struct auto_rank small = planted(90, 60, 4, 40, 1e-9, false);
    struct auto_rank turned = planted(90, 60, 4, 40, 1, true);
    assert_int_equal(one.above, small.above);
    assert_int_equal(one.above, turned.above);
    assert_close(one.directions, small.directions, 1e-9);
    assert_close(one.directions, turned.directions, 1e-9);
}

/* Steep spectra get less than flat ones, and none more than stand above the edge. */
static void flat_spectra_get_more(void **state) {
    (void)state;
    double flat[100], steep[100];
    for (size_t k = 0; k < 100; k++) {
        flat[k] = 1 / (1 + 0.2 * (double)k);
        steep[k] = 1 / (1 + 2.0 * (double)k);
    }
    struct auto_rank a = of_values(flat, 100, 100, 400), b = of_values(steep, 100, 100, 400);
    assert_true(a.rank > 2 * b.rank);
    assert_true(a.rank <= a.above && b.rank <= b.above && b.rank >= 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_noise_it_is_the_effective_rank_of_the_energies),
        cmocka_unit_test(noise_is_taken_out_of_what_stands_above),
        cmocka_unit_test(planted_directions_are_counted),
        cmocka_unit_test(noise_alone_has_next_to_none),
        cmocka_unit_test(scale_and_transposition_do_not_matter),
        cmocka_unit_test(flat_spectra_get_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
