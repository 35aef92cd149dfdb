/* SHA-256 against the examples of FIPS 180-2. */
#include "analysis/support/digest.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text, *sha256;
} rows[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

/* A million times "a". */
static const char million_sha256[] =
    "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void memory_has_the_known_digests(void **state) {
    (void)state;
    char sha256[SHA256_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        digest_memory(rows[i].text, strlen(rows[i].text), sha256);
        assert_string_equal(sha256, rows[i].sha256);
    }
}

static void files_have_the_same_digests(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    char sha256[SHA256_TEXT];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *path = scratch_write(&scratch, "file", rows[i].text, strlen(rows[i].text));
        assert_true(digest_file(path, sha256, &error));
        assert_string_equal(sha256, rows[i].sha256);
    }
    scratch_remove(&scratch);
}

static void long_files_are_read_to_the_end(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    enum { MILLION = 1000000, LONG = (1 << 20) * 2 + 7 };
    char sha256[SHA256_TEXT], expected[SHA256_TEXT];
    char *text = memory_array(LONG, 1);
    memset(text, 'a', LONG);
    assert_true(digest_file(scratch_write(&scratch, "million", text, MILLION), sha256, &error));
    assert_string_equal(sha256, million_sha256);
    text[LONG - 1] = 'b';
    assert_true(digest_file(scratch_write(&scratch, "long", text, LONG), sha256, &error));
    digest_memory(text, LONG, expected);
    assert_string_equal(sha256, expected);
    free(text);
    scratch_remove(&scratch);
}

static void a_file_that_cannot_be_read_is_an_error(void **state) {
    (void)state;
    struct error error = {0};
    char sha256[SHA256_TEXT];
    assert_false(digest_file("/nonexistent/\x1b", sha256, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_string_equal(error.message, "/nonexistent/\\x1b: No such file or directory");
    assert_false(digest_file("/tmp", sha256, &error));
    assert_string_equal(error.message, "/tmp: Is a directory");
    error_free(&error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_has_the_known_digests),
        cmocka_unit_test(files_have_the_same_digests),
        cmocka_unit_test(long_files_are_read_to_the_end),
        cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
    };
    return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
