/* The writer: what was put is what is read, from many threads; and whatever goes wrong, nothing
 * is left behind. */
#include "analysis/checkpoint/checkpoint.h"
#include "analysis/checkpoint/writer.h"
#include "analysis/support/pool.h"
#include "tests/scratch.h"

#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const uint64_t square[2] = {100, 100};

#define SPEC(name, dtype, rank, shape)                                                             \
    { name, sizeof name - 1, dtype, rank, shape }

static const struct tensor_spec specs[] = {
    SPEC("small", DTYPE_BF16, 1, square),
    SPEC("a\0b\"\x01", DTYPE_F32, 2, square),
    SPEC("a", DTYPE_F32, 2, square),
    SPEC("scalar", DTYPE_I64, 0, NULL),
};

enum { SPECS = sizeof specs / sizeof specs[0], LARGEST = 40000 };

/* Bytes for tensor index. */
static void fill(unsigned char data[LARGEST], size_t index) {
    for (size_t i = 0; i < LARGEST; i++)
        data[i] = (unsigned char)(i * (2 * index + 3) >> 3);
}

static struct writer *begin(const char *path, bool overwrite) {
    struct error error = {0};
    struct writer *writer;
    static const struct metadata_entry metadata[] = {{"r2m", "{\"alpha\":0.6}"}, {"format", "pt"}};
    if (!writer_begin(
            path,
            &(struct writer_content){
                .specs = specs, .count = SPECS, .metadata = metadata, .metadata_count = 2},
            overwrite, &writer, &error))
        fail_msg("%s", error.message);
    return writer;
}

static void put_one(void *context, size_t index) {
    struct error error = {0};
    unsigned char data[LARGEST];
    fill(data, index);
    if (!writer_put(context, index, data, &error))
        abort();
}

static void put_all(struct writer *writer) {
    for (size_t i = 0; i < SPECS; i++)
        put_one(writer, i);
}

static void check_content(const char *path) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    unsigned char data[LARGEST];
    assert_true(checkpoint_open(path, &checkpoint, &error));
    assert_int_equal(checkpoint_count(checkpoint), SPECS);
    assert_string_equal(checkpoint_metadata(checkpoint, "r2m"), "{\"alpha\":0.6}");
    for (size_t i = 0; i < SPECS; i++) {
        const struct tensor *tensor =
            checkpoint_find(checkpoint, specs[i].name, specs[i].name_length);
        assert_non_null(tensor);
        assert_int_equal(tensor->dtype, specs[i].dtype);
        assert_int_equal(tensor->rank, specs[i].rank);
        fill(data, i);
        assert_memory_equal(tensor->data, data, tensor->bytes);
    }
    checkpoint_close(checkpoint);
}

static void what_is_put_is_what_is_read(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    char sha256[SHA256_TEXT], again[SHA256_TEXT];
    char *path = scratch_path(&scratch, "out.safetensors");
    struct writer *writer = begin(path, false);
    uint64_t expected = writer_file_bytes(writer);
    put_all(writer);
    assert_int_equal(access(path, F_OK), -1);
    assert_true(writer_commit(writer, sha256, &error));
    check_content(path);
    size_t length;
    unsigned char *bytes = scratch_read(path, &length);
    assert_int_equal(length, expected);
    digest_memory(bytes, length, again);
    assert_string_equal(sha256, again);
    /* "format" sorts before "r2m"; f32 before bf16, so "a" comes first. */
    static const char start[] =
        "{\"__metadata__\":{\"format\":\"pt\",\"r2m\":\"{\\\"alpha\\\":0.6}\"},"
        "\"scalar\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[0,8]},"
        "\"a\":{\"dtype\":\"F32\",\"shape\":[100,100],"
        "\"data_offsets\":[8,40008]},\"a\\u0000b\\\"\\u0001\":";
    assert_memory_equal(bytes + 8, start, sizeof start - 1);
    assert_int_equal((bytes[0] | bytes[1] << 8) % 8, 0);
    free(bytes);
    assert_int_equal(scratch_count(&scratch), 1);
    scratch_remove(&scratch);
}

static void many_threads_write_the_same_file(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct pool *pool = pool_create(4);
    char first[SHA256_TEXT], sha256[SHA256_TEXT];
    char *path = scratch_path(&scratch, "out.safetensors");
    for (int round = 0; round < 20; round++) {
        struct writer *writer = begin(path, true);
        if (round == 0)
            put_all(writer);
        else
            pool_run(pool, SPECS, put_one, writer);
        assert_true(writer_commit(writer, round == 0 ? first : sha256, &error));
        if (round > 0)
            assert_string_equal(sha256, first);
    }
    pool_free(pool);
    scratch_remove(&scratch);
}

static void an_empty_checkpoint_can_be_written(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct writer *writer;
    char *path = scratch_path(&scratch, "empty.safetensors");
    assert_true(writer_begin(path, &(struct writer_content){.count = 0}, false, &writer, &error));
    assert_true(writer_commit(writer, NULL, &error));
    size_t length;
    unsigned char *bytes = scratch_read(path, &length);
    assert_int_equal(length, 16);
    assert_memory_equal(bytes, "\x08\0\0\0\0\0\0\0{}      ", 16);
    free(bytes);
    scratch_remove(&scratch);
}

static void an_existing_file_stays_unless_overwrite(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct writer *writer;
    char *path = scratch_write(&scratch, "out.safetensors", "old", 3);
    assert_false(writer_begin(path, &(struct writer_content){.specs = specs, .count = SPECS}, false,
                              &writer, &error));
    assert_null(writer);
    assert_non_null(strstr(error.message, "the file exists"));
    error_free(&error);
    writer = begin(path, true);
    put_all(writer);
    assert_true(writer_commit(writer, NULL, &error));
    check_content(path);
    scratch_remove(&scratch);
}

static void a_file_that_appears_meanwhile_stays(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    char *path = scratch_path(&scratch, "out.safetensors");
    struct writer *writer = begin(path, false);
    put_all(writer);
    scratch_write(&scratch, "out.safetensors", "mine", 4);
    assert_false(writer_commit(writer, NULL, &error));
    assert_non_null(strstr(error.message, "the file exists"));
    error_free(&error);
    size_t length;
    unsigned char *bytes = scratch_read(path, &length);
    assert_string_equal(bytes, "mine");
    free(bytes);
    assert_int_equal(scratch_count(&scratch), 1);
    scratch_remove(&scratch);
}

static void cancel_leaves_nothing(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct writer *writer = begin(scratch_path(&scratch, "out.safetensors"), false);
    assert_int_equal(scratch_count(&scratch), 1);
    put_one(writer, 0);
    writer_cancel(writer);
    assert_int_equal(scratch_count(&scratch), 0);
    writer_cancel(NULL);
    scratch_remove(&scratch);
}

static void a_missing_tensor_is_an_error(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct writer *writer = begin(scratch_path(&scratch, "out.safetensors"), false);
    for (size_t i = 0; i < SPECS; i++)
        if (i != 1)
            put_one(writer, i);
    assert_false(writer_commit(writer, NULL, &error));
    assert_non_null(strstr(error.message, "tensor a\\x00b\"\\x01: was never written"));
    error_free(&error);
    assert_int_equal(scratch_count(&scratch), 0);
    scratch_remove(&scratch);
}

/* Turns a byte of the temporary file's header, or cuts its last byte off. */
static void damage_file(const struct scratch *scratch, int damage) {
    glob_t found;
    struct stat status;
    char *pattern = memory_format("%s/*.r2m-part", scratch->folder);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    int descriptor = open(found.gl_pathv[0], O_RDWR);
    assert_int_equal(fstat(descriptor, &status), 0);
    if (damage == 0)
        assert_int_equal(pwrite(descriptor, "X", 1, 40), 1);
    else
        assert_int_equal(ftruncate(descriptor, status.st_size - 1), 0);
    close(descriptor);
    globfree(&found);
    free(pattern);
}

/* The header on the disk is compared with the one meant, and the file with the format's rules. */
static void damage_is_found_before_the_rename(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    char *path = scratch_path(&scratch, "out.safetensors");
    for (int damage = 0; damage < 2; damage++) {
        struct writer *writer = begin(path, false);
        put_all(writer);
        damage_file(&scratch, damage);
        assert_false(writer_commit(writer, NULL, &error));
        assert_non_null(strstr(error.message, damage == 0 ? "header on the disk" : "truncated"));
        error_free(&error);
        assert_int_equal(scratch_count(&scratch), 0);
    }
    scratch_remove(&scratch);
}

static void assert_begin_fails(struct scratch *scratch, const struct tensor_spec *bad, size_t count,
                               const char *message) {
    struct error error = {0};
    struct writer *writer;
    char *path = scratch_path(scratch, "out.safetensors");
    assert_false(writer_begin(path, &(struct writer_content){.specs = bad, .count = count}, false,
                              &writer, &error));
    assert_null(writer);
    if (strstr(error.message, message) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", message, error.message);
    error_free(&error);
    assert_int_equal(scratch_count(scratch), 0);
}

static void what_cannot_be_read_is_not_written(void **state) {
    (void)state;
    static const uint64_t huge[2] = {1ULL << 40, 1ULL << 40}, odd[1] = {3}, big[1] = {1ULL << 60};
    const struct tensor_spec twice[] = {SPEC("a", DTYPE_F32, 2, square),
                                        SPEC("a", DTYPE_BF16, 2, square)};
    const struct tensor_spec invalid[] = {SPEC("\xff", DTYPE_F32, 2, square)};
    const struct tensor_spec reserved[] = {SPEC("__metadata__", DTYPE_F32, 2, square)};
    const struct tensor_spec overflow[] = {SPEC("a", DTYPE_F32, 2, huge)};
    const struct tensor_spec uneven[] = {SPEC("a", DTYPE_F4, 1, odd)};
    struct tensor_spec sum[17];
    char names[17][2];
    for (size_t i = 0; i < 17; i++) {
        names[i][0] = (char)('a' + i);
        sum[i] = (struct tensor_spec){names[i], 1, DTYPE_U8, 1, big};
    }
    struct scratch scratch = scratch_make();
    assert_begin_fails(&scratch, twice, 2, "tensor a: occurs twice");
    assert_begin_fails(&scratch, invalid, 1, "not UTF-8");
    assert_begin_fails(&scratch, reserved, 1, "__metadata__");
    assert_begin_fails(&scratch, overflow, 1, "tensor a: the product of its sizes overflows");
    assert_begin_fails(&scratch, uneven, 1, "tensor a: its elements do not fill whole bytes");
    assert_begin_fails(&scratch, sum, 7, "bytes are needed");
    assert_begin_fails(&scratch, sum, 17, "");
    scratch_remove(&scratch);
}

static void bad_paths_are_errors(void **state) {
    (void)state;
    static const struct {
        const char *name, *message;
    } rows[] = {{"", "is not the name of a file"},
                {"folder", "is a folder"},
                {"missing/out.safetensors", "No such file"},
                {"file/out.safetensors", "is not a folder"}};
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct writer *writer;
    assert_int_equal(mkdir(scratch_path(&scratch, "folder"), 0700), 0);
    scratch_write(&scratch, "file", "x", 1);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *path = scratch_path(&scratch, rows[i].name);
        assert_false(writer_begin(path, &(struct writer_content){.specs = specs, .count = SPECS},
                                  true, &writer, &error));
        if (strstr(error.message, rows[i].message) == NULL)
            fail_msg("expected \"%s\" in \"%s\"", rows[i].message, error.message);
        error_free(&error);
    }
    if (geteuid() != 0) {
        assert_int_equal(chmod(scratch_path(&scratch, "folder"), 0500), 0);
        char *path = scratch_path(&scratch, "folder/out.safetensors");
        assert_false(writer_begin(path, &(struct writer_content){.specs = specs, .count = SPECS},
                                  true, &writer, &error));
        assert_non_null(strstr(error.message, "cannot be written"));
        error_free(&error);
    }
    scratch_remove(&scratch);
}

/* A limit on file sizes neither kills the process nor leaves half a file. */
static void a_limit_on_file_sizes_is_an_error(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct rlimit before, limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = (struct rlimit){50000, before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_begin_fails(&scratch, specs, SPECS, "bytes are needed, 50000 are free");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    scratch_remove(&scratch);
}

/* Needs the right to mount. */
static void a_full_disk_is_an_error_before_the_work(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    if (mount("tmpfs", scratch.folder, "tmpfs", 0, "size=65536") != 0) {
        scratch_remove(&scratch);
        skip();
    }
    assert_begin_fails(&scratch, specs, SPECS, "not enough space on the disk: ");
    const struct tensor_spec fits[] = {SPEC("a", DTYPE_F32, 2, square)};
    struct error error = {0};
    struct writer *writer, *second;
    bool begun =
        writer_begin(scratch_path(&scratch, "one"),
                     &(struct writer_content){.specs = fits, .count = 1}, false, &writer, &error);
    assert_true(begun);
    /* The first file's space is taken although nothing has been put. */
    assert_false(writer_begin(scratch_path(&scratch, "two"),
                              &(struct writer_content){.specs = fits, .count = 1}, false, &second,
                              &error));
    assert_non_null(strstr(error.message, "bytes are needed"));
    error_free(&error);
    unsigned char data[LARGEST] = {0};
    assert_true(writer_put(writer, 0, data, &error));
    assert_true(writer_commit(writer, NULL, &error));
    assert_int_equal(umount(scratch.folder), 0);
    scratch_remove(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_put_is_what_is_read),
        cmocka_unit_test(many_threads_write_the_same_file),
        cmocka_unit_test(an_empty_checkpoint_can_be_written),
        cmocka_unit_test(an_existing_file_stays_unless_overwrite),
        cmocka_unit_test(a_file_that_appears_meanwhile_stays),
        cmocka_unit_test(cancel_leaves_nothing),
        cmocka_unit_test(a_missing_tensor_is_an_error),
        cmocka_unit_test(damage_is_found_before_the_rename),
        cmocka_unit_test(what_cannot_be_read_is_not_written),
        cmocka_unit_test(bad_paths_are_errors),
        cmocka_unit_test(a_limit_on_file_sizes_is_an_error),
        cmocka_unit_test(a_full_disk_is_an_error_before_the_work),
    };
    return cmocka_run_group_tests_name("writer", tests, NULL, NULL);
}
