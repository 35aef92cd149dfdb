/* Charts in terminal cells: golden pictures in the three glyph sets, and rules that hold for every
 * size and every input. */
#include "analysis/support/memory.h"
#include "render/cells.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* count specialists with power-law spectra of length points, cut at rank; the first is selected. */
static struct chart *spectrum_chart(size_t count, size_t points, double cut, double factor) {
    struct chart *chart = chart_create("encoder.layers.3.self_attn.q_proj.weight");
    chart->x.scale = chart->y.scale = CHART_LOG;
    for (size_t s = 0; s < count; s++) {
        char name[32];
        snprintf(name, sizeof name, "s%zu r=%.0f", s, cut);
        struct chart_curve *curve = chart_add_curve(chart, name, CHART_SPECIALIST + (int)s, points);
        curve->selected = s == 0;
        curve->cut = cut;
        for (size_t k = 0; k < points; k++) {
            curve->x[k] = (double)(k + 1);
            curve->y[k] = factor * (double)(s + 1) / (double)(k + 1);
        }
    }
    chart_add_line(chart, true, cut, "r=10", CHART_SPECIALIST, false);
    chart_fit(chart);
    return chart;
}

static char *drawn(const struct chart *chart, size_t width, size_t height,
                   enum cell_glyphs glyphs) {
    struct cells *cells = cells_create(width, height);
    cells_draw_chart(cells, chart, glyphs);
    char *text = cells_text(cells);
    cells_free(cells);
    return text;
}

static void check_golden(enum cell_glyphs glyphs, const char *expected) {
    struct chart *chart = spectrum_chart(2, 100, 10, 1);
    char *text = drawn(chart, 44, 10, glyphs);
    assert_string_equal(text, expected);
    free(text);
    chart_free(chart);
}

static void golden_ascii(void **state) {
    (void)state;
    check_golden(CELL_ASCII, "encoder.lay...proj.weight *s0 r=10 +s1 r=10 \n"
                             "     |++++               |                  \n"
                             "    1+*****++++++        |                  \n"
                             "     |     *******++++++ |                  \n"
                             "  0.1+            *******......             \n"
                             "     |                   .............      \n"
                             "     |                   |      ............\n"
                             " 0.01+                   |             .....\n"
                             "     ++----+-------+-----+----+-------+----+\n"
                             "      1    2       5   r=10  20      50  100\n");
}

static void golden_braille(void **state) {
    (void)state;
    check_golden(CELL_BRAILLE, "encoder.laye…_proj.weight ━s0 r=10 ━s1 r=10 \n"
                               "     │⠢⠤⢄⣀               │                  \n"
                               "    1┤⠒⠒⠤⢄⣀⡀⠒⠢⠤⢄⣀        │                  \n"
                               "     │     ⠈⠉⠒⠢⠤⢄⣀⠑⠒⠢⠤⣀⣀ │                  \n"
                               "  0.1┤            ⠉⠉⠒⠢⠤⢄⣀⠑⠒⠢⠤⣀⣀             \n"
                               "     │                   ⠉⠉⠒⠢⠤⣀⣀⠑⠒⠤⠤⣀⡀      \n"
                               "     │                   │      ⠉⠑⠒⠢⠤⣀⣀⠑⠒⠤⠤⣀\n"
                               " 0.01┤                   │             ⠉⠑⠒⠢⠤\n"
                               "     └┴────┴───────┴─────┼────┴───────┴────┴\n"
                               "      1    2       5   r=10  20      50  100\n");
}

/* Seven points of two curves; the line of the first is broken at the fourth, of the second at its
 * end. */
static struct chart *broken_chart(void) {
    struct chart *chart = chart_create("auc");
    for (size_t c = 0; c < 2; c++) {
        struct chart_curve *curve = chart_add_curve(chart, c == 0 ? "a" : "b", CHART_REAL, 7);
        curve->marked = true;
        for (size_t i = 0; i < 7; i++) {
            curve->x[i] = (double)i;
            curve->y[i] = i == (c == 0 ? 3 : 6) ? NAN : 3 + (double)c;
        }
    }
    chart_fit(chart);
    return chart;
}

static void lines_are_broken_where_a_value_is_missing(void **state) {
    (void)state;
    struct chart *chart = broken_chart();
    char *text = drawn(chart, 31, 9, CELL_ASCII);
    assert_string_equal(text, "auc                      *a +b \n"
                              "    4+o+++o+++o+++o+++o+++o    \n"
                              "     |o***o***o       o***o***o\n"
                              "     |                         \n"
                              "    2+                         \n"
                              "     |                        X\n"
                              "    0+            X            \n"
                              "     ++-------+-------+-------+\n"
                              "      0       2       4       6\n");
    free(text);
    chart_free(chart);
}

static void golden_block(void **state) {
    (void)state;
    check_golden(CELL_BLOCK, "encoder.laye…_proj.weight ━s0 r=10 ━s1 r=10 \n"
                             "     │▀▄▄▄               │                  \n"
                             "    1┤▀▀▄▄▄▀▀▀▄▄▄        │                  \n"
                             "     │     ▀▀▀▀▄▄▄▀▀▄▄▄▄ │                  \n"
                             "  0.1┤            ▀▀▀▀▄▄▄▀▀▄▄▄▄             \n"
                             "     │                   ▀▀▀▀▄▄▄▀▀▄▄▄▄      \n"
                             "     │                   │      ▀▀▀▄▄▄▄▀▀▄▄▄\n"
                             " 0.01┤                   │             ▀▀▀▄▄\n"
                             "     └┴────┴───────┴─────┼────┴───────┴────┴\n"
                             "      1    2       5   r=10  20      50  100\n");
}

static struct chart *bar_chart(bool stacked, size_t categories) {
    static const double values[][3] = {{0.5, 0.6, -0.1}, {0.25, 0.5, 0.25}, {1, 0, 0}};
    static const char *const names[] = {"Real", "Fake", "cross"};
    struct chart *chart = chart_create("energy");
    chart_set_bars(chart, categories, 3, stacked);
    for (size_t c = 0; c < categories; c++) {
        chart->bars.categories[c] = memory_format("%zu.fc1", c);
        memcpy(chart->bars.values + 3 * c, values[c % 3], sizeof values[0]);
    }
    for (size_t s = 0; s < 3; s++) {
        chart->bars.names[s] = memory_string(names[s]);
        chart->bars.colours[s] = (int)s;
    }
    chart_fit(chart);
    return chart;
}

static void check_golden_bars(bool stacked, size_t categories, size_t height,
                              enum cell_glyphs glyphs, const char *expected) {
    struct chart *chart = bar_chart(stacked, categories);
    char *text = drawn(chart, 40, height, glyphs);
    assert_string_equal(text, expected);
    free(text);
    chart_free(chart);
}

static void golden_bars(void **state) {
    (void)state;
    check_golden_bars(true, 3, 6, CELL_BRAILLE,
                      "energy               █Real ▓Fake ▒cross \n"
                      "0.fc1│▒▒▒█████████████▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓ \n"
                      "1.fc1│  │███████▓▓▓▓▓▓▓▓▓▓▓▓▓▒▒▒▒▒▒▒    \n"
                      "2.fc1│  │███████████████████████████    \n"
                      "     └──┴─────────────┴────────────┴────\n"
                      "        0            0.5           1    \n");
    check_golden_bars(true, 9, 6, CELL_ASCII,
                      "energy               *Real +Fake ocross \n"
                      "0.fc1|ooo*************+++++++++++++++++ \n"
                      "1.fc1|  |*******+++++++++++++ooooooo    \n"
                      "     |+7 more                           \n"
                      "     +--+-------------+------------+----\n"
                      "        0            0.5           1    \n");
    check_golden_bars(false, 2, 9, CELL_BRAILLE,
                      "energy               █Real ▓Fake ▒cross \n"
                      "0.fc1│    │███████████████████████      \n"
                      "     │    │▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓ \n"
                      "     │▒▒▒▒▒                             \n"
                      "1.fc1│    │███████████                  \n"
                      "     │    │▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓      \n"
                      "     │    │▒▒▒▒▒▒▒▒▒▒▒                  \n"
                      "     └────┴─────────┴────────┴────────┴─\n"
                      "          0        0.2      0.4      0.6\n");
}

/* Every row of the text is width characters of width 1. */
static void check_rows(const char *text, size_t width, size_t height) {
    size_t rows = 0;
    for (; *text != '\0'; rows++) {
        const char *end = strchr(text, '\n');
        char *row = memory_text(text, (size_t)(end - text));
        assert_int_equal(chart_text_width(row), width);
        free(row);
        text = end + 1;
    }
    assert_int_equal(rows, height);
}

static void rows_are_equally_wide(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {20, 5}, {21, 6}, {44, 12}, {60, 15}, {200, 60}};
    static const double factors[] = {0, 1e-10, 1, 1e10};
    for (size_t count = 0; count <= 12; count += 3)
        for (size_t f = 0; f < 4; f++)
            for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
                for (int glyphs = CELL_BRAILLE; glyphs <= CELL_ASCII; glyphs++) {
                    struct chart *chart = spectrum_chart(count, 1 + 20 * f, 1, factors[f]);
                    char *text = drawn(chart, sizes[s][0], sizes[s][1], (enum cell_glyphs)glyphs);
                    check_rows(text, sizes[s][0], sizes[s][1]);
                    assert_true(strstr(text, "\u2800") == NULL); /* blank braille: never */
                    free(text);
                    chart_free(chart);
                }
}

static void ascii_is_ascii(void **state) {
    (void)state;
    struct chart *chart = spectrum_chart(3, 500, 10, 1e-3);
    char *text = drawn(chart, 70, 20, CELL_ASCII);
    for (const char *c = text; *c != '\0'; c++)
        assert_true(*c == '\n' || (*c >= ' ' && *c < 0x7F));
    free(text);
    chart_free(chart);
}

static void zeros_are_said_in_words(void **state) {
    (void)state;
    struct chart *chart = spectrum_chart(2, 50, 10, 0);
    char *text = drawn(chart, 60, 15, CELL_BRAILLE);
    assert_non_null(strstr(text, "all values are zero"));
    free(text);
    chart_free(chart);
}

/* Cells of the selected curve left of the cut are strong, those right of it dim; the other curve
 * never is strong. */
static void the_tail_is_dim(void **state) {
    (void)state;
    enum { WIDTH = 80, HEIGHT = 20, LEFT = 6 };
    struct chart *chart = spectrum_chart(2, 100, 10, 1);
    struct cells *cells = cells_create(WIDTH, HEIGHT);
    size_t strong = 0, dim = 0, cut = LEFT + (WIDTH - LEFT) / 2; /* log10(10) of 1..100 */
    cells_draw_chart(cells, chart, CELL_BRAILLE);
    for (size_t row = 1; row < HEIGHT - 2; row++)
        for (size_t col = LEFT; col < WIDTH; col++) {
            const struct cell *cell = &cells->cell[row * WIDTH + col];
            if (cell->role != CELL_DATA)
                continue;
            if (cell->colour == CHART_SPECIALIST && col < cut) {
                assert_int_equal(cell->weight, CELL_STRONG);
                strong++;
            }
            if (col > cut) {
                assert_int_equal(cell->weight, CELL_DIM);
                dim++;
            }
        }
    assert_true(strong > 20 && dim > 20);
    cells_free(cells);
    chart_free(chart);
}

static void a_long_legend_gives_way(void **state) {
    (void)state;
    struct chart *chart = spectrum_chart(12, 50, 10, 1);
    char *text = drawn(chart, 50, 12, CELL_BRAILLE);
    assert_non_null(strstr(text, "s0 r=10"));
    assert_non_null(strstr(text, "+11"));
    free(text);
    chart_free(chart);
}

static size_t count_role(const struct cells *cells, size_t col, enum cell_role role) {
    size_t count = 0;
    for (size_t row = 1; row < cells->height - 2; row++)
        count += cells->cell[row * cells->width + col].role == role;
    return count;
}

/* Many indexes share the first column of a linear axis: the first value is seen all the same. */
static void a_bar_without_value_is_a_cross(void **state) {
    (void)state;
    struct chart *chart = bar_chart(false, 2);
    chart->bars.values[1] = NAN;
    char *text = drawn(chart, 40, 9, CELL_BRAILLE);
    assert_non_null(strstr(text, "0.fc1│    │███████████████████████      \n"
                                 "     │    ×                             \n"
                                 "     │▒▒▒▒▒                             \n"));
    free(text);
    chart_free(chart);
}

static void no_spike_is_lost(void **state) {
    (void)state;
    for (int glyphs = CELL_BRAILLE; glyphs <= CELL_ASCII; glyphs++) {
        struct chart *chart = spectrum_chart(1, 1000, 2000, 1);
        struct cells *cells = cells_create(60, 15);
        chart->x.scale = CHART_LINEAR;
        chart_fit(chart);
        cells_draw_chart(cells, chart, (enum cell_glyphs)glyphs);
        double top = 1 - chart_position(&chart->y, 1), end = 1 - chart_position(&chart->y, 0.05);
        assert_true(cells->cell[(1 + (size_t)(top * 12)) * 60 + 6].role == CELL_DATA);
        assert_true(count_role(cells, 6, CELL_DATA) > (size_t)((end - top) * 12) - 1);
        cells_free(cells);
        chart_free(chart);
    }
}

static void a_single_value_is_seen(void **state) {
    (void)state;
    struct chart *chart = spectrum_chart(1, 1, 5, 1);
    struct cells *cells = cells_create(60, 15);
    size_t count = 0;
    cells_draw_chart(cells, chart, CELL_BRAILLE);
    for (size_t col = 6; col < 60; col++)
        count += count_role(cells, col, CELL_DATA);
    assert_in_range(count, 1, 2);
    cells_free(cells);
    chart_free(chart);
}

static void small_canvases_leave_the_axes_out(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {10, 2}, {10, 4}, {19, 12}, {60, 4}};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        struct chart *chart = spectrum_chart(2, 100, 10, 1);
        struct cells *cells = cells_create(sizes[s][0], sizes[s][1]);
        size_t data = 0, axis = 0;
        cells_draw_chart(cells, chart, CELL_BRAILLE);
        for (size_t i = 0; i < cells->width * cells->height; i++) {
            data += cells->cell[i].role == CELL_DATA;
            axis += cells->cell[i].role == CELL_AXIS;
        }
        assert_true(data > 0);
        assert_int_equal(axis, 0);
        cells_free(cells);
        chart_free(chart);
    }
}

static void labels_of_close_lines_stand_side_by_side(void **state) {
    (void)state;
    struct chart *chart = spectrum_chart(1, 100, 10, 1);
    chart_add_line(chart, false, 0.1, "GD", CHART_NEUTRAL, true);
    chart_add_line(chart, false, 0.099, "MP", CHART_NEUTRAL, true);
    char *text = drawn(chart, 60, 15, CELL_BRAILLE);
    assert_non_null(strstr(text, "MP┈GD\n"));
    free(text);
    chart_free(chart);
}

/* The curve's last values lie far below the robust floor. */
static void clipped_curves_end_in_an_arrow(void **state) {
    (void)state;
    struct chart *chart = spectrum_chart(1, 1000, 2000, 1);
    char *text = drawn(chart, 60, 15, CELL_BRAILLE);
    assert_null(strstr(text, "↓"));
    free(text);
    for (size_t k = 990; k < 1000; k++)
        chart->curves[0].y[k] = 1e-12;
    chart_fit(chart);
    text = drawn(chart, 60, 15, CELL_BRAILLE);
    assert_non_null(strstr(text, "↓\n"));
    free(text);
    text = drawn(chart, 60, 15, CELL_ASCII);
    assert_non_null(strstr(text, "v\n"));
    free(text);
    chart_free(chart);
}

/* A label of the y axis has no label in the row above, whatever the limits. */
static void y_labels_keep_a_row_between(void **state) {
    (void)state;
    for (int scale = CHART_LINEAR; scale <= CHART_LOG; scale++)
        for (double span = 1.01; span < 1e12; span *= 3)
            for (size_t height = 5; height <= 40; height += 7) {
                struct chart *chart = spectrum_chart(1, 10, 5, 1);
                struct cells *cells = cells_create(50, height);
                chart->y.scale = (enum chart_scale)scale;
                chart->y.minimum = 0.37;
                chart->y.maximum = 0.37 * span;
                cells_draw_chart(cells, chart, CELL_ASCII);
                for (size_t row = 2; row < height - 2; row++)
                    assert_false(cells->cell[row * 50 + 4].glyph[0] != ' ' &&
                                 cells->cell[(row - 1) * 50 + 4].glyph[0] != ' ');
                cells_free(cells);
                chart_free(chart);
            }
}

static void names_cannot_break_the_rows(void **state) {
    (void)state;
    static const char *const names[] = {"a\nb\x1b[31mc", "\xff\xfe", "hält", "\342\200\256abc"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (int glyphs = CELL_BRAILLE; glyphs <= CELL_ASCII; glyphs++) {
            struct chart *chart = spectrum_chart(1, 100, 10, 1);
            free(chart->title);
            free(chart->curves[0].name);
            chart->title = memory_string(names[i]);
            chart->curves[0].name = memory_string(names[i]);
            char *text = drawn(chart, 60, 15, (enum cell_glyphs)glyphs);
            check_rows(text, 60, 15);
            assert_null(strchr(text, '\x1b'));
            assert_null(strstr(text, "\342\200\256"));
            if (glyphs == CELL_ASCII)
                assert_null(strstr(text, "ä"));
            free(text);
            chart_free(chart);
        }
}

static void a_long_name_leaves_room_for_the_title(void **state) {
    (void)state;
    struct chart *chart = spectrum_chart(3, 100, 10, 1);
    char name[201];
    memset(name, 'n', 200);
    name[200] = '\0';
    free(chart->curves[0].name);
    chart->curves[0].name = memory_string(name);
    char *text = drawn(chart, 60, 15, CELL_BRAILLE);
    assert_true(strncmp(text, "encode", 6) == 0);
    assert_non_null(strstr(text, "nnn…nnn"));
    assert_non_null(strstr(text, "+2 \n"));
    free(text);
    chart_free(chart);
}

static void bars_fill_their_share(void **state) {
    (void)state;
    static const double values[] = {-1, 0, 0.001, 0.5, 1, 2};
    static const size_t filled[] = {0, 0, 1, 10, 20, 20};
    for (size_t i = 0; i < 6; i++)
        for (int glyphs = CELL_BRAILLE; glyphs <= CELL_ASCII; glyphs += 2) {
            struct cells *cells = cells_create(30, 1);
            size_t count = 0;
            cells_draw_bar(cells, 0, 5, 20, values[i], CHART_REAL, (enum cell_glyphs)glyphs);
            for (size_t c = 0; c < 30; c++)
                count += cells->cell[c].role == CELL_DATA;
            assert_int_equal(count, filled[i]);
            cells_free(cells);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_ascii),
        cmocka_unit_test(golden_braille),
        cmocka_unit_test(golden_block),
        cmocka_unit_test(lines_are_broken_where_a_value_is_missing),
        cmocka_unit_test(rows_are_equally_wide),
        cmocka_unit_test(ascii_is_ascii),
        cmocka_unit_test(zeros_are_said_in_words),
        cmocka_unit_test(the_tail_is_dim),
        cmocka_unit_test(a_long_legend_gives_way),
        cmocka_unit_test(golden_bars),
        cmocka_unit_test(a_bar_without_value_is_a_cross),
        cmocka_unit_test(no_spike_is_lost),
        cmocka_unit_test(a_single_value_is_seen),
        cmocka_unit_test(small_canvases_leave_the_axes_out),
        cmocka_unit_test(labels_of_close_lines_stand_side_by_side),
        cmocka_unit_test(clipped_curves_end_in_an_arrow),
        cmocka_unit_test(y_labels_keep_a_row_between),
        cmocka_unit_test(names_cannot_break_the_rows),
        cmocka_unit_test(a_long_name_leaves_room_for_the_title),
        cmocka_unit_test(bars_fill_their_share),
    };
    return cmocka_run_group_tests_name("cells", tests, NULL, NULL);
}
