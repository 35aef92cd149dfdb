/* What the progress line says. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include "tui/command/progress_line.h"

static const char *shown(enum progress_unit unit, double done, double total, double elapsed) {
    static char text[200];
    progress_text(text, sizeof text, "work", unit, done, total, elapsed);
    return text;
}

static void test_amounts(void **state) {
    (void)state;
    assert_string_equal(shown(UNIT_BYTES, 1.2e9, 4.8e9, 0), "work  1.2 GB of 4.8 GB  25%");
    assert_string_equal(shown(UNIT_OPERATIONS, 3e6, 6e9, 0), "work  3.0 Mflop of 6.0 Gflop  0%");
    assert_string_equal(shown(UNIT_OPERATIONS, 30, 600, 0), "work  30 flop of 600 flop  5%");
    assert_string_equal(shown(UNIT_ITEMS, 7, 9, 0), "work  7 of 9  78%");
    assert_string_equal(shown(UNIT_ITEMS, 9, 9, 0), "work  9 of 9  100%");
}

static void test_rate_and_time_left(void **state) {
    (void)state;
    assert_string_equal(shown(UNIT_BYTES, 1e9, 4e9, 2),
                        "work  1.0 GB of 4.0 GB  25%  500 MB/s  0:06 left");
    assert_string_equal(shown(UNIT_ITEMS, 10, 1000, 10), "work  10 of 1000  1%  1/s  16:30 left");
}

/* Neither a rate that is only noise nor a division by nothing. */
static void test_nothing_is_known_yet(void **state) {
    (void)state;
    assert_string_equal(shown(UNIT_ITEMS, 0, 9, 5), "work  0 of 9  0%");
    assert_string_equal(shown(UNIT_ITEMS, 0, 0, 0), "work  0 of 0  0%");
    assert_string_equal(shown(UNIT_ITEMS, 5, 9, 0.01), "work  5 of 9  56%");
}

static void test_it_is_cut_to_the_room(void **state) {
    char text[12];
    (void)state;
    progress_text(text, sizeof text, "work", UNIT_BYTES, 1e9, 4e9, 2);
    assert_string_equal(text, "work  1.0 G");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amounts),
        cmocka_unit_test(test_rate_and_time_left),
        cmocka_unit_test(test_nothing_is_known_yet),
        cmocka_unit_test(test_it_is_cut_to_the_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
