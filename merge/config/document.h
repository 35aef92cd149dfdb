/* Writing JSON: a document of nested objects and lists, two spaces of indent, numbers as short as
 * they read back exactly, never NaN or infinity.
 *
 *     struct document json;
 *     document_begin(&json);
 *     document_open(&json, NULL, '{', DOCUMENT_LINES);
 *     document_number(&json, "alpha", 0.6);
 *     document_open(&json, "shape", '[', DOCUMENT_ROW); ... document_close(&json);
 *     document_close(&json);
 *     char *text = document_end(&json); */
#ifndef R2M_MERGE_CONFIG_DOCUMENT_H
#define R2M_MERGE_CONFIG_DOCUMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum { DOCUMENT_DEPTH = 8 };

/* Members on lines of their own, or all in one row (then nested ones are rows too). */
enum document_layout { DOCUMENT_LINES, DOCUMENT_ROW };

struct document {
    FILE *stream;
    char *text;
    size_t size, depth;
    struct document_level {
        char close;
        enum document_layout layout;
        bool filled;
    } levels[DOCUMENT_DEPTH];
};

void document_begin(struct document *json);

/* The document with a final newline; free() it. */
char *document_end(struct document *json);

/* bracket: '{' or '['. key is NULL in a list and at the top. */
void document_open(struct document *json, const char *key, char bracket,
                   enum document_layout layout);
void document_close(struct document *json);

/* text: UTF-8; what JSON forbids and what a terminal should not see is written as \uXXXX. NULL
 * gives null. */
void document_string(struct document *json, const char *key, const char *text);

/* The same for length bytes, NUL bytes included. */
void document_text(struct document *json, const char *key, const char *text, size_t length);

/* null for NaN and infinity. */
void document_number(struct document *json, const char *key, double value);
void document_bool(struct document *json, const char *key, bool value);
void document_null(struct document *json, const char *key);

/* A list of numbers or strings in one row. */
void document_numbers(struct document *json, const char *key, const double *values, size_t count);
void document_strings(struct document *json, const char *key, char *const *texts, size_t count);

#endif
