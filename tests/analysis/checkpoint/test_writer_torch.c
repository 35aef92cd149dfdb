/* Torch files as the writer makes them, taken apart by hand: local headers, central directory,
 * checksums, alignment and the opcodes of the pickle; and read back by the reader. */
#include "analysis/checkpoint/checkpoint.h"
#include "analysis/checkpoint/torch/zip_output.h"
#include "analysis/checkpoint/writer.h"
#include "analysis/support/pool.h"
#include "tests/scratch.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const uint64_t square[2] = {100, 100}, cube[3] = {2, 3, 4}, none[2] = {0, 5},
                      long_row[2] = {1, 70000};

#define SPEC(name, dtype, rank, shape)                                                             \
    { name, sizeof name - 1, dtype, rank, shape }

static const struct tensor_spec specs[] = {
    SPEC("f32", DTYPE_F32, 2, square),
    SPEC("na\xc3\xafve\"\n\x01.a\0b", DTYPE_BF16, 3, cube),
    SPEC("scalar", DTYPE_I64, 0, NULL),
    SPEC("empty", DTYPE_F16, 2, none),
    SPEC("f64", DTYPE_F64, 1, cube),
    SPEC("i32", DTYPE_I32, 1, cube),
    SPEC("i16", DTYPE_I16, 1, cube),
    SPEC("i8", DTYPE_I8, 1, cube),
    SPEC("u8", DTYPE_U8, 2, long_row),
    SPEC("bool", DTYPE_BOOL, 1, cube),
    SPEC("c64", DTYPE_C64, 1, cube),
    SPEC("u64", DTYPE_U64, 1, cube),
    SPEC("u32", DTYPE_U32, 1, cube),
    SPEC("u16", DTYPE_U16, 1, cube),
    SPEC("e4m3", DTYPE_F8_E4M3, 3, cube),
    SPEC("e5m2", DTYPE_F8_E5M2, 1, cube),
    SPEC("e4m3fnuz", DTYPE_F8_E4M3FNUZ, 1, cube),
    SPEC("e5m2fnuz", DTYPE_F8_E5M2FNUZ, 1, cube),
    SPEC("e8m0", DTYPE_F8_E8M0, 1, cube),
};

enum { SPECS = sizeof specs / sizeof specs[0], LARGEST = 70000, RECORDS = SPECS + 5 };

static void fill(unsigned char data[LARGEST], size_t index) {
    for (size_t i = 0; i < LARGEST; i++)
        data[i] = (unsigned char)(i * (2 * index + 3) >> 3);
}

static void put_one(void *context, size_t index) {
    struct error error = {0};
    unsigned char data[LARGEST];
    fill(data, index);
    if (!writer_put(context, index, data, &error))
        abort();
}

static const struct metadata_entry metadata[] = {{"format", "pt"}, {"r2m.config/..", "{}"}};

static struct writer *begin(const char *path) {
    struct error error = {0};
    struct writer *writer;
    if (!writer_begin(
            path,
            &(struct writer_content){
                .specs = specs, .count = SPECS, .metadata = metadata, .metadata_count = 2},
            true, &writer, &error))
        fail_msg("%s", error.message);
    return writer;
}

static char *write_all(struct scratch *scratch, const char *name) {
    struct error error = {0};
    char *path = scratch_path(scratch, name), sha256[SHA256_TEXT], again[SHA256_TEXT];
    struct writer *writer = begin(path);
    uint64_t expected = writer_file_bytes(writer);
    struct pool *pool = pool_create(3);
    pool_run(pool, SPECS, put_one, writer);
    pool_free(pool);
    if (!writer_commit(writer, sha256, &error))
        fail_msg("%s", error.message);
    assert_true(digest_file(path, again, &error));
    assert_string_equal(sha256, again);
    size_t length;
    free(scratch_read(path, &length));
    assert_int_equal(length, expected);
    assert_int_equal(scratch_count(scratch), 1);
    return path;
}

static void the_reader_reads_it_back(void **state) {
    (void)state;
    struct error error = {0};
    struct scratch scratch = scratch_make();
    struct checkpoint *checkpoint;
    unsigned char data[LARGEST];
    char *path = write_all(&scratch, "out.pth");
    if (!checkpoint_open(path, &checkpoint, &error))
        fail_msg("%s", error.message);
    assert_string_equal(checkpoint_format(checkpoint), "torch");
    assert_int_equal(checkpoint_warnings(checkpoint)->count, 0);
    assert_int_equal(checkpoint_count(checkpoint), SPECS);
    for (size_t i = 0; i < SPECS; i++) {
        const struct tensor *tensor = checkpoint_tensor(checkpoint, i);
        assert_int_equal(tensor->name_length, specs[i].name_length);
        assert_memory_equal(tensor->name, specs[i].name, specs[i].name_length);
        assert_int_equal(tensor->dtype, specs[i].dtype);
        assert_int_equal(tensor->rank, specs[i].rank);
        for (size_t d = 0; d < tensor->rank; d++)
            assert_int_equal(tensor->shape[d], specs[i].shape[d]);
        assert_true(tensor_is_plain(tensor));
        assert_int_equal((uintptr_t)tensor->data % 64, 0);
        fill(data, i);
        assert_memory_equal(tensor->data, data, tensor->bytes);
    }
    checkpoint_close(checkpoint);
    scratch_remove(&scratch);
}

/* What the ending asks for, in any case of letters. */
static void endings_choose_the_format(void **state) {
    (void)state;
    static const char *const names[] = {"a.pth", "a.pt", "a.bin", "a.PTH"};
    struct error error = {0};
    char first[SHA256_TEXT], sha256[SHA256_TEXT];
    for (size_t i = 0; i < 4; i++) {
        struct scratch scratch = scratch_make();
        assert_true(digest_file(write_all(&scratch, names[i]), i == 0 ? first : sha256, &error));
        if (i > 0)
            assert_string_equal(first, sha256); /* the name is not in the file */
        assert_true(writer_is_named(names[i]));
        scratch_remove(&scratch);
    }
    assert_true(writer_is_named("dir.pth/a.safetensors"));
    assert_false(writer_is_named("a.onnx"));
    assert_false(writer_is_named(".pth"));
    assert_false(writer_is_named("dir/.safetensors"));
    assert_true(writer_is_named("dir/"));
}

static uint64_t number(const unsigned char *at, size_t bytes) {
    uint64_t value = 0;
    while (bytes-- > 0)
        value = value << 8 | at[bytes];
    return value;
}

/* CRC-32 bit by bit, independent of zlib. */
static uint32_t slow_crc(const unsigned char *data, uint64_t length) {
    uint32_t crc = 0xFFFFFFFF;
    for (uint64_t i = 0; i < length; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
    }
    return ~crc;
}

/* The record whose central header is at central; returns where its data end. */
static uint64_t check_record(const unsigned char *file, const unsigned char *central,
                             uint64_t begins, const char *name) {
    const unsigned char *local = file + begins;
    size_t length = strlen(name);
    uint64_t size = number(central + 24, 4), extra = number(local + 28, 2);
    const unsigned char *data = local + 30 + length + extra;
    assert_memory_equal(central, "PK\1\2", 4);
    assert_memory_equal(local, "PK\3\4", 4);
    assert_memory_equal(local + 4, central + 6, 24); /* version to length of the name */
    assert_int_equal(number(local + 4, 2), 20);
    assert_int_equal(number(local + 6, 2), 0x800); /* sizes are here, not behind the data */
    assert_int_equal(number(local + 8, 2), 0);     /* stored */
    assert_int_equal(number(central + 20, 4), size);
    assert_int_equal(number(central + 28, 2), length);
    assert_int_equal(number(central + 42, 4), begins);
    assert_memory_equal(central + 46, name, length);
    assert_memory_equal(local + 30, name, length);
    assert_memory_equal(local + 30 + length, "FB", 2);
    assert_int_equal(number(local + 32 + length, 2), extra - 4);
    assert_int_equal((data - file) % 64, 0);
    assert_int_equal(number(central + 16, 4), slow_crc(data, size));
    return (uint64_t)(data - file) + size;
}

static void the_archive_is_as_it_should_be(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    size_t length;
    unsigned char *file = scratch_read(write_all(&scratch, "out.pth"), &length);
    const unsigned char *end = file + length - 22, *end64 = end - 20 - 56;
    assert_memory_equal(end, "PK\5\6", 4);
    assert_memory_equal(end - 20, "PK\6\7", 4);
    assert_memory_equal(end64, "PK\6\6", 4);
    assert_int_equal(number(end + 10, 2), RECORDS);
    assert_int_equal(number(end64 + 32, 8), RECORDS);
    assert_int_equal(number(end64 + 48, 8), number(end + 16, 4));
    assert_int_equal(number(end - 20 + 8, 8), end64 - file);
    const unsigned char *central = file + number(end + 16, 4);
    uint64_t at = 0;
    for (size_t i = 0; i < RECORDS; i++) {
        static const char *const head[] = {"archive/data.pkl", "archive/byteorder",
                                           "archive/extra/format", "archive/extra/r2m.config_.."};
        char name[40];
        snprintf(name, sizeof name, "archive/data/%zu", i - 4);
        at = check_record(file, central, at,
                          i < 4             ? head[i]
                          : i < RECORDS - 1 ? name
                                            : "archive/version");
        central += 46 + number(central + 28, 2) + number(central + 30, 2);
    }
    assert_ptr_equal(central, end64);
    assert_int_equal(at, number(end + 16, 4));
    free(file);
    scratch_remove(&scratch);
}

/* Only opcodes that every torch.load(weights_only=True) knows. */
static void check_pickle(const unsigned char *at, const unsigned char *end) {
    assert_memory_equal(at, "\x80\x02}(", 4);
    for (at += 4; *at != '.';) {
        switch (*at++) {
        case 'X': /* BINUNICODE */
            at += 4 + number(at, 4);
            break;
        case 'c': /* GLOBAL: two lines */
            for (int lines = 0; lines < 2; at++)
                lines += *at == '\n';
            break;
        case 'K':
            at += 1;
            break;
        case 'M':
            at += 2;
            break;
        case 'J':
            at += 4;
            break;
        case 0x8a: /* LONG1 */
            at += 1 + *at;
            break;
        default: /* MARK TUPLE EMPTY_TUPLE BINPERSID NEWFALSE REDUCE SETITEMS */
            assert_non_null(memchr("(t)Q\x89Ru", at[-1], 7));
        }
        assert_true(at < end);
    }
    assert_ptr_equal(at + 1, end);
}

static void the_pickle_is_plain(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    size_t length;
    unsigned char *file = scratch_read(write_all(&scratch, "out.pth"), &length);
    const unsigned char *pickle = file + 64; /* behind the first local header */
    check_pickle(pickle, pickle + number(file + 18, 4));
    free(file);
    scratch_remove(&scratch);
}

/* Sizes and offsets beyond 32 bits, in headers alone: zip64 fields where needed, only there. */
static void large_records_have_zip64_fields(void **state) {
    (void)state;
    static const struct {
        uint64_t size, header;
        size_t local, central; /* length of the zip64 fields */
    } rows[] = {{0xFFFFFFFE, 0xFFFFFFFE, 0, 0},
                {0xFFFFFFFF, 0, 20, 20},
                {5, 0xFFFFFFFF, 0, 12},
                {0x123456789A, 0x23456789AB, 20, 28}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct zip_record record = {.name = "archive/data/7",
                                    .size = rows[i].size,
                                    .checksum = 0x01020304,
                                    .header = rows[i].header};
        struct text local = {0}, central = {0};
        zip_add_local(&local, &record);
        zip_add_central(&central, &record);
        const unsigned char *l = (const unsigned char *)local.bytes;
        const unsigned char *c = (const unsigned char *)central.bytes;
        assert_int_equal(local.length, zip_local_length(&record));
        assert_int_equal((record.header + local.length) % 64, 0);
        assert_int_equal(number(l + 4, 2), rows[i].local > 0 ? 45 : 20);
        assert_int_equal(number(c + 6, 2), rows[i].central > 0 ? 45 : 20);
        assert_int_equal(central.length, 46 + 14 + rows[i].central);
        assert_int_equal(number(c + 30, 2), rows[i].central);
        if (rows[i].local > 0) {
            assert_memory_equal(l + 44, "\1\0\20\0", 4);
            assert_int_equal(number(l + 48, 8), record.size);
            assert_int_equal(number(l + 56, 8), record.size);
            assert_int_equal(number(l + 22, 4), 0xFFFFFFFF);
        } else {
            assert_memory_equal(l + 44, "FB", 2);
            assert_int_equal(number(l + 22, 4), record.size);
        }
        if (rows[i].central > 0)
            assert_int_equal(number(c + 62, 2), rows[i].central - 4);
        if (record.header >= 0xFFFFFFFF) /* the last number of the field */
            assert_int_equal(number(c + central.length - 8, 8), record.header);
        free(local.bytes);
        free(central.bytes);
    }
}

static void assert_begin_fails(const struct tensor_spec *bad, size_t count, const char *message) {
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct writer *writer;
    char *path = scratch_path(&scratch, "out.pth");
    assert_false(writer_begin(path, &(struct writer_content){.specs = bad, .count = count}, false,
                              &writer, &error));
    if (strstr(error.message, message) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", message, error.message);
    error_free(&error);
    assert_int_equal(scratch_count(&scratch), 0);
    scratch_remove(&scratch);
}

static void what_torch_cannot_hold_is_refused(void **state) {
    (void)state;
    static const uint64_t two[1] = {2}, huge[2] = {0, 1ULL << 63}, big[1] = {1ULL << 58};
    static char long_name[TENSOR_NAME_LIMIT + 1];
    memset(long_name, 'x', sizeof long_name);
    const struct tensor_spec twice[] = {SPEC("a", DTYPE_F32, 1, two), SPEC("a", DTYPE_U8, 1, two)};
    const struct tensor_spec invalid[] = {SPEC("\xff", DTYPE_F32, 1, two)};
    const struct tensor_spec fp4[] = {SPEC("a", DTYPE_F4, 1, two)};
    const struct tensor_spec large[] = {SPEC("a", DTYPE_F32, 2, huge)};
    const struct tensor_spec many[] = {{long_name, sizeof long_name, DTYPE_F32, 1, two}};
    struct tensor_spec space[9]; /* 2^60 bytes each */
    for (size_t i = 0; i < 9; i++)
        space[i] = (struct tensor_spec){&"abcdefghi"[i], 1, DTYPE_F32, 1, big};
    assert_begin_fails(twice, 2, "tensor a: occurs twice");
    assert_begin_fails(invalid, 1, "not UTF-8");
    assert_begin_fails(fp4, 1, "tensor a: a torch file cannot hold its dtype");
    assert_begin_fails(large, 1, "tensor a: its sizes are too large");
    assert_begin_fails(many, 1, "more than 4096 bytes");
    assert_begin_fails(space, 2, "bytes are needed");
    assert_begin_fails(space, 9, "bytes are needed");
}

static void no_tensors_make_an_archive_too(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct writer *writer;
    char *path = scratch_path(&scratch, "out.pth");
    assert_true(writer_begin(path, &(struct writer_content){.count = 0}, false, &writer, &error));
    /* The reader wants tensors; so the writer, which asks it, does not pass this on. */
    assert_false(writer_commit(writer, NULL, &error));
    assert_non_null(strstr(error.message, "no tensors"));
    error_free(&error);
    assert_int_equal(scratch_count(&scratch), 0);
    scratch_remove(&scratch);
}

static void assert_modules(const char *path, const struct module_version *wanted, size_t count) {
    struct checkpoint *checkpoint;
    struct error error = {0};
    size_t found_count;
    assert_true(checkpoint_open(path, &checkpoint, &error));
    const struct module_version *found = checkpoint_modules(checkpoint, &found_count);
    assert_int_equal(found_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(found[i].length, wanted[i].length);
        assert_memory_equal(found[i].module, wanted[i].module, wanted[i].length);
        assert_int_equal(found[i].version, wanted[i].version);
    }
    checkpoint_close(checkpoint);
}

/* _metadata: as torch wrote it, and as we do. */
static void versions_of_modules_are_kept(void **state) {
    (void)state;
    static const struct module_version versions[] = {
        {"", 0, 1}, {"body", 4, 1}, {"body.0", 6, 1}, {"body.1", 6, 2}, {"head", 4, 1}};
    static const uint64_t one[1] = {1};
    const struct tensor_spec spec = {"x", 1, DTYPE_F32, 1, one};
    const struct writer_content content = {
        .specs = &spec, .count = 1, .modules = versions, .module_count = 5};
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct writer *writer;
    const float value = 1;
    char *path = scratch_path(&scratch, "out.pth");
    assert_modules("tests/fixtures/torch213/module_state.pth", versions, 5);
    assert_modules("tests/fixtures/torch213/plain.pth", NULL, 0);
    assert_true(writer_begin(path, &content, false, &writer, &error));
    assert_true(writer_put(writer, 0, &value, &error));
    assert_true(writer_commit(writer, NULL, &error));
    assert_modules(path, versions, 5);
    scratch_remove(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_reader_reads_it_back),
        cmocka_unit_test(endings_choose_the_format),
        cmocka_unit_test(the_archive_is_as_it_should_be),
        cmocka_unit_test(the_pickle_is_plain),
        cmocka_unit_test(versions_of_modules_are_kept),
        cmocka_unit_test(large_records_have_zip64_fields),
        cmocka_unit_test(what_torch_cannot_hold_is_refused),
        cmocka_unit_test(no_tensors_make_an_archive_too),
    };
    return cmocka_run_group_tests_name("writer_torch", tests, NULL, NULL);
}
