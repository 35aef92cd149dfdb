/* The settings table: defaults, texts that read back, refusals that name field and range. */
#include "merge/config/settings.h"
#include "merge/text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void defaults_are_those_of_the_method(void **state) {
    (void)state;
    static const char *const expected[][2] = {
        {"method", "r2m"},
        {"real.rank", "1"},
        {"real.center", "false"},
        {"real.normalize", "false"},
        {"real.block_norm", "none"},
        {"real.blend", "1"},
        {"real.tensors", "matrices"},
        {"real.gamma_twice", "false"},
        {"residual.against", "core"},
        {"norm_match", "global"},
        {"eta", "unit"},
        {"alpha", "0.6"},
        {"core_scale", "1"},
        {"task_arithmetic.lambda", "0.3"},
        {"ties.density", "0.2"},
        {"ties.lambda", "1"},
        {"dare.drop", "0.5"},
        {"dare.lambda", "0.3"},
        {"dare.seed", "0"},
        {"cart.ratio", "0.12"},
        {"cart.lambda", "2"},
        {"tsv_m.alpha", "1"},
        {"iso_c.alpha", "1"},
        {"output.dtype", "base"},
        {"output.names", "auto"},
        {"output.shard_bytes", "0"},
    };
    struct settings settings;
    char text[FIELD_TEXT];
    size_t count;
    const struct settings_field *fields = settings_fields(&count);
    settings_defaults(&settings);
    assert_int_equal(count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(fields[i].path, expected[i][0]);
        assert_ptr_equal(settings_field_find(fields[i].path), &fields[i]);
        settings_field_text(&settings, &fields[i], text, sizeof text);
        assert_string_equal(text, expected[i][1]);
        assert_true(strlen(fields[i].text) > 10);
    }
    assert_null(settings_field_find("real"));
}

static void set(struct settings *settings, const char *path, const char *text) {
    struct error error = {0};
    const struct settings_field *field = settings_field_find(path);
    char back[FIELD_TEXT];
    assert_true(settings_field_set_text(settings, field, text, &error));
    settings_field_text(settings, field, back, sizeof back);
    assert_string_equal(back, text);
}

static void values_reach_their_member(void **state) {
    (void)state;
    struct settings s;
    settings_defaults(&s);
    set(&s, "real.rank", "64");
    set(&s, "real.center", "true");
    set(&s, "real.normalize", "true");
    set(&s, "real.block_norm", "fro_sqrtp");
    set(&s, "real.blend", "0.25");
    set(&s, "real.tensors", "script");
    set(&s, "real.gamma_twice", "true");
    set(&s, "residual.against", "projection");
    set(&s, "norm_match", "none");
    set(&s, "eta", "absolute");
    set(&s, "alpha", "0.1");
    set(&s, "core_scale", "-2.5");
    set(&s, "output.dtype", "bf16");
    set(&s, "output.shard_bytes", "5000000000");
    assert_int_equal(s.real.rank, 64);
    assert_true(s.real.center && s.real.normalize && s.real.gamma_twice);
    assert_int_equal(s.real.block_norm, BLOCK_NORM_FRO_SQRTP);
    assert_true(s.real.blend == 0.25);
    assert_int_equal(s.real.tensors, REAL_TENSORS_SCRIPT);
    assert_int_equal(s.real.against, AGAINST_PROJECTION);
    assert_int_equal(s.norm_match, NORM_MATCH_NONE);
    assert_int_equal(s.eta, ETA_ABSOLUTE);
    assert_true(s.alpha == 0.1 && s.core_scale == -2.5);
    assert_int_equal(s.output_dtype, OUTPUT_BF16);
    assert_true(s.shard_bytes == 5000000000u);
}

static void refusals_name_field_and_range(void **state) {
    (void)state;
    static const char *const cases[][3] = {
        {"alpha", "not a number", "a number from 0 to 10"},
        {"alpha", "", "a number from 0 to 10"},
        {"alpha", "nan", "a number from 0 to 10"},
        {"alpha", "inf", "a number from 0 to 10"},
        {"alpha", "1e999", "a number from 0 to 10"},
        {"alpha", "0x1", "a number from 0 to 10"},
        {"alpha", " 1", "a number from 0 to 10"},
        {"alpha", "1,5", "a number from 0 to 10"},
        {"alpha", "-0.1", "a number from 0 to 10"},
        {"alpha", "10.01", "a number from 0 to 10"},
        {"core_scale", "11", "a number from -10 to 10"},
        {"real.rank", "0", "a whole number from 1 to 64"},
        {"real.rank", "1.5", "a whole number from 1 to 64"},
        {"real.rank", "65", "a whole number from 1 to 64"},
        {"real.center", "yes", "true or false"},
        {"real.center", "1", "true or false"},
        {"real.blend", "1.1", "a number from 0 to 1"},
        {"eta", "Unit", "one of unit, script, absolute"},
        {"eta", "1", "one of unit, script, absolute"},
        {"method", "tie", "one of r2m, average, task_arithmetic, ties"},
        {"dare.drop", "1", "a number from 0 to 0.9999"},
        {"ties.density", "1.5", "a number from 0 to 1"},
        {"output.shard_bytes", "-1", "a whole number from 0 to"},
        {"output.dtype", "\x1b[2J", "one of base, f32, f16, bf16"},
    };
    struct settings settings, before;
    settings_defaults(&settings);
    before = settings;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        const struct settings_field *field = settings_field_find(cases[i][0]);
        assert_false(settings_field_set_text(&settings, field, cases[i][1], &error));
        assert_int_equal(error.kind, ERROR_USAGE);
        assert_ptr_equal(strstr(error.message, cases[i][0]), error.message);
        assert_non_null(strstr(error.message, cases[i][2]));
        assert_null(strchr(error.message, '\x1b'));
        error_free(&error);
    }
    assert_memory_equal(&settings, &before, sizeof settings);
}

static void numbers_are_checked_too(void **state) {
    (void)state;
    struct settings settings;
    struct error error = {0};
    settings_defaults(&settings);
    const struct settings_field *alpha = settings_field_find("alpha");
    const struct settings_field *eta = settings_field_find("eta");
    assert_false(settings_field_set_number(&settings, alpha, NAN, &error));
    assert_false(settings_field_set_number(&settings, alpha, INFINITY, &error));
    assert_false(settings_field_set_number(&settings, eta, 3, &error));
    assert_false(settings_field_set_number(&settings, eta, 0.5, &error));
    assert_true(settings_field_set_number(&settings, eta, 2, &error));
    assert_int_equal(settings.eta, ETA_ABSOLUTE);
    assert_true(settings_field_set_number(&settings, alpha, -0.0, &error));
    assert_false(signbit(settings.alpha));
    error_free(&error);
}

static void number_text_reads_back_exactly(void **state) {
    (void)state;
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0.1, "0.1"},      {1.0 / 3, "0.3333333333333333"},   {0.1 + 0.2, "0.30000000000000004"},
        {1e300, "1e+300"}, {5e-324, "4.94065645841247e-324"}, {0, "0"}};
    char text[NUMBER_TEXT];
    double back;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(number_text(cases[i].value, text), cases[i].text);
        assert_true(number_parse(text, &back));
        assert_true(back == cases[i].value);
    }
}

static void nearest_name_finds_typing_mistakes(void **state) {
    (void)state;
    static const char *const names[] = {"alpha", "core_scale", "norm_match"};
    assert_string_equal(nearest_name("alhpa", names, 3), "alpha");
    assert_string_equal(nearest_name("norm-match", names, 3), "norm_match");
    assert_null(nearest_name("xyzzy", names, 3));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_method),
        cmocka_unit_test(values_reach_their_member),
        cmocka_unit_test(refusals_name_field_and_range),
        cmocka_unit_test(numbers_are_checked_too),
        cmocka_unit_test(number_text_reads_back_exactly),
        cmocka_unit_test(nearest_name_finds_typing_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
