/* Small allocations that may be taken for granted.
 *
 * Lists, names and other small things come from here and never fail: when the machine has no
 * memory left, the host program's memory_exhausted() is called, which does not return. (It is
 * declared here and defined by the program, so that the libraries hold no global state and
 * neither print nor exit.) Buffers whose size follows the input, such as a residual matrix, are
 * taken with malloc and a failure is an error that names the tensor.
 *
 * Memory obtained here is released with free(). */
#ifndef R2M_ANALYSIS_SUPPORT_MEMORY_H
#define R2M_ANALYSIS_SUPPORT_MEMORY_H

#include <stddef.h>
#include <stdio.h>

/* Defined by the host program: says that memory is exhausted and ends the process. */
_Noreturn void memory_exhausted(size_t bytes);

/* Zeroed array of count elements; count 0 gives a valid pointer too. */
void *memory_array(size_t count, size_t size);

/* Grows (or shrinks) an array to count elements; new elements are not cleared. */
void *memory_resize(void *array, size_t count, size_t size);

/* Copy of a string; NULL gives NULL. */
char *memory_string(const char *text);

/* Copy of length bytes followed by a NUL. */
char *memory_text(const char *text, size_t length);

/* printf into a new string. */
char *memory_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A stream into a new string; both are the caller's after memory_stream_end(), which releases the
 * stream. */
FILE *memory_stream(char **text, size_t *size);
void memory_stream_end(FILE *stream);

/* A list of strings that owns them. Zero-initialised is empty. */
struct string_list {
    char **items;
    size_t count;
};

/* Appends a copy of text. */
void string_list_add(struct string_list *list, const char *text);
void string_list_copy(struct string_list *target, const struct string_list *source);
void string_list_free(struct string_list *list);

#endif
