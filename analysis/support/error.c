#include "analysis/support/error.h"

#include "analysis/support/memory.h"
#include "analysis/support/utf8.h"

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

char *error_quote(const char *name, size_t length) {
    char *quoted = memory_array(length * 8 + 1, 1); /* the longest form is \u{NNNN} */
    char *out = quoted;
    for (size_t i = 0; i < length;) {
        uint32_t code = 0;
        size_t bytes = utf8_decode(name + i, length - i, &code);
        if (bytes == 0 || code < 0x80) {
            bool plain = bytes == 1 && !utf8_is_hidden(code);
            out += sprintf(out, plain ? "%c" : "\\x%02x", (unsigned char)name[i]);
            i++;
        } else if (utf8_is_hidden(code)) {
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
