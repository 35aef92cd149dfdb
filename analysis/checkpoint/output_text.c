#include "analysis/checkpoint/output_text.h"

#include "analysis/support/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void text_add(struct text *text, const void *bytes, size_t length) {
    if (text->capacity - text->length < length) {
        text->capacity = 2 * text->capacity + length + 256;
        text->bytes = memory_resize(text->bytes, text->capacity, 1);
    }
    if (length > 0)
        memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

void text_add_word(struct text *text, const char *word) {
    text_add(text, word, strlen(word));
}

void text_add_number(struct text *text, uint64_t number) {
    char digits[24];
    snprintf(digits, sizeof digits, "%" PRIu64, number);
    text_add_word(text, digits);
}

void text_add_bytes(struct text *text, uint64_t number, size_t bytes) {
    for (; bytes > 0; bytes--, number >>= 8)
        text_add(text, &(unsigned char){(unsigned char)(number & 0xFF)}, 1);
}

static void add_escape(struct text *text, unsigned code) {
    char escape[16];
    snprintf(escape, sizeof escape, "\\u%04x", code);
    text_add_word(text, escape);
}

static void add_character(struct text *text, char c) {
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = c != '\0' ? strchr(escaped, c) : NULL;
    if (found != NULL)
        text_add(text, (char[]){'\\', letters[found - escaped]}, 2);
    else if ((unsigned char)c < 0x20)
        add_escape(text, (unsigned)c);
    else
        text_add(text, &c, 1);
}

void text_add_string(struct text *text, const char *string, size_t length) {
    text_add_word(text, "\"");
    for (size_t i = 0; i < length; i++)
        add_character(text, string[i]);
    text_add_word(text, "\"");
}
