/* Pickles made to break a reader, or to run code: each gets its verdict. The ids P01 to P75 are
 * those of the project's corpus. */
#include "analysis/checkpoint/checkpoint.h"
#include "tests/scratch.h"
#include "tests/torch_archive.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

/* A pickle as text, or a function that builds one. */
struct row {
    const char *id;
    const char *pickle;
    size_t length;
    void (*build)(struct bytes *pickle);
    const char *message; /* a part of it; NULL: accepted */
};

#define ROW(id, pickle, message)                                                                   \
    { id, pickle, sizeof(pickle) - 1, NULL, message }
#define BUILT(id, build, message)                                                                  \
    { id, NULL, 0, build, message }
/* A value x beside the tensor w. */
#define BESIDE(value) PICKLE_DICT(GOOD KEY("x") value "s")
/* The tensor w, built of these arguments. */
#define ONLY(arguments) PICKLE_DICT(KEY("w") REBUILD(arguments) "s")
#define SHAPE(offset, sizes, strides) ONLY(OF_FOUR offset sizes strides)
#define ID(elements) ONLY(FLOATS(elements) LAYOUT4)
#define LONG_KEY(length, text)                                                                     \
    ONLY(STORAGE_OF("torch\nFloatStorage", "X" length "\000\000\000" text, INT1("\004")) LAYOUT4)
#define MINUS_ONE "J\377\377\377\377"
#define POWER_62 "\212\010\000\000\000\000\000\000\000\100"
#define POWER_40 "\212\006\000\000\000\000\000\001"
#define MILLION "J\100\102\017\000"
#define DOUBLE "G\100\020\000\000\000\000\000\000"
#define V3(storage, layout, type)                                                                  \
    PICKLE_DICT(KEY("w") "ctorch._utils\n_rebuild_tensor_v3\n(" storage layout HOOKS type "tRs")
#define UNTYPED STORAGE_OF("torch.storage\nUntypedStorage", KEY("0"), INT1("\020"))
#define THREE INT1("\000") INT1("\003") "\205" INT1("\001") "\205"

static void begin(struct bytes *pickle) {
    bytes_add(pickle, "\200\002}" GOOD, sizeof("\200\002}" GOOD) - 1);
    bytes_add(pickle, KEY("x"), 6);
}

static void end(struct bytes *pickle) {
    bytes_add_text(pickle, "s.");
}

static void build_p16(struct bytes *pickle) {
    begin(pickle);
    bytes_add(pickle, ")q\0000", 4);
    bytes_repeat(pickle, "h\000h\000\206q\0000", 8, 60);
    bytes_add(pickle, "h\000", 2);
    end(pickle);
}

/* The same with a tensor at its bottom, which has 2^60 names. */
static void build_p16_tensors(struct bytes *pickle) {
    begin(pickle);
    bytes_add(pickle, TENSOR4 "q\0000", sizeof(TENSOR4) + 2);
    bytes_repeat(pickle, "h\000h\000\206q\0000", 8, 60);
    bytes_add(pickle, "h\000", 2);
    end(pickle);
}

static void build_p17(struct bytes *pickle) {
    begin(pickle);
    bytes_add_text(pickle, "N");
    bytes_repeat(pickle, "\205", 1, 1000000);
    end(pickle);
}

static void build_p69(struct bytes *pickle) {
    begin(pickle);
    bytes_repeat(pickle, "(", 1, 2000000);
    end(pickle);
}

static void build_p44(struct bytes *pickle) {
    static const char head[] =
        "\200\002}" KEY("w") "ctorch._utils\n_rebuild_tensor_v2\n(" OF_FOUR "K\000(";
    bytes_add(pickle, head, sizeof head - 1);
    bytes_repeat(pickle, "K\001", 2, 1000);
    bytes_add_text(pickle, "t(");
    bytes_repeat(pickle, "K\001", 2, 1000);
    bytes_add_text(pickle, "t" HOOKS "tR");
    end(pickle);
}

static void build_p66(struct bytes *pickle) {
    bytes_add(pickle, "\200\002}X\100\102\017\000", 8);
    bytes_repeat(pickle, "n", 1, 1000000);
    bytes_add(pickle, TENSOR4, sizeof(TENSOR4) - 1);
    end(pickle);
}

static void build_p67(struct bytes *pickle) {
    begin(pickle);
    bytes_add_text(pickle, "](");
    for (int i = 0; i < 200000; i++)
        bytes_add(pickle, OF_FOUR, sizeof(OF_FOUR) - 1);
    bytes_add_text(pickle, "e");
    end(pickle);
}

static void build_p75(struct bytes *pickle) {
    static const char head[] =
        "\200\002}" KEY("w") "ctorch._utils\n_rebuild_tensor_v2\n(" OF_FOUR "K\000\212\377";
    bytes_add(pickle, head, sizeof head - 1);
    bytes_repeat(pickle, "\001", 1, 255);
    bytes_add(pickle, "\205K\001\205" HOOKS "tR", sizeof("\205K\001\205" HOOKS "tR") - 1);
    end(pickle);
}

/* More values than are allowed, at a byte each. */
static void build_lists(struct bytes *pickle) {
    begin(pickle);
    bytes_repeat(pickle, "]0", 2, 3000000);
    end(pickle);
}

/* One tensor under many names, long ones, and lists of them. */
static void one_tensor_often(struct bytes *pickle, size_t name_length, size_t times) {
    bytes_add_text(pickle, "\200\002}X");
    const unsigned char length[4] = {(unsigned char)name_length, (unsigned char)(name_length >> 8)};
    bytes_add(pickle, length, sizeof length);
    bytes_repeat(pickle, "n", 1, name_length);
    bytes_add_text(pickle, "](");
    bytes_add(pickle, TENSOR4 "q\000", sizeof(TENSOR4) + 1);
    bytes_repeat(pickle, "h\000", 2, times);
    bytes_add_text(pickle, "es.");
}

static void build_often(struct bytes *pickle) {
    one_tensor_often(pickle, 1, 2000000);
}

static void build_often_long(struct bytes *pickle) {
    one_tensor_often(pickle, 4000, 100000);
}

/* Many dictionaries of one tensor below a long name. */
static void build_candidates(struct bytes *pickle) {
    begin(pickle);
    bytes_add(pickle, "}X\240\017\000\000", 6);
    bytes_repeat(pickle, "n", 1, 4000);
    bytes_add_text(pickle, "](");
    bytes_add(pickle, TENSOR4 "q\000", sizeof(TENSOR4) + 1);
    bytes_repeat(pickle, "}" KEY("t") "h\000s", 10, 300000);
    bytes_add_text(pickle, "es");
    end(pickle);
}

static const struct row rows[] = {
    ROW("good", GOOD_PICKLE, NULL),
    ROW("P01", BESIDE("cos\nsystem\nX\002\000\000\000id\205R"),
        "code-execution payload (os.system)"),
    ROW("P01 not called", BESIDE("cos.path\njoin\n"), "code-execution payload (os.path.join)"),
    ROW("P02", BESIDE("c__builtin__\neval\n(X\0010\000\000\0001tR"),
        "code-execution payload (__builtin__.eval)"),
    ROW("P71", BESIDE("ctorch.hub\nload\n"), "code-execution payload (torch.hub.load)"),
    ROW("P03", BESIDE("\214\005posix\214\006system\223"), "code-execution payload (posix.system)"),
    ROW("P03 number", BESIDE("K\001K\001\223"), "a name that is no string"),
    ROW("P04", BESIDE("(ios\nsystem\n"), "(opcode INST"),
    ROW("P05", BESIDE("(ca\nb\no"), "(opcode OBJ"),
    ROW("P06", BESIDE("\202\001"), "(opcode EXT1"),
    ROW("P51", BESIDE("Pid\n"), "(opcode PERSID"),
    ROW("P50", "(dp0\nS'w'\np1\nI1\ns.", "does not begin with opcode PROTO"),
    ROW("P50 inside", BESIDE("I1\n"), "(opcode INT"),
    ROW("P68", BESIDE("(1"), "(opcode POP_MARK"),
    ROW("unknown", BESIDE("\377"), "(opcode 0xff"),
    ROW("P08", "\200\002}" KEY("w") "ctorch._utils\n_rebuild_tensor_v2\n(X\007\000\000\000stor",
        "needs more bytes than are left"),
    ROW("P09", "\200\002}" GOOD, "ends without STOP"),
    ROW("P58", "", "does not begin with opcode PROTO"),
    ROW("P53", "\200\002cos", "a name without an end"),
    ROW("P53 half", "\200\002cos\nsystem", "a name without an end"),
    ROW("P10", "\200\002s.", "takes from an empty stack (opcode SETITEM, byte 2)"),
    ROW("P10 below a mark", "\200\002}N(a.", "takes from an empty stack"),
    ROW("P10 nothing below", "\200\002(e.", "takes from an empty stack"),
    ROW("P11", "\200\002}u.", "needs a mark"),
    ROW("P74", "\200\002}}.", "leaves 2 values"),
    ROW("P74 mark", "\200\002}(.", "leaves 1 values"),
    ROW("P12", BESIDE("h\005"), "memo 5, which is not set"),
    ROW("P13", BESIDE("Nr\377\377\377\377"), "memo 4294967295, far too large"),
    ROW("P14", BESIDE("X\377\377\377\377"), "needs more bytes than are left"),
    ROW("P14 64 bits", BESIDE("\215\377\377\377\377\377\377\377\377"), "more than 4 GiB"),
    ROW("P15", BESIDE("\213\377\377\377\377"), "needs more bytes than are left"),
    BUILT("P16", build_p16, NULL),
    BUILT("P16 tensors", build_p16_tensors, NULL),
    BUILT("P17", build_p17, "too deeply or too often"),
    BUILT("P69", build_p69, "nested more than 1000 deep"),
    ROW("P18", BESIDE("]NNs"), "sets items of something that is no dictionary"),
    ROW("P19", BESIDE(TENSOR4 "NNs"), "sets items of something that is no dictionary"),
    ROW("P20", BESIDE("}Na"), "adds elements to something that takes none"),
    ROW("P20 tensor", BESIDE(TENSOR4 "(Ne"), "adds elements to something that takes none"),
    ROW("P21", BESIDE("}(Nu"), "a key without a value"),
    ROW("P22", PICKLE_DICT("}Ns" GOOD), NULL),
    ROW("P23", BESIDE("X\001\000\000\000aQ"), "a persistent id that is no tuple"),
    ROW("P24",
        ONLY("(X\007\000\000\000storagectorch\nFloatStorage\n" KEY("0")
                 KEY("c") "K\004NtQ" LAYOUT4),
        "is not that of a storage"),
    ROW("P25", BESIDE("(X\006\000\000\000moduleca\nb\nNNNtQ"), "is not that of a storage"),
    ROW("P28", ONLY(STORAGE_OF("torch\nFloatStorage", "K\000", "K\004") LAYOUT4),
        "a key that is none"),
    ROW("P26", LONG_KEY("\023", "../../../etc/passwd"), "a key that is none"),
    ROW("P27", LONG_KEY("\006", "0/../0"), "a key that is none"),
    ROW("empty key", LONG_KEY("\000", ""), "a key that is none"),
    ROW("Z31", LONG_KEY("\001", "7"), "tensor w: its storage is not in the file"),
    ROW("P29", ID("J\374\377\377\377"), "an impossible number of elements"),
    ROW("P31", ID(POWER_62), "an impossible number of elements"),
    ROW("P32", ID(DOUBLE), "an impossible number of elements"),
    BUILT("P75", build_p75, "tensor w: its sizes or strides"),
    ROW("P30", ID(INT1("\002")), "tensor w: it reaches beyond its storage"),
    ROW("P30 more", ID(INT1("\005")), "tensor w: its storage has another size"),
    ROW("P38", SHAPE(INT1("\001"), INT1("\004") "\205", INT1("\001") "\205"),
        "tensor w: it reaches beyond its storage"),
    ROW("P33", ONLY(STORAGE_OF("torch\nBarStorage", KEY("0"), INT1("\004")) LAYOUT4),
        "an unknown class of storage"),
    ROW("P34", ONLY(STORAGE_OF("os\nFloatStorage", KEY("0"), INT1("\004")) LAYOUT4),
        "code-execution payload (os.FloatStorage)"),
    ROW("P35", BESIDE(REBUILD(STORAGE_OF("torch\nIntStorage", KEY("0"), INT1("\004")) LAYOUT4)),
        "says something else of its storage"),
    ROW("P73", BESIDE(REBUILD(FLOATS(INT1("\003")) LAYOUT4)), "says something else of its storage"),
    ROW("P36", SHAPE(INT1("\000"), INT1("\004") "\205", INT1("\001") INT1("\001") "\206"),
        "not as many strides as sizes"),
    ROW("P37", SHAPE(INT1("\000"), INT1("\004") "\205", MINUS_ONE "\205"), "its sizes or strides"),
    ROW("P48", SHAPE(MINUS_ONE, INT1("\004") "\205", INT1("\001") "\205"), "its offset"),
    ROW("P48 bool", SHAPE("\210", INT1("\001") "\205", INT1("\001") "\205"), "its offset"),
    ROW("P39", SHAPE(INT1("\000"), INT1("\004") "\205", POWER_40 "\205"),
        "it reaches beyond its storage"),
    ROW("P40", SHAPE(INT1("\000"), INT1("\005") "\205", POWER_62 "\205"), "its strides overflow"),
    ROW("P40 sum", SHAPE(POWER_62, INT1("\004") "\205", POWER_62 "\205"), "its strides overflow"),
    ROW("P42", SHAPE(INT1("\000"), POWER_62 POWER_62 "\206", INT1("\001") INT1("\001") "\206"),
        "the product of its sizes overflows"),
    ROW("P42 bits", SHAPE(INT1("\000"), POWER_62 "\205", INT1("\000") "\205"),
        "its size in bits overflows"),
    ROW("P41",
        BESIDE(REBUILD(OF_FOUR "K\000" MILLION MILLION "\206" INT1("\000") INT1("\000") "\206")),
        NULL),
    ROW("P43", SHAPE(INT1("\000"), INT1("\000") POWER_62 "\206", INT1("\001") INT1("\001") "\206"),
        NULL),
    BUILT("P44", build_p44, "tensor w: its sizes or strides"),
    ROW("P46", SHAPE(INT1("\000"), DOUBLE "\205", INT1("\001") "\205"), "its sizes or strides"),
    ROW("P47", SHAPE(INT1("\000"), "\210\205", INT1("\001") "\205"), "its sizes or strides"),
    ROW("list as size", SHAPE(INT1("\000"), "]", INT1("\001") "\205"), "its sizes or strides"),
    ROW("P45", PICKLE_DICT(KEY("w") "ctorch._utils\n_rebuild_tensor_v2\n(" OF_FOUR "K\000tRs"),
        "a wrong number of arguments"),
    ROW("P45 none", PICKLE_DICT(KEY("w") "ctorch._utils\n_rebuild_tensor_v2\n)Rs"),
        "a wrong number of arguments"),
    ROW("no storage", ONLY("N" LAYOUT4), "it has no storage"),
    ROW("parameter of nothing", BESIDE("ctorch._utils\n_rebuild_parameter\n)R"),
        "a parameter without a tensor"),
    ROW("P49", GOOD_PICKLE "x", "something after its end"),
    ROW("P52", "\200\002}q\000" GOOD KEY("x") "h\000s.", NULL),
    ROW("P54", "\200\004\225\377\377\377\377\377\377\377\377}" GOOD ".", NULL),
    ROW("P55", "\200\377}.", "pickle protocol 255"),
    ROW("PROTO twice", "\200\002\200\002}.", "(opcode PROTO, byte 2)"),
    ROW("P56", BESIDE(KEY("f") ")R"), "calls something that is no function"),
    ROW("P56 arguments", BESIDE("ca\nb\nNR"), "arguments that are no tuple"),
    ROW("P57", BESIDE(TENSOR4 ")\201"), "calls something that is no function"),
    ROW("P07", PICKLE_DICT(KEY("w") TENSOR4 "}bs"), NULL),
    ROW("BUILD on a string", BESIDE(KEY("f") "}b"), "gives a state to something that has none"),
    ROW("P59",
        BESIDE("ctorch._utils\n_rebuild_tensor_v2\n(" OF_FOUR LAYOUT4 HOOKS
               "}X\004\000\000\000conj\210stR"),
        NULL),
    ROW("P60", PICKLE_DICT(GOOD GOOD), NULL),
    ROW("P61",
        PICKLE_DICT("X\003\000\000\000a.b" TENSOR4 "s" KEY("c") TENSOR4 "s" KEY("a") "}" KEY("b")
                        TENSOR4 "ss"),
        NULL),
    ROW("v3",
        V3(UNTYPED, INT1("\000") INT1("\002") "\205" INT1("\001") "\205", "ctorch\nfloat64\n"),
        NULL),
    ROW("P62", V3(UNTYPED, THREE, "ctorch\nfloat64\n"), "it reaches beyond its storage"),
    ROW("P63", V3(UNTYPED, THREE, "ctorch\nfloat7\n"), "its dtype is unknown"),
    ROW("P64",
        PICKLE_DICT(KEY("w") "ctorch._utils\n_rebuild_tensor_v2\n(" OF_FOUR LAYOUT4
                             "\211c__main__\nHooks\n)RtRs"),
        NULL),
    ROW("P70", PICKLE("c__main__\nThing\n)\201}b"), "holds no tensors"),
    ROW("P65", PICKLE_DICT("X\011\000\000\000\033]0;x\007\033[m" TENSOR4 "s"), NULL),
    BUILT("P66", build_p66, "a name of more than 4096 bytes"),
    ROW("P72", PICKLE_DICT(KEY("\377") TENSOR4 "s"), "a string that is not UTF-8"),
    BUILT("P67", build_p67, NULL),
    BUILT("often", build_often, "too many tensors"),
    BUILT("candidates", build_candidates, "state dicts: x.nnnnnn"),
    BUILT("lists", build_lists, "more than 3000000 values"),
};

static char *write_row(struct scratch *scratch, const struct row *row) {
    static const float storage[4] = {1, 2, 3, 4};
    struct bytes pickle = {0};
    if (row->build != NULL)
        row->build(&pickle);
    else
        bytes_add(&pickle, row->pickle, row->length);
    const struct record records[] = {
        {.name = "data.pkl", .data = pickle.data, .length = pickle.length, .folder = true},
        {.name = "data/0", .data = storage, .length = sizeof storage, .folder = true},
        {.name = "version", .data = "3\n", .length = 2, .folder = true},
    };
    struct zip zip = zip_make(records, 3, true);
    char *path = scratch_write(scratch, "hostile.pth", zip.bytes.data, zip.bytes.length);
    zip_free(&zip);
    bytes_free(&pickle);
    return path;
}

/* `PATH: reason` on one line, without anything that drives a terminal. */
static void check_message(const char *path, const struct row *row, const struct error *error) {
    assert_int_equal(error->kind, ERROR_INPUT);
    assert_memory_equal(error->message, path, strlen(path));
    if (strstr(error->message, row->message) == NULL)
        fail_msg("%s: expected \"%s\" in \"%s\"", row->id, row->message, error->message);
    for (const char *c = error->message; *c != '\0'; c++)
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7F);
    assert_true(strlen(error->message) < 1000);
}

static void check_row(struct scratch *scratch, const struct row *row) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    char *path = write_row(scratch, row);
    bool opened = checkpoint_open(path, &checkpoint, &error);
    if (opened != (row->message == NULL))
        fail_msg("%s: %s", row->id, opened ? "accepted" : error.message);
    if (!opened)
        check_message(path, row, &error);
    checkpoint_close(checkpoint);
    error_free(&error);
}

static void every_pickle_gets_its_verdict(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check_row(&scratch, &rows[i]);
    scratch_remove(&scratch);
}

static struct checkpoint *open_row(const char *id) {
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint = NULL;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].id, id) == 0 &&
            !checkpoint_open(write_row(&scratch, &rows[i]), &checkpoint, &error))
            fail_msg("%s", error.message);
    scratch_remove(&scratch);
    assert_non_null(checkpoint);
    return checkpoint;
}

static void assert_warning(const char *id, const char *warning, size_t tensors) {
    struct checkpoint *checkpoint = open_row(id);
    assert_int_equal(checkpoint_count(checkpoint), tensors);
    assert_int_equal(checkpoint_warnings(checkpoint)->count, 1);
    assert_string_equal(checkpoint_warnings(checkpoint)->items[0], warning);
    checkpoint_close(checkpoint);
}

static void oddities_are_warned_of(void **state) {
    (void)state;
    assert_warning("P41",
                   "unsupported tensors are left out: x (expanded to many times its storage)", 1);
    assert_warning("P59", "unsupported tensors are left out: x (a lazy conjugate or negative)", 1);
    assert_warning("P60", "keys that occur twice in a dictionary: 1 (w); the last value counts", 1);
    assert_warning("P61", "two tensors have the name a.b; the first one counts", 2);
}

static void tensors_on_endless_ways_are_refused(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    const struct row row = BUILT("P16 tensors", build_p16_tensors, "too many tensors");
    char *path = write_row(&scratch, &row);
    assert_false(checkpoint_open_at(path, "", &checkpoint, &error));
    check_message(path, &row, &error);
    error_free(&error);
    scratch_remove(&scratch);
}

static void a_tensor_has_its_values(void **state) {
    (void)state;
    struct checkpoint *checkpoint = open_row("good");
    double values[4];
    tensor_read(checkpoint_tensor(checkpoint, 0), 0, 4, values);
    for (int i = 0; i < 4; i++)
        assert_true(values[i] == i + 1);
    checkpoint_close(checkpoint);
}

static void check_memory(void (*build)(struct bytes *pickle)) {
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    const struct row row = BUILT("memory", build, "");
    char *path = write_row(&scratch, &row);
    struct rusage before, after;
    getrusage(RUSAGE_SELF, &before);
    assert_false(checkpoint_open_at(path, "", &checkpoint, &error));
    getrusage(RUSAGE_SELF, &after);
    assert_true(after.ru_maxrss - before.ru_maxrss < 300 << 10); /* kB; sanitizers need more */
    error_free(&error);
    scratch_remove(&scratch);
}

/* Small files that ask for much. The first test, since it is the peak that is known. */
static void memory_is_bounded(void **state) {
    (void)state;
    check_memory(build_lists);
    check_memory(build_often);
    check_memory(build_often_long);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_bounded),
        cmocka_unit_test(every_pickle_gets_its_verdict),
        cmocka_unit_test(oddities_are_warned_of),
        cmocka_unit_test(tensors_on_endless_ways_are_refused),
        cmocka_unit_test(a_tensor_has_its_values),
    };
    return cmocka_run_group_tests_name("pickle hostile", tests, NULL, NULL);
}
