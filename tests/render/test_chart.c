/* Ticks, number formats, name shortening, positions and interpolation against values by hand. */
#include "analysis/support/memory.h"
#include "render/chart.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

static void numbers_are_short(void **state) {
    (void)state;
    static const struct {
        double value;
        int digits;
        const char *text;
    } cases[] = {{0, 3, "0"},         {1, 3, "1"},           {0.5, 3, "0.5"},
                 {-2.25, 3, "-2.25"}, {1234.6, 3, "1235"},   {0.00123, 3, "0.00123"},
                 {1e-5, 3, "1e-5"},   {1.5e-5, 3, "1.5e-5"}, {-3.14159e-12, 3, "-3.14e-12"},
                 {2e10, 3, "2e10"},   {999999, 4, "999999"}, {1e6, 3, "1e6"},
                 {NAN, 3, "-"},       {1e-300, 3, "1e-300"}, {0.1 + 0.2, 3, "0.3"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char buffer[16];
        assert_string_equal(chart_number(cases[i].value, cases[i].digits, buffer, sizeof buffer),
                            cases[i].text);
    }
}

static void names_are_cut_in_the_middle(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t width;
        bool ascii;
        const char *text;
    } cases[] = {{"short", 9, false, "short"},
                 {"blocks.11.attn", 14, false, "blocks.11.attn"},
                 {"blocks.11.attn", 9, false, "bloc…attn"},
                 {"blocks.11.attn", 9, true, "blo...ttn"},
                 {"blocks.11.attn", 3, true, "blo"},
                 {"ünïcödé_nämé", 5, false, "ün…mé"},
                 {"bloc…attn r=9", 9, false, "bloc… r=9"},
                 {"", 5, false, ""},
                 {"abc", 0, false, ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char buffer[64];
        chart_shorten(cases[i].name, cases[i].width, cases[i].ascii, buffer, sizeof buffer);
        assert_string_equal(buffer, cases[i].text);
        assert_true(chart_text_width(buffer) <= cases[i].width);
    }
}

/* The labelled ticks joined by spaces. */
static void check_ticks(enum chart_scale scale, double low, double high, size_t limit,
                        const char *expected) {
    struct chart_axis axis = {.scale = scale, .minimum = low, .maximum = high};
    struct chart_tick *ticks;
    size_t count = chart_ticks(&axis, limit, &ticks);
    char joined[400] = "";
    for (size_t i = 0; i < count; i++) {
        assert_true(ticks[i].minor == (ticks[i].label[0] == '\0'));
        if (!ticks[i].minor) {
            strcat(joined, joined[0] != '\0' ? " " : "");
            strcat(joined, ticks[i].label);
        }
    }
    free(ticks);
    assert_string_equal(joined, expected);
}

static void ticks_stand_on_round_numbers(void **state) {
    (void)state;
    check_ticks(CHART_LINEAR, 0, 1, 6, "0 0.2 0.4 0.6 0.8 1");
    check_ticks(CHART_LINEAR, -0.22, 1.27, 8, "0 0.5 1");
    check_ticks(CHART_LINEAR, 3, 1024, 6, "500 1000");
    check_ticks(CHART_LINEAR, 0, 1e-7, 3, "0 5e-8 1e-7");
    check_ticks(CHART_LOG, 1, 1000, 12, "1 2 5 10 20 50 100 200 500 1000");
    check_ticks(CHART_LOG, 1, 1000, 4, "1 10 100 1000");
    check_ticks(CHART_LOG, 1e-10, 1, 5, "1e-9 1e-6 0.001 1");
    check_ticks(CHART_LOG, 0.3, 0.9, 4, "0.4 0.6 0.8");
    check_ticks(CHART_LOG, 0.004, 0.06, 3, "0.005 0.01 0.05");
    check_ticks(CHART_LINEAR, -0.5, 3.5, 2, "0 2"); /* 1-2-5 by the limit would leave only 0 */
    check_ticks(CHART_LOG, 2.6, 5.7, 10, "3 4 5");  /* 1-2-5 would leave only 5 */
    check_ticks(CHART_LOG, 0.101, 0.199, 12, "0.12 0.14 0.16 0.18");
    check_ticks(CHART_LINEAR, 0, 1, 0, "");
}

static void positions_and_values_are_inverse(void **state) {
    (void)state;
    struct chart_axis linear = {.minimum = -2, .maximum = 6};
    struct chart_axis log = {.scale = CHART_LOG, .minimum = 0.1, .maximum = 1000};
    assert_close(chart_position(&linear, 0), 0.25, 1e-15);
    assert_close(chart_position(&log, 10), 0.5, 1e-15);
    assert_true(chart_position(&log, 0) < -1e300);
    for (double p = -0.5; p < 1.5; p += 0.25) {
        assert_close(chart_position(&linear, chart_value(&linear, p)), p, 1e-12);
        assert_close(chart_position(&log, chart_value(&log, p)), p, 1e-12);
    }
}

static struct chart *chart_of(size_t count, double (*value)(size_t), enum chart_scale scale) {
    struct chart *chart = chart_create("test");
    chart->x.scale = chart->y.scale = scale;
    struct chart_curve *curve = chart_add_curve(chart, "c", CHART_SPECIALIST, count);
    for (size_t i = 0; i < count; i++) {
        curve->x[i] = (double)(i + 1);
        curve->y[i] = value(i);
    }
    chart_fit(chart);
    return chart;
}

static double power_law(size_t i) {
    return 1 / (double)(i + 1);
}

static double zero(size_t i) {
    return 0 * (double)i;
}

static double collapsing(size_t i) {
    return i < 99 ? 1 : 1e-12;
}

static void curves_interpolate_in_the_axes_scales(void **state) {
    (void)state;
    struct chart *log = chart_of(100, power_law, CHART_LOG);
    assert_close(chart_curve_at(log, log->curves, 3.7), 1 / 3.7, 1e-3); /* a line in log-log */
    assert_close(chart_curve_at(log, log->curves, 50), 1.0 / 50, 1e-15);
    assert_true(isnan(chart_curve_at(log, log->curves, 0.5)));
    assert_true(isnan(chart_curve_at(log, log->curves, 100.5)));
    chart_free(log);
    struct chart *linear = chart_of(100, power_law, CHART_LINEAR);
    assert_close(chart_curve_at(linear, linear->curves, 1.5), 0.75, 1e-15);
    chart_free(linear);
}

static void limits_fit_the_data(void **state) {
    (void)state;
    struct chart *chart = chart_of(100, power_law, CHART_LOG);
    assert_close(chart->x.minimum, 1, 0);
    assert_close(chart->x.maximum, 100, 0);
    assert_true(chart->y.maximum > 1 && chart->y.minimum < 0.01 && chart->y.minimum > 0.005);
    chart_free(chart);
    chart = chart_of(100, collapsing, CHART_LOG); /* the floor does not follow the last value */
    assert_true(chart->y.minimum > 1e-3);
    chart_free(chart);
    chart = chart_of(5, zero, CHART_LOG);
    assert_true(chart->y.minimum > 0 && chart->y.maximum > chart->y.minimum);
    chart_free(chart);
    chart = chart_of(1, power_law, CHART_LOG);
    assert_true(chart->x.maximum > chart->x.minimum);
    chart_free(chart);
}

static void remarks_tell_zeros_from_nothing(void **state) {
    (void)state;
    struct chart *chart = chart_create("test");
    assert_string_equal(chart_remark(chart), "nothing to show yet");
    chart_free(chart);
    chart = chart_of(5, zero, CHART_LOG);
    assert_string_equal(chart_remark(chart), "all values are zero");
    chart_free(chart);
    chart = chart_of(5, power_law, CHART_LOG);
    assert_null(chart_remark(chart));
    chart_free(chart);
    chart = chart_create("bars");
    chart_set_bars(chart, 2, 2, true);
    assert_string_equal(chart_remark(chart), "all values are zero");
    chart->bars.values[3] = -1;
    assert_null(chart_remark(chart));
    chart_free(chart);
}

static void stacked_bars_fit_by_their_sums(void **state) {
    (void)state;
    struct chart *chart = chart_create("bars");
    chart_set_bars(chart, 2, 3, true);
    const double values[] = {1, 2, -0.5, 0.5, 1, 1};
    memcpy(chart->bars.values, values, sizeof values);
    chart_fit(chart);
    assert_true(chart->y.maximum >= 3 && chart->y.maximum < 3.3);
    assert_true(chart->y.minimum <= -0.5 && chart->y.minimum > -0.6);
    assert_close(chart->x.maximum, 2, 0);
    chart_free(chart);
}

/* Values far from 0 and close to each other, as metrics are. */
static void neighbouring_ticks_are_told_apart(void **state) {
    (void)state;
    static const double ranges[][2] = {
        {112.3345, 112.3369}, {0.98711, 0.98744}, {-5.00002, -5}, {1e6, 1e6 + 3}};
    for (size_t r = 0; r < sizeof ranges / sizeof *ranges; r++) {
        struct chart_axis axis = {.minimum = ranges[r][0], .maximum = ranges[r][1]};
        struct chart_tick *ticks;
        size_t count = chart_ticks(&axis, 6, &ticks);
        assert_true(count > 1);
        for (size_t i = 1; i < count; i++)
            assert_string_not_equal(ticks[i].label, ticks[i - 1].label);
        for (size_t i = 0; i < count; i++)
            assert_close(strtod(ticks[i].label, NULL), ticks[i].value, 1e-9 * fabs(ticks[i].value));
        free(ticks);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbouring_ticks_are_told_apart),
        cmocka_unit_test(numbers_are_short),
        cmocka_unit_test(names_are_cut_in_the_middle),
        cmocka_unit_test(ticks_stand_on_round_numbers),
        cmocka_unit_test(positions_and_values_are_inverse),
        cmocka_unit_test(curves_interpolate_in_the_axes_scales),
        cmocka_unit_test(limits_fit_the_data),
        cmocka_unit_test(remarks_tell_zeros_from_nothing),
        cmocka_unit_test(stacked_bars_fit_by_their_sums),
    };
    return cmocka_run_group_tests_name("chart", tests, NULL, NULL);
}
