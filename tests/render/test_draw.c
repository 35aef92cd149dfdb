/* The layout of figures on a canvas that only writes down what it is asked to draw: every text
 * lies inside and none touches another, whatever the chart holds. */
#include "analysis/support/memory.h"
#include "tests/recorder.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_chart(const struct chart *chart, double width, double height) {
    struct recorder recorder = recorder_of_chart(chart, width, height);
    recorder_check_texts(&recorder);
    recorder_end(&recorder);
}

/* A spectrum for each specialist, power laws, with a labelled cut each, step ranks apart. */
static struct chart *spectra(size_t count, size_t points, double decades, size_t step,
                             const char *name) {
    struct chart *chart = chart_create(name);
    chart->subtitle = memory_string("3072 \u00d7 1024");
    chart->x.scale = chart->y.scale = CHART_LOG;
    chart->x.label = memory_string("index of the singular value");
    chart->y.label = memory_string("singular value");
    for (size_t s = 0; s < count; s++) {
        struct chart_curve *curve = chart_add_curve(chart, name, CHART_SPECIALIST + (int)s, points);
        char label[32];
        snprintf(label, sizeof label, "r=%zu", 1 + s * step);
        chart_add_line(chart, true, (double)(1 + s * step), label, CHART_SPECIALIST + (int)s,
                       false);
        for (size_t k = 0; k < points; k++) {
            curve->x[k] = (double)(k + 1);
            curve->y[k] =
                (double)(s + 1) * pow(10, -decades * (double)k / (double)(points > 1 ? points : 2));
        }
    }
    chart_add_line(chart, false, 0.5, "GD", CHART_NEUTRAL, true);
    chart_add_line(chart, false, 0.45, "MP", CHART_NEUTRAL, true);
    chart_fit(chart);
    return chart;
}

static void curves_and_cuts(void **state) {
    (void)state;
    static const double sizes[][2] = {{461, 288}, {300, 200}, {691, 288}};
    static const double decades[] = {0, 0.1, 1, 3, 10};
    char name[201];
    memset(name, 'n', 200);
    name[200] = '\0';
    for (size_t count = 1; count <= 12; count += count < 3 ? 1 : 3)
        for (size_t points = 1; points <= 1000; points *= 10)
            for (size_t d = 0; d < sizeof decades / sizeof *decades; d++)
                for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
                    struct chart *chart =
                        spectra(count, points, decades[d], d + 1, s == 0 ? name : "efs");
                    check_chart(chart, sizes[s][0], sizes[s][1]);
                    chart_free(chart);
                }
}

static void lines_close_together_keep_their_labels(void **state) {
    (void)state;
    struct chart *chart = spectra(3, 1000, 2, 50, "efs");
    struct recorder recorder = recorder_of_chart(chart, 461, 288);
    assert_int_equal(recorder_count(&recorder, "GD"), 1);
    assert_int_equal(recorder_count(&recorder, "MP"), 1);
    assert_int_equal(recorder_count(&recorder, "r=1"), 1);
    assert_int_equal(recorder_count(&recorder, "r=51"), 1);
    assert_int_equal(recorder_count(&recorder, "r=101"), 1);
    recorder_end(&recorder);
    chart_free(chart);
}

/* A map of so many layers and specialists, with a hole where asked. */
static struct chart *map(size_t rows, size_t columns, const char *name, bool hole) {
    struct chart *chart = chart_create(name);
    chart->x.label = memory_string("matrix layers");
    chart_set_map(chart, rows, columns, "share of something");
    for (size_t r = 0; r < rows; r++)
        chart->map.rows[r] = memory_string(name);
    for (size_t c = 0; c < columns; c++) {
        chart->map.columns[c] = memory_format("%zu.%s", c / 6, name);
        for (size_t r = 0; r < rows; r++)
            chart->map.values[r * columns + c] = hole && c == 0 ? NAN : (double)(r + c);
    }
    chart_fit(chart);
    return chart;
}

static void maps_keep_their_texts_apart(void **state) {
    (void)state;
    static const double sizes[][2] = {{461, 288}, {300, 200}, {691, 288}};
    static const size_t columns[] = {1, 2, 12, 144, 2000};
    char name[201];
    memset(name, 'n', 200);
    name[200] = '\0';
    for (size_t rows = 1; rows <= 12; rows += 1 + rows / 2)
        for (size_t c = 0; c < sizeof columns / sizeof *columns; c++)
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
                for (int lengthy = 0; lengthy <= 1; lengthy++) {
                    struct chart *chart = map(rows, columns[c], lengthy ? name : "efs", lengthy);
                    check_chart(chart, sizes[s][0], sizes[s][1]);
                    chart_free(chart);
                }
}

static void few_short_names_stand_level(void **state) {
    (void)state;
    struct chart *chart = map(3, 3, "efs", false);
    struct recorder recorder = recorder_of_chart(chart, 461, 288);
    size_t level = 0;
    for (size_t i = 0; i < recorder.text_count; i++) {
        struct area area = recorder.texts[i].area;
        level += strcmp(recorder.texts[i].text, "0.efs") == 0 &&
                 area.right - area.left > area.bottom - area.top;
    }
    assert_int_equal(level, 3);
    recorder_end(&recorder);
    chart_free(chart);
}

/* Bars of a model with blocks of six matrices, after an embedding. */
static struct chart *bars(size_t categories, bool stacked) {
    static const char *const parts[] = {"attn.q", "attn.k", "attn.v", "attn.out", "fc1", "fc2"};
    struct chart *chart = chart_create("Contributions");
    chart->x.label = memory_string("matrix layers");
    chart->y.label = memory_string("share");
    chart_set_bars(chart, categories, 3, stacked);
    for (size_t c = 0; c < categories; c++) {
        chart->bars.categories[c] = c == 0
                                        ? memory_string("patch_embedding")
                                        : memory_format("%zu.%s", (c - 1) / 6, parts[(c - 1) % 6]);
        for (size_t s = 0; s < 3; s++)
            chart->bars.values[c * 3 + s] = s == 2 && c % 2 ? -0.1 : 0.5;
    }
    for (size_t s = 0; s < 3; s++) {
        chart->bars.names[s] = memory_string("series");
        chart->bars.colours[s] = CHART_SPECIALIST + (int)s;
    }
    chart_fit(chart);
    return chart;
}

static void bars_of_any_number(void **state) {
    (void)state;
    for (size_t categories = 1; categories <= 600; categories += 1 + categories / 3)
        for (int stacked = 0; stacked <= 1; stacked++) {
            struct chart *chart = bars(categories, stacked);
            check_chart(chart, 461, 288);
            check_chart(chart, 691, 288);
            chart_free(chart);
        }
}

static void names_that_do_not_fit_are_grouped(void **state) {
    (void)state;
    struct chart *few = bars(13, true), *many = bars(145, true);
    struct recorder recorder = recorder_of_chart(few, 461, 288);
    assert_int_equal(recorder_count(&recorder, "1.attn.out"), 1);
    recorder_end(&recorder);
    recorder = recorder_of_chart(many, 691, 288);
    assert_int_equal(recorder_count(&recorder, "1.attn.out"), 0);
    for (int block = 0; block < 24; block++) {
        char name[16];
        snprintf(name, sizeof name, "%d", block);
        assert_true(recorder_count(&recorder, name) >= 1);
    }
    recorder_end(&recorder);
    chart_free(few);
    chart_free(many);
}

static void powers_of_ten_are_all_written_so(void **state) {
    (void)state;
    struct chart *wide = spectra(1, 100, 5, 9, "efs"), *narrow = spectra(1, 100, 2, 9, "efs");
    struct recorder recorder = recorder_of_chart(wide, 461, 288);
    assert_int_equal(recorder_count(&recorder, "10⁻⁴"), 1);
    assert_int_equal(recorder_count(&recorder, "10⁻²"), 1);
    assert_int_equal(recorder_count(&recorder, "0.01"), 0);
    recorder_end(&recorder);
    recorder = recorder_of_chart(narrow, 461, 288);
    assert_int_equal(recorder_count(&recorder, "0.1"), 1);
    recorder_end(&recorder);
    chart_free(wide);
    chart_free(narrow);
}

static void nothing_is_said_in_words(void **state) {
    (void)state;
    struct chart *chart = chart_create("title");
    chart->x.scale = chart->y.scale = CHART_LOG;
    chart_fit(chart);
    struct recorder recorder = recorder_of_chart(chart, 461, 288);
    assert_int_equal(recorder_count(&recorder, "nothing to show yet"), 1);
    recorder_end(&recorder);
    chart_add_curve(chart, "zeros", CHART_SPECIALIST, 10);
    chart_fit(chart);
    recorder = recorder_of_chart(chart, 461, 288);
    assert_int_equal(recorder_count(&recorder, "all values are zero"), 1);
    recorder_end(&recorder);
    chart_free(chart);
}

static void twenty_four_specialists_look_different(void **state) {
    (void)state;
    for (int i = 0; i < 24; i++)
        for (int k = 0; k < i; k++) {
            struct rgb one = palette_colour(CHART_SPECIALIST + i);
            struct rgb other = palette_colour(CHART_SPECIALIST + k);
            int apart = abs(one.red - other.red) + abs(one.green - other.green) +
                        abs(one.blue - other.blue);
            assert_true(apart > 30);
            assert_true(i % 8 != k % 8 ||
                        palette_dash(CHART_SPECIALIST + i) != palette_dash(CHART_SPECIALIST + k));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_keep_their_texts_apart),
        cmocka_unit_test(few_short_names_stand_level),
        cmocka_unit_test(curves_and_cuts),
        cmocka_unit_test(lines_close_together_keep_their_labels),
        cmocka_unit_test(bars_of_any_number),
        cmocka_unit_test(names_that_do_not_fit_are_grouped),
        cmocka_unit_test(powers_of_ten_are_all_written_so),
        cmocka_unit_test(nothing_is_said_in_words),
        cmocka_unit_test(twenty_four_specialists_look_different),
    };
    return cmocka_run_group_tests_name("draw", tests, NULL, NULL);
}
