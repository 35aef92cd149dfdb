/* Files made to break a reader of safetensors: every one is refused with the right reason, or
 * accepted where the format allows it. The ids S01 to S80 are those of the project's corpus. */
#include "analysis/checkpoint/checkpoint.h"
#include "tests/scratch.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_NAME "hostile.safetensors"

struct file {
    char *bytes;
    size_t length, capacity;
};

static void append(struct file *file, const void *bytes, size_t length) {
    if (file->capacity - file->length < length) {
        file->capacity = 2 * file->capacity + length;
        file->bytes = memory_resize(file->bytes, file->capacity, 1);
    }
    memcpy(file->bytes + file->length, bytes, length);
    file->length += length;
}

static void append_text(struct file *file, const char *text) {
    append(file, text, strlen(text));
}

static void append_repeated(struct file *file, const char *text, size_t times) {
    for (size_t i = 0; i < times; i++)
        append_text(file, text);
}

static void append_zeros(struct file *file, size_t count) {
    for (size_t i = 0; i < count; i++)
        append(file, "", 1);
}

/* N, later set by end_header. */
static void begin_header(struct file *file) {
    append_zeros(file, 8);
}

static void end_header(struct file *file, size_t data_bytes) {
    uint64_t length = file->length - 8;
    memcpy(file->bytes, &length, sizeof length);
    append_zeros(file, data_bytes);
}

static void wrong_length(struct file *file, uint64_t length) {
    static const char header[] =
        "{\"a\":{\"dtype\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}";
    append(file, &length, sizeof length);
    append_text(file, header);
    append_zeros(file, 16);
}

static void build_s01(struct file *file) {
    (void)file;
}

static void build_s02(struct file *file) {
    append_text(file, "\x02{}    ");
}

static void build_s03(struct file *file) {
    append_zeros(file, 8);
}

static void build_s04(struct file *file) {
    wrong_length(file, 1000);
}

static void build_s05(struct file *file) {
    wrong_length(file, UINT64_MAX);
}

static void build_s06(struct file *file) {
    wrong_length(file, 1ULL << 63);
}

static void spaces(struct file *file, size_t header_bytes) {
    begin_header(file);
    append_text(file, "{}");
    size_t more = header_bytes - 2;
    char *blank = memory_array(more, 1);
    memset(blank, ' ', more);
    append(file, blank, more);
    free(blank);
    end_header(file, 0);
}

static void build_s78(struct file *file) {
    spaces(file, 100000001);
}

static void build_s79(struct file *file) {
    spaces(file, 100000000);
}

static void build_s45(struct file *file) {
    begin_header(file);
    append_repeated(file, "[", 100000);
    end_header(file, 0);
}

/* The same where any value may stand. */
static void build_s45_inside(struct file *file) {
    begin_header(file);
    append_text(file, "{\"a\":{\"x\":");
    append_repeated(file, "[", 100000);
    append_repeated(file, "]", 100000);
    append_text(file, "}}");
    end_header(file, 0);
}

static void build_s49(struct file *file) {
    begin_header(file);
    append_text(file, "{\"");
    append_repeated(file, "n", 1000000);
    append_text(file, "\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]}}");
    end_header(file, 4);
}

static void build_s70(struct file *file) {
    begin_header(file);
    append_text(file, "{\"a\":{\"dtype\":\"F32\",\"shape\":[1");
    append_repeated(file, ",1", 999);
    append_text(file, "],\"data_offsets\":[0,4]}}");
    end_header(file, 4);
}

static void empty_tensors(struct file *file, size_t count) {
    begin_header(file);
    append_text(file, "{");
    for (size_t i = 0; i < count; i++) {
        char entry[100];
        sprintf(entry, "%s\"t%zu\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[0,0]}",
                i > 0 ? "," : "", i);
        append_text(file, entry);
    }
    append_text(file, "}");
    end_header(file, 0);
}

static void build_s62(struct file *file) {
    empty_tensors(file, 100000);
}

static void build_s80(struct file *file) {
    empty_tensors(file, 1550000);
}

/* One header with data_bytes zeros behind, or a function that builds the whole file. */
struct row {
    const char *id;
    const char *header;
    size_t header_length;
    size_t data_bytes;
    void (*build)(struct file *file);
    const char *message; /* a part of it; NULL: accepted */
};

#define HEADER(id, text, data_bytes, message)                                                      \
    { id, text, sizeof text - 1, data_bytes, NULL, message }
#define BUILT(id, build, message)                                                                  \
    { id, NULL, 0, 0, build, message }
/* One tensor a with these fields. */
#define TENSOR(dtype, shape, offsets)                                                              \
    "\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets
#define ONE(dtype, shape, offsets) "{\"a\":{" TENSOR(dtype, shape, offsets) "}}"
#define TWO(one, other) "{\"a\":{" one "},\"b\":{" other "}}"
#define F32X4(offsets) TENSOR("F32", "[4]", offsets)

static const struct row rows[] = {
    BUILT("S01", build_s01, "the file is empty"),
    BUILT("S02", build_s02, "7 bytes are too short"),
    BUILT("S03", build_s03, "zeros"),
    BUILT("S04", build_s04, "truncated: a header of 1000 bytes"),
    BUILT("S05", build_s05, "a header of 18446744073709551615 bytes"),
    BUILT("S06", build_s06, "a header of 9223372036854775808 bytes"),
    HEADER("S08", "{\"\xff\":{}}", 0, "header byte 2 is not UTF-8"),
    HEADER("S69", "{\"\xc0\xaf\":{}}", 0, "header byte 2 is not UTF-8"),
    HEADER("S09", "{", 0, "expected a string (header byte 1)"),
    HEADER("S10", "[]", 0, "expected an object (header byte 0)"),
    HEADER("S11", "\xef\xbb\xbf{}", 0, "expected an object (header byte 0)"),
    HEADER("S12", "{}x", 0, "something after the end of the header (header byte 2)"),
    HEADER("S13", "{}{}", 0, "something after the end of the header (header byte 2)"),
    HEADER("S14", "{}\0\0\0\0\0\0", 0, "something after the end of the header (header byte 2)"),
    HEADER("S15", "{\"a\":{" F32X4("[0,16]") "},\"a\":{" F32X4("[0,16]") "}}", 16,
           "tensor a: occurs twice"),
    HEADER("S68", "{\"a\":{" F32X4("[0,16]") "},\"\\u0061\":{" F32X4("[16,32]") "}}", 32,
           "tensor a: occurs twice"),
    HEADER("S16", "{\"__metadata__\":{},\"__metadata__\":{}}", 0, "__metadata__: occurs twice"),
    HEADER("S17", "{\"a\":{\"dtype\":\"F32\"," F32X4("[0,16]") "}}", 16,
           "tensor a: a field occurs twice"),
    HEADER("S18", ONE("F31", "[4]", "[0,16]"), 16, "tensor a: unknown dtype \"F31\""),
    HEADER("S19", ONE("f32", "[4]", "[0,16]"), 16, "tensor a: unknown dtype \"f32\""),
    HEADER("S74", ONE("F32 ", "[4]", "[0,16]"), 16, "tensor a: unknown dtype \"F32 \""),
    HEADER("S20", "{\"a\":{\"dtype\":32,\"shape\":[4],\"data_offsets\":[0,16]}}", 16,
           "tensor a: expected a string"),
    HEADER("S21", ONE("F32", "[-4]", "[0,16]"), 16, "tensor a: expected a whole number"),
    HEADER("S22", ONE("F32", "[4.0]", "[0,16]"), 16, "without point or exponent"),
    HEADER("S23", ONE("F32", "[4e0]", "[0,16]"), 16, "without point or exponent"),
    HEADER("S24", ONE("F32", "[\"4\"]", "[0,16]"), 16, "tensor a: expected a whole number"),
    HEADER("S52", ONE("F32", "[04]", "[0,16]"), 16, "tensor a: expected a whole number"),
    HEADER("S53", ONE("F32", "[-0]", "[0,0]"), 0, "tensor a: expected a whole number"),
    HEADER("S56", ONE("F32", "[NaN]", "[0,16]"), 16, "tensor a: expected a whole number"),
    HEADER("S25", ONE("U8", "[18446744073709551616]", "[0,0]"), 0, "a number of 2^64 or more"),
    HEADER("S26", ONE("U8", "[4294967296,4294967296]", "[0,0]"), 0,
           "tensor a: the product of its sizes overflows"),
    HEADER("S27", ONE("F64", "[2305843009213693953]", "[0,8]"), 8,
           "tensor a: its size in bits overflows"),
    HEADER("S28", ONE("U8", "[9223372036854775808,2,0]", "[0,0]"), 0,
           "tensor a: the product of its sizes overflows"),
    HEADER("S67", ONE("U8", "[9007199254740993]", "[0,9007199254740993]"), 16,
           "need 9007199254740993 bytes"),
    HEADER("S71",
           TWO(TENSOR("U8", "[8]", "[0,8]"),
               TENSOR("U8", "[2305843009213693944]", "[8,2305843009213693952]")),
           16, "truncated: the tensors need 2305843009213693952 bytes"),
    HEADER("S29", TWO(F32X4("[0,16]"), F32X4("[16,0]")), 16, "run backwards"),
    HEADER("S30", ONE("F32", "[400]", "[0,1600]"), 16, "truncated"),
    HEADER("S31", TWO(F32X4("[0,16]"), F32X4("[0,16]")), 16, "tensor b: overlaps tensor a"),
    HEADER("S32", TWO(F32X4("[0,16]"), F32X4("[8,24]")), 24, "tensor b: overlaps tensor a"),
    HEADER("S33", TWO(F32X4("[0,16]"), F32X4("[20,36]")), 36, "tensor b: begins at byte 20"),
    HEADER("S34", ONE("F32", "[4]", "[4,20]"), 20, "tensor a: begins at byte 4"),
    HEADER("S35", ONE("F32", "[4]", "[0,16]"), 20, "4 bytes follow the last tensor"),
    HEADER("S36", ONE("F32", "[4]", "[0,16]"), 14, "truncated: the tensors need 16 bytes"),
    HEADER("S37", ONE("F32", "[2]", "[0,16]"), 16, "F32 [2] needs 8 bytes"),
    HEADER("S38", "{\"__metadata__\":{\"x\":1}}", 0, "__metadata__: expected a string"),
    HEADER("S38 whole", "{\"__metadata__\":1}", 0, "__metadata__: expected an object"),
    HEADER("S39", "{\"__metadata__\":{\"x\":{}}}", 0, "__metadata__: expected a string"),
    HEADER("S51", "{\"__metadata__\":{" F32X4("[0,16]") "}}", 16,
           "__metadata__: expected a string"),
    HEADER("S40", "{\"__metadata__\":null}", 0, NULL),
    HEADER("S41", "{\"a\":{\"shape\":[4],\"data_offsets\":[0,16]}}", 16, "tensor a: has no dtype"),
    HEADER("S41 shape", "{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,16]}}", 16, "has no shape"),
    HEADER("S41 offsets", "{\"a\":{\"dtype\":\"F32\",\"shape\":[4]}}", 16, "has no data_offsets"),
    HEADER("S44", ONE("F32", "[4]", "[0,16,16]"), 16, "more than two numbers"),
    HEADER("S44 one", ONE("F32", "[4]", "[0]"), 16, "less than two numbers"),
    HEADER("S42", "{\"a\":{\"x\":[{\"y\":-1.5e+3},null,true,\"z\"]," F32X4("[0,16]") "}}", 16,
           NULL),
    HEADER("S43", "{\"a\":[\"F32\",[4],[0,16]]}", 16, "tensor a: expected an object"),
    BUILT("S45", build_s45, "expected an object"),
    BUILT("S45 inside", build_s45_inside, "nested too deeply"),
    HEADER("S46", "{\"\\ud800\":{" F32X4("[0,16]") "}}", 16, "an escape that does not exist"),
    HEADER("S46 low", "{\"\\udc00\":{" F32X4("[0,16]") "}}", 16, "an escape that does not exist"),
    HEADER("S46 half", "{\"\\ud83d\\u0041\":{" F32X4("[0,16]") "}}", 16,
           "an escape that does not exist"),
    HEADER("S46 high", "{\"\\ud83d\\ue000\":{" F32X4("[0,16]") "}}", 16,
           "an escape that does not exist"),
    HEADER("S46 pair", "{\"\\ud83d\\ude00\":{" F32X4("[0,16]") "}}", 16, NULL),
    HEADER("S47", "{\"a\nb\":{" F32X4("[0,16]") "}}", 16, "a control character in a string"),
    HEADER("S48", "{\"a\":{" F32X4("[0,16]") "},\"a\\u0000b\":{" F32X4("[16,32]") "}}", 32, NULL),
    BUILT("S49", build_s49, "a name of more than 4096 bytes"),
    BUILT("S70", build_s70, "more than 64 dimensions"),
    HEADER("S50", "{\"\":{" F32X4("[0,16]") "}}", 16, NULL),
    HEADER("S73", "{\"../../etc/passwd\":{" F32X4("[0,16]") "}}", 16, NULL),
    HEADER("S54", "{\"a\":{" F32X4("[0,16]") "},}", 16, "a comma before the closing bracket"),
    HEADER("S54 list", ONE("F32", "[4,]", "[0,16]"), 16, "a comma before the closing bracket"),
    HEADER("S55", "{/* */}", 0, "expected a string (header byte 1)"),
    HEADER("S72", "{'a':{}}", 0, "expected a string (header byte 1)"),
    HEADER("S57", " \t\r\n{ \"a\" : {" F32X4(" [ 0 , 16 ] ") "} } \r\n\t", 16, NULL),
    HEADER("S58", "{\"abc\":{" F32X4("[0,16]") "}} ", 16, NULL),
    HEADER("S59", ONE("F4", "[3]", "[0,1]"), 1, "tensor a: its elements do not fill whole bytes"),
    HEADER("S60",
           "{\"a\":{" F32X4("[0,16]") "},\"b\":{" TENSOR("F32", "[0]", "[16,16]") "},\"c\":{" F32X4(
               "[16,32]") "}}",
           32, NULL),
    HEADER("S60 order", TWO(F32X4("[0,16]"), TENSOR("F32", "[0]", "[0,0]")), 16, NULL),
    HEADER("S61", TWO(F32X4("[0,16]"), TENSOR("F32", "[0]", "[8,8]")), 16,
           "tensor b: overlaps tensor a"),
    BUILT("S62", build_s62, NULL),
    BUILT("S80", build_s80, NULL),
    HEADER("S63", "{\"\\u001b[31m\\u001b]0;x\\u0007\":{" F32X4("[0,16]") "}}", 16, NULL),
    HEADER("S63 refused", "{\"\\u001b[31m\":{" F32X4("[0,8]") "}}", 8, "tensor \\x1b[31m: F32 [4]"),
    HEADER("S64", "{\"a\xe2\x80\xae\xe2\x80\x8b\":{" F32X4("[0,16]") "}}", 16, NULL),
    HEADER("S64 refused", "{\"a\xe2\x80\xae\":{" F32X4("[0,8]") "}}", 8, "tensor a\\u{202e}: "),
    HEADER("S65", ONE("F32", "[4]", "[0,16]"), 16, NULL),
    HEADER("S76", ONE("F8_E4M3", "[4]", "[0,4]"), 4, NULL),
    HEADER("S66", ONE("BOOL", "[14]", "[0,14]"), 14, NULL),
    HEADER("S75", ONE("C64", "[4]", "[0,32]"), 32, NULL),
    HEADER("S77", TWO(F32X4("[16,32]"), F32X4("[0,16]")), 32, NULL),
    BUILT("S78", build_s78, "a header of 100000001 bytes; at most 100000000"),
    BUILT("S79", build_s79, NULL),
    /* Beyond the corpus: the rest of the JSON grammar, where any value may stand. */
    HEADER("J01", "{\"a\":{\"x\":01," F32X4("[0,16]") "}}", 16, "a number with a leading zero"),
    HEADER("J02", "{\"a\":{\"x\":1.," F32X4("[0,16]") "}}", 16, "expected a digit"),
    HEADER("J03", "{\"a\":{\"x\":1e," F32X4("[0,16]") "}}", 16, "expected a digit"),
    HEADER("J04", "{\"a\":{\"x\":-," F32X4("[0,16]") "}}", 16, "expected a digit"),
    HEADER("J05", "{\"a\":{\"x\":tru," F32X4("[0,16]") "}}", 16, "expected a value"),
    HEADER("J06", "{\"a\":{\"x\":\"\\x\"," F32X4("[0,16]") "}}", 16, "an escape that does not"),
    HEADER("J07", "{\"a\":{\"x\":\"\\u12g4\"," F32X4("[0,16]") "}}", 16, "an escape that does not"),
    HEADER("J08", "{\"a\" {}}", 0, "expected :"),
    HEADER("J09", "{\"a\":{} \"b\":{}}", 0, "has no dtype"),
    HEADER("J10", "{\"a\":{" F32X4("[0,16]") "} \"b\":{}}", 16, "expected , or }"),
    HEADER("J11", ONE("F32", "[4 4]", "[0,16]"), 16, "expected , or ]"),
    HEADER("J12", "{\"a", 0, "a string that does not end"),
    HEADER("J13", "{\"a\":{" F32X4("[0,16]"), 16, "expected , or }"),
    HEADER("J14", "{\"\\u0061\\n\\t\\\\\\/\\\"\\b\\f\\r\":{" F32X4("[0,16]") "}}", 16, NULL),
    HEADER("J15", "{\"a\":{\"\\u0064type\":\"F32\",\"shape\":[4],\"data_offsets\":[0,16]}}", 16,
           NULL),
    HEADER("J16", "{,\"a\":{}}", 0, "expected a string"),
    HEADER("J17", "{}", 1, "1 bytes follow"),
};

static struct file build(const struct row *row) {
    struct file file = {0};
    if (row->build != NULL) {
        row->build(&file);
        return file;
    }
    begin_header(&file);
    append(&file, row->header, row->header_length);
    end_header(&file, row->data_bytes);
    return file;
}

/* `PATH: reason` on one line, without anything that drives a terminal. */
static void check_message(const char *path, const struct row *row, const struct error *error) {
    assert_int_equal(error->kind, ERROR_INPUT);
    assert_memory_equal(error->message, path, strlen(path));
    assert_memory_equal(error->message + strlen(path), ": ", 2);
    if (strstr(error->message, row->message) == NULL)
        fail_msg("%s: expected \"%s\" in \"%s\"", row->id, row->message, error->message);
    for (const char *c = error->message; *c != '\0'; c++)
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7F);
    assert_true(strlen(error->message) < 1000);
}

static void check_row(struct scratch *scratch, const struct row *row) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    struct file file = build(row);
    char *path = scratch_write(scratch, FILE_NAME, file.bytes, file.length);
    free(file.bytes);
    bool opened = checkpoint_open(path, &checkpoint, &error);
    if (opened != (row->message == NULL))
        fail_msg("%s: %s", row->id, opened ? "accepted" : error.message);
    if (!opened) {
        assert_null(checkpoint);
        check_message(path, row, &error);
    }
    checkpoint_close(checkpoint);
    error_free(&error);
}

static void every_file_gets_its_verdict(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&scratch, &rows[i]);
    scratch_remove(&scratch);
}

/* Opens a file with that header; the scratch is removed, the mapping stays. */
static struct checkpoint *open_header(const char *header, size_t data_bytes) {
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    const struct row row = {"", header, strlen(header), data_bytes, NULL, NULL};
    struct file file = build(&row);
    char *path = scratch_write(&scratch, FILE_NAME, file.bytes, file.length);
    free(file.bytes);
    if (!checkpoint_open(path, &checkpoint, &error))
        fail_msg("%s", error.message);
    scratch_remove(&scratch);
    return checkpoint;
}

static void s48_names_with_nul_are_kept_apart(void **state) {
    (void)state;
    struct checkpoint *checkpoint =
        open_header("{\"a\":{" F32X4("[0,16]") "},\"a\\u0000b\":{" F32X4("[16,32]") "}}", 32);
    const struct tensor *a = checkpoint_find(checkpoint, "a", 1);
    const struct tensor *ab = checkpoint_find(checkpoint, "a\0b", 3);
    assert_non_null(a);
    assert_non_null(ab);
    assert_ptr_equal(ab->data, a->data + 16);
    assert_null(checkpoint_find(checkpoint, "a\0c", 3));
    assert_null(checkpoint_find(checkpoint, "a\0", 2));
    checkpoint_close(checkpoint);
}

static void s42_an_unknown_field_is_a_warning(void **state) {
    (void)state;
    struct checkpoint *checkpoint = open_header(
        "{\"a\":{\"x\":1," F32X4("[0,16]") "},\"b\":{" F32X4("[16,32]") ",\"y\":{}}}", 32);
    const struct string_list *warnings = checkpoint_warnings(checkpoint);
    assert_int_equal(warnings->count, 1);
    assert_string_equal(warnings->items[0],
                        "tensor a has an unknown field \"x\", and 1 more of the kind; ignored");
    checkpoint_close(checkpoint);
}

static void s77_offsets_count_not_the_order_of_the_header(void **state) {
    (void)state;
    struct checkpoint *checkpoint = open_header(TWO(F32X4("[16,32]"), F32X4("[0,16]")), 32);
    assert_ptr_equal(checkpoint_tensor(checkpoint, 0)->data,
                     checkpoint_tensor(checkpoint, 1)->data + 16);
    assert_string_equal(checkpoint_tensor(checkpoint, 0)->name, "a");
    checkpoint_close(checkpoint);
}

/* The largest legal header within some 200 MB of memory. */
static void s80_takes_little_memory(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    struct file file = {0};
    build_s80(&file);
    char *path = scratch_write(&scratch, FILE_NAME, file.bytes, file.length);
    free(file.bytes);
    struct mallinfo2 before = mallinfo2();
    assert_true(checkpoint_open(path, &checkpoint, &error));
    struct mallinfo2 after = mallinfo2();
    assert_int_equal(checkpoint_count(checkpoint), 1550000);
    assert_non_null(checkpoint_find(checkpoint, "t1549999", 8));
    assert_null(checkpoint_find(checkpoint, "t1550000", 8));
    size_t taken = after.uordblks + after.hblkhd - before.uordblks - before.hblkhd;
    assert_true(taken < 300u << 20); /* address space; arrays grow by doubling */
    checkpoint_close(checkpoint);
    scratch_remove(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_gets_its_verdict),
        cmocka_unit_test(s48_names_with_nul_are_kept_apart),
        cmocka_unit_test(s42_an_unknown_field_is_a_warning),
        cmocka_unit_test(s77_offsets_count_not_the_order_of_the_header),
        cmocka_unit_test(s80_takes_little_memory),
    };
    return cmocka_run_group_tests_name("safetensors hostile", tests, NULL, NULL);
}
