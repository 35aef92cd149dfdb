#include "merge/config/document.h"

#include "analysis/support/utf8.h"
#include "merge/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void document_begin(struct document *json) {
    *json = (struct document){0};
    json->stream = open_memstream(&json->text, &json->size);
    if (json->stream == NULL)
        memory_exhausted(DOCUMENT_DEPTH);
}

char *document_end(struct document *json) {
    fputc('\n', json->stream);
    bool failed = ferror(json->stream) != 0;
    if (fclose(json->stream) != 0 || failed)
        memory_exhausted(json->size);
    return json->text;
}

static void write_character(struct document *json, const char *at, size_t bytes, uint32_t code) {
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *form = short_forms; *form != '\0'; form += 2)
        if (code == (uint32_t)*form) {
            fprintf(json->stream, "\\%c", form[1]);
            return;
        }
    if (utf8_is_hidden(code))
        fprintf(json->stream, "\\u%04x", (unsigned)code);
    else
        fwrite(at, 1, bytes, json->stream);
}

/* Bytes that are no UTF-8 pass as they are: whoever must not write such a document checks it. */
static void write_text(struct document *json, const char *text, size_t length) {
    fputc('"', json->stream);
    for (size_t at = 0; at < length;) {
        uint32_t code = 0;
        size_t bytes = utf8_decode(text + at, length - at, &code);
        if (bytes > 0)
            write_character(json, text + at, bytes, code);
        else
            fputc(text[at], json->stream);
        at += bytes > 0 ? bytes : 1;
    }
    fputc('"', json->stream);
}

static void line_break(struct document *json) {
    fprintf(json->stream, "\n%*s", (int)(2 * json->depth), "");
}

/* Comma, place and key of the next member. */
static void next_member(struct document *json, const char *key) {
    if (json->depth > 0) {
        struct document_level *level = &json->levels[json->depth - 1];
        if (level->filled)
            fputc(',', json->stream);
        if (level->layout == DOCUMENT_LINES)
            line_break(json);
        else if (level->filled)
            fputc(' ', json->stream);
        level->filled = true;
    }
    if (key != NULL) {
        write_text(json, key, strlen(key));
        fputs(": ", json->stream);
    }
}

void document_open(struct document *json, const char *key, char bracket,
                   enum document_layout layout) {
    next_member(json, key);
    fputc(bracket, json->stream);
    if (json->depth > 0 && json->levels[json->depth - 1].layout == DOCUMENT_ROW)
        layout = DOCUMENT_ROW;
    json->levels[json->depth++] =
        (struct document_level){bracket == '{' ? '}' : ']', layout, false};
}

void document_close(struct document *json) {
    struct document_level level = json->levels[--json->depth];
    if (level.filled && level.layout == DOCUMENT_LINES)
        line_break(json);
    fputc(level.close, json->stream);
}

void document_string(struct document *json, const char *key, const char *text) {
    if (text == NULL) {
        document_null(json, key);
        return;
    }
    document_text(json, key, text, strlen(text));
}

void document_text(struct document *json, const char *key, const char *text, size_t length) {
    next_member(json, key);
    write_text(json, text, length);
}

void document_number(struct document *json, const char *key, double value) {
    char text[NUMBER_TEXT];
    next_member(json, key);
    fputs(isfinite(value) ? number_text(value, text) : "null", json->stream);
}

void document_bool(struct document *json, const char *key, bool value) {
    next_member(json, key);
    fputs(value ? "true" : "false", json->stream);
}

void document_null(struct document *json, const char *key) {
    document_number(json, key, NAN);
}

void document_numbers(struct document *json, const char *key, const double *values, size_t count) {
    document_open(json, key, '[', DOCUMENT_ROW);
    for (size_t i = 0; i < count; i++)
        document_number(json, NULL, values[i]);
    document_close(json);
}

void document_strings(struct document *json, const char *key, char *const *texts, size_t count) {
    document_open(json, key, '[', DOCUMENT_ROW);
    for (size_t i = 0; i < count; i++)
        document_string(json, NULL, texts[i]);
    document_close(json);
}
