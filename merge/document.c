#include "merge/document.h"

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

static void write_string(struct document *json, const char *text) {
    static const char short_forms[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    fputc('"', json->stream);
    for (const char *c = text; *c != '\0'; c++) {
        const char *form = short_forms;
        while (*form != '\0' && *form != *c)
            form += 2;
        if (*form != '\0')
            fprintf(json->stream, "\\%c", form[1]);
        else if ((unsigned char)*c < ' ')
            fprintf(json->stream, "\\u%04x", (unsigned char)*c);
        else
            fputc(*c, json->stream);
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
        write_string(json, key);
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
    next_member(json, key);
    write_string(json, text);
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
