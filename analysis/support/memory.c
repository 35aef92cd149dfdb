#include "analysis/support/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *memory, size_t bytes) {
    if (memory == NULL)
        memory_exhausted(bytes);
    return memory;
}

/* count * size, at least one byte; an overflow is as good as no memory. */
static size_t product(size_t count, size_t size) {
    if (size != 0 && count > SIZE_MAX / size)
        memory_exhausted(SIZE_MAX);
    return count * size > 0 ? count * size : 1;
}

void *memory_array(size_t count, size_t size) {
    size_t bytes = product(count, size);
    return checked(calloc(1, bytes), bytes);
}

void *memory_resize(void *array, size_t count, size_t size) {
    size_t bytes = product(count, size);
    return checked(realloc(array, bytes), bytes);
}

char *memory_text(const char *text, size_t length) {
    char *copy = memory_array(length + 1, 1);
    memcpy(copy, text, length);
    return copy;
}

char *memory_string(const char *text) {
    return text != NULL ? memory_text(text, strlen(text)) : NULL;
}

char *memory_format(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return checked(length < 0 ? NULL : text, 256);
}

void string_list_add(struct string_list *list, const char *text) {
    list->items = memory_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = memory_string(text);
}

void string_list_copy(struct string_list *target, const struct string_list *source) {
    *target = (struct string_list){0};
    for (size_t i = 0; i < source->count; i++)
        string_list_add(target, source->items[i]);
}

void string_list_free(struct string_list *list) {
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct string_list){0};
}

FILE *memory_stream(char **text, size_t *size) {
    FILE *stream = open_memstream(text, size);
    if (stream == NULL)
        memory_exhausted(0);
    return stream;
}

void memory_stream_end(FILE *stream) {
    if (fclose(stream) != 0)
        memory_exhausted(0);
}
