/* What a sweep varies: lists and ranges, refusals that name the spec, the points of grid and draw.
 */
#include "merge/sweep/vary.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct config config_of_two(void) {
    static const char *const files[] = {"fs=a.safetensors", "fr=b.safetensors"};
    struct config config;
    struct error error = {0};
    config_init(&config);
    assert_true(config_set_files(&config, "base.safetensors", files, 2, &error));
    return config;
}

/* The values of a spec, with a space behind each. */
static void assert_values(const char *spec, const char *key, const char *expected) {
    struct config config = config_of_two();
    struct vary_list list = {0};
    struct error error = {0};
    char text[512] = "";
    if (!vary_add(&list, spec, &config, &error))
        fail_msg("%s", error.message);
    assert_string_equal(list.items[0].key, key);
    for (size_t i = 0; i < list.items[0].values.count; i++) {
        strcat(text, list.items[0].values.items[i]);
        strcat(text, " ");
    }
    assert_string_equal(text, expected);
    vary_free(&list);
    config_free(&config);
}

static void values_are_lists_ranges_and_words(void **state) {
    (void)state;
    assert_values("residual.rank.ratio=0.05,0.10,0.2", "residual.rank.ratio", "0.05 0.1 0.2 ");
    assert_values("alpha=0.4:1.0:0.2", "alpha", "0.4 0.6 0.8 1 ");
    assert_values("alpha=0:1:0.1", "alpha", "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1 ");
    assert_values("alpha=0:1:0.3", "alpha", "0 0.3 0.6 0.9 ");
    assert_values("alpha=2:2:1", "alpha", "2 ");
    assert_values("alpha=0.001:0.003:0.001,5", "alpha", "0.001 0.002 0.003 5 ");
    assert_values("core_scale=-1:1:1", "core_scale", "-1 0 1 ");
    assert_values("alpha=1,1.0,1e0", "alpha", "1 ");
    assert_values("real.rank=1:2:1", "real.rank", "1 2 ");
    assert_values("real.center=true,false", "real.center", "true false ");
    assert_values("method=average,ties,r2m", "method", "average ties r2m ");
    assert_values("residual.rank=10%,e90,gd,64", "residual.rank", "10% e90 gd 64 ");
    assert_values("residual.rank.gd=true", "residual.rank.gd", "true ");
    assert_values("specialists.fr.weight=0:1:0.5", "specialists.fr.weight", "0 0.5 1 ");
}

static void assert_refused(const char *first, const char *spec, const char *says) {
    struct config config = config_of_two();
    struct vary_list list = {0};
    struct error error = {0};
    char start[128];
    if (first != NULL)
        assert_true(vary_add(&list, first, &config, &error));
    assert_false(vary_add(&list, spec, &config, &error));
    assert_int_equal(error.kind, ERROR_USAGE);
    snprintf(start, sizeof start, "--vary %s: ", spec);
    if (strncmp(error.message, start, strlen(start)) != 0 || strstr(error.message, says) == NULL)
        fail_msg("%s", error.message);
    assert_int_equal(list.count, first != NULL);
    error_free(&error);
    vary_free(&list);
    config_free(&config);
}

static void wrong_specs_are_refused_by_name(void **state) {
    (void)state;
    assert_refused(NULL, "alpha", "KEY=LO:HI:STEP");
    assert_refused(NULL, "=1", "KEY=LO:HI:STEP");
    assert_refused(NULL, "alhpa=1", "did you mean alpha?");
    assert_refused(NULL, "alpha=", "a value is missing");
    assert_refused(NULL, "alpha=1,,2", "a value is missing");
    assert_refused(NULL, "alpha=0:1:0", "must not be 0");
    assert_refused(NULL, "alpha=0:1:-0.1", "above 0");
    assert_refused(NULL, "alpha=1:0:0.1", "empty");
    assert_refused(NULL, "alpha=0:1:1e-9", "more than 10000");
    assert_refused(NULL, "alpha=0:1", "LO:HI:STEP");
    assert_refused(NULL, "alpha=0:1:2:3", "LO:HI:STEP");
    assert_refused(NULL, "alpha=a:b:c", "LO:HI:STEP");
    assert_refused(NULL, "alpha=9:11:1", "from 0 to 10");
    assert_refused(NULL, "alpha=much", "from 0 to 10");
    assert_refused(NULL, "real.rank=1.5", "whole number");
    assert_refused(NULL, "method=tys", "one of r2m");
    assert_refused(NULL, "residual.rank.ration=0.1", "ratio");
    assert_refused(NULL, "residual.rank.ratio=2", "ratio");
    assert_refused(NULL, "keys.head=a", "names");
    assert_refused(NULL, "eval.timeout=1", "evaluation");
    assert_refused(NULL, "output.shard_bytes=1000", "single files");
    assert_refused("alpha=1", "alpha=2", "already");
    assert_refused("residual.rank=64", "residual.rank.ratio=0.1", "already");
}

static struct vary_list list_of(const char *const *specs, size_t count) {
    struct config config = config_of_two();
    struct vary_list list = {0};
    struct error error = {0};
    for (size_t i = 0; i < count; i++)
        assert_true(vary_add(&list, specs[i], &config, &error));
    config_free(&config);
    return list;
}

static void grid_is_the_product(void **state) {
    (void)state;
    static const char *const specs[] = {"alpha=1,2", "method=ties,r2m,dare"};
    static const size_t expected[][2] = {{0, 0}, {0, 1}, {0, 2}, {1, 0}, {1, 1}, {1, 2}};
    struct vary_list list = list_of(specs, 2);
    struct sweep_points points;
    struct error error = {0};
    struct config config = config_of_two();
    assert_true(sweep_points_grid(&list, &points, &error));
    assert_int_equal(points.count, 6);
    assert_memory_equal(points.choices, expected, sizeof expected);
    assert_true(sweep_point_apply(&list, points.choices + 2 * 5, &config, &error));
    assert_true(config.settings.alpha == 2);
    assert_int_equal(config.settings.method, METHOD_DARE);
    sweep_points_free(&points);
    config_free(&config);
    vary_free(&list);
}

static void endless_grids_are_refused(void **state) {
    (void)state;
    static const char *const specs[] = {"alpha=0:9:0.001", "core_scale=0:9:0.001"};
    struct vary_list list = list_of(specs, 2);
    struct sweep_points points;
    struct error error = {0};
    assert_false(sweep_points_grid(&list, &points, &error));
    assert_non_null(strstr(error.message, "more than 100000 points"));
    sweep_points_random(&list, 5, 1, &points);
    assert_int_equal(points.count, 5);
    sweep_points_free(&points);
    error_free(&error);
    vary_free(&list);
}

static void draws_are_reproducible_and_different(void **state) {
    (void)state;
    static const char *const specs[] = {"alpha=0:1:0.1", "core_scale=0:1:0.1"};
    struct vary_list list = list_of(specs, 2);
    struct sweep_points one, again, other, all;
    sweep_points_random(&list, 40, 7, &one);
    sweep_points_random(&list, 40, 7, &again);
    sweep_points_random(&list, 40, 8, &other);
    sweep_points_random(&list, 1000, 7, &all);
    assert_int_equal(one.count, 40);
    assert_int_equal(all.count, 121);
    assert_memory_equal(one.choices, again.choices, 80 * sizeof(size_t));
    assert_memory_not_equal(one.choices, other.choices, 80 * sizeof(size_t));
    bool seen[121] = {false};
    for (size_t i = 0; i < all.count; i++) {
        size_t index = all.choices[2 * i] * 11 + all.choices[2 * i + 1];
        assert_true(index < 121);
        assert_false(seen[index]);
        seen[index] = true;
    }
    sweep_points_free(&one);
    sweep_points_free(&again);
    sweep_points_free(&other);
    sweep_points_free(&all);
    vary_free(&list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_lists_ranges_and_words),
        cmocka_unit_test(wrong_specs_are_refused_by_name),
        cmocka_unit_test(grid_is_the_product),
        cmocka_unit_test(endless_grids_are_refused),
        cmocka_unit_test(draws_are_reproducible_and_different),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
