/* Norm matching and eta against numbers worked out by hand. */
#include "merge/norm_match.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support.h"

static void scales_give_every_residual_the_mean_norm(void **state) {
    (void)state;
    const double norms[] = {1, 2, 6}, tasks[] = {10, 10, 10};
    double scales[3];
    assert_close(norm_match_scales(NORM_MATCH_GLOBAL, norms, tasks, 3, scales), 3, 0);
    assert_close(scales[0], 3, 0);
    assert_close(scales[1], 1.5, 0);
    assert_close(scales[2], 0.5, 0);
}

static void equal_norms_need_no_scale(void **state) {
    (void)state;
    const double norms[] = {0.1, 0.1, 0.1}, tasks[] = {1, 1, 1};
    double scales[3];
    norm_match_scales(NORM_MATCH_LAYER, norms, tasks, 3, scales);
    for (size_t i = 0; i < 3; i++)
        assert_close(scales[i], 1, 1e-15);
}

static void without_matching_all_scales_are_one(void **state) {
    (void)state;
    const double norms[] = {1, 0}, tasks[] = {1, 1};
    double scales[2];
    assert_close(norm_match_scales(NORM_MATCH_NONE, norms, tasks, 2, scales), 0.5, 0);
    assert_close(scales[0], 1, 0);
    assert_close(scales[1], 1, 0);
}

/* At or below 1e-6 of the task vector a residual is rounding: scale 0, and 0 in the mean. */
static void rounding_is_not_blown_up(void **state) {
    (void)state;
    const double norms[] = {4, 2e-6, 3e-6}, tasks[] = {1, 2, 2};
    double scales[3];
    double nbar = norm_match_scales(NORM_MATCH_GLOBAL, norms, tasks, 3, scales);
    assert_close(nbar, (4 + 3e-6) / 3, 1e-15);
    assert_close(scales[1], 0, 0);
    assert_close(scales[2], nbar / 3e-6, 1e-9);
    assert_true(norm_match_vanished(2e-6, 2) && !norm_match_vanished(2.1e-6, 2));
    assert_true(norm_match_vanished(0, 0));
}

static void nothing_left_gives_zero(void **state) {
    (void)state;
    const double norms[] = {0, 0}, tasks[] = {1, 1};
    double scales[2];
    assert_close(norm_match_scales(NORM_MATCH_GLOBAL, norms, tasks, 2, scales), 0, 0);
    assert_close(scales[0] + scales[1], 0, 0);
}

static void eta_follows_its_rule(void **state) {
    (void)state;
    assert_close(norm_match_eta(ETA_UNIT, 0.6, 10, 2), 3, 1e-15);
    assert_close(norm_match_eta(ETA_UNIT, 0.6, 10, 0), 0, 0);
    assert_close(norm_match_eta(ETA_SCRIPT, 0.6, 10, 2), 6, 0);
    assert_close(norm_match_eta(ETA_ABSOLUTE, 0.6, 10, 2), 0.6, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scales_give_every_residual_the_mean_norm),
        cmocka_unit_test(equal_norms_need_no_scale),
        cmocka_unit_test(without_matching_all_scales_are_one),
        cmocka_unit_test(rounding_is_not_blown_up),
        cmocka_unit_test(nothing_left_gives_zero),
        cmocka_unit_test(eta_follows_its_rule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
