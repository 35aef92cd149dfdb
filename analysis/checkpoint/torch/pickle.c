#include "analysis/checkpoint/torch/pickle_ops.h"
#include "analysis/support/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROTOCOL_LIMIT = 5 };

bool pickle_fail(struct pickle *pickle, const char *format, ...) {
    va_list arguments;
    if (pickle->problem != NULL)
        return false;
    va_start(arguments, format);
    if (vasprintf(&pickle->problem, format, arguments) < 0)
        memory_exhausted(256);
    va_end(arguments);
    return false;
}

/* Takes length bytes, or NULL. */
const unsigned char *pickle_take(struct pickle *pickle, uint64_t length) {
    if (length > pickle->size - pickle->at) {
        pickle_fail(pickle, "needs more bytes than are left");
        return NULL;
    }
    const unsigned char *bytes = pickle->bytes + pickle->at;
    pickle->at += length;
    return bytes;
}

/* A little-endian number of width bytes. */
bool pickle_take_number(struct pickle *pickle, unsigned width, uint64_t *number) {
    const unsigned char *bytes = pickle_take(pickle, width);
    *number = 0;
    for (unsigned i = 0; bytes != NULL && i < width; i++)
        *number |= (uint64_t)bytes[i] << (8 * i);
    return bytes != NULL;
}

static bool op_proto(struct pickle *pickle, unsigned argument) {
    (void)argument;
    return pickle_fail(pickle, "stands in the middle of the pickle");
}

static bool op_frame(struct pickle *pickle, unsigned argument) {
    return pickle_take(pickle, argument) != NULL;
}

/* Opcodes by their byte. Those without a function are refused: torch never writes them. */
static const struct opcode {
    const char *name;
    bool (*run)(struct pickle *pickle, unsigned argument);
    unsigned argument;
} opcodes[256] = {
    [0x80] = {"PROTO", op_proto, 0},
    [0x95] = {"FRAME", op_frame, 8},
    ['.'] = {"STOP", op_stop, 0},
    ['N'] = {"NONE", op_fixed, NODE_AT_NONE},
    [0x88] = {"NEWTRUE", op_fixed, NODE_AT_TRUE},
    [0x89] = {"NEWFALSE", op_fixed, NODE_AT_FALSE},
    [')'] = {"EMPTY_TUPLE", op_fixed, NODE_AT_EMPTY_TUPLE},
    ['}'] = {"EMPTY_DICT", op_new, NODE_DICT},
    [']'] = {"EMPTY_LIST", op_new, NODE_LIST},
    [0x8f] = {"EMPTY_SET", op_new, NODE_SET},
    ['K'] = {"BININT1", op_unsigned, 1},
    ['M'] = {"BININT2", op_unsigned, 2},
    ['J'] = {"BININT", op_signed, 4},
    [0x8a] = {"LONG1", op_long, 1},
    [0x8b] = {"LONG4", op_long, 4},
    ['G'] = {"BINFLOAT", op_float, 8},
    [0x8c] = {"SHORT_BINUNICODE", op_text, 1},
    ['X'] = {"BINUNICODE", op_text, 4},
    [0x8d] = {"BINUNICODE8", op_text, 8},
    ['U'] = {"SHORT_BINSTRING", op_string, 1},
    ['T'] = {"BINSTRING", op_string, 4},
    ['C'] = {"SHORT_BINBYTES", op_bytes, 1},
    ['B'] = {"BINBYTES", op_bytes, 4},
    [0x8e] = {"BINBYTES8", op_bytes, 8},
    [0x96] = {"BYTEARRAY8", op_bytes, 8},
    ['c'] = {"GLOBAL", op_global, 0},
    [0x93] = {"STACK_GLOBAL", op_stack_global, 0},
    ['('] = {"MARK", op_mark, 0},
    ['0'] = {"POP", op_pop, 0},
    ['t'] = {"TUPLE", op_collect, NODE_TUPLE},
    [0x91] = {"FROZENSET", op_collect, NODE_SET},
    [0x85] = {"TUPLE1", op_tuple, 1},
    [0x86] = {"TUPLE2", op_tuple, 2},
    [0x87] = {"TUPLE3", op_tuple, 3},
    ['a'] = {"APPEND", op_append, NODE_LIST},
    ['e'] = {"APPENDS", op_extend, NODE_LIST},
    [0x90] = {"ADDITEMS", op_extend, NODE_SET},
    ['s'] = {"SETITEM", op_setitem, 0},
    ['u'] = {"SETITEMS", op_setitems, 0},
    ['h'] = {"BINGET", op_get, 1},
    ['j'] = {"LONG_BINGET", op_get, 4},
    ['q'] = {"BINPUT", op_put, 1},
    ['r'] = {"LONG_BINPUT", op_put, 4},
    [0x94] = {"MEMOIZE", op_memoize, 0},
    ['R'] = {"REDUCE", op_reduce, 0},
    [0x81] = {"NEWOBJ", op_newobj, 0},
    [0x92] = {"NEWOBJ_EX", op_newobj, 1},
    ['b'] = {"BUILD", op_build, 0},
    ['Q'] = {"BINPERSID", op_persistent, 0},
    ['i'] = {"INST", NULL, 0},
    ['o'] = {"OBJ", NULL, 0},
    [0x82] = {"EXT1", NULL, 0},
    [0x83] = {"EXT2", NULL, 0},
    [0x84] = {"EXT4", NULL, 0},
    ['P'] = {"PERSID", NULL, 0},
    ['1'] = {"POP_MARK", NULL, 0},
    ['2'] = {"DUP", NULL, 0},
    ['I'] = {"INT", NULL, 0},
    ['L'] = {"LONG", NULL, 0},
    ['F'] = {"FLOAT", NULL, 0},
    ['S'] = {"STRING", NULL, 0},
    ['V'] = {"UNICODE", NULL, 0},
    ['g'] = {"GET", NULL, 0},
    ['p'] = {"PUT", NULL, 0},
    ['l'] = {"LIST", NULL, 0},
    ['d'] = {"DICT", NULL, 0},
    [0x97] = {"NEXT_BUFFER", NULL, 0},
    [0x98] = {"READONLY_BUFFER", NULL, 0},
};

/* Puts opcode and byte before the problem. */
static bool locate_problem(struct pickle *pickle, unsigned char code, size_t at) {
    char *reason = pickle->problem;
    const char *name = opcodes[code].name;
    pickle->problem = name != NULL
                          ? memory_format("%s (opcode %s, byte %zu)", reason, name, at)
                          : memory_format("%s (opcode 0x%02x, byte %zu)", reason, code, at);
    free(reason);
    return false;
}

static bool run(struct pickle *pickle) {
    unsigned char code = 0;
    while (code != '.') {
        size_t at = pickle->at;
        const unsigned char *byte = pickle_take(pickle, 1);
        if (byte == NULL) {
            free(pickle->problem);
            pickle->problem = memory_format("ends without STOP (byte %zu)", at);
            return false;
        }
        code = *byte;
        pickle->operations++;
        if (opcodes[code].run == NULL)
            pickle_fail(pickle, "an operation that checkpoints do not need");
        else
            opcodes[code].run(pickle, opcodes[code].argument);
        if (pickle->problem != NULL)
            return locate_problem(pickle, code, at);
    }
    return true;
}

static void make_fixed_nodes(struct pickle *pickle) {
    static const enum node_kind kinds[NODE_FIXED] = {NODE_NONE, NODE_BOOL, NODE_BOOL, NODE_TUPLE};
    for (size_t i = 0; i < NODE_FIXED; i++)
        pickle_add(pickle, kinds[i]);
    pickle->nodes[NODE_AT_TRUE].integer = 1;
}

bool pickle_read(struct pickle *pickle, const unsigned char *bytes, size_t size, bool old) {
    *pickle = (struct pickle){.bytes = bytes, .size = size, .old = old, .cell_count = 1};
    pickle->cell_capacity = 256;
    pickle->cells = memory_array(pickle->cell_capacity, sizeof *pickle->cells);
    pickle->marks = memory_array(PICKLE_MARK_LIMIT, sizeof *pickle->marks);
    make_fixed_nodes(pickle);
    if (size < 2 || bytes[0] != 0x80)
        return pickle_fail(pickle, "does not begin with opcode PROTO");
    if (bytes[1] > PROTOCOL_LIMIT)
        return pickle_fail(pickle, "pickle protocol %u; known are those up to %d", bytes[1],
                           PROTOCOL_LIMIT);
    pickle->at = 2;
    return run(pickle);
}

void pickle_free(struct pickle *pickle) {
    free(pickle->nodes);
    free(pickle->cells);
    free(pickle->stack);
    free(pickle->memo);
    free(pickle->marks);
    free(pickle->states);
    free(pickle->problem);
    *pickle = (struct pickle){0};
}
