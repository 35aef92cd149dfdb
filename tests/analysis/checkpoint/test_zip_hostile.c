/* Zip archives made to mislead a reader: each gets its verdict. The ids Z01 to Z59 are those of
 * the project's corpus. */
#include "analysis/checkpoint/checkpoint.h"
#include "tests/scratch.h"
#include "tests/torch_archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const float storage[4] = {1, 2, 3, 4};

#define RECORD(name_, data_, length_)                                                              \
    { .name = name_, .data = data_, .length = length_, .folder = true }
#define PICKLE_RECORD RECORD("data.pkl", GOOD_PICKLE, sizeof GOOD_PICKLE - 1)
#define STORAGE_RECORD RECORD("data/0", storage, sizeof storage)
#define VERSION_RECORD RECORD("version", "3\n", 2)

/* Indices of the usual records. */
enum { PICKLE_AT, STORAGE_AT, VERSION_AT };

static const struct record usual[] = {PICKLE_RECORD, STORAGE_RECORD, VERSION_RECORD};

static struct zip make(const struct record *records, size_t count) {
    return zip_make(records, count, false);
}

static unsigned char *at(struct zip *zip, size_t offset) {
    return zip->bytes.data + offset;
}

static void change_z01(struct zip *zip) {
    zip->bytes.length /= 2;
}

static void change_z02(struct zip *zip) {
    zip->bytes.length -= 3;
}

static void change_z03(struct zip *zip) {
    bytes_repeat(&zip->bytes, "x", 1, 100);
}

static void change_z04(struct zip *zip) {
    struct bytes prefixed = {0};
    bytes_add_text(&prefixed, "MZ");
    bytes_add(&prefixed, zip->bytes.data, zip->bytes.length);
    bytes_free(&zip->bytes);
    zip->bytes = prefixed;
}

static void change_z05(struct zip *zip) {
    put32(at(zip, zip->end + 16), (uint32_t)zip->directory + 1);
}

static void change_z06(struct zip *zip) {
    put32(at(zip, zip->end + 12), 7);
}

static void set_count(struct zip *zip, unsigned count) {
    put16(at(zip, zip->end + 8), count);
    put16(at(zip, zip->end + 10), count);
}

static void change_z07(struct zip *zip) {
    set_count(zip, 4);
}

static void change_z08(struct zip *zip) {
    set_count(zip, 2);
}

static void change_z10(struct zip *zip) {
    put32(at(zip, zip->central[VERSION_AT] + 42), (uint32_t)zip->local[STORAGE_AT]);
}

static void change_z11(struct zip *zip) {
    *at(zip, zip->local[STORAGE_AT] + 30) = 'b';
}

static void change_z12(struct zip *zip) {
    put16(at(zip, zip->local[STORAGE_AT] + 8), 8);
}

static void change_z53(struct zip *zip) {
    put16(at(zip, zip->local[STORAGE_AT] + 6), 1);
}

static void change_local_size(struct zip *zip) {
    put32(at(zip, zip->local[STORAGE_AT] + 22), 12);
}

static void change_z14(struct zip *zip) {
    put32(at(zip, zip->central[STORAGE_AT] + 24), 12);
    put32(at(zip, zip->local[STORAGE_AT] + 22), 12);
}

static void change_longer(struct zip *zip) {
    put32(at(zip, zip->central[STORAGE_AT] + 24), 20);
    put32(at(zip, zip->local[STORAGE_AT] + 22), 20);
}

static void change_damaged(struct zip *zip) {
    *at(zip, zip->local[STORAGE_AT] + 30 + 8) = 0xFF;
}

static void change_z15(struct zip *zip) {
    put32(at(zip, zip->central[STORAGE_AT] + 20), 12);
}

static void change_z16(struct zip *zip) {
    put16(at(zip, zip->central[STORAGE_AT] + 8), 1);
}

static void change_z17(struct zip *zip) {
    put16(at(zip, zip->central[STORAGE_AT] + 10), 12);
}

static void change_z36(struct zip *zip) {
    put32(at(zip, zip->central[STORAGE_AT] + 20), 0xFFFFFFFE);
    put32(at(zip, zip->central[STORAGE_AT] + 24), 0xFFFFFFFE);
}

static void change_z35(struct zip *zip) {
    put32(at(zip, zip->central[STORAGE_AT] + 24), 0xFFFFFFFF);
}

/* Puts an extra field into the directory, at the last record. */
static void add_extra(struct zip *zip, const unsigned char *extra, size_t length) {
    unsigned char end[22];
    memcpy(end, at(zip, zip->end), sizeof end);
    zip->bytes.length = zip->end;
    bytes_add(&zip->bytes, extra, length);
    zip->end = zip->bytes.length;
    bytes_add(&zip->bytes, end, sizeof end);
    put16(at(zip, zip->central[VERSION_AT] + 30), (unsigned)length);
    put32(at(zip, zip->end + 12), (uint32_t)(zip->end - zip->directory));
}

/* A zip64 field of these numbers for the sizes (both given) and the place of the last record. */
static void add_zip64(struct zip *zip, uint64_t size, uint64_t header) {
    unsigned char extra[28] = {1, 0, 24, 0};
    put64(extra + 4, size);
    put64(extra + 12, size);
    put64(extra + 20, header);
    put32(at(zip, zip->central[VERSION_AT] + 20), 0xFFFFFFFF);
    put32(at(zip, zip->central[VERSION_AT] + 24), 0xFFFFFFFF);
    put32(at(zip, zip->central[VERSION_AT] + 42), 0xFFFFFFFF);
    add_extra(zip, extra, sizeof extra);
}

static void change_zip64_sizes(struct zip *zip) {
    add_zip64(zip, 2, zip->local[VERSION_AT]);
}

static void change_z36_zip64(struct zip *zip) {
    add_zip64(zip, UINT64_MAX - 15, zip->local[VERSION_AT]);
}

static void change_z37(struct zip *zip) {
    add_zip64(zip, 2, UINT64_MAX - 29);
}

static void change_z34(struct zip *zip) {
    const unsigned char extra[12] = {1, 0, 8, 0};
    put32(at(zip, zip->central[VERSION_AT] + 20), 0xFFFFFFFF);
    put32(at(zip, zip->central[VERSION_AT] + 24), 0xFFFFFFFF);
    add_extra(zip, extra, sizeof extra);
}

static void change_zip64_needless(struct zip *zip) {
    const unsigned char extra[12] = {1, 0, 8, 0};
    add_extra(zip, extra, sizeof extra);
}

static void change_extra_malformed(struct zip *zip) {
    const unsigned char extra[5] = {9, 9, 9, 0, 0};
    add_extra(zip, extra, sizeof extra);
}

static void change_z38(struct zip *zip) {
    put64(at(zip, zip->end - 12), 1ULL << 63);
}

static void change_end64_count(struct zip *zip) {
    put64(at(zip, zip->end64 + 24), 2);
    put64(at(zip, zip->end64 + 32), 2);
}

static void change_z39(struct zip *zip) {
    unsigned char comment[22];
    memcpy(comment, at(zip, zip->end), sizeof comment);
    put16(at(zip, zip->end + 20), sizeof comment);
    bytes_add(&zip->bytes, comment, sizeof comment);
    put16(at(zip, zip->end + 22 + 20), 0);
}

static void change_comment(struct zip *zip) {
    put16(at(zip, zip->end + 20), 1);
}

static void change_z41(struct zip *zip) {
    put32(at(zip, zip->central[STORAGE_AT] + 16), 12345);
    put32(at(zip, zip->local[STORAGE_AT] + 14), 12345);
}

static void change_z42(struct zip *zip) {
    put32(at(zip, zip->central[STORAGE_AT] + 16), 0);
    put32(at(zip, zip->local[STORAGE_AT] + 14), 0);
}

static void change_z48(struct zip *zip) {
    put16(at(zip, zip->end + 4), 1);
}

static void change_z48_entry(struct zip *zip) {
    put16(at(zip, zip->central[STORAGE_AT] + 34), 1);
}

static void change_z44(struct zip *zip) {
    put16(at(zip, zip->local[VERSION_AT] + 28), 65535);
}

static void change_z45(struct zip *zip) {
    put32(at(zip, zip->central[STORAGE_AT] + 20), 20);
    put32(at(zip, zip->central[STORAGE_AT] + 24), 20);
    put32(at(zip, zip->local[STORAGE_AT] + 18), 20);
    put32(at(zip, zip->local[STORAGE_AT] + 22), 20);
}

static void change_z47(struct zip *zip) {
    *at(zip, zip->central[STORAGE_AT] + 46 + 3) = '\0';
    *at(zip, zip->local[STORAGE_AT] + 30 + 3) = '\0';
}

static void change_z56(struct zip *zip) {
    *at(zip, zip->central[STORAGE_AT] + 46 + 3) = 0xFF;
    *at(zip, zip->local[STORAGE_AT] + 30 + 3) = 0xFF;
}

static void change_descriptor(struct zip *zip) {
    put16(at(zip, zip->central[STORAGE_AT] + 8), 0x0808);
    put16(at(zip, zip->local[STORAGE_AT] + 6), 0x0808);
    memset(at(zip, zip->local[STORAGE_AT] + 14), 0, 12);
}

static void change_signature(struct zip *zip) {
    *at(zip, zip->local[STORAGE_AT]) = 'x';
}

static void change_central(struct zip *zip) {
    *at(zip, zip->central[STORAGE_AT]) = 'x';
}

/* The directory forgets an entry of the middle: a gap. */
static void change_z52(struct zip *zip) {
    size_t length = zip->central[3] - zip->central[2];
    memmove(at(zip, zip->central[2]), at(zip, zip->central[3]),
            zip->bytes.length - zip->central[3]);
    zip->bytes.length -= length;
    zip->end -= length;
    set_count(zip, 3);
    put32(at(zip, zip->end + 12), (uint32_t)(zip->end - zip->directory));
}

/* Something before the first entry, offsets set right. */
static void change_prefix_with_offsets(struct zip *zip) {
    unsigned char *moved = memory_array(zip->bytes.length + 30, 1);
    memcpy(moved, "PK\3\4", 4);
    memcpy(moved + 30, zip->bytes.data, zip->bytes.length);
    for (size_t i = 0; i < 3; i++)
        put32(moved + 30 + zip->central[i] + 42, (uint32_t)zip->local[i] + 30);
    put32(moved + 30 + zip->end + 16, (uint32_t)zip->directory + 30);
    free(zip->bytes.data);
    zip->bytes = (struct bytes){moved, zip->bytes.length + 30, zip->bytes.length + 30};
}

/* An archive: the usual records or others, changed. */
struct row {
    const char *id;
    const struct record *records;
    size_t count;
    bool zip64;
    void (*change)(struct zip *zip);
    const char *message; /* a part of it; NULL: accepted */
};

#define CHANGED(id, change, message)                                                               \
    { id, usual, 3, false, change, message }
#define CHANGED64(id, change, message)                                                             \
    { id, usual, 3, true, change, message }
#define RECORDS(id, change, message, ...)                                                          \
    {                                                                                              \
        id, (const struct record[]){__VA_ARGS__},                                                  \
            sizeof((const struct record[]){__VA_ARGS__}) / sizeof(struct record), false, change,   \
            message                                                                                \
    }
#define VERSION(id, text, message)                                                                 \
    RECORDS(id, NULL, message, PICKLE_RECORD, STORAGE_RECORD,                                      \
            RECORD("version", text, sizeof text - 1))
#define EXTRA(id, name, message)                                                                   \
    RECORDS(id, NULL, message, PICKLE_RECORD, STORAGE_RECORD, VERSION_RECORD, RECORD(name, "x", 1))
#define DEFLATED                                                                                   \
    { .name = "data/0", .data = storage, .length = sizeof storage, .folder = true, .deflate = true }
#define OUTSIDE(name_)                                                                             \
    { .name = name_, .data = "x", .length = 1 }

static const struct row rows[] = {
    CHANGED("good", NULL, NULL),
    CHANGED64("good zip64", NULL, NULL),
    CHANGED("Z01", change_z01, "truncated"),
    CHANGED("Z02", change_z02, "truncated"),
    CHANGED("Z03", change_z03, "something is appended"),
    CHANGED("Z04", change_z04, "not a torch checkpoint"),
    CHANGED("Z05", change_z05, "does not end where the end record begins"),
    CHANGED("Z06", change_z06, "does not end where the end record begins"),
    CHANGED("Z07", change_z07, "its directory is too short"),
    CHANGED("Z08", change_z08, "more entries than its end record says"),
    RECORDS("Z09", NULL, "zip entry a/data.pkl: occurs twice", PICKLE_RECORD, STORAGE_RECORD,
            VERSION_RECORD, PICKLE_RECORD),
    CHANGED("Z10", change_z10, "its local header differs"),
    CHANGED("Z11", change_z11, "zip entry a/data/0: its local header differs"),
    CHANGED("Z12", change_z12, "its local header differs"),
    CHANGED("Z53", change_z53, "its local header differs"),
    CHANGED("local size", change_local_size, "its local header differs"),
    CHANGED("local signature", change_signature, "is not where the directory says"),
    CHANGED("central signature", change_central, "fewer entries than its end record says"),
    RECORDS("deflated", NULL, NULL, PICKLE_RECORD, DEFLATED, VERSION_RECORD),
    RECORDS("Z14", change_z14, "another size than the pickle says", PICKLE_RECORD, DEFLATED,
            VERSION_RECORD),
    RECORDS("deflated less", change_longer, "another size than the pickle says", PICKLE_RECORD,
            DEFLATED, VERSION_RECORD),
    RECORDS("deflated damaged", change_damaged, "its compressed data are damaged", PICKLE_RECORD,
            DEFLATED, VERSION_RECORD),
    CHANGED("Z15", change_z15, "its two sizes differ"),
    CHANGED("Z16", change_z16, "encrypted or patched"),
    CHANGED("Z17", change_z17, "an unknown kind of compression"),
    RECORDS("Z18", NULL, "not a plain relative name", PICKLE_RECORD, STORAGE_RECORD, VERSION_RECORD,
            RECORD("../../x", "x", 1)),
    RECORDS("Z19", NULL, "not a plain relative name", PICKLE_RECORD, STORAGE_RECORD, VERSION_RECORD,
            OUTSIDE("/etc/x")),
    CHANGED("Z47", change_z47, "not a plain relative name"),
    CHANGED("Z56", change_z56, "zip entry a/d\\xffta/0: not a plain relative name"),
    EXTRA("backslash", "b\\c", "not a plain relative name"),
    RECORDS("Z20", NULL, "not in the one folder", PICKLE_RECORD, STORAGE_RECORD, VERSION_RECORD,
            OUTSIDE("b/data/1")),
    RECORDS("Z51", NULL, "no folder in it", OUTSIDE("data.pkl"), OUTSIDE("version")),
    RECORDS("Z21", NULL, "not a torch checkpoint: no data.pkl", STORAGE_RECORD, VERSION_RECORD),
    RECORDS("Z22", NULL, "not a torch checkpoint: no version", PICKLE_RECORD, STORAGE_RECORD),
    RECORDS("Z54", NULL, "not a torch checkpoint: no folder", OUTSIDE("arr_0.npy")),
    VERSION("Z23", "abc", "not a known version"),
    VERSION("Z24", "0", "not a known version"),
    VERSION("Z25", "99\n", "not a known version"),
    VERSION("Z26", "333333333333333333333333333333333333333333333333333333333333\n",
            "not a known version"),
    VERSION("Z27", "", "not a known version"),
    VERSION("Z28", "-1", "not a known version"),
    VERSION("Z29", "3junk", "not a known version"),
    VERSION("version 10", "10", NULL),
    RECORDS(".data/version", NULL, NULL, PICKLE_RECORD, STORAGE_RECORD,
            RECORD(".data/version", "3\n", 2)),
    RECORDS("Z30", NULL, "neither little nor big", PICKLE_RECORD, STORAGE_RECORD, VERSION_RECORD,
            RECORD("byteorder", "middle", 6)),
    RECORDS("Z31", NULL, "tensor w: its storage is not in the file", PICKLE_RECORD, VERSION_RECORD),
    RECORDS("Z32", NULL, "tensor w: its storage has another size", PICKLE_RECORD,
            RECORD("data/0", storage, 12), VERSION_RECORD),
    RECORDS("Z33", NULL, "tensor w: its storage has another size", PICKLE_RECORD,
            RECORD("data/0", "12345678901234567890", 20), VERSION_RECORD),
    CHANGED("zip64 sizes", change_zip64_sizes, NULL),
    CHANGED("Z34", change_z34, "its zip64 sizes are malformed"),
    CHANGED("Z35", change_z35, "its zip64 sizes are malformed"),
    CHANGED("zip64 needless", change_zip64_needless, "its zip64 sizes are malformed"),
    CHANGED("extra malformed", change_extra_malformed, "its zip64 sizes are malformed"),
    CHANGED("Z36", change_z36, "reaches into the archive's directory"),
    CHANGED("Z36 zip64", change_z36_zip64, "reaches into the archive's directory"),
    CHANGED("Z37", change_z37, "begins behind the archive's data"),
    CHANGED64("Z38", change_z38, "the zip64 locator points elsewhere"),
    CHANGED64("end records differ", change_end64_count, "its two end records differ"),
    CHANGED("Z39", change_z39, "does not end where the end record begins"),
    CHANGED("comment", change_comment, "a comment at its end"),
    EXTRA("Z40", "constants.pkl", "TorchScript"),
    CHANGED("Z41", change_z41, NULL),
    CHANGED("Z42", change_z42, NULL),
    {"Z43", NULL, 0, false, NULL, "not a torch checkpoint"},
    CHANGED("Z48", change_z48, "an archive of several parts"),
    CHANGED("Z48 entry", change_z48_entry, "in another part of the archive"),
    CHANGED("Z44", change_z44, "reaches into the archive's directory"),
    CHANGED("Z45", change_z45, "zip entry a/version: overlaps the entry before it"),
    RECORDS("Z46", NULL, "no data.pkl", RECORD("Data.pkl", GOOD_PICKLE, sizeof GOOD_PICKLE - 1),
            STORAGE_RECORD, VERSION_RECORD),
    EXTRA("Z59", "Data.pkl", "occurs twice (names are compared without case)"),
    RECORDS("Z49", NULL, NULL, PICKLE_RECORD,
            {.name = "data/0", .data = storage, .length = 16, .folder = true, .extra = 3},
            VERSION_RECORD),
    RECORDS("Z57", NULL, NULL, RECORD("", NULL, 0), PICKLE_RECORD, STORAGE_RECORD, VERSION_RECORD),
    EXTRA("Z50", "data/7", NULL),
    RECORDS("Z52", change_z52, NULL, PICKLE_RECORD, STORAGE_RECORD, RECORD("more", storage, 16),
            VERSION_RECORD),
    CHANGED("descriptor", change_descriptor, NULL),
    CHANGED("prefix", change_prefix_with_offsets, "something before its first entry"),
};

static char *write_row(struct scratch *scratch, const struct row *row) {
    struct zip zip = zip_make(row->records, row->count, row->zip64);
    if (row->change != NULL)
        row->change(&zip);
    char *path = scratch_write(scratch, "hostile.pth", zip.bytes.data, zip.bytes.length);
    zip_free(&zip);
    return path;
}

static void assert_refused(const char *id, const char *path, const char *message) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    if (checkpoint_open(path, &checkpoint, &error))
        fail_msg("%s: accepted", id);
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_memory_equal(error.message, path, strlen(path));
    if (strstr(error.message, message) == NULL)
        fail_msg("%s: expected \"%s\" in \"%s\"", id, message, error.message);
    for (const char *c = error.message; *c != '\0'; c++)
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7F);
    error_free(&error);
}

static struct checkpoint *open_path(const char *id, const char *path) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    if (!checkpoint_open(path, &checkpoint, &error))
        fail_msg("%s: %s", id, error.message);
    return checkpoint;
}

static void every_archive_gets_its_verdict(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *path = write_row(&scratch, &rows[i]);
        if (rows[i].message != NULL) {
            assert_refused(rows[i].id, path, rows[i].message);
            continue;
        }
        struct checkpoint *checkpoint = open_path(rows[i].id, path);
        double values[4];
        assert_int_equal(checkpoint_count(checkpoint), 1);
        tensor_read(checkpoint_tensor(checkpoint, 0), 0, 4, values);
        assert_true(values[0] == 1 && values[3] == 4);
        checkpoint_close(checkpoint);
    }
    scratch_remove(&scratch);
}

static void assert_warning(const char *id, const char *warning) {
    struct scratch scratch = scratch_make();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].id, id) != 0)
            continue;
        struct checkpoint *checkpoint = open_path(id, write_row(&scratch, &rows[i]));
        assert_int_equal(checkpoint_warnings(checkpoint)->count, 1);
        assert_string_equal(checkpoint_warnings(checkpoint)->items[0], warning);
        checkpoint_close(checkpoint);
    }
    scratch_remove(&scratch);
}

static void oddities_are_warned_of(void **state) {
    (void)state;
    assert_warning("Z41", "zip entry a/data/0 has a wrong checksum");
    assert_warning("Z42", "saved without checksums");
    assert_warning("Z50", "storages that belong to no tensor: 1");
    assert_warning("Z52", "1 gap between the entries of the zip archive (deleted entries?)");
}

/* Z41 where all is read: the tensor is named. Z42 has nothing to compare with. */
static void wrong_checksums_are_errors_when_asked_for(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error = {0};
        bool wrong = strcmp(rows[i].id, "Z41") == 0;
        if (!wrong && strcmp(rows[i].id, "Z42") != 0)
            continue;
        struct checkpoint *checkpoint = open_path(rows[i].id, write_row(&scratch, &rows[i]));
        for (size_t part = 0; part < checkpoint_seal_count(checkpoint); part++)
            if (!checkpoint_seal_check(checkpoint, part, &error))
                break;
        assert_int_equal(error.kind, wrong ? ERROR_INPUT : ERROR_NONE);
        if (wrong)
            assert_non_null(strstr(error.message, ": tensor "));
        error_free(&error);
        checkpoint_close(checkpoint);
    }
    scratch_remove(&scratch);
}

/* An entry that lies in the bytes of another, with a header and all. */
static void z58_nested_entries_are_refused(void **state) {
    (void)state;
    const struct record inner[] = {RECORD("data/1", storage, 16)};
    struct zip nested = make(inner, 1);
    const struct record records[] = {PICKLE_RECORD, STORAGE_RECORD, VERSION_RECORD,
                                     RECORD("outer", nested.bytes.data, nested.directory),
                                     RECORD("data/1", storage, 16)};
    struct zip zip = make(records, 5);
    struct scratch scratch = scratch_make();
    put32(at(&zip, zip.central[4] + 42), (uint32_t)(zip.local[3] + 30 + strlen("a/outer")));
    char *path = scratch_write(&scratch, "nested.pth", zip.bytes.data, zip.bytes.length);
    assert_refused("Z58", path, "zip entry a/data/1: overlaps the entry before it");
    zip_free(&zip);
    zip_free(&nested);
    scratch_remove(&scratch);
}

/* A data.pkl that would take 64 MB, from 64 kB. */
static void z13_bombs_are_refused(void **state) {
    (void)state;
    size_t length = 64 << 20;
    char *zeros = memory_array(length, 1);
    const struct record records[] = {
        {.name = "data.pkl", .data = zeros, .length = length, .folder = true, .deflate = true},
        VERSION_RECORD};
    struct zip zip = make(records, 2);
    struct scratch scratch = scratch_make();
    assert_true(zip.bytes.length < 100000);
    char *path = scratch_write(&scratch, "bomb.pth", zip.bytes.data, zip.bytes.length);
    assert_refused("Z13", path, "unpacks to far more than the file holds");
    zip_free(&zip);
    free(zeros);
    scratch_remove(&scratch);
}

/* Declared sizes that the packed bytes do not keep: the right size as far as the pickle goes. */
static void z14_declared_sizes_bind(void **state) {
    (void)state;
    static const float five[5] = {1, 2, 3, 4, 5};
    struct scratch scratch = scratch_make();
    for (size_t length = 12; length <= 20; length += 8) {
        const struct record records[] = {
            PICKLE_RECORD,
            {.name = "data/0", .data = five, .length = length, .folder = true, .deflate = true},
            VERSION_RECORD};
        struct zip zip = make(records, 3);
        put32(at(&zip, zip.central[STORAGE_AT] + 24), 16);
        put32(at(&zip, zip.local[STORAGE_AT] + 22), 16);
        char *path = scratch_write(&scratch, "z14.pth", zip.bytes.data, zip.bytes.length);
        assert_refused("Z14", path, "zip entry a/data/0: its compressed data are damaged");
        zip_free(&zip);
    }
    scratch_remove(&scratch);
}

static void z55_many_entries_are_read(void **state) {
    (void)state;
    enum { MANY = 30000 };
    struct record *records = memory_array(MANY, sizeof *records);
    struct scratch scratch = scratch_make();
    memcpy(records, usual, sizeof usual);
    for (size_t i = 3; i < MANY; i++)
        records[i] =
            (struct record){.name = memory_format("more/%zu", i), .data = "", .folder = true};
    struct zip zip = make(records, MANY);
    char *path = scratch_write(&scratch, "many.pth", zip.bytes.data, zip.bytes.length);
    checkpoint_close(open_path("Z55", path));
    for (size_t i = 3; i < MANY; i++)
        free((void *)(uintptr_t)records[i].name);
    zip_free(&zip);
    free(records);
    scratch_remove(&scratch);
}

/* Every byte of the headers and the directory, set to another value: no crash, whatever comes. */
static void any_byte_may_be_wrong(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct zip zip = zip_make(usual, 3, true);
    static const unsigned char values[] = {0, 1, 0x7F, 0xFF};
    for (size_t i = 0; i < zip.bytes.length; i++)
        for (size_t v = 0; v < sizeof values; v++) {
            unsigned char kept = *at(&zip, i);
            struct error error = {0};
            struct checkpoint *checkpoint;
            *at(&zip, i) = values[v];
            char *path = scratch_write(&scratch, "byte.pth", zip.bytes.data, zip.bytes.length);
            bool opened = checkpoint_open(path, &checkpoint, &error);
            assert_int_equal(opened, error.kind == ERROR_NONE);
            checkpoint_close(checkpoint);
            error_free(&error);
            *at(&zip, i) = kept;
        }
    zip_free(&zip);
    scratch_remove(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_archive_gets_its_verdict),
        cmocka_unit_test(oddities_are_warned_of),
        cmocka_unit_test(wrong_checksums_are_errors_when_asked_for),
        cmocka_unit_test(z58_nested_entries_are_refused),
        cmocka_unit_test(z13_bombs_are_refused),
        cmocka_unit_test(z14_declared_sizes_bind),
        cmocka_unit_test(z55_many_entries_are_read),
        cmocka_unit_test(any_byte_may_be_wrong),
    };
    return cmocka_run_group_tests_name("zip hostile", tests, NULL, NULL);
}
