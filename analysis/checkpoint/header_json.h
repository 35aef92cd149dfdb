/* A strict JSON scanner for headers: it walks a text once, takes no memory and names the byte
 * where the text stops being JSON. Strictly RFC 8259; numbers are whole and below 2^64.
 *
 *     json_open(json, '{')
 *     for (bool first = true; json_next(json, '}', &first);)
 *         json_key(json, &key) && json_unsigned(json, &number)
 *
 * After the first problem every function returns false, so a caller may check at the end. The
 * text must be valid UTF-8 (utf8_check). */
#ifndef R2M_ANALYSIS_CHECKPOINT_HEADER_JSON_H
#define R2M_ANALYSIS_CHECKPOINT_HEADER_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_DEPTH_LIMIT = 127 };

struct json {
    const char *text;
    size_t length;
    size_t at;           /* next byte */
    unsigned depth;      /* open brackets */
    const char *problem; /* what is wrong at byte `at`, or NULL */
};

/* A string as it stands in the text, without its quotes. */
struct json_text {
    const char *start;
    size_t length;
    bool escaped; /* holds backslashes */
};

/* Reports a problem at the current byte; the first one stays. Returns false. */
bool json_fail(struct json *json, const char *problem);

/* Skips white space; the next byte, or NUL at the end. */
char json_peek(struct json *json);

/* Enters an object or array: takes the bracket. */
bool json_open(struct json *json, char bracket);

/* True when another member or element follows; otherwise takes the closing bracket. */
bool json_next(struct json *json, char closing, bool *first);

/* A member's name and the colon. */
bool json_key(struct json *json, struct json_text *key);

bool json_string(struct json *json, struct json_text *text);
bool json_unsigned(struct json *json, uint64_t *number);

/* Any number, rounded to a double, whatever the locale. */
bool json_number(struct json *json, double *number);

/* true or false. */
bool json_bool(struct json *json, bool *value);

/* Takes the word if it comes next: true, false, null. No problem if it does not. */
bool json_word(struct json *json, const char *word);

/* Any value. */
bool json_skip(struct json *json);

/* Only white space is left. */
bool json_end(struct json *json);

/* The string's characters into target, which holds text->length bytes; returns their number. */
size_t json_decode(const struct json_text *text, char *target);

/* True when the string's characters are those of name. */
bool json_equals(const struct json_text *text, const char *name);

#endif
