/* Energy splits against sums over explicit weights (method.md section 6, identity 9). */
#include "analysis/energy.h"
#include "tests/weight_space.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

static const double norms[] = {3e-3, 1.3e-3, 3.1e-3};

static struct real_core *core_of(const struct weight_space *space,
                                 const struct real_settings *settings) {
    struct real_core *core = NULL;
    struct error error = {0};
    if (!real_core_compute(&space->table, space->gram, settings, &core, &error))
        fail_msg("%s", error.message);
    return core;
}

/* Energies of one layer by loops over the weights. */
static struct energy_split explicit_split(const struct weight_space *space,
                                          const struct real_core *core, size_t layer,
                                          size_t specialist) {
    double coefficients[3];
    struct energy_split split = {0};
    projection_coefficients(core, specialist, coefficients);
    for (size_t k = 0; k < space->layers[layer].elements; k++) {
        const double *tau = space->tau + space->first[layer] + k;
        double real = 0;
        for (size_t j = 0; j < 3; j++)
            real += coefficients[j] * tau[j * SPACE_SIZE];
        double fake = tau[specialist * SPACE_SIZE] - real;
        split.real += real * real;
        split.fake += fake * fake;
        split.cross += 2 * real * fake;
    }
    return split;
}

static void check_splits(const struct weight_space *space, const struct real_settings *settings) {
    struct real_core *core = core_of(space, settings);
    for (size_t i = 0; i < 3; i++) {
        double cross = 0, whole = 0;
        for (size_t l = 0; l < SPACE_LAYERS; l++) {
            const double *gram = space->gram + l * 9;
            struct energy_split split = energy_split_layer(core, gram, i);
            struct energy_split expected = explicit_split(space, core, l, i);
            double square = gram[i * 4], tolerance = 1e-12 * square;
            assert_close(split.real, expected.real, tolerance);
            assert_close(split.fake, expected.fake, tolerance);
            assert_close(split.cross, expected.cross, tolerance);
            assert_close(split.real + split.fake + split.cross, square, tolerance);
            if (core->member[l]) {
                cross += split.cross;
                whole += square;
            }
        }
        if (settings->block_norm == BLOCK_NORM_NONE)
            assert_close(cross, 0, 1e-12 * whole);
    }
    real_core_free(core);
}

static void parts_add_up_to_the_task_vector(void **state) {
    (void)state;
    struct weight_space *space = weight_space_make(3, norms, 0.3, 11);
    for (unsigned variant = 0; variant < 16; variant++) {
        struct real_settings settings = {.rank = 1 + variant % 2,
                                         .center = variant / 2 % 2,
                                         .normalize = variant / 4 % 2,
                                         .blend = 1};
        settings.block_norm = variant / 8 % 2 ? BLOCK_NORM_FRO_SQRTP : BLOCK_NORM_NONE;
        check_splits(space, &settings);
    }
    weight_space_free(space);
}

static void real_share_is_of_the_projection(void **state) {
    (void)state;
    struct weight_space *space = weight_space_make(3, norms, 0.3, 12);
    for (unsigned variant = 0; variant < 4; variant++) {
        struct real_settings settings = {.rank = 1, .normalize = variant / 2, .blend = 1};
        settings.block_norm = variant % 2 ? BLOCK_NORM_FRO : BLOCK_NORM_NONE;
        struct real_core *core = core_of(space, &settings);
        for (size_t i = 0; i < 3; i++) {
            double real = 0, fake = 0;
            for (size_t l = 0; l < 3; l++) {
                struct energy_split split = explicit_split(space, core, l, i);
                real += core->gamma[l] * split.real;
                fake += core->gamma[l] * split.fake;
            }
            double share = energy_real_share(&space->table, core, space->gram, i);
            assert_close(share, real / (real + fake), 1e-12); /* orthogonal, so they add up */
        }
        real_core_free(core);
    }
    memset(space->gram, 0, SPACE_LAYERS * 9 * sizeof *space->gram);
    struct real_settings settings = {.rank = 1, .blend = 1};
    struct real_core *core = core_of(space, &settings);
    assert_true(energy_real_share(&space->table, core, space->gram, 0) == 0);
    real_core_free(core);
    weight_space_free(space);
}

static void cosines_of_vectors_and_combinations(void **state) {
    (void)state;
    /* tau_1 = (3, 0), tau_2 = (4, 4), tau_3 = 0 */
    const double gram[] = {9, 12, 0, 12, 32, 0, 0, 0, 0};
    double cosines[9];
    energy_cosines(gram, 3, NULL, cosines);
    const double expected[] = {1, sqrt(0.5), 0, sqrt(0.5), 1, 0, 0, 0, 0};
    for (size_t k = 0; k < 9; k++)
        assert_close(cosines[k], expected[k], 1e-15);
    /* tau_2 - tau_1 = (1, 4); 4 tau_1 - 3 tau_2 + ... = (0, -12); tau_1 twice */
    const double rows[] = {-1, 1, 0, 4, -3, 0, 2, 0, 5};
    energy_cosines(gram, 3, rows, cosines);
    assert_close(cosines[1], -4 / sqrt(17), 1e-14);
    assert_close(cosines[2], 1 / sqrt(17), 1e-14);
    assert_close(cosines[5], 0, 1e-14);
}

static void a_rounding_has_no_direction(void **state) {
    (void)state;
    const double third = 1.0 / 3, gram[] = {third, third, third, third};
    const double rows[] = {1 - 1e-9, -1, 0.5, 0.5}; /* the first vanishes but for rounding */
    double cosines[4];
    energy_cosines(gram, 2, rows, cosines);
    assert_true(cosines[0] == 0 && cosines[1] == 0 && cosines[2] == 0);
    assert_close(cosines[3], 1, 1e-15);
}

/* With one core for all layers the residuals' cosines follow from the sum of the layers. */
static void cosines_of_residuals_add_up_over_layers(void **state) {
    (void)state;
    struct weight_space *space = weight_space_make(3, norms, 0.3, 13);
    struct real_settings settings = {.rank = 1, .blend = 1};
    struct real_core *core = core_of(space, &settings);
    double sum[9], rows[9], expected[9], cosines[9];
    energy_gram_sum(&space->table, space->gram, true, sum);
    for (size_t i = 0; i < 3; i++)
        residual_coefficients(core, 0, i, rows + i * 3);
    energy_cosines(sum, 3, rows, expected);
    energy_residual_cosines(&space->table, core, space->gram, cosines);
    for (size_t k = 0; k < 9; k++)
        assert_close(cosines[k], expected[k], 1e-12);
    assert_true(fabs(cosines[1]) > 1e-3 && fabs(cosines[1]) < 1);
    real_core_free(core);
    weight_space_free(space);
}

static void sums_are_over_matrices_or_all_shared(void **state) {
    (void)state;
    struct weight_space *space = weight_space_make(3, norms, 0.3, 13);
    space->layers[4].role = ROLE_HEAD;
    double matrices[9], shared[9];
    energy_gram_sum(&space->table, space->gram, true, matrices);
    energy_gram_sum(&space->table, space->gram, false, shared);
    for (size_t k = 0; k < 9; k++) {
        double sum = space->gram[k] + space->gram[9 + k] + space->gram[18 + k];
        assert_close(matrices[k], sum, 1e-20);
        assert_close(shared[k], sum + space->gram[27 + k], 1e-20);
    }
    weight_space_free(space);
}

static void dominance_is_between_even_and_alone(void **state) {
    (void)state;
    assert_close(energy_dominance((double[]){0.25, 0.25, 0.25, 0.25}, 4), 0, 1e-15);
    assert_close(energy_dominance((double[]){0, 1, 0}, 3), 1, 1e-15);
    assert_close(energy_dominance((double[]){0.5, 0.25, 0.25}, 3), 0.25, 1e-15);
    assert_close(energy_dominance((double[]){1}, 1), 0, 0);
    assert_close(energy_dominance((double[]){0, 0}, 2), 0, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_add_up_to_the_task_vector),
        cmocka_unit_test(real_share_is_of_the_projection),
        cmocka_unit_test(cosines_of_vectors_and_combinations),
        cmocka_unit_test(a_rounding_has_no_direction),
        cmocka_unit_test(cosines_of_residuals_add_up_over_layers),
        cmocka_unit_test(sums_are_over_matrices_or_all_shared),
        cmocka_unit_test(dominance_is_between_even_and_alone),
    };
    return cmocka_run_group_tests_name("energy", tests, NULL, NULL);
}
