/* Operations that put a value on the stack: numbers, strings, names. */
#include "analysis/checkpoint/torch/pickle_globals.h"
#include "analysis/checkpoint/torch/pickle_ops.h"
#include "analysis/support/utf8.h"

#include <stdlib.h>
#include <string.h>

bool op_fixed(struct pickle *pickle, unsigned node) {
    return pickle_push(pickle, node);
}

static bool push_integer(struct pickle *pickle, int64_t integer) {
    uint32_t node = pickle_add(pickle, NODE_INTEGER);
    if (pickle->problem == NULL)
        pickle->nodes[node].integer = integer;
    return pickle_push(pickle, node);
}

bool op_unsigned(struct pickle *pickle, unsigned width) {
    uint64_t number;
    return pickle_take_number(pickle, width, &number) && push_integer(pickle, (int64_t)number);
}

/* width bytes of two's complement, 1 to 8. */
static int64_t extend(uint64_t number, unsigned width) {
    uint64_t sign = 1ULL << (8 * width - 1);
    return (int64_t)((number ^ sign) - sign);
}

bool op_signed(struct pickle *pickle, unsigned width) {
    uint64_t number;
    return pickle_take_number(pickle, width, &number) &&
           push_integer(pickle, extend(number, width));
}

/* LONG1, LONG4: a length, then as many bytes of two's complement. */
bool op_long(struct pickle *pickle, unsigned width) {
    uint64_t length, number;
    if (!pickle_take_number(pickle, width, &length))
        return false;
    if (length == 0)
        return push_integer(pickle, 0);
    if (length <= 8)
        return pickle_take_number(pickle, (unsigned)length, &number) &&
               push_integer(pickle, extend(number, (unsigned)length));
    return pickle_take(pickle, length) != NULL && pickle_push(pickle, pickle_add(pickle, NODE_BIG));
}

/* Big-endian, for once. */
bool op_float(struct pickle *pickle, unsigned width) {
    const unsigned char *bytes = pickle_take(pickle, width);
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
    return pickle_push(pickle, node);
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
    if (!pickle_take_number(pickle, width, length))
        return NULL;
    if (*length > UINT32_MAX) {
        pickle_fail(pickle, "a string of more than 4 GiB");
        return NULL;
    }
    return pickle_take(pickle, *length);
}

bool op_text(struct pickle *pickle, unsigned width) {
    uint64_t length;
    const unsigned char *bytes = take_counted(pickle, width, &length);
    if (bytes == NULL)
        return false;
    if (check_text((const char *)bytes, length) < length)
        return pickle_fail(pickle, "a string that is not UTF-8");
    return pickle_push(pickle, add_text(pickle, NODE_TEXT, bytes, length));
}

bool op_bytes(struct pickle *pickle, unsigned width) {
    uint64_t length;
    const unsigned char *bytes = take_counted(pickle, width, &length);
    return bytes != NULL && pickle_push(pickle, add_text(pickle, NODE_BYTES, bytes, length));
}

/* The strings of Python 2, which are text or bytes. */
bool op_string(struct pickle *pickle, unsigned width) {
    uint64_t length;
    const unsigned char *bytes = take_counted(pickle, width, &length);
    if (bytes == NULL)
        return false;
    bool is_text = check_text((const char *)bytes, length) == length;
    return pickle_push(pickle, add_text(pickle, is_text ? NODE_TEXT : NODE_BYTES, bytes, length));
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
    return pickle_push(pickle, node);
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

bool op_global(struct pickle *pickle, unsigned argument) {
    (void)argument;
    uint32_t module = take_line(pickle);
    uint32_t name = pickle->problem == NULL ? take_line(pickle) : NODE_AT_NONE;
    return push_global(pickle, module, name);
}

bool op_stack_global(struct pickle *pickle, unsigned argument) {
    (void)argument;
    uint32_t module, name;
    if (!pickle_pop(pickle, &name) || !pickle_pop(pickle, &module))
        return false;
    if (pickle->nodes[name].kind != NODE_TEXT || pickle->nodes[module].kind != NODE_TEXT)
        return pickle_fail(pickle, "a name that is no string");
    return push_global(pickle, module, name);
}
