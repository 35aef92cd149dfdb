/* Files in torch's format before 1.6, made to break a reader: each gets its verdict. The ids L01
 * to L12 are those of the project's corpus. */
#include "analysis/checkpoint/checkpoint.h"
#include "tests/scratch.h"
#include "tests/torch_archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAGIC "\200\002\212\012\154\374\234\106\371\040\152\250\120\031\056"
#define PROTOCOL "\200\002M\351\003."
#define SYSTEM(flag) "\200\002}X\015\000\000\000little_endian" flag "s."
#define LITTLE SYSTEM("\210")
#define OLD_ID(class, view)                                                                        \
    "(X\007\000\000\000storagec" class "\n" KEY("0") "X\003\000\000\000cpuK\004" view "tQ"
#define OBJECT_OF(id)                                                                              \
    PICKLE_DICT(KEY("w") "ctorch._utils\n_rebuild_tensor_v2\n(" id LAYOUT4 HOOKS "tRs")
#define OBJECT OBJECT_OF(OLD_ID("torch\nFloatStorage", "N"))
#define KEYS(keys) "\200\002](" keys "e."
#define ONE_KEY KEYS(KEY("0"))
#define FOUR "\004\000\000\000\000\000\000\000"
#define VALUES "\000\000\200\077\000\000\000\100\000\000\100\100\000\000\200\100" /* 1 2 3 4 */

static const struct {
    const char *id;
    const char *content;
    size_t length;
    const char *message; /* a part of it; NULL: accepted */
} rows[] = {
#define ROW(id, content, message)                                                                  \
    { id, content, sizeof(content) - 1, message }
    ROW("good", MAGIC PROTOCOL LITTLE OBJECT ONE_KEY FOUR VALUES, NULL),
    ROW("L01", MAGIC, "protocol version: does not begin with opcode PROTO"),
    ROW("L10", MAGIC PROTOCOL LITTLE OBJECT ONE_KEY FOUR "\000\000\200\077\000\000",
        "storage 1 of 1 is cut off"),
    ROW("L10 count", MAGIC PROTOCOL LITTLE OBJECT ONE_KEY "\004\000\000",
        "storage 1 of 1 is cut off"),
    ROW("L10 list", MAGIC PROTOCOL LITTLE OBJECT "\200\002](X\001\000",
        "list of keys: needs more bytes than are left"),
    ROW("L10 object", MAGIC PROTOCOL LITTLE "\200\002}", "object: ends without STOP"),
    ROW("L02",
        MAGIC PROTOCOL LITTLE OBJECT ONE_KEY "\005\000\000\000\000\000\000\000" VALUES "1234",
        "another number of elements than the pickle says"),
    ROW("L03", MAGIC PROTOCOL LITTLE OBJECT ONE_KEY "\000\000\000\000\000\000\000\100" VALUES,
        "another number of elements than the pickle says"),
    ROW("L04", MAGIC PROTOCOL LITTLE OBJECT KEYS(KEY("0") KEY("0")) FOUR VALUES FOUR VALUES,
        "a storage key occurs twice"),
    ROW("L05", MAGIC PROTOCOL LITTLE OBJECT KEYS(KEY("0") KEY("9")) FOUR VALUES FOUR VALUES,
        "storage 2 of 2 belongs to no tensor"),
    ROW("L06", MAGIC PROTOCOL LITTLE OBJECT KEYS(""), "tensor w: its storage is not in the file"),
    ROW("L07", MAGIC PROTOCOL SYSTEM("\211") OBJECT ONE_KEY FOUR VALUES,
        "does not say that it is little-endian"),
    ROW("L07 silent", MAGIC PROTOCOL "\200\002}." OBJECT ONE_KEY FOUR VALUES,
        "does not say that it is little-endian"),
    ROW("L08", MAGIC "\200\002M\352\003." LITTLE OBJECT ONE_KEY FOUR VALUES,
        "a protocol of torch other than 1001"),
    ROW("L09", MAGIC PROTOCOL LITTLE OBJECT ONE_KEY FOUR VALUES "x",
        "1 bytes follow the last storage"),
    ROW("L11",
        MAGIC PROTOCOL LITTLE OBJECT_OF(OLD_ID("torch\nFloatStorage", KEY("v") "K\000K\004\207"))
            ONE_KEY FOUR VALUES,
        "is a view of another storage"),
    ROW("L12", MAGIC PROTOCOL LITTLE "\200\002cos\nsystem\n." ONE_KEY,
        "object: contains a code-execution payload (os.system)"),
    ROW("L12 first", MAGIC "\200\002cos\nsystem\n.",
        "protocol version: contains a code-execution payload (os.system)"),
    ROW("list is none", MAGIC PROTOCOL LITTLE OBJECT "\200\002}.", "its list of keys is no list"),
    ROW("number as key", MAGIC PROTOCOL LITTLE OBJECT KEYS("K\000") FOUR VALUES,
        "a key that is no string"),
    ROW("five items", MAGIC PROTOCOL LITTLE OBJECT_OF(OLD_ID("torch\nFloatStorage", "")) ONE_KEY,
        "is not that of a storage"),
    ROW("a module as id",
        MAGIC PROTOCOL LITTLE
        "\200\002}X\001\000\000\000m(X\006\000\000\000modulec__main__\nNet\nNNtQs." KEYS(""),
        "holds no tensors"),
};

static void every_file_gets_its_verdict(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct error error = {0};
        struct checkpoint *checkpoint;
        char *path = scratch_write(&scratch, "old.pth", rows[i].content, rows[i].length);
        bool opened = checkpoint_open(path, &checkpoint, &error);
        if (opened != (rows[i].message == NULL))
            fail_msg("%s: %s", rows[i].id, opened ? "accepted" : error.message);
        if (!opened && strstr(error.message, rows[i].message) == NULL)
            fail_msg("%s: expected \"%s\" in \"%s\"", rows[i].id, rows[i].message, error.message);
        checkpoint_close(checkpoint);
        error_free(&error);
    }
    scratch_remove(&scratch);
}

static void its_values_are_read(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    double values[4];
    char *path = scratch_write(&scratch, "old.bin", rows[0].content, rows[0].length);
    assert_true(checkpoint_open(path, &checkpoint, &error));
    assert_string_equal(checkpoint_format(checkpoint), "torch-legacy");
    assert_int_equal(checkpoint_warnings(checkpoint)->count, 0);
    tensor_read(checkpoint_tensor(checkpoint, 0), 0, 4, values);
    for (int i = 0; i < 4; i++)
        assert_true(values[i] == i + 1);
    checkpoint_close(checkpoint);
    scratch_remove(&scratch);
}

/* Cut anywhere: refused, and never a byte read beyond the end. */
static void any_cut_is_refused(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    for (size_t length = 1; length < rows[0].length; length++) {
        struct error error = {0};
        struct checkpoint *checkpoint;
        char *path = scratch_write(&scratch, "cut.pth", rows[0].content, length);
        assert_false(checkpoint_open(path, &checkpoint, &error));
        error_free(&error);
    }
    scratch_remove(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_gets_its_verdict),
        cmocka_unit_test(its_values_are_read),
        cmocka_unit_test(any_cut_is_refused),
    };
    return cmocka_run_group_tests_name("legacy hostile", tests, NULL, NULL);
}
