/* Bytes of a file in the making: text that grows. Private to the room. */
#ifndef R2M_ANALYSIS_CHECKPOINT_OUTPUT_TEXT_H
#define R2M_ANALYSIS_CHECKPOINT_OUTPUT_TEXT_H

#include <stddef.h>
#include <stdint.h>

/* Zero-initialised is empty; free(bytes). */
struct text {
    char *bytes;
    size_t length, capacity;
};

void text_add(struct text *text, const void *bytes, size_t length);
void text_add_word(struct text *text, const char *word);

/* In decimal digits. */
void text_add_number(struct text *text, uint64_t number);

/* The lowest bytes of the number, least significant first. */
void text_add_bytes(struct text *text, uint64_t number, size_t bytes);

/* A JSON string with its quotes; only quotes, backslashes and control characters are escaped. */
void text_add_string(struct text *text, const char *string, size_t length);

#endif
