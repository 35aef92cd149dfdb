/* UTF-8: every code point there and back, every other sequence refused. */
#include "analysis/support/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_code_point_survives(void **state) {
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        char text[4];
        uint32_t back = 0;
        size_t length = utf8_encode(code, text);
        size_t expected = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        assert_int_equal(length, expected);
        bool surrogate = code >= 0xD800 && code < 0xE000;
        assert_int_equal(utf8_decode(text, length, &back), surrogate ? 0 : length);
        assert_int_equal(back, code);
        assert_int_equal(utf8_decode(text, length - 1 + (length == 1), &back), length == 1);
    }
}

/* Of all sequences of three bytes, those are valid that the encoder makes. */
static void no_other_sequence_is_valid(void **state) {
    (void)state;
    for (uint32_t bytes = 0; bytes < 1 << 24; bytes++) {
        char text[3] = {(char)(bytes >> 16), (char)(bytes >> 8), (char)bytes}, again[4];
        uint32_t code;
        size_t length = utf8_decode(text, 3, &code);
        if (length > 0)
            assert_true(utf8_encode(code, again) == length && memcmp(again, text, length) == 0);
    }
}

static void the_first_bad_byte_is_found(void **state) {
    (void)state;
    char text[40];
    for (size_t bad = 0; bad < sizeof text; bad++) {
        memset(text, 'a', sizeof text);
        assert_int_equal(utf8_check(text, sizeof text), sizeof text);
        text[bad] = (char)0xC3; /* the first of two, without the second */
        assert_int_equal(utf8_check(text, sizeof text), bad);
    }
    assert_int_equal(utf8_check("", 0), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_point_survives),
        cmocka_unit_test(no_other_sequence_is_valid),
        cmocka_unit_test(the_first_bad_byte_is_found),
    };
    return cmocka_run_group_tests_name("utf8", tests, NULL, NULL);
}
