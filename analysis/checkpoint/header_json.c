#include "analysis/checkpoint/header_json.h"

#include "analysis/support/utf8.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_LIMIT = 63 }; /* characters of a number whose value matters */

bool json_fail(struct json *json, const char *problem) {
    if (json->problem == NULL)
        json->problem = problem;
    return false;
}

/* The byte at distance after the current one; NUL beyond the end. */
static char byte_at(const struct json *json, size_t distance) {
    return distance < json->length - json->at ? json->text[json->at + distance] : '\0';
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char json_peek(struct json *json) {
    while (json->at < json->length && is_space(json->text[json->at]))
        json->at++;
    return byte_at(json, 0);
}

bool json_open(struct json *json, char bracket) {
    if (json->problem != NULL)
        return false;
    if (json_peek(json) != bracket)
        return json_fail(json, bracket == '{' ? "expected an object" : "expected a list");
    if (json->depth == JSON_DEPTH_LIMIT)
        return json_fail(json, "nested too deeply");
    json->depth++;
    json->at++;
    return true;
}

bool json_next(struct json *json, char closing, bool *first) {
    if (json->problem != NULL)
        return false;
    if (json_peek(json) == closing) {
        json->at++;
        json->depth--;
        return false;
    }
    if (!*first) {
        if (byte_at(json, 0) != ',')
            return json_fail(json, closing == '}' ? "expected , or }" : "expected , or ]");
        json->at++;
        if (json_peek(json) == closing)
            return json_fail(json, "a comma before the closing bracket");
    }
    *first = false;
    return true;
}

bool json_key(struct json *json, struct json_text *key) {
    if (!json_string(json, key))
        return false;
    if (json_peek(json) != ':')
        return json_fail(json, "expected :");
    json->at++;
    return true;
}

/* The four hexadecimal digits at text, or -1. */
static long hexadecimal(const char *text, size_t length) {
    long code = 0;
    for (size_t i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = i < length && text[i] != '\0' ? strchr(digits, text[i]) : NULL;
        if (digit == NULL)
            return -1;
        long value = digit - digits;
        code = code * 16 + (value < 16 ? value : value - 6);
    }
    return code;
}

/* Code point and length of the \u escape (or pair of them) at text; 0 when it is not valid. */
static size_t unicode_escape(const char *text, size_t length, uint32_t *code) {
    long high = length >= 6 ? hexadecimal(text + 2, length - 2) : -1;
    if (high < 0 || (high >= 0xDC00 && high <= 0xDFFF))
        return 0;
    *code = (uint32_t)high;
    if (high < 0xD800 || high > 0xDBFF)
        return 6;
    bool pair = length >= 12 && text[6] == '\\' && text[7] == 'u';
    long low = pair ? hexadecimal(text + 8, length - 8) : -1;
    if (low < 0xDC00 || low > 0xDFFF)
        return 0;
    *code = 0x10000 + (((uint32_t)high - 0xD800) << 10) + ((uint32_t)low - 0xDC00);
    return 12;
}

static const char escape_letters[] = "\"\\/bfnrt", escape_values[] = "\"\\/\b\f\n\r\t";

/* The same for any escape. */
static size_t escape(const char *text, size_t length, uint32_t *code) {
    if (length < 2 || text[1] == '\0')
        return 0;
    if (text[1] == 'u')
        return unicode_escape(text, length, code);
    const char *letter = strchr(escape_letters, text[1]);
    if (letter == NULL)
        return 0;
    *code = (unsigned char)escape_values[letter - escape_letters];
    return 2;
}

bool json_string(struct json *json, struct json_text *text) {
    if (json->problem != NULL)
        return false;
    if (json_peek(json) != '"')
        return json_fail(json, "expected a string");
    json->at++;
    *text = (struct json_text){.start = json->text + json->at};
    while (json->at < json->length && json->text[json->at] != '"') {
        uint32_t code;
        size_t bytes = 1;
        if ((unsigned char)json->text[json->at] < 0x20)
            return json_fail(json, "a control character in a string");
        if (json->text[json->at] == '\\') {
            bytes = escape(json->text + json->at, json->length - json->at, &code);
            text->escaped = true;
        }
        if (bytes == 0)
            return json_fail(json, "an escape that does not exist");
        json->at += bytes;
    }
    if (json->at == json->length)
        return json_fail(json, "a string that does not end");
    text->length = (size_t)(json->text + json->at - text->start);
    json->at++;
    return true;
}

bool json_unsigned(struct json *json, uint64_t *number) {
    if (json->problem != NULL)
        return false;
    char first = json_peek(json);
    if (!is_digit(first) || (first == '0' && is_digit(byte_at(json, 1))))
        return json_fail(json, "expected a whole number, zero or more");
    *number = 0;
    size_t digits = 0;
    for (; is_digit(byte_at(json, digits)); digits++) {
        unsigned digit = (unsigned)(byte_at(json, digits) - '0');
        if (__builtin_mul_overflow(*number, 10u, number) ||
            __builtin_add_overflow(*number, digit, number))
            return json_fail(json, "a number of 2^64 or more");
    }
    char after = byte_at(json, digits);
    if (after == '.' || after == 'e' || after == 'E')
        return json_fail(json, "expected a whole number, without point or exponent");
    json->at += digits;
    return true;
}

bool json_word(struct json *json, const char *word) {
    json_peek(json);
    size_t length = strlen(word);
    if (json->length - json->at < length || memcmp(json->text + json->at, word, length) != 0)
        return false;
    json->at += length;
    return true;
}

/* One digit or more. */
static bool skip_digits(struct json *json) {
    if (!is_digit(byte_at(json, 0)))
        return json_fail(json, "expected a digit");
    while (is_digit(byte_at(json, 0)))
        json->at++;
    return true;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool skip_number(struct json *json) {
    json->at += byte_at(json, 0) == '-';
    if (byte_at(json, 0) == '0' && is_digit(byte_at(json, 1)))
        return json_fail(json, "a number with a leading zero");
    if (!skip_digits(json))
        return false;
    if (byte_at(json, 0) == '.') {
        json->at++;
        if (!skip_digits(json))
            return false;
    }
    if (byte_at(json, 0) != 'e' && byte_at(json, 0) != 'E')
        return true;
    json->at++;
    json->at += byte_at(json, 0) == '+' || byte_at(json, 0) == '-';
    return skip_digits(json);
}

bool json_number(struct json *json, double *number) {
    char text[NUMBER_LIMIT + 1];
    char next = json_peek(json);
    size_t start = json->at;
    if (next != '-' && !is_digit(next))
        return json_fail(json, "expected a number");
    if (!skip_number(json))
        return false;
    if (json->at - start > NUMBER_LIMIT)
        return json_fail(json, "a number of too many digits");
    memcpy(text, json->text + start, json->at - start);
    text[json->at - start] = '\0';
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    *number = strtod_l(text, NULL, plain);
    freelocale(plain);
    return isfinite(*number) || json_fail(json, "a number that is too large");
}

bool json_bool(struct json *json, bool *value) {
    json_peek(json);
    *value = json_word(json, "true");
    return *value || json_word(json, "false") || json_fail(json, "expected true or false");
}

/* Recursion ends at JSON_DEPTH_LIMIT. */
static bool skip_members(struct json *json, char opening, char closing) {
    struct json_text key;
    json_open(json, opening);
    for (bool first = true; json_next(json, closing, &first);)
        if (opening == '[' || json_key(json, &key))
            json_skip(json);
    return json->problem == NULL;
}

bool json_skip(struct json *json) {
    struct json_text text;
    char next = json_peek(json);
    if (json->problem != NULL)
        return false;
    if (next == '{' || next == '[')
        return skip_members(json, next, next == '{' ? '}' : ']');
    if (next == '"')
        return json_string(json, &text);
    if (next == '-' || is_digit(next))
        return skip_number(json);
    if (json_word(json, "true") || json_word(json, "false") || json_word(json, "null"))
        return true;
    return json_fail(json, "expected a value");
}

bool json_end(struct json *json) {
    json_peek(json);
    if (json->problem == NULL && json->at < json->length)
        json_fail(json, "something after the end of the header");
    return json->problem == NULL;
}

size_t json_decode(const struct json_text *text, char *target) {
    if (!text->escaped) {
        memcpy(target, text->start, text->length);
        return text->length;
    }
    size_t written = 0;
    for (size_t i = 0; i < text->length;) {
        uint32_t code = 0;
        if (text->start[i] != '\\') {
            target[written++] = text->start[i++];
            continue;
        }
        i += escape(text->start + i, text->length - i, &code);
        written += utf8_encode(code, target + written);
    }
    return written;
}

bool json_equals(const struct json_text *text, const char *name) {
    char decoded[6 * 16]; /* names of fields are short; an escape takes 6 bytes at most */
    size_t length = strlen(name);
    if (text->length > sizeof decoded)
        return false;
    return json_decode(text, decoded) == length && memcmp(decoded, name, length) == 0;
}
