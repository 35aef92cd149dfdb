/* The Real core: small cases by hand, and the projection built explicitly from the weights by a
 * singular value decomposition (method.md sections 2, 3 and the identities of section 8). */
#include "analysis/gram.h"
#include "analysis/real_core.h"
#include "tests/weight_space.h"

#include <lapacke.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

static const double even_norms[] = {1, 1, 1, 1, 1}, uneven_norms[] = {3e-3, 1.3e-3, 3.1e-3, 1e-3};

static const double third_norms[] = {1.0 / 3, 1.0 / 3, 1.0 / 3};

static const struct real_settings plain = {.rank = 1, .blend = 1};

static struct real_core *core_of(const struct weight_space *space,
                                 const struct real_settings *settings) {
    struct real_core *core = NULL;
    struct error error = {0};
    if (!real_core_compute(&space->table, space->gram, settings, &core, &error))
        fail_msg("%s", error.message);
    return core;
}

static bool has_warning(const struct real_core *core, const char *part) {
    for (size_t i = 0; i < core->warnings.count; i++)
        if (strstr(core->warnings.items[i], part) != NULL)
            return true;
    return false;
}

/* A space whose first layer has that Gram matrix, and all others are zero. */
static struct weight_space *space_of_gram(size_t n, const double *gram) {
    struct weight_space *space = weight_space_make(n, even_norms, 0, 1);
    memset(space->tau, 0, n * SPACE_SIZE * sizeof *space->tau);
    memset(space->gram, 0, SPACE_LAYERS * n * n * sizeof *space->gram);
    memcpy(space->gram, gram, n * n * sizeof *gram);
    return space;
}

static void check_by_hand(const double *gram, bool center, const double *eigenvalues,
                          const double *projection, const double *weights) {
    struct weight_space *space = space_of_gram(2, gram);
    struct real_settings settings = plain;
    settings.center = center;
    struct real_core *core = core_of(space, &settings);
    for (size_t i = 0; i < 2; i++) {
        assert_close(core->eigenvalues[i], eigenvalues[i], 1e-14);
        assert_close(core->weights[i], weights[i], 1e-14);
    }
    for (size_t k = 0; k < 4; k++)
        assert_close(core->projection[k], projection[k], 1e-14);
    real_core_free(core);
    weight_space_free(space);
}

static void small_cases_by_hand(void **state) {
    (void)state;
    /* (5 2; 2 2) has eigenvalues 6 and 1, the first vector is (2, 1) / sqrt 5. */
    const double gram[] = {5, 2, 2, 2};
    check_by_hand(gram, false, (double[]){6, 1}, (double[]){0.8, 0.4, 0.4, 0.2},
                  (double[]){0.6, 0.3});
    /* Centred, the one direction is d = tau_1 - tau_2 with <d, d> = 3, <d, tau_1> = 3 and
     * <d, tau_2> = 0; the eigenvalue is <d, d> / 2. */
    check_by_hand(gram, true, (double[]){1.5, 0}, (double[]){1, 0, -1, 0}, (double[]){0.5, -0.5});
}

/* row[k] of the weighted, scaled task vectors over the core's layers: length of the result. */
static size_t explicit_rows(const struct weight_space *space, const struct real_core *core,
                            double *rows) {
    size_t width = 0;
    for (size_t l = 0; l < SPACE_LAYERS; l++) {
        if (space->layers[l].role != ROLE_MATRIX)
            continue;
        for (size_t k = 0; k < space->layers[l].elements; k++, width++)
            for (size_t i = 0; i < space->n; i++)
                rows[i * SPACE_SIZE + width] = sqrt(core->gamma[l]) * core->scale[i] *
                                               space->tau[i * SPACE_SIZE + space->first[l] + k];
    }
    return width;
}

/* Top right singular vectors of the rows, centred or not: [min(N, ...) x SPACE_SIZE]. */
static void explicit_basis(const double *rows, size_t n, size_t width, bool center, double *basis) {
    double *a = memory_array(n * width, sizeof *a), sigma[8], u[64], superb[8];
    for (size_t k = 0; k < width; k++) {
        double mean = 0;
        for (size_t i = 0; center && i < n; i++)
            mean += rows[i * SPACE_SIZE + k] / (double)n;
        for (size_t i = 0; i < n; i++)
            a[i * width + k] = rows[i * SPACE_SIZE + k] - mean;
    }
    int info = LAPACKE_dgesvd(LAPACK_ROW_MAJOR, 'S', 'S', (int)n, (int)width, a, (int)width, sigma,
                              u, (int)n, basis, SPACE_SIZE, superb);
    assert_int_equal(info, 0);
    free(a);
}

/* Pi tau_i = V_k V_k^T tau_i against sum_j C[j][i] tau_j, in the weights. */
static void check_against_weights(const struct weight_space *space,
                                  const struct real_settings *settings) {
    struct real_core *core = core_of(space, settings);
    size_t n = space->n;
    assert_int_equal(core->settings.rank, settings->rank);
    double *rows = memory_array(n * SPACE_SIZE, sizeof *rows);
    double *basis = memory_array(n * SPACE_SIZE, sizeof *basis);
    size_t width = explicit_rows(space, core, rows);
    explicit_basis(rows, n, width, settings->center, basis);
    double largest = 0;
    for (size_t k = 0; k < n * SPACE_SIZE; k++)
        largest = fmax(largest, fabs(rows[k]));
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < width; k++) {
            double expected = 0, actual = 0;
            for (size_t v = 0; v < settings->rank; v++) {
                double along = 0;
                for (size_t q = 0; q < width; q++)
                    along += basis[v * SPACE_SIZE + q] * rows[i * SPACE_SIZE + q];
                expected += along * basis[v * SPACE_SIZE + k];
            }
            for (size_t j = 0; j < n; j++)
                actual += core->projection[j * n + i] * rows[j * SPACE_SIZE + k];
            assert_close(actual, expected, 1e-12 * largest);
        }
    free(rows);
    free(basis);
    real_core_free(core);
}

static void projection_is_that_of_the_weights(void **state) {
    (void)state;
    for (size_t n = 2; n <= 4; n++) {
        struct weight_space *space = weight_space_make(n, uneven_norms, 0.3, n);
        for (int center = 0; center <= 1; center++)
            for (int normalize = 0; normalize <= 1; normalize++)
                for (int norm = BLOCK_NORM_NONE; norm <= BLOCK_NORM_FRO_SQRTP; norm++)
                    for (unsigned k = 1; k <= n - (unsigned)center; k++) {
                        struct real_settings settings = {.rank = k,
                                                         .center = center,
                                                         .normalize = normalize,
                                                         .block_norm = (enum block_norm)norm,
                                                         .blend = 1};
                        check_against_weights(space, &settings);
                    }
        weight_space_free(space);
    }
}

static void projection_twice_is_projection_once(void **state) {
    (void)state;
    struct weight_space *space = weight_space_make(4, uneven_norms, 0.2, 9);
    for (unsigned k = 1; k <= 3; k++)
        for (int center = 0; center <= 1; center++) {
            struct real_settings settings = plain;
            settings.rank = k;
            settings.center = center;
            struct real_core *core = core_of(space, &settings);
            for (size_t i = 0; i < 4; i++)
                for (size_t j = 0; j < 4; j++) {
                    double twice = 0;
                    for (size_t m = 0; m < 4; m++)
                        twice += core->projection[i * 4 + m] * core->projection[m * 4 + j];
                    assert_close(twice, core->projection[i * 4 + j], 1e-11);
                }
            real_core_free(core);
        }
    weight_space_free(space);
}

static void block_norms_follow_their_formulas(void **state) {
    (void)state;
    struct weight_space *space = weight_space_make(3, uneven_norms, 0.2, 4);
    for (int norm = BLOCK_NORM_NONE; norm <= BLOCK_NORM_FRO_SQRTP; norm++) {
        struct real_settings settings = plain;
        settings.block_norm = (enum block_norm)norm;
        struct real_core *core = core_of(space, &settings);
        for (size_t l = 0; l < 3; l++) {
            const double *g = space->gram + l * 9;
            double frobenius = sqrt(g[0] + g[4] + g[8]);
            double sizes[] = {30, 32, 81};
            double expected[] = {1, 1 / frobenius, sqrt(sizes[l]) / frobenius};
            assert_close(core->gamma[l], expected[norm], 1e-12 * expected[norm]);
        }
        real_core_free(core);
    }
    memset(space->gram, 0, 9 * sizeof *space->gram); /* a layer nobody has trained */
    struct real_settings settings = plain;
    settings.block_norm = BLOCK_NORM_FRO;
    struct real_core *core = core_of(space, &settings);
    assert_true(core->gamma[0] == 0);
    real_core_free(core);
    weight_space_free(space);
}

/* Identity 1: nothing was trained, so nothing is added, and nothing is divided by 0. */
static void specialists_equal_to_the_base(void **state) {
    (void)state;
    const double zero[9] = {0};
    struct weight_space *space = space_of_gram(3, zero);
    for (int center = 0; center <= 1; center++)
        for (int norm = BLOCK_NORM_NONE; norm <= BLOCK_NORM_FRO_SQRTP; norm++) {
            struct real_settings settings = {
                .rank = 2, .center = center, .normalize = true, .blend = 1};
            settings.block_norm = (enum block_norm)norm;
            struct real_core *core = core_of(space, &settings);
            assert_int_equal(core->settings.rank, 0);
            for (size_t i = 0; i < 3; i++) {
                assert_true(core->weights[i] == 0 && core->parts[i] == 0);
                assert_true(core->scale[i] == 1);
            }
            assert_true(core->core_norm == 0 && core->mean_norm == 0);
            assert_true(core->core_mean_ratio == 0 && core->cos_core_mean == 0);
            assert_int_equal(core->warnings.count, 1);
            assert_true(has_warning(core, "the Real core is zero"));
            real_core_free(core);
        }
    weight_space_free(space);
}

/* Identity 2: N times the same specialist is that specialist. */
static void identical_specialists(void **state) {
    (void)state;
    struct weight_space *space = weight_space_make(3, third_norms, 1, 5);
    struct real_core *core = core_of(space, &plain);
    double residual[3];
    for (size_t i = 0; i < 3; i++) {
        assert_close(core->weights[i], 1.0 / 3, 1e-14);
        assert_close(core->parts[i], 1.0 / 3, 1e-14);
        residual_coefficients(core, 0, i, residual);
        assert_close(residual[0] + residual[1] + residual[2], 0, 1e-14);
    }
    assert_close(core->core_mean_ratio, 1, 1e-14);
    assert_close(core->cos_core_mean, 1, 1e-14);
    real_core_free(core);
    struct real_settings three = plain;
    three.rank = 3;
    core = core_of(space, &three);
    assert_int_equal(core->settings.rank, 1);
    assert_true(has_warning(core, "real.rank 3 is more than the 1 independent direction"));
    assert_close(core->weights[1], 1.0 / 3, 1e-14);
    real_core_free(core);
    three.rank = 1;
    three.center = true; /* nothing but rounding is left */
    core = core_of(space, &three);
    assert_int_equal(core->settings.rank, 0);
    assert_true(core->core_mean_ratio == 0);
    real_core_free(core);
    weight_space_free(space);
}

/* Identities 3 to 5, on the coefficients. */
static void plain_average_is_reached(void **state) {
    (void)state;
    struct weight_space *one = weight_space_make(1, uneven_norms, 0, 6);
    struct real_core *core = core_of(one, &plain);
    double coefficients[3];
    real_core_coefficients(core, 0, coefficients);
    assert_close(coefficients[0], 1, 1e-15);
    residual_coefficients(core, 0, 0, coefficients);
    assert_close(coefficients[0], 0, 1e-15);
    real_core_free(core);
    weight_space_free(one);

    struct weight_space *space = weight_space_make(3, uneven_norms, 0.2, 6);
    struct real_settings all = plain, mean = plain;
    all.rank = 3; /* k = N */
    mean.blend = 0;
    const struct real_settings *both[] = {&all, &mean};
    for (size_t s = 0; s < 2; s++) {
        core = core_of(space, both[s]);
        for (size_t l = 0; l < SPACE_LAYERS; l++) {
            double sum[3] = {0};
            real_core_coefficients(core, l, coefficients);
            for (size_t i = 0; i < 3; i++)
                assert_close(coefficients[i], 1.0 / 3, 1e-12);
            for (size_t i = 0; i < 3; i++) {
                residual_coefficients(core, l, i, coefficients);
                for (size_t j = 0; j < 3; j++)
                    sum[j] += coefficients[j];
            }
            for (size_t j = 0; j < 3; j++)
                assert_close(sum[j], 0, 1e-12);
        }
        real_core_free(core);
    }
    weight_space_free(space);
}

static void settings_that_do_not_fit(void **state) {
    (void)state;
    static const struct {
        size_t n;
        unsigned rank;
        bool center;
        const char *part;
    } cases[] = {{3, 0, false, "real.rank: 0 is not in 1 to 3"},
                 {3, 4, false, "real.rank: 4 is not in 1 to 3"},
                 {3, 3, true, "real.rank: 3 is not in 1 to 2"},
                 {1, 1, true, "real.center"}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        struct weight_space *space = weight_space_make(cases[k].n, uneven_norms, 0, 1);
        struct real_settings settings = plain;
        settings.rank = cases[k].rank;
        settings.center = cases[k].center;
        struct real_core *core = NULL;
        struct error error = {0};
        assert_false(real_core_compute(&space->table, space->gram, &settings, &core, &error));
        assert_int_equal(error.kind, ERROR_USAGE);
        assert_non_null(strstr(error.message, cases[k].part));
        assert_null(core);
        error_free(&error);
        weight_space_free(space);
    }
}

/* The trial of section 2: nearly orthogonal specialists of uneven size. Weights by numpy's eigh. */
static void the_largest_captures_the_core(void **state) {
    (void)state;
    const double norms[] = {3.0, 1.3, 3.1}, expected[] = {0.2206612, 0.0152725, 0.40645351};
    double gram[9];
    for (size_t i = 0; i < 3; i++)
        for (size_t j = 0; j < 3; j++)
            gram[i * 3 + j] = (i == j ? 1 : 0.05) * norms[i] * norms[j];
    struct weight_space *space = space_of_gram(3, gram);
    struct real_core *core = core_of(space, &plain);
    for (size_t i = 0; i < 3; i++)
        assert_close(core->weights[i], expected[i], 1e-7);
    assert_close(core->parts[2], 0.6488709, 1e-6);
    assert_true(has_warning(core, "s3 makes 65 % of the Real core"));
    real_core_free(core);

    struct real_settings normalized = plain;
    normalized.normalize = true;
    core = core_of(space, &normalized);
    for (size_t i = 0; i < 3; i++) {
        assert_close(core->scale[i], (7.4 / 3) / norms[i], 1e-14);
        assert_close(core->norms[i], norms[i], 1e-14);
        assert_close(core->parts[i], 1.0 / 3, 1e-12);
        double coefficients[3];
        real_core_coefficients(core, 0, coefficients);
        assert_close(coefficients[i], core->scale[i] / 3, 1e-12);
    }
    assert_int_equal(core->warnings.count, 0);
    real_core_free(core);
    weight_space_free(space);
}

static void the_centred_core_vanishes(void **state) {
    (void)state;
    double gram[9];
    for (size_t k = 0; k < 9; k++)
        gram[k] = k % 4 == 0 ? 1 + 1e-6 * (double)k : 0.3;
    struct weight_space *space = space_of_gram(3, gram);
    struct real_settings settings = plain;
    settings.center = true;
    struct real_core *core = core_of(space, &settings);
    assert_true(core->core_mean_ratio < 0.05);
    assert_true(has_warning(core, "almost vanishes"));
    real_core_free(core);
    weight_space_free(space);
}

/* Norms and cosine of core and mean, from the weights. */
static void norms_are_those_of_the_weights(void **state) {
    (void)state;
    struct weight_space *space = weight_space_make(3, uneven_norms, 0.4, 8);
    for (int normalize = 0; normalize <= 1; normalize++) {
        struct real_settings settings = {
            .rank = 1, .normalize = normalize, .block_norm = BLOCK_NORM_FRO, .blend = 0.7};
        settings.gamma_twice = normalize;
        struct real_core *core = core_of(space, &settings);
        double all_core = 0, all_mean = 0, core_square = 0, mean_square = 0, product = 0;
        for (size_t l = 0; l < SPACE_LAYERS; l++) {
            double own[3];
            real_core_coefficients(core, l, own);
            bool matrix = space->layers[l].role == ROLE_MATRIX;
            for (size_t i = 0; !matrix && i < 3; i++)
                assert_close(own[i], core->scale[i] / 3, 1e-15);
            for (size_t k = 0; k < space->layers[l].elements; k++) {
                double c = 0, m = 0;
                for (size_t i = 0; i < 3; i++) {
                    double tau = space->tau[i * SPACE_SIZE + space->first[l] + k];
                    c += own[i] * tau;
                    m += core->scale[i] * tau / 3;
                }
                all_core += c * c;
                all_mean += m * m;
                core_square += matrix ? c * c : 0;
                mean_square += matrix ? m * m : 0;
                product += matrix ? c * m : 0;
            }
        }
        assert_close(core->core_norm, sqrt(all_core), 1e-12 * core->core_norm);
        assert_close(core->mean_norm, sqrt(all_mean), 1e-12 * core->mean_norm);
        assert_close(core->core_mean_ratio, sqrt(core_square / mean_square),
                     1e-12 * core->core_mean_ratio);
        assert_close(core->cos_core_mean, product / sqrt(core_square * mean_square), 1e-12);
        real_core_free(core);
    }
    weight_space_free(space);
}

static void the_scripts_core_takes_vectors_by_name(void **state) {
    (void)state;
    struct weight_space *space = weight_space_make(3, uneven_norms, 0.4, 8);
    struct real_settings settings = {.rank = 1,
                                     .block_norm = BLOCK_NORM_FRO_SQRTP,
                                     .blend = 1,
                                     .tensors = REAL_TENSORS_SCRIPT,
                                     .gamma_twice = true};
    struct real_core *core = core_of(space, &settings);
    for (size_t l = 0; l < SPACE_LAYERS; l++) {
        bool member = strcmp(space->layers[l].name, "ln_1.bias") != 0;
        assert_int_equal(core->member[l], member);
        double coefficients[3];
        real_core_coefficients(core, l, coefficients);
        for (size_t i = 0; i < 3; i++)
            assert_close(coefficients[i], member ? core->gamma[l] * core->weights[i] : 1.0 / 3,
                         1e-12 * fabs(coefficients[i]));
    }
    real_core_free(core);
    weight_space_free(space);
}

static void residuals_against_the_projection(void **state) {
    (void)state;
    struct weight_space *space = weight_space_make(3, uneven_norms, 0.4, 2);
    struct real_settings settings = {
        .rank = 2, .normalize = true, .blend = 1, .against = AGAINST_PROJECTION};
    struct real_core *core = core_of(space, &settings);
    for (size_t i = 0; i < 3; i++) {
        double residual[3], projection[3];
        projection_coefficients(core, i, projection);
        for (size_t l = 0; l < SPACE_LAYERS; l++) {
            residual_coefficients(core, l, i, residual);
            for (size_t j = 0; j < 3; j++) /* d_i (e_i - Pi e_i), raw task vectors */
                assert_close(residual[j], core->scale[i] * ((i == j) - projection[j]), 1e-13);
        }
        double inner = 0; /* a residual is orthogonal to what was projected */
        for (size_t l = 0; l < 3; l++)
            inner += gram_form(space->gram + l * 9, 3, residual, projection);
        assert_close(inner, 0, 1e-12 * core->norms[i] * core->norms[i]);
    }
    real_core_free(core);
    weight_space_free(space);
}

/* Identity 7. */
static void order_of_specialists_does_not_matter(void **state) {
    (void)state;
    static const size_t order[] = {2, 0, 1};
    struct weight_space *space = weight_space_make(3, uneven_norms, 0.3, 3);
    struct weight_space *other = weight_space_make(3, uneven_norms, 0.3, 3);
    for (size_t i = 0; i < 3; i++)
        memcpy(other->tau + i * SPACE_SIZE, space->tau + order[i] * SPACE_SIZE,
               SPACE_SIZE * sizeof *other->tau);
    weight_space_update(other);
    for (int center = 0; center <= 1; center++) {
        struct real_settings settings = plain;
        settings.center = center;
        struct real_core *one = core_of(space, &settings), *two = core_of(other, &settings);
        for (size_t i = 0; i < 3; i++) {
            assert_close(two->weights[i], one->weights[order[i]], 1e-12);
            assert_close(two->parts[i], one->parts[order[i]], 1e-12);
            for (size_t j = 0; j < 3; j++)
                assert_close(two->projection[i * 3 + j], one->projection[order[i] * 3 + order[j]],
                             1e-11);
        }
        assert_close(two->core_norm, one->core_norm, 1e-12 * one->core_norm);
        real_core_free(one);
        real_core_free(two);
    }
    weight_space_free(space);
    weight_space_free(other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_cases_by_hand),
        cmocka_unit_test(projection_is_that_of_the_weights),
        cmocka_unit_test(projection_twice_is_projection_once),
        cmocka_unit_test(block_norms_follow_their_formulas),
        cmocka_unit_test(specialists_equal_to_the_base),
        cmocka_unit_test(identical_specialists),
        cmocka_unit_test(plain_average_is_reached),
        cmocka_unit_test(settings_that_do_not_fit),
        cmocka_unit_test(the_largest_captures_the_core),
        cmocka_unit_test(the_centred_core_vanishes),
        cmocka_unit_test(norms_are_those_of_the_weights),
        cmocka_unit_test(the_scripts_core_takes_vectors_by_name),
        cmocka_unit_test(residuals_against_the_projection),
        cmocka_unit_test(order_of_specialists_does_not_matter),
    };
    return cmocka_run_group_tests_name("real_core", tests, NULL, NULL);
}
