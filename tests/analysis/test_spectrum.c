/* The fast spectrum against LAPACK gesdd (method.md section 7), and what is read off a spectrum
 * against numbers found by hand. */
#include "analysis/spectrum.h"
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

/* Takes square over. */
static struct spectrum of_square(double *square, size_t rows, size_t cols) {
    struct tridiagonal reduced;
    assert_int_equal(tridiagonal_make(square, rows < cols ? rows : cols, &reduced), 0);
    struct spectrum spectrum = spectrum_from_eigenvalues(reduced.values, rows, cols);
    tridiagonal_free(&reduced);
    return spectrum;
}

static struct spectrum fast(const double *matrix, size_t rows, size_t cols) {
    size_t n = rows < cols ? rows : cols;
    double *square = memory_array(n * n, sizeof *square);
    /* row-major A: A^T A, or A A^T when it is wide */
    cblas_dgemm(CblasRowMajor, rows >= cols ? CblasTrans : CblasNoTrans,
                rows >= cols ? CblasNoTrans : CblasTrans, (int)n, (int)n,
                (int)(rows >= cols ? rows : cols), 1, matrix, (int)cols, matrix, (int)cols, 0,
                square, (int)n);
    return of_square(square, rows, cols);
}

static void check_against_reference(double *matrix, size_t rows, size_t cols) {
    struct spectrum quick = fast(matrix, rows, cols), reference;
    struct error error = {0};
    assert_true(spectrum_reference(matrix, rows, cols, &reference, &error));
    assert_int_equal(quick.count, reference.count);
    double first = reference.sigma[0];
    for (size_t i = 0; i < quick.count; i++) {
        double difference = fabs(quick.sigma[i] - reference.sigma[i]);
        assert_true(difference <= 1e-6 * first);
        if (reference.sigma[i] > 1e-4 * first)
            assert_true(difference <= 1e-6 * reference.sigma[i]);
        assert_true(i == 0 || quick.sigma[i] <= quick.sigma[i - 1]);
    }
    spectrum_free(&quick);
    spectrum_free(&reference);
}

static void agrees_with_gesdd(void **state) {
    (void)state;
    static const size_t shapes[][2] = {{40, 40}, {90, 30}, {30, 90}, {2, 2}, {2, 300}, {65, 64}};
    for (size_t s = 0; s < sizeof shapes / sizeof shapes[0]; s++) {
        size_t rows = shapes[s][0], cols = shapes[s][1], n = rows < cols ? rows : cols;
        double sigma[100];
        for (int law = 0; law < 4; law++) {
            for (size_t k = 0; k < n; k++) {
                double at = (double)k / (double)n;
                double laws[] = {1 / (1.0 + (double)k),   /* power law */
                                 pow(10, -10 * at),       /* ten orders of magnitude */
                                 k < n / 4 + 1 ? 3.0 : 0, /* low rank */
                                 k == 0 ? 1e6 : 1.0};     /* one dominant */
                sigma[k] = laws[law] * 1e-4;
            }
            double *matrix = matrix_with_spectrum(rows, cols, sigma, s * 10 + (size_t)law);
            check_against_reference(matrix, rows, cols);
            free(matrix);
        }
    }
}

/* A spectrum made of the given values. */
static struct spectrum made(size_t rows, size_t cols, const double *sigma) {
    size_t n = rows < cols ? rows : cols;
    double *square = memory_array(n * n, sizeof *square);
    for (size_t i = 0; i < n; i++)
        square[i * n + i] = sigma[i] * sigma[i];
    return of_square(square, rows, cols);
}

static void figures_of_a_small_spectrum(void **state) {
    (void)state;
    struct spectrum s = made(4, 6, (double[]){4, 2, 2, 1}); /* squares 16 4 4 1, total 25 */
    assert_close(spectrum_total(&s), 25, 1e-12);
    assert_close(spectrum_kept(&s, 0), 0, 1e-12);
    assert_close(spectrum_kept(&s, 2), 0.8, 1e-12);
    assert_close(spectrum_kept(&s, 99), 1, 1e-12);
    assert_int_equal(spectrum_energy_rank(&s, 0), 0);
    assert_int_equal(spectrum_energy_rank(&s, 0.64 - 1e-9), 1);
    assert_int_equal(spectrum_energy_rank(&s, 0.65), 2);
    assert_int_equal(spectrum_energy_rank(&s, 1), 4);
    assert_close(spectrum_stable_rank(&s), 25.0 / 16, 1e-12);
    double p[] = {4.0 / 9, 2.0 / 9, 2.0 / 9, 1.0 / 9}, entropy = 0;
    for (int i = 0; i < 4; i++)
        entropy -= p[i] * log(p[i]);
    assert_close(spectrum_effective_rank(&s), exp(entropy), 1e-12);
    assert_close(s.median, 2, 1e-12);
    assert_int_equal(spectrum_count_above(&s, 2), 1);
    assert_int_equal(spectrum_count_above(&s, 0.5), 4);
    assert_int_equal(spectrum_count_above(&s, 9), 0);
    spectrum_free(&s);
}

static void zero_matrix_has_figures_too(void **state) {
    (void)state;
    struct spectrum s = made(3, 3, (double[]){0, 0, 0});
    assert_close(spectrum_kept(&s, 1), 1, 0);
    assert_int_equal(spectrum_energy_rank(&s, 0.9), 0);
    assert_close(spectrum_stable_rank(&s), 0, 0);
    assert_close(spectrum_effective_rank(&s), 0, 0);
    assert_int_equal(spectrum_count_above(&s, spectrum_gavish_donoho(&s)), 0);
    assert_int_equal(spectrum_count_above(&s, spectrum_marchenko_pastur(&s)), 0);
    spectrum_free(&s);
}

/* omega(beta) is lambda*(beta) / sqrt(mu_beta) (Gavish and Donoho 2014): for a square matrix
 * omega = 2.858 and lambda* = 4/sqrt(3), so sqrt(mu_1) = 0.808. */
static void noise_edges_of_a_square_matrix(void **state) {
    (void)state;
    double sigma[9] = {9, 8, 7, 6, 5, 4, 3, 2, 1};
    struct spectrum s = made(9, 9, sigma);
    assert_close(spectrum_gavish_donoho(&s) / 5, 2.86, 1e-9); /* the polynomial at 1 */
    double edge = spectrum_marchenko_pastur(&s) / 5;          /* 2 sqrt(n) / sqrt(n mu) */
    assert_close(edge, 2 / (4 / sqrt(3) / 2.858), 2e-3);
    spectrum_free(&s);
}

static void noise_edges_find_planted_spikes(void **state) {
    (void)state;
    enum { ROWS = 240, COLS = 160, SPIKES = 7 };
    uint64_t seed = 5;
    double planted[COLS] = {0};
    for (int k = 0; k < SPIKES; k++)
        planted[k] = 60 + 5 * k; /* the noise ends near sqrt(240) + sqrt(160) = 28.1 */
    double *matrix = matrix_with_spectrum(ROWS, COLS, planted, 3);
    for (size_t i = 0; i < (size_t)ROWS * COLS; i++)
        matrix[i] += random_normal(&seed);
    struct spectrum s = fast(matrix, ROWS, COLS);
    assert_int_equal(spectrum_count_above(&s, spectrum_gavish_donoho(&s)), SPIKES);
    assert_close(spectrum_marchenko_pastur(&s), 28.1, 1); /* the spikes shift the median a little */
    size_t above = spectrum_count_above(&s, spectrum_marchenko_pastur(&s));
    assert_true(above >= SPIKES && above <= SPIKES + 1);
    spectrum_free(&s);
    free(matrix);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_gesdd),
        cmocka_unit_test(figures_of_a_small_spectrum),
        cmocka_unit_test(zero_matrix_has_figures_too),
        cmocka_unit_test(noise_edges_of_a_square_matrix),
        cmocka_unit_test(noise_edges_find_planted_spikes),
    };
    return cmocka_run_group_tests_name("spectrum", tests, NULL, NULL);
}
