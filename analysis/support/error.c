#include "analysis/support/error.h"

#include "analysis/support/memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static char *format_text(const char *format, va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        memory_exhausted(256);
    return text;
}

bool error_set(struct error *error, enum error_kind kind, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *message = format_text(format, arguments); /* before free: may quote the old one */
    va_end(arguments);
    error_free(error);
    error->kind = kind;
    error->message = message;
    return false;
}

bool error_add(struct error *error, enum error_kind kind, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *line = format_text(format, arguments);
    va_end(arguments);
    if (error->kind == ERROR_NONE) {
        error->kind = kind;
        error->message = line;
        return false;
    }
    char *joined = memory_format("%s\n%s", error->message, line);
    free(error->message);
    free(line);
    error->message = joined;
    return false;
}

void error_hint(struct error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *hint = format_text(format, arguments);
    va_end(arguments);
    free(error->hint);
    error->hint = hint;
}

bool error_move(struct error *target, struct error *source) {
    error_free(target);
    *target = *source;
    *source = (struct error){0};
    return false;
}

void error_free(struct error *error) {
    free(error->message);
    free(error->hint);
    *error = (struct error){0};
}

/* Length in bytes of the valid UTF-8 character at text, 0 when there is none; its code point. */
static size_t utf8_character(const unsigned char *text, size_t length, unsigned *code) {
    static const struct {
        unsigned char mask, lead, bytes;
        unsigned least;
    } forms[] = {{0x80, 0x00, 1, 0},
                 {0xE0, 0xC0, 2, 0x80},
                 {0xF0, 0xE0, 3, 0x800},
                 {0xF8, 0xF0, 4, 0x10000}};
    for (size_t f = 0; f < sizeof forms / sizeof forms[0]; f++) {
        if ((text[0] & forms[f].mask) != forms[f].lead)
            continue;
        if (forms[f].bytes > length)
            return 0;
        *code = text[0] & (unsigned)(unsigned char)~forms[f].mask;
        for (size_t i = 1; i < forms[f].bytes; i++) {
            if ((text[i] & 0xC0) != 0x80)
                return 0;
            *code = *code << 6 | (text[i] & 0x3Fu);
        }
        bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
        return *code < forms[f].least || *code > 0x10FFFF || surrogate ? 0 : forms[f].bytes;
    }
    return 0;
}

/* Control, invisible and direction-changing characters. */
static bool is_hidden(unsigned code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xAD ||
           (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}

char *error_quote(const char *name, size_t length) {
    const unsigned char *text = (const unsigned char *)name;
    char *quoted = memory_array(length * 8 + 1, 1); /* the longest form is \u{NNNN} */
    char *out = quoted;
    for (size_t i = 0; i < length;) {
        unsigned code = 0;
        size_t bytes = utf8_character(text + i, length - i, &code);
        if (bytes == 0 || code < 0x80) {
            bool plain = bytes == 1 && !is_hidden(code);
            out += sprintf(out, plain ? "%c" : "\\x%02x", text[i]);
            i++;
        } else if (is_hidden(code)) {
            out += sprintf(out, "\\u{%x}", code);
            i += bytes;
        } else {
            for (size_t k = 0; k < bytes; k++)
                *out++ = name[i + k];
            i += bytes;
        }
    }
    *out = '\0';
    return quoted;
}
