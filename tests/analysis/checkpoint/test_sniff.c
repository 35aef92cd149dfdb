/* What is not a checkpoint is refused by what it is; what is one is accepted whatever its name. */
#include "analysis/checkpoint/checkpoint.h"
#include "tests/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TORCH "tests/fixtures/torch/02_state_dict.pth"
#define OFFICIAL "tests/fixtures/official_all_dtypes.safetensors"

static void assert_refused(const char *path, const char *message) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    assert_false(checkpoint_open(path, &checkpoint, &error));
    assert_null(checkpoint);
    assert_int_equal(error.kind, ERROR_INPUT);
    if (strstr(error.message, message) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", message, error.message);
    error_free(&error);
}

static const struct {
    const char *name;
    const char *content;
    size_t length;
    const char *message;
} foreign[] = {
#define FOREIGN(name, content, message)                                                            \
    { name, content, sizeof content - 1, message }
    FOREIGN("lfs.safetensors", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
            "Git LFS pointer"),
    FOREIGN("page.safetensors", "<!DOCTYPE html>\n<html></html>\n", "web page"),
    FOREIGN("gzip.pth", "\x1f\x8b\x08\0\0\0\0\0\0\x03 compressed", "gzip"),
    FOREIGN("model.gguf", "GGUF\3\0\0\0\0\0\0\0", "GGUF"),
    FOREIGN("model.h5", "\x89HDF\r\n\x1a\n", "HDF5"),
    FOREIGN("pickle0.pth", "\x80\x00}.", "bare pickle"),
    FOREIGN("pickle2.pth", "\x80\x02}q\0.", "bare pickle"),
    FOREIGN("pickle4.pth", "\x80\x04\x95\x02\0\0\0\0\0\0\0}.", "bare pickle"),
    FOREIGN("pickle5.safetensors", "\x80\x05}.", "bare pickle"),
    FOREIGN("old.pth", "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e\x80\x02M",
            "protocol version: needs more bytes than are left"),
    FOREIGN("new.pth", "PK\3\4\0\0\0\0\x08\x08\0\0", "zip archive: cut short"),
    FOREIGN("zeros.safetensors", "\0\0\0\0\0\0\0\0\0\0\0\0", "zeros"),
    FOREIGN("notes.txt", "Weights are at the usual place.\n", "not a checkpoint of a known format"),
    FOREIGN("short", "x", "not a checkpoint of a known format"),
};

/* F_*: what a download may be instead. */
static void other_files_are_named(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        char *path =
            scratch_write(&scratch, foreign[i].name, foreign[i].content, foreign[i].length);
        assert_refused(path, foreign[i].message);
    }
    char tar[600] = "folder/file";
    memcpy(tar + 257, "ustar", 5);
    assert_refused(scratch_write(&scratch, "model.pth", tar, sizeof tar), "tar archive");
    scratch_remove(&scratch);
}

/* Headers whose length begins like a web page, a pickle, gzip: they are safetensors. */
static void a_length_may_look_like_another_format(void **state) {
    (void)state;
    static const uint64_t lengths[] = {'<', 0x0280, 0x0480, 0x088B1F};
    struct scratch scratch = scratch_make();
    struct error error = {0};
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct checkpoint *checkpoint;
        size_t length = (size_t)lengths[i];
        char *file = memory_array(8 + length, 1);
        memset(file, ' ', 8 + length);
        memcpy(file, &lengths[i], 8);
        memcpy(file + 8, "{}", 2);
        char *path = scratch_write(&scratch, "looks.pth", file, 8 + length);
        if (!checkpoint_open(path, &checkpoint, &error))
            fail_msg("%s", error.message);
        checkpoint_close(checkpoint);
        assert_refused(scratch_write(&scratch, "cut", file, 7 + length), "truncated");
        free(file);
    }
    scratch_remove(&scratch);
}

/* F_st_named, F_pth_named */
static void the_content_decides_not_the_name(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    size_t length;
    unsigned char *bytes = scratch_read(OFFICIAL, &length);
    char *path = scratch_write(&scratch, "model.PTH", bytes, length);
    assert_true(checkpoint_open(path, &checkpoint, &error));
    assert_int_equal(checkpoint_warnings(checkpoint)->count, 1);
    assert_string_equal(checkpoint_warnings(checkpoint)->items[0],
                        "the name ends in .pth, the content is safetensors");
    checkpoint_close(checkpoint);
    path = scratch_write(&scratch, "blob", bytes, length);
    assert_true(checkpoint_open(path, &checkpoint, &error));
    assert_int_equal(checkpoint_warnings(checkpoint)->count, 0);
    checkpoint_close(checkpoint);
    free(bytes);
    bytes = scratch_read(TORCH, &length);
    path = scratch_write(&scratch, "model.safetensors", bytes, length);
    assert_true(checkpoint_open(path, &checkpoint, &error));
    assert_string_equal(checkpoint_format(checkpoint), "torch");
    assert_string_equal(checkpoint_warnings(checkpoint)->items[0],
                        "the name ends in .safetensors, the content is torch");
    checkpoint_close(checkpoint);
    free(bytes);
    scratch_remove(&scratch);
}

/* O1 */
static void only_regular_files_are_opened(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    char *fifo = scratch_path(&scratch, "pipe.safetensors");
    assert_int_equal(mkfifo(fifo, 0600), 0);
    assert_refused(fifo, "is not a regular file"); /* and does not wait for a writer */
    assert_refused("/dev/zero", "is not a regular file");
    assert_refused(scratch.folder, "is a folder");
    assert_refused(scratch_path(&scratch, "missing"), "No such file");
    assert_refused(scratch_write(&scratch, "empty", "", 0), "the file is empty");
    scratch_remove(&scratch);
}

static void links_are_followed(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    char *target = realpath(OFFICIAL, NULL);
    char *path = scratch_path(&scratch, "link.safetensors");
    assert_int_equal(symlink(target, path), 0);
    assert_true(checkpoint_open(path, &checkpoint, &error));
    assert_string_equal(checkpoint_path(checkpoint), path);
    checkpoint_close(checkpoint);
    char *loop = scratch_path(&scratch, "loop");
    assert_int_equal(symlink("loop", loop), 0);
    assert_refused(loop, "Too many levels");
    free(target);
    scratch_remove(&scratch);
}

/* True when path can have that size and a process may map so much (under valgrind it may not). */
static bool make_sparse(const char *path, off_t size) {
    if (truncate(path, size) != 0)
        return false;
    void *room =
        mmap(NULL, (size_t)size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (room == MAP_FAILED)
        return false;
    munmap(room, (size_t)size);
    return true;
}

/* O6, O11: a file of 8 TB (or as much as is possible) that holds nothing costs nothing. */
_Static_assert(sizeof(off_t) == 8, "offsets in files have 64 bits");

static void a_huge_sparse_file_is_refused_at_once(void **state) {
    (void)state;
    static const char header[] = "\x02\0\0\0\0\0\0\0{}";
    struct scratch scratch = scratch_make();
    char *empty = scratch_write(&scratch, "huge.safetensors", "", 0);
    off_t size = (off_t)8 << 40;
    while (!make_sparse(empty, size))
        size /= 2;
    assert_true(size >= 1 << 30);
    assert_refused(empty, "zeros");
    char *path = scratch_write(&scratch, "tail.safetensors", header, sizeof header - 1);
    assert_int_equal(truncate(path, size), 0);
    assert_refused(path, "bytes follow the last tensor");
    scratch_remove(&scratch);
}

/* O5 */
static void unreadable_files_and_odd_paths_are_reported(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    char *secret = scratch_write(&scratch, "secret", "x", 1);
    assert_int_equal(chmod(secret, 0), 0);
    if (geteuid() != 0)
        assert_refused(secret, "Permission denied");
    assert_refused("/nonexistent/\x1b[31m", "/nonexistent/\\x1b[31m: No such file");
    assert_refused("", "No such file");
    scratch_remove(&scratch);
}

/* Ten thousand shards must not need ten thousand descriptors. */
static void an_open_checkpoint_holds_no_descriptor(void **state) {
    (void)state;
    struct error error = {0};
    struct checkpoint *checkpoint;
    int before = dup(0);
    close(before);
    assert_true(checkpoint_open(OFFICIAL, &checkpoint, &error));
    int after = dup(0);
    close(after);
    assert_int_equal(before, after);
    checkpoint_close(checkpoint);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_files_are_named),
        cmocka_unit_test(a_length_may_look_like_another_format),
        cmocka_unit_test(the_content_decides_not_the_name),
        cmocka_unit_test(only_regular_files_are_opened),
        cmocka_unit_test(links_are_followed),
        cmocka_unit_test(a_huge_sparse_file_is_refused_at_once),
        cmocka_unit_test(unreadable_files_and_odd_paths_are_reported),
        cmocka_unit_test(an_open_checkpoint_holds_no_descriptor),
    };
    return cmocka_run_group_tests_name("sniff", tests, NULL, NULL);
}
