/* Rank rules: ranks against hand-counted spectra, texts that read back, refusals. */
#include "merge/rank_rule.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of a diagonal matrix with these values. */
static struct spectrum spectrum_of(const double *sigma, size_t n) {
    struct spectrum spectrum;
    struct error error = {0};
    double *matrix = calloc(n * n, sizeof *matrix);
    for (size_t i = 0; i < n; i++)
        matrix[i * n + i] = sigma[i];
    assert_true(spectrum_reference(matrix, n, n, &spectrum, &error));
    free(matrix);
    return spectrum;
}

/* The rank among n singular values. */
static size_t rank_of(enum rank_kind kind, double value, const double *sigma, size_t n) {
    struct spectrum spectrum = spectrum_of(sigma, n);
    size_t rank = rank_rule_resolve((struct rank_rule){kind, value}, n, &spectrum);
    spectrum_free(&spectrum);
    return rank;
}

/* sigma^2 16, 4, 1, 0, total 21. */
static const double sigma[] = {4, 2, 1, 0};

static size_t resolve(enum rank_kind kind, double value, size_t max_rank) {
    return rank_rule_resolve((struct rank_rule){kind, value}, max_rank, NULL);
}

static void ratio_rounds_down_but_keeps_one(void **state) {
    (void)state;
    assert_int_equal(resolve(RANK_RATIO, 0.1, 1024), 102);
    assert_int_equal(resolve(RANK_RATIO, 0.1, 9), 1);
    assert_int_equal(resolve(RANK_RATIO, 1e-9, 9), 1);
    assert_int_equal(resolve(RANK_RATIO, 0, 9), 0);
    assert_int_equal(resolve(RANK_RATIO, 1, 9), 9);
    assert_int_equal(resolve(RANK_RATIO, 0.99, 9), 8);
}

static void ranks_are_clamped(void **state) {
    (void)state;
    assert_int_equal(resolve(RANK_RANK, 3, 4), 3);
    assert_int_equal(resolve(RANK_RANK, 1e9, 4), 4);
    assert_int_equal(resolve(RANK_FULL, 0, 4), 4);
    assert_int_equal(resolve(RANK_ZERO, 0, 4), 0);
    assert_int_equal(resolve(RANK_RATIO, 1, 0), 0);
}

static void energy_is_the_smallest_rank_that_keeps_it(void **state) {
    (void)state;
    assert_int_equal(rank_of(RANK_ENERGY, 16.0 / 21, sigma, 4), 1);
    assert_int_equal(rank_of(RANK_ENERGY, 0.77, sigma, 4), 2);
    assert_int_equal(rank_of(RANK_ENERGY, 0.9, sigma, 4), 2);
    assert_int_equal(rank_of(RANK_ENERGY, 0.96, sigma, 4), 3);
    assert_int_equal(rank_of(RANK_ENERGY, 1, sigma, 4), 3);
    assert_int_equal(rank_of(RANK_ENERGY, 0, sigma, 4), 0);
}

/* Median 1.5; omega(1) = 0.56 - 0.95 + 1.82 + 1.43 = 2.86, threshold 4.29: nothing above.
 * With sigma_1 = 5 one is. */
static void gavish_donoho_counts_above_its_threshold(void **state) {
    (void)state;
    const double larger[] = {5, 2, 1, 0};
    assert_int_equal(rank_of(RANK_GD, 0, sigma, 4), 0);
    assert_int_equal(rank_of(RANK_GD, 0, larger, 4), 1);
}

/* Noise of known size: sigma at the edge of the law for square matrices is 2 sqrt(n) s, and
 * mu_1 = 0.6528 (Gavish and Donoho 2014), so the edge is median * 2 / sqrt(0.6528) = 2.475. */
static void marchenko_pastur_counts_above_the_edge(void **state) {
    (void)state;
    const double values[] = {2.6, 2.4, 1, 1, 0.5};
    assert_int_equal(rank_of(RANK_MP, 0, values, 5), 1);
}

static void shape_only_rules_need_no_spectrum(void **state) {
    (void)state;
    static const bool expected[RANK_KIND_COUNT] = {
        [RANK_RATIO] = true, [RANK_RANK] = true, [RANK_FULL] = true, [RANK_ZERO] = true};
    for (enum rank_kind kind = 0; kind < RANK_KIND_COUNT; kind++) {
        struct rank_rule rule = {kind, 0.5};
        assert_int_equal(rank_rule_is_shape_only(rule), expected[kind]);
        assert_true(rank_rule_equal(rule, rule));
        assert_false(rank_rule_equal(rule, (struct rank_rule){kind, 0.6}));
        assert_true(strlen(rank_kind_text(kind)) > 5);
    }
    assert_int_equal(rank_rule_resolve((struct rank_rule){RANK_ENERGY, 1}, 4, NULL), 0);
}

static void typed_forms_are_understood(void **state) {
    (void)state;
    static const struct {
        const char *text;
        struct rank_rule rule;
    } cases[] = {
        {"64", {RANK_RANK, 64}},         {"0", {RANK_RANK, 0}},    {"10%", {RANK_RATIO, 0.1}},
        {"0.1", {RANK_RATIO, 0.1}},      {"1.0", {RANK_RATIO, 1}}, {"e90", {RANK_ENERGY, 0.9}},
        {"e0.9", {RANK_ENERGY, 0.9}},    {"e1", {RANK_ENERGY, 1}}, {"e1%", {RANK_ENERGY, 0.01}},
        {"e99.5", {RANK_ENERGY, 0.995}}, {"gd", {RANK_GD, 0}},     {"mp", {RANK_MP, 0}},
        {"auto", {RANK_AUTO, 0}},        {"full", {RANK_FULL, 0}}, {"zero", {RANK_ZERO, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct error error = {0};
        struct rank_rule rule;
        assert_true(rank_rule_parse(cases[i].text, &rule, &error));
        assert_true(rank_rule_equal(rule, cases[i].rule));
    }
}

static void formats_read_back(void **state) {
    (void)state;
    static const double values[] = {0, 1e-9, 0.001, 0.01, 0.1, 0.29, 1.0 / 3, 0.5, 0.999, 1};
    char text[40];
    for (enum rank_kind kind = 0; kind < RANK_KIND_COUNT; kind++)
        for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
            struct error error = {0};
            struct rank_rule rule = {kind, 0}, back;
            if (rank_kind_has_value(kind))
                rule.value = kind == RANK_RANK ? floor(1000 * values[i]) : values[i];
            rank_rule_format(rule, text, sizeof text);
            assert_true(rank_rule_parse(text, &back, &error));
            assert_true(rank_rule_equal(rule, back));
        }
    rank_rule_format((struct rank_rule){RANK_RATIO, 0.1}, text, sizeof text);
    assert_string_equal(text, "10%");
    rank_rule_format((struct rank_rule){RANK_ENERGY, 0.9}, text, sizeof text);
    assert_string_equal(text, "e90");
}

static void nonsense_is_refused_with_the_forms(void **state) {
    (void)state;
    static const char *const texts[] = {"",     "-1",    "1.5",    "110%", "e",
                                        "e101", "ratio", "energy", "64x",  "nan",
                                        "%",    " 64",   "e-1",    "1e10", "99999999999"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct error error = {0};
        struct rank_rule rule;
        assert_false(rank_rule_parse(texts[i], &rule, &error));
        assert_int_equal(error.kind, ERROR_USAGE);
        assert_non_null(strstr(error.message, "e90"));
        error_free(&error);
    }
}

static void make_checks_value_and_name(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double value;
        const char *message;
    } cases[] = {
        {"ratio", 1.1, "x.rank.ratio: allowed is a number from 0 to 1"},
        {"ratio", NAN, "x.rank.ratio: allowed is a number from 0 to 1"},
        {"rank", 1.5, "x.rank.rank: allowed is a whole number from 0"},
        {"gd", 0, "x.rank.gd: allowed is only true"},
        {"foo", 1, "x.rank: unknown rule \"foo\"; allowed is one of ratio, rank, energy, gd, mp"},
    };
    struct rank_rule rule;
    struct error error = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_false(rank_rule_make("x.rank", cases[i].name, cases[i].value, &rule, &error));
        assert_int_equal(error.kind, ERROR_USAGE);
        assert_ptr_equal(strstr(error.message, cases[i].message), error.message);
        error_free(&error);
    }
    assert_true(rank_rule_make("x.rank", "mp", 1, &rule, &error));
    assert_true(rank_rule_equal(rule, (struct rank_rule){RANK_MP, 0}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ratio_rounds_down_but_keeps_one),
        cmocka_unit_test(ranks_are_clamped),
        cmocka_unit_test(energy_is_the_smallest_rank_that_keeps_it),
        cmocka_unit_test(gavish_donoho_counts_above_its_threshold),
        cmocka_unit_test(marchenko_pastur_counts_above_the_edge),
        cmocka_unit_test(shape_only_rules_need_no_spectrum),
        cmocka_unit_test(typed_forms_are_understood),
        cmocka_unit_test(formats_read_back),
        cmocka_unit_test(nonsense_is_refused_with_the_forms),
        cmocka_unit_test(make_checks_value_and_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
