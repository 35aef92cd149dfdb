#include "merge/json.h"

#include "merge/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void json_begin(struct json *json) {
    *json = (struct json){0};
    json->stream = open_memstream(&json->text, &json->size);
    if (json->stream == NULL)
        memory_exhausted(JSON_DEPTH);
}

char *json_end(struct json *json) {
    fputc('\n', json->stream);
    bool failed = ferror(json->stream) != 0;
    if (fclose(json->stream) != 0 || failed)
        memory_exhausted(json->size);
    return json->text;
}

static void write_string(struct json *json, const char *text) {
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

static void line_break(struct json *json) {
    fprintf(json->stream, "\n%*s", (int)(2 * json->depth), "");
}

/* Comma, place and key of the next member. */
static void next_member(struct json *json, const char *key) {
    if (json->depth > 0) {
        struct json_level *level = &json->levels[json->depth - 1];
        if (level->filled)
            fputc(',', json->stream);
        if (level->layout == JSON_LINES)
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

void json_open(struct json *json, const char *key, char bracket, enum json_layout layout) {
    next_member(json, key);
    fputc(bracket, json->stream);
    if (json->depth > 0 && json->levels[json->depth - 1].layout == JSON_ROW)
        layout = JSON_ROW;
    json->levels[json->depth++] = (struct json_level){bracket == '{' ? '}' : ']', layout, false};
}

void json_close(struct json *json) {
    struct json_level level = json->levels[--json->depth];
    if (level.filled && level.layout == JSON_LINES)
        line_break(json);
    fputc(level.close, json->stream);
}

void json_string(struct json *json, const char *key, const char *text) {
    if (text == NULL) {
        json_null(json, key);
        return;
    }
    next_member(json, key);
    write_string(json, text);
}

void json_number(struct json *json, const char *key, double value) {
    char text[NUMBER_TEXT];
    next_member(json, key);
    fputs(isfinite(value) ? number_text(value, text) : "null", json->stream);
}

void json_bool(struct json *json, const char *key, bool value) {
    next_member(json, key);
    fputs(value ? "true" : "false", json->stream);
}

void json_null(struct json *json, const char *key) {
    json_number(json, key, NAN);
}

void json_numbers(struct json *json, const char *key, const double *values, size_t count) {
    json_open(json, key, '[', JSON_ROW);
    for (size_t i = 0; i < count; i++)
        json_number(json, NULL, values[i]);
    json_close(json);
}

void json_strings(struct json *json, const char *key, char *const *texts, size_t count) {
    json_open(json, key, '[', JSON_ROW);
    for (size_t i = 0; i < count; i++)
        json_string(json, NULL, texts[i]);
    json_close(json);
}
