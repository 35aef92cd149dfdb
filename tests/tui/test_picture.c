/* What terminals answer when they are asked for pictures, as they answer it. */
#include "tui/terminal/picture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_kitty_says_ok(void **state) {
    (void)state;
    assert_true(picture_answer_kitty("i=31;OK"));
    assert_false(picture_answer_kitty("i=31;EINVAL:unsupported"));
    assert_false(picture_answer_kitty("i=310;OKAY"));
    assert_false(picture_answer_kitty("i=31"));
    assert_false(picture_answer_kitty(";OK"));
    assert_false(picture_answer_kitty(""));
}

/* The first number is the terminal's kind, not something it can. */
static void test_sixel_is_a_four_after_the_kind(void **state) {
    (void)state;
    assert_true(picture_answer_sixel("62;4;22"));      /* foot, mlterm */
    assert_true(picture_answer_sixel("63;1;2;4"));     /* xterm -ti vt340 */
    assert_false(picture_answer_sixel("62;22;52"));    /* kitty */
    assert_false(picture_answer_sixel("1;2"));         /* tmux */
    assert_false(picture_answer_sixel("4;6"));         /* VT132 */
    assert_false(picture_answer_sixel("62;14;24;44")); /* fours in other numbers */
    assert_false(picture_answer_sixel(""));
    assert_false(picture_answer_sixel(";;"));
}

static void test_sixels_are_framed(void **state) {
    (void)state;
    unsigned char pixels[12 * 6 * 3];
    memset(pixels, 255, sizeof pixels);
    struct error error = {0};
    size_t length = 0;
    char *bytes = picture_sixel(pixels, 12, 6, &length, &error);
    assert_non_null(bytes);
    assert_true(length > 6);
    assert_memory_equal(bytes, "\033P", 2);
    assert_memory_equal(bytes + length - 2, "\033\\", 2);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kitty_says_ok),
        cmocka_unit_test(test_sixel_is_a_four_after_the_kind),
        cmocka_unit_test(test_sixels_are_framed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
