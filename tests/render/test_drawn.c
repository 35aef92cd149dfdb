/* What is drawn is what the chart says: curves stand where the numbers beside the axes put their
 * values, and legends have the colours and dashes of what they name. */
#include "analysis/support/memory.h"
#include "render/figures/figures.h"
#include "tests/recorder.h"
#include "tests/study.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

static struct study study;

static struct figure_source source(void) {
    return (struct figure_source){study.analysis, study.preview, study.plan};
}

static int make(void **state) {
    struct model_recipe recipe = model_recipe_default(4);
    recipe.scales[1] = 5e-3;
    (void)state;
    study = study_make(&recipe, NULL, 2);
    return 0;
}

static int unmake(void **state) {
    (void)state;
    study_end(&study);
    return 0;
}

/* ---- what stands beside an axis ---- */

static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};

/* "⁻³" -> -3 */
static int exponent_of(const char *text) {
    int sign = 1, value = 0;
    for (; *text != '\0'; text += strncmp(text, "⁻", strlen("⁻")) == 0 ? strlen("⁻") : 0) {
        if (strncmp(text, "⁻", strlen("⁻")) == 0) {
            sign = -1;
            continue;
        }
        int digit = 0;
        while (digit < 10 && strncmp(text, raised[digit], strlen(raised[digit])) != 0)
            digit++;
        assert_true(digit < 10);
        value = 10 * value + digit;
        text += strlen(raised[digit]);
    }
    return sign * value;
}

/* "0.2", "−0.5", "10⁻³", "2·10⁻³"; NAN for what is no number. */
static double number_of(const char *text) {
    double sign = 1, mantissa = 1;
    if (strncmp(text, "\u2212", strlen("\u2212")) == 0) {
        sign = -1;
        text += strlen("\u2212");
    }
    const char *dot = strstr(text, "\u00b710"), *rest;
    if (dot != NULL) {
        mantissa = strtod(text, NULL);
        text = dot + strlen("\u00b7");
    }
    double value = strtod(text, (char **)&rest);
    if (rest == text)
        return NAN;
    if (*rest == '\0')
        return sign * value;
    return value == 10 && (unsigned char)*rest >= 0x80
               ? sign * mantissa * pow(10, exponent_of(rest))
               : NAN;
}

/* Two numbers beside an axis, the farthest apart, and where they stand. */
struct scale {
    double value[2], at[2];
    bool log;
};

static void take(struct scale *scale, double value, double at) {
    if (isnan(scale->value[0]) || value < scale->value[0]) {
        scale->value[0] = value;
        scale->at[0] = at;
    }
    if (isnan(scale->value[1]) || value > scale->value[1]) {
        scale->value[1] = value;
        scale->at[1] = at;
    }
}

static void read_scales(const struct recorder *recorder, struct area plot, struct scale *x,
                        struct scale *y) {
    *x = *y = (struct scale){.value = {NAN, NAN}};
    for (size_t i = 0; i < recorder->text_count; i++) {
        const struct drawn_text *text = &recorder->texts[i];
        double value = text->upright ? NAN : number_of(text->text);
        double across = (text->area.left + text->area.right) / 2;
        double tick = text->baseline.y - 8 * 0.36; /* numbers are 8 points high */
        if (isnan(value))
            continue;
        if (text->area.top > plot.bottom && across > plot.left - 1 && across < plot.right + 1)
            take(x, value, across);
        if (text->area.right < plot.left && text->area.right > plot.left - 12 &&
            tick > plot.top - 1 && tick < plot.bottom + 1)
            take(y, value, tick);
    }
    assert_true(x->value[0] < x->value[1] && y->value[0] < y->value[1]);
}

static double place(const struct scale *scale, double value) {
    double low = scale->value[0], high = scale->value[1];
    double part = scale->log ? log(value / low) / log(high / low) : (value - low) / (high - low);
    return scale->at[0] + part * (scale->at[1] - scale->at[0]);
}

/* ---- curves ---- */

/* The line inside a plot with the colour and number of points of the curve; the first one is the
 * first chart's. */
static const struct drawn_line *line_of(const struct recorder *recorder,
                                        const struct chart_curve *curve) {
    struct rgb colour = palette_colour(curve->colour);
    for (size_t i = 0; i < recorder->line_count; i++) {
        const struct drawn_line *line = &recorder->lines[i];
        if (line->clip.left > 0 && line->count == curve->count &&
            memcmp(&line->colour, &colour, sizeof colour) == 0)
            return line;
    }
    fail_msg("%s is not drawn", curve->name);
    return NULL;
}

static void check_curves(const struct recorder *recorder, const struct chart *chart) {
    for (size_t c = 0; c < chart->curve_count; c++) {
        const struct chart_curve *curve = &chart->curves[c];
        const struct drawn_line *line = line_of(recorder, curve);
        struct scale x, y;
        read_scales(recorder, line->clip, &x, &y);
        x.log = chart->x.scale == CHART_LOG;
        y.log = chart->y.scale == CHART_LOG;
        for (size_t k = 0; k < curve->count; k++) {
            assert_close(line->points[k].x, place(&x, curve->x[k]), 0.1);
            assert_close(line->points[k].y, place(&y, curve->y[k]), 0.1);
        }
    }
}

static void check_figure(struct page *page, double width, double height) {
    struct recorder recorder = recorder_of_page(page, width * page->width, height * page->height);
    check_curves(&recorder, page->charts[0]);
    recorder_end(&recorder);
}

static size_t first_matrix(void) {
    size_t l = 0;
    while (study.table->layers[l].role != ROLE_MATRIX)
        l++;
    return l;
}

static void curves_stand_where_the_numbers_say(void **state) {
    static const double sizes[][2] = {{461, 288}, {346, 230}};
    struct figure_source from = source();
    (void)state;
    struct page *pages[] = {figure_real_depth(&from, 0), figure_ranks(&from, 0),
                            figure_multiples(&from, 0),
                            page_of_chart(figure_layer_spectrum(&from, first_matrix()))};
    for (size_t p = 0; p < 4; p++) {
        for (size_t s = 0; s < 2; s++)
            check_figure(pages[p], sizes[s][0], sizes[s][1]);
        page_free(pages[p]);
    }
}

/* ---- legends ---- */

/* The line that stands left of a legend's text. */
static const struct drawn_line *swatch_line(const struct recorder *recorder,
                                            const struct drawn_text *text) {
    for (size_t i = 0; i < recorder->line_count; i++) {
        const struct drawn_line *line = &recorder->lines[i];
        double gap = text->area.left - line->points[line->count - 1].x;
        if (line->count == 2 && gap > 0 && gap < 6 && line->points[0].y > text->area.top &&
            line->points[0].y < text->area.bottom)
            return line;
    }
    return NULL;
}

static void legends_look_like_the_curves(void **state) {
    struct figure_source from = source();
    (void)state;
    struct page *pages[] = {figure_real_depth(&from, 0), figure_ranks(&from, 0),
                            figure_multiples(&from, 1), figure_overview(&from, 0),
                            page_of_chart(figure_layer_spectrum(&from, first_matrix()))};
    for (size_t p = 0; p < 5; p++) {
        const struct chart *chart = pages[p]->charts[0];
        struct recorder recorder =
            recorder_of_page(pages[p], 461 * pages[p]->width, 288 * pages[p]->height);
        size_t seen = 0;
        for (size_t c = 0; c < chart->curve_count; c++)
            for (size_t t = 0; t < recorder.text_count; t++) {
                const struct drawn_line *swatch = swatch_line(&recorder, &recorder.texts[t]);
                const struct drawn_line *line = line_of(&recorder, &chart->curves[c]);
                if (strcmp(recorder.texts[t].text, chart->curves[c].name) != 0 || swatch == NULL)
                    continue;
                assert_memory_equal(&swatch->colour, &line->colour, sizeof line->colour);
                assert_ptr_equal(swatch->dash, line->dash);
                seen++;
            }
        assert_int_equal(seen, chart->curve_count);
        recorder_end(&recorder);
        page_free(pages[p]);
    }
}

/* Boxes of that colour and no veil. */
static size_t boxes_of(const struct recorder *recorder, struct rgb colour) {
    size_t count = 0;
    for (size_t i = 0; i < recorder->box_count; i++)
        count += recorder->boxes[i].opacity >= 1 &&
                 memcmp(&recorder->boxes[i].colour, &colour, sizeof colour) == 0;
    return count;
}

static void bars_have_the_height_of_their_values(void **state) {
    struct figure_source from = source();
    (void)state;
    struct chart *chart = figure_contributions_after(&from, 0);
    struct recorder recorder = recorder_of_chart(chart, 461, 288);
    struct scale y = {.value = {NAN, NAN}};
    size_t n = chart->bars.series_count, layers = chart->bars.category_count;
    for (size_t s = 0; s < n; s++) /* a box for each layer, one in the legend */
        assert_int_equal(boxes_of(&recorder, palette_colour(chart->bars.colours[s])), layers + 1);
    take(&y, 0, recorder_find(&recorder, "0")->baseline.y);
    take(&y, 1, recorder_find(&recorder, "1")->baseline.y);
    struct rgb colour = palette_colour(chart->bars.colours[1]);
    size_t category = 0;
    for (size_t i = 0; i < recorder.box_count; i++) {
        struct area area = recorder.boxes[i].area;
        bool bar = area.right - area.left != 9; /* a legend's box is 9 points wide */
        if (memcmp(&recorder.boxes[i].colour, &colour, sizeof colour) == 0 && bar)
            assert_close(area.bottom - area.top,
                         place(&y, 0) - place(&y, chart->bars.values[category++ * n + 1]), 0.1);
    }
    assert_int_equal(category, layers);
    recorder_end(&recorder);
    chart_free(chart);
}

static size_t lines_of(const struct recorder *recorder, struct rgb colour) {
    size_t count = 0;
    for (size_t i = 0; i < recorder->line_count; i++)
        count += memcmp(&recorder->lines[i].colour, &colour, sizeof colour) == 0;
    return count;
}

/* Of five points the fourth is missing: a line of three, a dash for the last, a cross of two
 * strokes at the missing one; and the legend's line. */
static void a_missing_value_breaks_the_line_and_has_a_cross(void **state) {
    (void)state;
    struct chart *chart = chart_create("test");
    struct chart_curve *curve = chart_add_curve(chart, "c", CHART_SPECIALIST, 5);
    curve->marked = true;
    for (size_t i = 0; i < 5; i++) {
        curve->x[i] = (double)i;
        curve->y[i] = i == 3 ? NAN : 1;
    }
    chart_fit(chart);
    struct recorder recorder = recorder_of_chart(chart, 461, 288);
    assert_int_equal(lines_of(&recorder, palette_colour(CHART_SPECIALIST)), 1 + 1 + 2 + 1);
    assert_int_equal(boxes_of(&recorder, palette_colour(CHART_SPECIALIST)), 4);
    recorder_end(&recorder);
    chart_free(chart);
}

static void a_missing_bar_is_a_cross(void **state) {
    (void)state;
    struct chart *chart = chart_create("test");
    chart_set_bars(chart, 2, 1, false);
    chart->bars.names[0] = memory_string("c");
    chart->bars.colours[0] = CHART_SPECIALIST;
    chart->bars.values[0] = 1;
    chart->bars.values[1] = NAN;
    for (size_t c = 0; c < 2; c++)
        chart->bars.categories[c] = memory_string("x");
    chart_fit(chart);
    struct recorder recorder = recorder_of_chart(chart, 461, 288);
    assert_int_equal(lines_of(&recorder, palette_colour(CHART_SPECIALIST)), 2);
    assert_int_equal(boxes_of(&recorder, palette_colour(CHART_SPECIALIST)), 1 + 1); /* legend */
    recorder_end(&recorder);
    chart_free(chart);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(curves_stand_where_the_numbers_say),
        cmocka_unit_test(legends_look_like_the_curves),
        cmocka_unit_test(bars_have_the_height_of_their_values),
        cmocka_unit_test(a_missing_value_breaks_the_line_and_has_a_cross),
        cmocka_unit_test(a_missing_bar_is_a_cross),
    };
    return cmocka_run_group_tests_name("drawn", tests, make, unmake);
}
