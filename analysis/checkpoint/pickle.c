#include "analysis/checkpoint/pickle.h"

#include "analysis/checkpoint/pickle_globals.h"
#include "analysis/support/error.h"
#include "analysis/support/memory.h"
#include "analysis/support/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMO_SPARE = 65536, MEMO_LIMIT = 4 * PICKLE_NODE_LIMIT, PROTOCOL_LIMIT = 5 };

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
static const unsigned char *take(struct pickle *pickle, uint64_t length) {
    if (length > pickle->size - pickle->at) {
        pickle_fail(pickle, "needs more bytes than are left");
        return NULL;
    }
    const unsigned char *bytes = pickle->bytes + pickle->at;
    pickle->at += length;
    return bytes;
}

/* A little-endian number of width bytes. */
static bool take_number(struct pickle *pickle, unsigned width, uint64_t *number) {
    const unsigned char *bytes = take(pickle, width);
    *number = 0;
    for (unsigned i = 0; bytes != NULL && i < width; i++)
        *number |= (uint64_t)bytes[i] << (8 * i);
    return bytes != NULL;
}

static bool push(struct pickle *pickle, uint32_t node) {
    if (pickle->problem != NULL)
        return false;
    if (pickle->stack_count == pickle->stack_capacity) {
        if (pickle->stack_count >= PICKLE_NODE_LIMIT)
            return pickle_fail(pickle, "more than %d values on the stack", PICKLE_NODE_LIMIT);
        pickle->stack_capacity = 2 * pickle->stack_capacity + 256;
        pickle->stack = memory_resize(pickle->stack, pickle->stack_capacity, sizeof *pickle->stack);
    }
    pickle->stack[pickle->stack_count++] = node;
    return true;
}

/* Height of the stack below which nothing may be taken. */
static size_t floor_of(const struct pickle *pickle) {
    return pickle->mark_count > 0 ? pickle->marks[pickle->mark_count - 1] : 0;
}

/* True when count values can be taken. */
static bool has_values(struct pickle *pickle, size_t count) {
    return pickle->stack_count - floor_of(pickle) >= count ||
           pickle_fail(pickle, "takes from an empty stack");
}

static bool pop(struct pickle *pickle, uint32_t *node) {
    if (!has_values(pickle, 1))
        return false;
    *node = pickle->stack[--pickle->stack_count];
    return true;
}

/* The newest value, which stays. */
static bool peek(struct pickle *pickle, uint32_t *node) {
    if (!has_values(pickle, 1))
        return false;
    *node = pickle->stack[pickle->stack_count - 1];
    return true;
}

/* Takes the newest mark: the values from *first on belong to it. */
static bool pop_mark(struct pickle *pickle, size_t *first) {
    if (pickle->mark_count == 0)
        return pickle_fail(pickle, "needs a mark, and there is none");
    *first = pickle->marks[--pickle->mark_count];
    return true;
}

static bool op_proto(struct pickle *pickle, unsigned argument) {
    (void)argument;
    return pickle_fail(pickle, "stands in the middle of the pickle");
}

static bool op_frame(struct pickle *pickle, unsigned argument) {
    return take(pickle, argument) != NULL;
}

static bool op_fixed(struct pickle *pickle, unsigned node) {
    return push(pickle, node);
}

static bool op_new(struct pickle *pickle, unsigned kind) {
    return push(pickle, pickle_add(pickle, kind));
}

static bool push_integer(struct pickle *pickle, int64_t integer) {
    uint32_t node = pickle_add(pickle, NODE_INTEGER);
    if (pickle->problem == NULL)
        pickle->nodes[node].integer = integer;
    return push(pickle, node);
}

static bool op_unsigned(struct pickle *pickle, unsigned width) {
    uint64_t number;
    return take_number(pickle, width, &number) && push_integer(pickle, (int64_t)number);
}

/* width bytes of two's complement, 1 to 8. */
static int64_t extend(uint64_t number, unsigned width) {
    uint64_t sign = 1ULL << (8 * width - 1);
    return (int64_t)((number ^ sign) - sign);
}

static bool op_signed(struct pickle *pickle, unsigned width) {
    uint64_t number;
    return take_number(pickle, width, &number) && push_integer(pickle, extend(number, width));
}

/* LONG1, LONG4: a length, then as many bytes of two's complement. */
static bool op_long(struct pickle *pickle, unsigned width) {
    uint64_t length, number;
    if (!take_number(pickle, width, &length))
        return false;
    if (length == 0)
        return push_integer(pickle, 0);
    if (length <= 8)
        return take_number(pickle, (unsigned)length, &number) &&
               push_integer(pickle, extend(number, (unsigned)length));
    return take(pickle, length) != NULL && push(pickle, pickle_add(pickle, NODE_BIG));
}

/* Big-endian, for once. */
static bool op_float(struct pickle *pickle, unsigned width) {
    const unsigned char *bytes = take(pickle, width);
    uint64_t bits = 0;
    double real;
    if (bytes == NULL)
        return false;
    for (unsigned i = 0; i < width; i++)
        bits = bits << 8 | bytes[i];
    memcpy(&real, &bits, sizeof real);
    uint32_t node = pickle_add(pickle, NODE_REAL);
    if (pickle->problem == NULL)
        pickle->nodes[node].real = real;
    return push(pickle, node);
}

/* Index of the first byte that is neither UTF-8 nor part of an encoded surrogate, or length. */
static size_t check_text(const char *text, size_t length) {
    size_t at = utf8_check(text, length);
    while (length - at >= 3 && (unsigned char)text[at] == 0xED &&
           ((unsigned char)text[at + 1] & 0xE0) == 0xA0 &&
           ((unsigned char)text[at + 2] & 0xC0) == 0x80) {
        at += 3;
        at += utf8_check(text + at, length - at);
    }
    return at;
}

static uint32_t add_text(struct pickle *pickle, enum node_kind kind, const unsigned char *bytes,
                         uint64_t length) {
    uint32_t node = pickle_add(pickle, kind);
    if (pickle->problem != NULL)
        return NODE_AT_NONE;
    pickle->nodes[node].offset = (uint64_t)(bytes - pickle->bytes);
    pickle->nodes[node].count = (uint32_t)length;
    return node;
}

/* A length of width bytes, and the bytes. */
static const unsigned char *take_counted(struct pickle *pickle, unsigned width, uint64_t *length) {
    if (!take_number(pickle, width, length))
        return NULL;
    if (*length > UINT32_MAX) {
        pickle_fail(pickle, "a string of more than 4 GiB");
        return NULL;
    }
    return take(pickle, *length);
}

static bool op_text(struct pickle *pickle, unsigned width) {
    uint64_t length;
    const unsigned char *bytes = take_counted(pickle, width, &length);
    if (bytes == NULL)
        return false;
    if (check_text((const char *)bytes, length) < length)
        return pickle_fail(pickle, "a string that is not UTF-8");
    return push(pickle, add_text(pickle, NODE_TEXT, bytes, length));
}

static bool op_bytes(struct pickle *pickle, unsigned width) {
    uint64_t length;
    const unsigned char *bytes = take_counted(pickle, width, &length);
    return bytes != NULL && push(pickle, add_text(pickle, NODE_BYTES, bytes, length));
}

/* The strings of Python 2, which are text or bytes. */
static bool op_string(struct pickle *pickle, unsigned width) {
    uint64_t length;
    const unsigned char *bytes = take_counted(pickle, width, &length);
    if (bytes == NULL)
        return false;
    bool is_text = check_text((const char *)bytes, length) == length;
    return push(pickle, add_text(pickle, is_text ? NODE_TEXT : NODE_BYTES, bytes, length));
}

static bool push_global(struct pickle *pickle, uint32_t module, uint32_t name) {
    if (pickle->problem != NULL)
        return false;
    const char *texts[] = {pickle_text(pickle, module), pickle_text(pickle, name)};
    size_t lengths[] = {pickle->nodes[module].count, pickle->nodes[name].count};
    uint32_t node = pickle_add(pickle, NODE_GLOBAL);
    if (pickle->problem != NULL)
        return false;
    pickle->nodes[node].home = module;
    pickle->nodes[node].name = name;
    pickle->nodes[node].global = pickle_global_find(texts[0], lengths[0], texts[1], lengths[1]);
    if (pickle_global_is_payload(texts[0], lengths[0], texts[1], lengths[1])) {
        char *shown = pickle_global_name(pickle, node);
        pickle_fail(pickle, "contains a code-execution payload (%s)", shown);
        free(shown);
    }
    return push(pickle, node);
}

/* A line of GLOBAL. */
static uint32_t take_line(struct pickle *pickle) {
    const unsigned char *start = pickle->bytes + pickle->at;
    const unsigned char *end = memchr(start, '\n', pickle->size - pickle->at);
    if (end == NULL)
        return pickle_fail(pickle, "a name without an end");
    size_t length = (size_t)(end - start);
    if (length > UINT32_MAX || check_text((const char *)start, length) < length)
        return pickle_fail(pickle, "a name that is not UTF-8");
    pickle->at += length + 1;
    return add_text(pickle, NODE_TEXT, start, length);
}

static bool op_global(struct pickle *pickle, unsigned argument) {
    (void)argument;
    uint32_t module = take_line(pickle);
    uint32_t name = pickle->problem == NULL ? take_line(pickle) : NODE_AT_NONE;
    return push_global(pickle, module, name);
}

static bool op_stack_global(struct pickle *pickle, unsigned argument) {
    (void)argument;
    uint32_t module, name;
    if (!pop(pickle, &name) || !pop(pickle, &module))
        return false;
    if (pickle->nodes[name].kind != NODE_TEXT || pickle->nodes[module].kind != NODE_TEXT)
        return pickle_fail(pickle, "a name that is no string");
    return push_global(pickle, module, name);
}

static bool op_mark(struct pickle *pickle, unsigned argument) {
    (void)argument;
    if (pickle->mark_count == PICKLE_MARK_LIMIT)
        return pickle_fail(pickle, "nested more than %d deep", PICKLE_MARK_LIMIT);
    pickle->marks[pickle->mark_count++] = pickle->stack_count;
    return true;
}

static bool op_pop(struct pickle *pickle, unsigned argument) {
    (void)argument;
    uint32_t node;
    return pop(pickle, &node);
}

/* The values from first on, as elements of the container. */
static bool collect(struct pickle *pickle, uint32_t container, size_t first) {
    for (size_t i = first; i < pickle->stack_count && pickle->problem == NULL; i++)
        pickle_append(pickle, container, NODE_AT_NONE, pickle->stack[i]);
    pickle->stack_count = first;
    return pickle->problem == NULL;
}

/* TUPLE, FROZENSET. */
static bool op_collect(struct pickle *pickle, unsigned kind) {
    size_t first = 0;
    if (!pop_mark(pickle, &first))
        return false;
    uint32_t container = pickle_add(pickle, kind);
    return pickle->problem == NULL && collect(pickle, container, first) && push(pickle, container);
}

static bool op_tuple(struct pickle *pickle, unsigned count) {
    if (!has_values(pickle, count))
        return false;
    uint32_t tuple = pickle_add(pickle, NODE_TUPLE);
    return pickle->problem == NULL && collect(pickle, tuple, pickle->stack_count - count) &&
           push(pickle, tuple);
}

/* An object takes elements of its own kind and drops them. */
static bool fill(struct pickle *pickle, uint32_t container, enum node_kind kind, size_t first) {
    if (pickle->nodes[container].kind == kind)
        return collect(pickle, container, first);
    pickle->stack_count = first;
    return pickle->nodes[container].kind == NODE_OBJECT ||
           pickle_fail(pickle, "adds elements to something that takes none");
}

static bool op_append(struct pickle *pickle, unsigned kind) {
    return has_values(pickle, 2) &&
           fill(pickle, pickle->stack[pickle->stack_count - 2], kind, pickle->stack_count - 1);
}

/* APPENDS, ADDITEMS. */
static bool op_extend(struct pickle *pickle, unsigned kind) {
    size_t first = 0;
    if (!pop_mark(pickle, &first))
        return false;
    if (first <= floor_of(pickle))
        return pickle_fail(pickle, "takes from an empty stack");
    return fill(pickle, pickle->stack[first - 1], kind, first);
}

/* Keys and values in turn, from first on. */
static bool set_items(struct pickle *pickle, size_t first) {
    if (first <= floor_of(pickle))
        return pickle_fail(pickle, "takes from an empty stack");
    uint32_t dict = pickle->stack[first - 1];
    enum node_kind kind = pickle->nodes[dict].kind;
    if (kind != NODE_DICT && kind != NODE_OBJECT)
        return pickle_fail(pickle, "sets items of something that is no dictionary");
    if ((pickle->stack_count - first) % 2 != 0)
        return pickle_fail(pickle, "a key without a value");
    for (size_t i = first; i < pickle->stack_count && kind == NODE_DICT; i += 2) {
        uint32_t key = pickle->stack[i], value = pickle->stack[i + 1];
        if (!pickle_append(pickle, dict, key, value))
            return false;
        if (pickle_is_text(pickle, key, "_modules") && pickle->nodes[value].kind == NODE_DICT)
            pickle->nodes[dict].module = true;
    }
    pickle->stack_count = first;
    return true;
}

static bool op_setitem(struct pickle *pickle, unsigned argument) {
    (void)argument;
    return has_values(pickle, 3) && set_items(pickle, pickle->stack_count - 2);
}

static bool op_setitems(struct pickle *pickle, unsigned argument) {
    (void)argument;
    size_t first = 0;
    return pop_mark(pickle, &first) && set_items(pickle, first);
}

static bool op_get(struct pickle *pickle, unsigned width) {
    uint64_t index;
    if (!take_number(pickle, width, &index))
        return false;
    if (index >= pickle->memo_count || pickle->memo[index] == 0)
        return pickle_fail(pickle, "gets memo %llu, which is not set", (unsigned long long)index);
    return push(pickle, pickle->memo[index] - 1);
}

static bool remember(struct pickle *pickle, uint64_t index) {
    uint32_t node;
    if (!peek(pickle, &node))
        return false;
    if (index > 2 * pickle->operations + MEMO_SPARE || index >= MEMO_LIMIT)
        return pickle_fail(pickle, "sets memo %llu, far too large", (unsigned long long)index);
    if (index >= pickle->memo_count) {
        size_t count = (size_t)index + index / 2 + 256;
        count = count < MEMO_LIMIT ? count : MEMO_LIMIT;
        pickle->memo = memory_resize(pickle->memo, count, sizeof *pickle->memo);
        memset(pickle->memo + pickle->memo_count, 0,
               (count - pickle->memo_count) * sizeof *pickle->memo);
        pickle->memo_count = count;
    }
    pickle->memo[index] = node + 1;
    return true;
}

static bool op_put(struct pickle *pickle, unsigned width) {
    uint64_t index;
    return take_number(pickle, width, &index) && remember(pickle, index);
}

static bool op_memoize(struct pickle *pickle, unsigned argument) {
    (void)argument;
    return remember(pickle, pickle->memoized++);
}

static bool op_reduce(struct pickle *pickle, unsigned argument) {
    (void)argument;
    uint32_t function, arguments;
    return pop(pickle, &arguments) && pop(pickle, &function) &&
           push(pickle, pickle_apply(pickle, function, arguments));
}

/* NEWOBJ; with one more value, the keywords, NEWOBJ_EX. */
static bool op_newobj(struct pickle *pickle, unsigned keywords) {
    uint32_t ignored;
    return (keywords == 0 || pop(pickle, &ignored)) && op_reduce(pickle, 0);
}

/* An object keeps its state; that of dictionaries (_metadata) and tensors does not matter here. */
static bool op_build(struct pickle *pickle, unsigned argument) {
    (void)argument;
    uint32_t state, object;
    if (!pop(pickle, &state) || !peek(pickle, &object))
        return false;
    enum node_kind kind = pickle->nodes[object].kind;
    if (kind == NODE_OBJECT)
        pickle->nodes[object].content = state;
    return kind == NODE_OBJECT || kind == NODE_DICT || kind == NODE_TENSOR ||
           pickle_fail(pickle, "gives a state to something that has none");
}

/* ('storage', ...), or in old files ('module', class, file, source), which is that class. */
static bool op_persistent(struct pickle *pickle, unsigned argument) {
    (void)argument;
    uint32_t id;
    if (!pop(pickle, &id))
        return false;
    if (pickle->nodes[id].kind != NODE_TUPLE)
        return pickle_fail(pickle, "a persistent id that is no tuple");
    uint32_t class = pickle_item(pickle, id, 1);
    if (pickle->old && pickle_is_text(pickle, pickle_item(pickle, id, 0), "module") &&
        pickle->nodes[class].kind == NODE_GLOBAL)
        return push(pickle, class);
    uint32_t storage = pickle_add(pickle, NODE_STORAGE);
    if (pickle->problem == NULL)
        pickle->nodes[storage].content = id;
    return push(pickle, storage);
}

static bool op_stop(struct pickle *pickle, unsigned argument) {
    (void)argument;
    if (pickle->mark_count > 0 || pickle->stack_count != 1)
        return pickle_fail(pickle, "leaves %zu values instead of one", pickle->stack_count);
    pickle->root = pickle->stack[--pickle->stack_count];
    return true;
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
        const unsigned char *byte = take(pickle, 1);
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
    free(pickle->problem);
    *pickle = (struct pickle){0};
}
