/* Layout: rectangles stay inside, never overlap and leave nothing useful too small, from 60x16 to
 * 500x200 and from 1 to 12 specialists. */
#include "tui/terminal/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    int width, height;
} sizes[] = {{60, 16}, {79, 24}, {80, 24}, {81, 24}, {100, 30}, {132, 43}, {200, 60}, {500, 200}};
enum { SIZES = sizeof sizes / sizeof *sizes };

static void assert_inside(struct rect rect, struct rect outer) {
    assert_true(rect.row >= outer.row && rect.col >= outer.col);
    assert_true(rect.row + rect.height <= outer.row + outer.height);
    assert_true(rect.col + rect.width <= outer.col + outer.width);
    assert_true(rect.height >= 0 && rect.width >= 0);
}

static bool overlap(struct rect one, struct rect other) {
    return one.row < other.row + other.height && other.row < one.row + one.height &&
           one.col < other.col + other.width && other.col < one.col + one.width;
}

static void frame_fills_the_screen(void **state) {
    (void)state;
    for (size_t i = 0; i < SIZES; i++) {
        struct frame_layout layout = layout_frame(sizes[i].width, sizes[i].height);
        assert_false(layout.too_small);
        assert_int_equal(layout.title.row, 0);
        assert_int_equal(layout.body.row, 1);
        assert_int_equal(layout.status.row, layout.body.row + layout.body.height);
        assert_int_equal(layout.footer.row, sizes[i].height - 1);
        assert_int_equal(layout.body.width, sizes[i].width);
    }
}

static void frame_says_when_it_is_too_small(void **state) {
    (void)state;
    assert_true(layout_frame(59, 16).too_small);
    assert_true(layout_frame(60, 15).too_small);
    assert_true(layout_frame(1, 1).too_small);
    assert_false(layout_frame(60, 16).too_small);
}

static void layers_never_overlap(void **state) {
    static const size_t specialists[] = {1, 2, 3, 8, 12, 64};
    (void)state;
    for (size_t i = 0; i < SIZES; i++)
        for (size_t n = 0; n < sizeof specialists / sizeof *specialists; n++) {
            struct rect body = layout_frame(sizes[i].width, sizes[i].height).body;
            struct layers_layout layout = layout_layers(body, specialists[n]);
            struct rect all[] = {layout.table, layout.spectrum, layout.bars, layout.values};
            for (size_t a = 0; a < 4; a++) {
                if (all[a].width == 0)
                    continue;
                assert_inside(all[a], body);
                for (size_t b = a + 1; b < 4; b++)
                    assert_false(all[b].width > 0 && overlap(all[a], all[b]));
            }
            assert_true(layout.table.height >= 4 && layout.table.width >= 37);
            assert_true(layout.spectrum.height >= 4 && layout.spectrum.width >= 40);
            assert_true(layout.bars.height >= 2);
        }
}

static void layers_stand_side_by_side_from_80_columns(void **state) {
    (void)state;
    struct layers_layout narrow = layout_layers(layout_frame(79, 24).body, 3);
    struct layers_layout wide = layout_layers(layout_frame(80, 24).body, 3);
    assert_int_equal(narrow.border_col, -1);
    assert_int_equal(narrow.border_row, narrow.table.row + narrow.table.height);
    assert_int_equal(wide.border_col, wide.table.width);
    assert_int_equal(wide.border_row, -1);
    assert_int_equal(wide.table.height, 21);
    assert_int_equal(wide.bars.height, 4); /* a header and three specialists */
    assert_int_equal(wide.spectrum.height + wide.bars.height, 21);
    assert_int_equal(wide.values.width, 0);
}

static void values_come_with_width(void **state) {
    (void)state;
    struct layers_layout layout = layout_layers(layout_frame(200, 60).body, 3);
    assert_true(layout.table.width <= 96);
    assert_true(layout.values.width > 0);
    assert_true(layout.spectrum.width >= 100 && layout.spectrum.height >= 36);
    assert_int_equal(layout.values.col + layout.values.width, 200);
}

static void pairs_stack_when_narrow(void **state) {
    struct rect body = {1, 0, 21, 60};
    (void)state;
    struct pair_layout stacked = layout_pair(body, 38);
    assert_int_equal(stacked.border_col, -1);
    assert_int_equal(stacked.list.width, 60);
    body.width = 80;
    struct pair_layout beside = layout_pair(body, 38);
    assert_int_equal(beside.list.width, 38);
    assert_int_equal(beside.border_col, 38);
    assert_int_equal(beside.detail.col + beside.detail.width, 80);
}

static const struct column columns[] = {{"name", 10, 0, 30, false, 0, 0},
                                        {"a", 4, 1, 0, true, 1, 0},
                                        {"b", 6, 3, 0, true, 2, 0},
                                        {"c", 5, 2, 0, true, 3, 0}};

static void columns_are_dropped_by_priority(void **state) {
    int widths[4];
    (void)state;
    layout_columns(columns, 4, 28, widths); /* exactly 10 + 4 + 6 + 5 and three gaps */
    assert_true(widths[0] == 10 && widths[1] == 4 && widths[2] == 6 && widths[3] == 5);
    layout_columns(columns, 4, 27, widths);
    assert_true(widths[2] == 0 && widths[3] == 5);
    layout_columns(columns, 4, 16, widths);
    assert_true(widths[1] == 4 && widths[2] == 0 && widths[3] == 0);
    layout_columns(columns, 4, 3, widths);
    assert_int_equal(widths[0], 10); /* never dropped; drawing cuts it */
}

static void a_column_takes_what_is_left(void **state) {
    int widths[4];
    (void)state;
    layout_columns(columns, 4, 40, widths);
    assert_int_equal(widths[0], 22);
    layout_columns(columns, 4, 400, widths);
    assert_int_equal(widths[0], 30);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_fills_the_screen),
        cmocka_unit_test(frame_says_when_it_is_too_small),
        cmocka_unit_test(layers_never_overlap),
        cmocka_unit_test(layers_stand_side_by_side_from_80_columns),
        cmocka_unit_test(values_come_with_width),
        cmocka_unit_test(pairs_stack_when_narrow),
        cmocka_unit_test(columns_are_dropped_by_priority),
        cmocka_unit_test(a_column_takes_what_is_left),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
