/* Errors are set, added to and handed on; names cannot drive a terminal. */
#include "analysis/support/error.h"
#include "analysis/support/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void set_replaces(void **state) {
    (void)state;
    struct error error = {0};
    assert_false(error_set(&error, ERROR_INPUT, "%s: %d", "first", 1));
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_string_equal(error.message, "first: 1");
    error_hint(&error, "try %d", 2);
    assert_string_equal(error.hint, "try 2");
    error_hint(&error, "try %d", 3);
    assert_string_equal(error.hint, "try 3");
    assert_false(error_set(&error, ERROR_USAGE, "not %s", error.message)); /* quotes the old one */
    assert_int_equal(error.kind, ERROR_USAGE);
    assert_string_equal(error.message, "not first: 1");
    assert_null(error.hint);
    error_free(&error);
    assert_int_equal(error.kind, ERROR_NONE);
    assert_null(error.message);
    error_free(&error);
}

static void add_lists_problems_and_keeps_the_first_kind(void **state) {
    (void)state;
    struct error error = {0};
    assert_false(error_add(&error, ERROR_USAGE, "one"));
    assert_int_equal(error.kind, ERROR_USAGE);
    assert_string_equal(error.message, "one");
    assert_false(error_add(&error, ERROR_INPUT, "two %s", "more"));
    assert_int_equal(error.kind, ERROR_USAGE);
    assert_string_equal(error.message, "one\ntwo more");
    error_free(&error);
}

static void move_empties_the_source(void **state) {
    (void)state;
    struct error target = {0}, source = {0};
    error_set(&target, ERROR_INPUT, "old");
    error_set(&source, ERROR_CANCELLED, "new");
    error_hint(&source, "hint");
    assert_false(error_move(&target, &source));
    assert_int_equal(target.kind, ERROR_CANCELLED);
    assert_string_equal(target.message, "new");
    assert_string_equal(target.hint, "hint");
    assert_int_equal(source.kind, ERROR_NONE);
    assert_null(source.message);
    assert_null(source.hint);
    error_free(&target);
}

static const struct {
    const char *name;
    size_t length;
    const char *quoted;
} rows[] = {
#define QUOTE(name, quoted)                                                                        \
    { name, sizeof name - 1, quoted }
    QUOTE("", ""),
    QUOTE("blocks.3.attn.qkv.weight", "blocks.3.attn.qkv.weight"),
    QUOTE("a b\\c\"d'", "a b\\c\"d'"),
    QUOTE("\xc3\xa4 \xe5\xb1\xa4 \xf0\x9f\x98\x80", "\xc3\xa4 \xe5\xb1\xa4 \xf0\x9f\x98\x80"),
    QUOTE("a\0b", "a\\x00b"),
    QUOTE("\x1b[31m\r\n\t\x7f", "\\x1b[31m\\x0d\\x0a\\x09\\x7f"),
    QUOTE("\xc2\x9b"
          "31m",
          "\\u{9b}31m"), /* CSI in one character */
    QUOTE("a\xe2\x80\xae"
          "b",
          "a\\u{202e}b"), /* right-to-left override */
    QUOTE("a\xe2\x80\x8b"
          "b",
          "a\\u{200b}b"), /* zero width space */
    QUOTE("a\xe2\x81\xa6"
          "b",
          "a\\u{2066}b"),               /* isolate */
    QUOTE("\xef\xbb\xbf", "\\u{feff}"), /* byte order mark */
    QUOTE("\xff\xfe", "\\xff\\xfe"),
    QUOTE("\xc0\xaf", "\\xc0\\xaf"), /* overlong / */
    QUOTE("\xe0\x80\xaf", "\\xe0\\x80\\xaf"),
    QUOTE("\xed\xa0\x80", "\\xed\\xa0\\x80"),          /* surrogate */
    QUOTE("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"), /* above U+10FFFF */
    QUOTE("\xe5\xb1", "\\xe5\\xb1"),                   /* cut */
    QUOTE("\xe5x", "\\xe5x"),
    QUOTE("\x80", "\\x80"),
};

static void quoted_names_are_harmless(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *quoted = error_quote(rows[i].name, rows[i].length);
        assert_string_equal(quoted, rows[i].quoted);
        free(quoted);
    }
}

/* Whatever the bytes, the result is printable, valid UTF-8. */
static void any_bytes_can_be_quoted(void **state) {
    (void)state;
    uint32_t random = 1;
    for (int round = 0; round < 20000; round++) {
        char name[12];
        for (size_t i = 0; i < sizeof name; i++) {
            random = random * 1664525 + 1013904223;
            name[i] = (char)(random >> 24);
        }
        char *quoted = error_quote(name, sizeof name);
        size_t length = strlen(quoted);
        assert_int_equal(utf8_check(quoted, length), length);
        for (size_t i = 0; i < length; i++)
            assert_true((unsigned char)quoted[i] >= 0x20 && quoted[i] != 0x7F);
        free(quoted);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_replaces),
        cmocka_unit_test(add_lists_problems_and_keeps_the_first_kind),
        cmocka_unit_test(move_empties_the_source),
        cmocka_unit_test(quoted_names_are_harmless),
        cmocka_unit_test(any_bytes_can_be_quoted),
    };
    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
