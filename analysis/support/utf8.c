#include "analysis/support/utf8.h"

#include <stdbool.h>
#include <string.h>

static const struct {
    unsigned char mask, lead; /* the first byte & mask is lead */
    unsigned char bytes;
    uint32_t least; /* smaller code points are overlong */
} forms[] = {
    {0x80, 0x00, 1, 0}, {0xE0, 0xC0, 2, 0x80}, {0xF0, 0xE0, 3, 0x800}, {0xF8, 0xF0, 4, 0x10000}};

enum { FORMS = sizeof forms / sizeof forms[0] };

size_t utf8_decode(const char *text, size_t length, uint32_t *code) {
    const unsigned char *bytes = (const unsigned char *)text;
    size_t form = 0;
    while (form < FORMS && (bytes[0] & forms[form].mask) != forms[form].lead)
        form++;
    if (form == FORMS || forms[form].bytes > length)
        return 0;
    *code = bytes[0] & (uint32_t)(unsigned char)~forms[form].mask;
    for (size_t i = 1; i < forms[form].bytes; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (bytes[i] & 0x3Fu);
    }
    bool surrogate = *code >= 0xD800 && *code <= 0xDFFF;
    return *code < forms[form].least || *code > 0x10FFFF || surrogate ? 0 : forms[form].bytes;
}

size_t utf8_encode(uint32_t code, char *text) {
    if (code < 0x80) {
        text[0] = (char)code;
        return 1;
    }
    size_t form = 1;
    while (form + 1 < FORMS && code >= forms[form + 1].least)
        form++;
    size_t bytes = forms[form].bytes;
    for (size_t i = bytes; --i > 0; code >>= 6)
        text[i] = (char)(0x80 | (code & 0x3F));
    text[0] = (char)(forms[form].lead | code);
    return bytes;
}

/* True when the 8 bytes at text are ASCII. */
static bool ascii8(const char *text) {
    uint64_t word;
    memcpy(&word, text, sizeof word);
    return (word & 0x8080808080808080u) == 0;
}

size_t utf8_check(const char *text, size_t length) {
    size_t i = 0;
    while (i < length) {
        uint32_t code;
        size_t bytes =
            length - i >= 8 && ascii8(text + i) ? 8 : utf8_decode(text + i, length - i, &code);
        if (bytes == 0)
            break;
        i += bytes;
    }
    return i;
}

bool utf8_is_hidden(uint32_t code) {
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0xAD ||
           (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF;
}
