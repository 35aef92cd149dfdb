/* Output files: complete under their name, or not there at all. */
#include "analysis/support/atomic_file.h"
#include "tests/scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_content(const char *path, const char *expected) {
    size_t length;
    unsigned char *bytes = scratch_read(path, &length);
    assert_non_null(bytes);
    assert_int_equal(length, strlen(expected));
    assert_string_equal(bytes, expected);
    free(bytes);
}

static void assert_message(struct error *error, const char *expected) {
    assert_int_equal(error->kind, ERROR_INPUT);
    if (strstr(error->message, expected) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", expected, error->message);
    error_free(error);
}

static mode_t mode_of(const char *path) {
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    return status.st_mode & 0777;
}

static void the_file_appears_at_commit(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct atomic_file file;
    char *path = scratch_path(&scratch, "out");
    assert_true(atomic_file_begin(&file, path, false, &error));
    assert_memory_equal(file.temporary, path, strlen(path));
    assert_string_equal(file.temporary + strlen(path) + 7, ".r2m-part");
    assert_true(atomic_file_put(&file, "world", 5, 6, &error));
    assert_true(atomic_file_put(&file, "hello ", 6, 0, &error));
    assert_int_equal(access(path, F_OK), -1);
    assert_true(atomic_file_commit(&file, &error));
    assert_content(path, "hello world");
    assert_int_equal(scratch_count(&scratch), 1);
    atomic_file_cancel(&file); /* released already: nothing happens */
    assert_content(path, "hello world");
    scratch_remove(&scratch);
}

static void cancel_leaves_nothing(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct atomic_file file, zeroed = {0};
    assert_true(atomic_file_begin(&file, scratch_path(&scratch, "out"), false, &error));
    assert_int_equal(scratch_count(&scratch), 1);
    atomic_file_cancel(&file);
    assert_int_equal(scratch_count(&scratch), 0);
    atomic_file_cancel(&file);
    atomic_file_cancel(&zeroed); /* and descriptor 0 is not closed */
    assert_true(fcntl(0, F_GETFD) >= 0 || errno == EBADF);
    scratch_remove(&scratch);
}

static void replacing_needs_permission(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    char *path = scratch_write(&scratch, "out", "old", 3);
    assert_false(atomic_file_write(path, "new", 3, false, &error));
    assert_non_null(error.hint);
    assert_message(&error, "the file exists");
    assert_content(path, "old");
    assert_true(atomic_file_write(path, "new", 3, true, &error));
    assert_content(path, "new");
    assert_int_equal(scratch_count(&scratch), 1);
    scratch_remove(&scratch);
}

static void a_file_that_appears_meanwhile_stays(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct atomic_file file;
    char *path = scratch_path(&scratch, "out");
    assert_true(atomic_file_begin(&file, path, false, &error));
    scratch_write(&scratch, "out", "mine", 4);
    assert_false(atomic_file_commit(&file, &error));
    assert_message(&error, "the file exists");
    assert_content(path, "mine");
    assert_int_equal(scratch_count(&scratch), 1);
    scratch_remove(&scratch);
}

static void permissions_follow_the_umask_or_the_old_file(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    mode_t mask = umask(027);
    char *path = scratch_path(&scratch, "out");
    assert_true(atomic_file_write(path, "x", 1, false, &error));
    assert_int_equal(mode_of(path), 0640);
    assert_int_equal(chmod(path, 0600), 0);
    assert_true(atomic_file_write(path, "y", 1, true, &error));
    assert_int_equal(mode_of(path), 0600);
    umask(mask);
    scratch_remove(&scratch);
}

static void a_link_stays_and_its_target_is_replaced(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct stat status;
    char *target = scratch_write(&scratch, "target", "old", 3);
    char *path = scratch_path(&scratch, "link");
    assert_int_equal(symlink("target", path), 0);
    assert_true(atomic_file_write(path, "new", 3, true, &error));
    assert_int_equal(lstat(path, &status), 0);
    assert_true(S_ISLNK(status.st_mode));
    assert_content(target, "new");
    assert_int_equal(scratch_count(&scratch), 2);
    scratch_remove(&scratch);
}

static void bad_paths_are_named(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct atomic_file file;
    static const struct {
        const char *name, *message;
    } rows[] = {
        {"", "is not the name of a file"},         {"folder", "is a folder"},
        {"folder/", "is not the name of a file"},  {"none/out", "No such file or directory"},
        {"file/out", "is not a folder"},           {"null", "is not a regular file"},
        {"astray", "is a link that leads nowhere"}};
    assert_int_equal(mkdir(scratch_path(&scratch, "folder"), 0700), 0);
    assert_int_equal(symlink("/dev/null", scratch_path(&scratch, "null")), 0);
    assert_int_equal(symlink("nothing", scratch_path(&scratch, "astray")), 0);
    scratch_write(&scratch, "file", "x", 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_false(atomic_file_begin(&file, scratch_path(&scratch, rows[i].name), true, &error));
        assert_message(&error, rows[i].message);
        atomic_file_cancel(&file);
    }
    char name[300];
    memset(name, 'n', sizeof name);
    name[sizeof name - 1] = '\0';
    assert_false(atomic_file_begin(&file, scratch_path(&scratch, name), true, &error));
    assert_message(&error, "File name too long");
    assert_false(atomic_file_begin(&file, "", true, &error));
    assert_message(&error, "is not the name of a file");
    assert_int_equal(scratch_count(&scratch), 4);
    scratch_remove(&scratch);
}

static void a_name_without_a_folder_is_in_this_one(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    char *before = getcwd(NULL, 0);
    assert_int_equal(chdir(scratch.folder), 0);
    assert_true(atomic_file_write("out", "x", 1, false, &error));
    assert_int_equal(chdir(before), 0);
    assert_content(scratch_path(&scratch, "out"), "x");
    free(before);
    scratch_remove(&scratch);
}

static void reserve_sets_the_size(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct atomic_file file;
    struct stat status;
    assert_true(atomic_file_begin(&file, scratch_path(&scratch, "out"), false, &error));
    assert_true(atomic_file_reserve(&file, 100000, &error));
    assert_int_equal(fstat(file.descriptor, &status), 0);
    assert_int_equal(status.st_size, 100000);
    assert_true(status.st_blocks * 512 >= 100000);
    assert_false(atomic_file_reserve(&file, UINT64_MAX, &error));
    assert_message(&error, "18446744073709551615 bytes are needed, ");
    atomic_file_cancel(&file);
    scratch_remove(&scratch);
}

/* With SIGXFSZ at its default the process would end. */
static void a_limit_on_file_sizes_is_an_error(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct rlimit before;
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit limit = {1000, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    char data[1001] = "";
    assert_true(atomic_file_write(scratch_path(&scratch, "fits"), data, 1000, false, &error));
    assert_false(atomic_file_write(scratch_path(&scratch, "more"), data, 1001, false, &error));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_message(&error, "(ulimit -f): 1001 bytes are needed, 1000 are free");
    assert_int_equal(scratch_count(&scratch), 1);
    scratch_remove(&scratch);
}

static void a_failed_write_is_reported(void **state) {
    (void)state;
    struct error error = {0};
    struct atomic_file full = {.descriptor = open("/dev/full", O_WRONLY), .path = "out"};
    assert_false(atomic_file_put(&full, "x", 1, 0, &error));
    assert_message(&error, "out: No space left on device");
    close(full.descriptor);
}

/* The source is to blame, not the output. */
static void a_source_that_was_cut_is_named(void **state) {
    (void)state;
    enum { BYTES = 1 << 16 };
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct atomic_file file;
    static const char zeros[BYTES];
    char *source = scratch_write(&scratch, "source", zeros, BYTES);
    int descriptor = open(source, O_RDONLY);
    void *data = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, descriptor, 0);
    assert_ptr_not_equal(data, MAP_FAILED);
    assert_int_equal(truncate(source, 0), 0);
    assert_true(atomic_file_begin(&file, scratch_path(&scratch, "out"), false, &error));
    assert_false(atomic_file_put(&file, data, BYTES, 0, &error));
    assert_message(&error, "/source: became shorter");
    atomic_file_cancel(&file);
    munmap(data, BYTES);
    close(descriptor);
    scratch_remove(&scratch);
}

/* Begun by one, left, gone on with by another, joined by a third. */
static void a_lasting_file_is_gone_on_with(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct atomic_file file, joined;
    char *path = scratch_path(&scratch, "out"), *lasting = atomic_file_lasting(path), bytes[5];
    assert_false(atomic_file_join(&joined, path, false, &error));
    error_free(&error);
    assert_int_equal(scratch_count(&scratch), 0);
    assert_true(atomic_file_continue(&file, path, false, &error));
    assert_string_equal(file.temporary, lasting);
    assert_true(atomic_file_reserve(&file, 11, &error));
    assert_true(atomic_file_put(&file, "world", 5, 6, &error));
    atomic_file_leave(&file);
    assert_int_equal(scratch_count(&scratch), 1);
    assert_true(atomic_file_continue(&file, path, false, &error));
    assert_true(atomic_file_reserve(&file, 11, &error));
    assert_true(atomic_file_get(&file, bytes, 5, 6));
    assert_memory_equal(bytes, "world", 5);
    assert_false(atomic_file_get(&file, bytes, 5, 7));
    assert_true(atomic_file_join(&joined, path, false, &error));
    assert_true(atomic_file_put(&joined, "hello ", 6, 0, &error));
    assert_true(atomic_file_sync(&joined, &error));
    atomic_file_leave(&joined);
    assert_true(atomic_file_commit(&file, &error));
    assert_content(path, "hello world");
    assert_int_equal(scratch_count(&scratch), 1);
    free(lasting);
    scratch_remove(&scratch);
}

/* The lasting name is known beforehand: a link that waits there leads nowhere. */
static void a_link_in_its_place_is_refused(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct atomic_file file;
    char *path = scratch_path(&scratch, "out"), *victim = scratch_path(&scratch, "victim");
    assert_int_equal(symlink(victim, scratch_path(&scratch, "out.r2m-part")), 0);
    assert_false(atomic_file_continue(&file, path, false, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_int_equal(access(victim, F_OK), -1);
    error_free(&error);
    scratch_remove(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_file_appears_at_commit),
        cmocka_unit_test(cancel_leaves_nothing),
        cmocka_unit_test(replacing_needs_permission),
        cmocka_unit_test(a_file_that_appears_meanwhile_stays),
        cmocka_unit_test(permissions_follow_the_umask_or_the_old_file),
        cmocka_unit_test(a_link_stays_and_its_target_is_replaced),
        cmocka_unit_test(bad_paths_are_named),
        cmocka_unit_test(a_name_without_a_folder_is_in_this_one),
        cmocka_unit_test(reserve_sets_the_size),
        cmocka_unit_test(a_limit_on_file_sizes_is_an_error),
        cmocka_unit_test(a_failed_write_is_reported),
        cmocka_unit_test(a_source_that_was_cut_is_named),
        cmocka_unit_test(a_lasting_file_is_gone_on_with),
        cmocka_unit_test(a_link_in_its_place_is_refused),
    };
    return cmocka_run_group_tests_name("atomic_file", tests, NULL, NULL);
}
