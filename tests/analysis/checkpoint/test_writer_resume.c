/* Outputs that outlive an interruption: what was finished is found again and only that; the end has
 * the bytes of an output that was made in one go. */
#include "analysis/checkpoint/writer.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

static const uint64_t ten[1] = {10}, hundred[1] = {100}, none[1] = {0};

#define SPEC(name, shape)                                                                          \
    { name, sizeof name - 1, DTYPE_F32, 1, shape }

static const struct tensor_spec specs[] = {SPEC("e", ten), SPEC("d", ten), SPEC("c", hundred),
                                           SPEC("b", none), SPEC("a", ten)};

enum { SPECS = sizeof specs / sizeof specs[0], SHARD_BYTES = 80 };

static const char *const outputs[] = {"out.safetensors", "out.pth", "out/"};

enum { OUTPUTS = sizeof outputs / sizeof outputs[0] };

#define KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER_KEY "1123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* NULL with an error where the key does not fit. */
static struct writer *begin_member(const char *path, const char *key, bool resume, size_t member,
                                   struct error *error) {
    struct writer *writer;
    const struct writer_content content = {
        .specs = specs, .count = SPECS, .key = key, .resume = resume, .member = member};
    bool good = writer_is_folder(path)
                    ? writer_begin_folder(path, &content, SHARD_BYTES, NULL, false, &writer, error)
                    : writer_begin(path, &content, false, &writer, error);
    return good ? writer : NULL;
}

static struct writer *begin(const char *path, const char *key, bool resume, struct error *error) {
    return begin_member(path, key, resume, 0, error);
}

static struct writer *begin_well(const char *path, const char *key, bool resume) {
    struct error error = {0};
    struct writer *writer = begin(path, key, resume, &error);
    if (writer == NULL)
        fail_msg("%s", error.message);
    return writer;
}

static void put(struct writer *writer, size_t index) {
    struct error error = {0};
    float values[100];
    for (size_t i = 0; i < 100; i++)
        values[i] = (float)(100 * index + i);
    assert_true(writer_put(writer, index, values, &error));
}

static void commit(struct writer *writer, char sha256[SHA256_TEXT]) {
    struct error error = {0};
    if (!writer_commit(writer, sha256, &error))
        fail_msg("%s", error.message);
}

/* sha256 of the output made in one go, in a folder of its own. */
static void expect(const char *name, char sha256[SHA256_TEXT]) {
    struct scratch scratch = scratch_make();
    struct writer *writer = begin_well(scratch_path(&scratch, name), NULL, false);
    for (size_t i = 0; i < SPECS; i++)
        put(writer, i);
    commit(writer, sha256);
    scratch_remove(&scratch);
}

static void what_was_finished_is_kept(void **state) {
    (void)state;
    for (size_t o = 0; o < OUTPUTS; o++) {
        struct scratch scratch = scratch_make();
        char expected[SHA256_TEXT], sha256[SHA256_TEXT];
        const char *path = scratch_path(&scratch, outputs[o]);
        expect(outputs[o], expected);
        struct writer *writer = begin_well(path, KEY, false);
        assert_false(writer_kept(writer, 2));
        put(writer, 2);
        put(writer, 3);
        assert_int_equal(writer_journaled(writer), 2);
        writer_leave(writer);
        assert_true(access(path, F_OK) != 0);
        writer = begin_well(path, KEY, true);
        for (size_t i = 0; i < SPECS; i++) {
            assert_int_equal(writer_kept(writer, i), i == 2 || i == 3);
            if (i != 2 && i != 3)
                put(writer, i);
        }
        commit(writer, sha256);
        assert_string_equal(sha256, expected);
        assert_int_equal(scratch_count(&scratch), 1);
        scratch_remove(&scratch);
    }
}

/* Killed on the way from the last tensor to the name of the folder: shards, index and companions
 * may be there or half there. */
static void an_end_that_was_interrupted(void **state) {
    (void)state;
    static const char *const ended[] = {"model-00001-of-00003.safetensors",
                                        "model-00002-of-00003.safetensors"};
    static const char *const others[] = {"model.safetensors.index.json", "config.json",
                                         "model.safetensors.index.json.abcdef.r2m-part"};
    struct scratch scratch = scratch_make();
    char expected[SHA256_TEXT], sha256[SHA256_TEXT];
    const char *path = scratch_path(&scratch, "out/");
    expect("out/", expected);
    struct writer *writer = begin_well(path, KEY, false);
    for (size_t i = 0; i < SPECS; i++)
        put(writer, i);
    writer_leave(writer);
    char *lasting = writer_lasting(path);
    for (size_t i = 0; i < 2; i++) {
        char *part = memory_format("%s/%s.r2m-part", lasting, ended[i]);
        char *shard = memory_format("%s/%s", lasting, ended[i]);
        assert_int_equal(rename(part, shard), 0);
        free(part);
        free(shard);
    }
    for (size_t i = 0; i < 3; i++) {
        char *other = memory_format("%s/%s", lasting, others[i]);
        FILE *file = fopen(other, "w");
        assert_non_null(file);
        fputs("{", file);
        fclose(file);
        free(other);
    }
    free(lasting);
    writer = begin_well(path, KEY, true);
    for (size_t i = 0; i < SPECS; i++)
        assert_true(writer_kept(writer, i));
    commit(writer, sha256);
    assert_string_equal(sha256, expected);
    assert_int_equal(scratch_count(&scratch), 1);
    assert_true(strlen(path) < sizeof scratch.folder);
    strcpy(scratch.folder, path);
    assert_int_equal(scratch_count(&scratch), 4); /* three shards and their index */
    scratch.folder[strlen(path) - strlen("/out/")] = '\0';
    scratch_remove(&scratch);
}

static void another_key_is_refused(void **state) {
    (void)state;
    for (size_t o = 0; o < OUTPUTS; o++) {
        struct scratch scratch = scratch_make();
        struct error error = {0};
        const char *path = scratch_path(&scratch, outputs[o]);
        struct writer *writer = begin_well(path, KEY, false);
        put(writer, 0);
        writer_leave(writer);
        assert_null(begin(path, OTHER_KEY, true, &error));
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_non_null(strstr(error.message, "other inputs or settings"));
        assert_non_null(strstr(error.hint, "--resume"));
        error_free(&error);
        writer = begin_well(path, KEY, true); /* nothing was lost */
        assert_true(writer_kept(writer, 0));
        writer_leave(writer);
        writer = begin_well(path, OTHER_KEY, false); /* it begins anew */
        assert_false(writer_kept(writer, 0));
        writer_cancel(writer);
        assert_int_equal(scratch_count(&scratch), 0);
        scratch_remove(&scratch);
    }
}

static void one_writer_at_a_time(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    const char *path = scratch_path(&scratch, "out.pth");
    struct writer *writer = begin_well(path, KEY, false);
    for (int resume = 0; resume < 2; resume++) {
        assert_null(begin(path, KEY, resume, &error));
        assert_non_null(strstr(error.message, "somebody else"));
        error_free(&error);
    }
    for (size_t i = 0; i < SPECS; i++)
        put(writer, i);
    commit(writer, NULL);
    scratch_remove(&scratch);
}

/* Without a finished tensor there is nothing to leave. */
static void an_empty_beginning_leaves_nothing(void **state) {
    (void)state;
    for (size_t o = 0; o < OUTPUTS; o++) {
        struct scratch scratch = scratch_make();
        writer_leave(begin_well(scratch_path(&scratch, outputs[o]), KEY, o == 1));
        assert_int_equal(scratch_count(&scratch), 0);
        scratch_remove(&scratch);
    }
}

static struct writer *join(const char *path, size_t member) {
    struct error error = {0};
    struct writer *writer = begin_member(path, KEY, true, member, &error);
    if (writer == NULL)
        fail_msg("%s", error.message);
    return writer;
}

/* Two processes' part in one output, here in one. */
/* A limit on the size of files is a full disk. */
static void a_beginning_that_fails_leaves_nothing(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct rlimit before;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    const struct rlimit limit = {50, before.rlim_max};
    for (size_t o = 0; o < OUTPUTS; o++) {
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
        struct writer *writer = begin(scratch_path(&scratch, outputs[o]), KEY, true, &error);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_null(writer);
        error_free(&error);
        assert_int_equal(scratch_count(&scratch), 0);
    }
    scratch_remove(&scratch);
}

static void members_write_one_output(void **state) {
    (void)state;
    for (size_t o = 0; o < OUTPUTS; o++) {
        struct scratch scratch = scratch_make();
        struct error error = {0};
        char expected[SHA256_TEXT], sha256[SHA256_TEXT];
        const char *path = scratch_path(&scratch, outputs[o]);
        expect(outputs[o], expected);
        assert_null(begin_member(path, KEY, false, 1, &error)); /* nothing to join */
        error_free(&error);
        assert_int_equal(scratch_count(&scratch), 0);
        struct writer *first = begin_well(path, KEY, false), *second = join(path, 1);
        for (size_t i = 0; i < SPECS; i++)
            put(i % 2 == 0 ? first : second, i);
        assert_true(writer_sync(second, &error));
        assert_false(writer_take(first, 1, writer_checksum(second, 1) + 1, &error));
        assert_non_null(strstr(error.message, "tensor d: what is on the disk"));
        error_free(&error);
        for (size_t i = 1; i < SPECS; i += 2)
            assert_true(writer_take(first, i, writer_checksum(second, i), &error));
        writer_cancel(second);
        commit(first, sha256);
        assert_string_equal(sha256, expected);
        assert_int_equal(scratch_count(&scratch), 1);
        scratch_remove(&scratch);
    }
}

static void what_members_finished_is_kept(void **state) {
    (void)state;
    for (size_t o = 0; o < OUTPUTS; o++) {
        struct scratch scratch = scratch_make();
        const char *path = scratch_path(&scratch, outputs[o]);
        struct writer *first = begin_well(path, KEY, false);
        struct writer *others[] = {join(path, 1), join(path, 2)};
        put(first, 0);
        put(others[0], 1);
        put(others[1], 4);
        writer_leave(others[0]);
        writer_leave(others[1]);
        writer_leave(first);
        first = begin_well(path, KEY, true);
        others[0] = join(path, 1);
        for (size_t i = 0; i < SPECS; i++) {
            assert_int_equal(writer_kept(first, i), i < 2 || i == 4);
            assert_int_equal(writer_kept(others[0], i), i < 2 || i == 4);
        }
        assert_int_equal(writer_journaled(others[0]), 0); /* its own are none */
        writer_leave(others[0]);
        writer_cancel(first);
        assert_int_equal(scratch_count(&scratch), 0);
        scratch_remove(&scratch);
    }
}

/* The fingerprint of a file in which that tensor is another one; SPECS: none. */
static void fingerprint(size_t changed, char sha256[SHA256_TEXT]) {
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    float values[100] = {0};
    char *path = scratch_path(&scratch, "a.pth");
    struct writer *writer = begin_well(path, NULL, false);
    for (size_t i = 0; i < SPECS; i++) {
        values[9] = i == changed ? 1.0F : 0.0F;
        assert_true(writer_put(writer, i, values, &error));
    }
    commit(writer, NULL);
    assert_true(checkpoint_open(path, &checkpoint, &error));
    checkpoint_fingerprint(checkpoint, sha256);
    checkpoint_close(checkpoint);
    scratch_remove(&scratch);
}

static void fingerprints_tell_contents_apart(void **state) {
    (void)state;
    char plain[SHA256_TEXT], copy[SHA256_TEXT], other[SHA256_TEXT];
    fingerprint(SPECS, plain);
    fingerprint(SPECS, copy);
    assert_string_equal(plain, copy);
    for (size_t i = 0; i < SPECS; i++) {
        fingerprint(i, other);
        assert_int_equal(strcmp(plain, other) == 0, i == 3); /* which has no elements */
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_finished_is_kept),
        cmocka_unit_test(an_end_that_was_interrupted),
        cmocka_unit_test(another_key_is_refused),
        cmocka_unit_test(one_writer_at_a_time),
        cmocka_unit_test(an_empty_beginning_leaves_nothing),
        cmocka_unit_test(a_beginning_that_fails_leaves_nothing),
        cmocka_unit_test(members_write_one_output),
        cmocka_unit_test(what_members_finished_is_kept),
        cmocka_unit_test(fingerprints_tell_contents_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
