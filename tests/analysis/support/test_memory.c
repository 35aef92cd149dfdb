/* Small allocations, lists of strings, the arena; and the end when there is no memory. */
#include "analysis/support/arena.h"
#include "analysis/support/memory.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void arrays_are_zeroed_and_grow(void **state) {
    (void)state;
    int *array = memory_array(100, sizeof *array);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(array[i], 0);
    array[99] = 7;
    array = memory_resize(array, 10000, sizeof *array);
    assert_int_equal(array[99], 7);
    array[9999] = 1;
    free(array);
    void *empty = memory_array(0, 8);
    assert_non_null(empty);
    empty = memory_resize(empty, 0, 8);
    assert_non_null(empty);
    free(empty);
}

static void texts_are_copied(void **state) {
    (void)state;
    char source[] = "abc\0def";
    char *copy = memory_string(source), *piece = memory_text(source + 1, 5);
    char *formatted = memory_format("%s-%03d", source, 7);
    source[0] = 'x';
    assert_string_equal(copy, "abc");
    assert_memory_equal(piece, "bc\0de\0", 6);
    assert_string_equal(formatted, "abc-007");
    assert_null(memory_string(NULL));
    free(copy);
    free(piece);
    free(formatted);
}

static void a_list_owns_its_strings(void **state) {
    (void)state;
    struct string_list list = {0}, copy, empty;
    char text[8];
    for (int i = 0; i < 100; i++) {
        sprintf(text, "%d", i);
        string_list_add(&list, text);
    }
    string_list_copy(&copy, &list);
    assert_int_equal(list.count, 100);
    assert_string_equal(list.items[42], "42");
    string_list_free(&list);
    assert_int_equal(list.count, 0);
    assert_null(list.items);
    assert_int_equal(copy.count, 100);
    assert_string_equal(copy.items[99], "99");
    string_list_copy(&empty, &list);
    assert_int_equal(empty.count, 0);
    string_list_free(&copy);
    string_list_free(&empty);
    string_list_free(&empty);
}

/* The parent's memory_exhausted aborts: see tests/support.c. */
static void assert_exhausted(void (*take)(void)) {
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        if (freopen("/dev/null", "w", stderr) != NULL)
            take();
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

static void take_overflowing_array(void) {
    free(memory_array(SIZE_MAX / 2, 3));
}

static void take_overflowing_resize(void) {
    free(memory_resize(NULL, SIZE_MAX / 8 + 1, 8));
}

static void an_overflowing_size_never_returns(void **state) {
    (void)state;
    assert_exhausted(take_overflowing_array);
    assert_exhausted(take_overflowing_resize);
}

/* Pieces of many sizes, small and above a block: apart, aligned, unmoved. */
static void arena_pieces_stay_where_they_are(void **state) {
    (void)state;
    enum { PIECES = 3000 };
    struct arena arena = {0};
    unsigned char *pieces[PIECES];
    size_t sizes[PIECES];
    for (size_t i = 0; i < PIECES; i++) {
        sizes[i] = i % 500 == 499 ? 100000 + i : i % 71;
        pieces[i] = arena_take(&arena, sizes[i]);
        assert_int_equal((uintptr_t)pieces[i] % 8, 0);
        memset(pieces[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t k = 0; k < sizes[i]; k++)
            assert_int_equal(pieces[i][k], i % 251);
    arena_free(&arena);
    assert_null(arena.blocks);
    arena_free(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_are_zeroed_and_grow),
        cmocka_unit_test(texts_are_copied),
        cmocka_unit_test(a_list_owns_its_strings),
        cmocka_unit_test(an_overflowing_size_never_returns),
        cmocka_unit_test(arena_pieces_stay_where_they_are),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
