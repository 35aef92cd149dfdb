/* UTF-8, strictly: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef R2M_ANALYSIS_SUPPORT_UTF8_H
#define R2M_ANALYSIS_SUPPORT_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Length in bytes of the valid character at text (length > 0 bytes), and its code point; 0 when
 * there is none. */
size_t utf8_decode(const char *text, size_t length, uint32_t *code);

/* Writes code (a valid code point) to text, at most 4 bytes, and returns their number. */
size_t utf8_encode(uint32_t code, char *text);

/* Index of the first byte that is not valid UTF-8, or length. */
size_t utf8_check(const char *text, size_t length);

/* Control, invisible and direction-changing characters: what must not reach a terminal unescaped.
 */
bool utf8_is_hidden(uint32_t code);

#endif
