/* Writing JSON: a document of nested objects and lists, two spaces of indent, numbers as short as
 * they read back exactly, never NaN or infinity.
 *
 *     struct json json;
 *     json_begin(&json);
 *     json_open(&json, NULL, '{', JSON_LINES);
 *     json_number(&json, "alpha", 0.6);
 *     json_open(&json, "shape", '[', JSON_ROW); ... json_close(&json);
 *     json_close(&json);
 *     char *text = json_end(&json); */
#ifndef R2M_MERGE_JSON_H
#define R2M_MERGE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { JSON_DEPTH = 8 };

/* Members on lines of their own, or all in one row (then nested ones are rows too). */
enum json_layout { JSON_LINES, JSON_ROW };

struct json {
    FILE *stream;
    char *text;
    size_t size, depth;
    struct json_level {
        char close;
        enum json_layout layout;
        bool filled;
    } levels[JSON_DEPTH];
};

void json_begin(struct json *json);

/* The document with a final newline; free() it. */
char *json_end(struct json *json);

/* bracket: '{' or '['. key is NULL in a list and at the top. */
void json_open(struct json *json, const char *key, char bracket, enum json_layout layout);
void json_close(struct json *json);

/* text: bytes pass as they are, but for what JSON escapes. NULL gives null. */
void json_string(struct json *json, const char *key, const char *text);

/* null for NaN and infinity. */
void json_number(struct json *json, const char *key, double value);
void json_bool(struct json *json, const char *key, bool value);
void json_null(struct json *json, const char *key);

/* A list of numbers or strings in one row. */
void json_numbers(struct json *json, const char *key, const double *values, size_t count);
void json_strings(struct json *json, const char *key, char *const *texts, size_t count);

#endif
