/* What went wrong, said once, by the room that knows.
 *
 * Every function that can fail takes a `struct error *` owned by the caller and returns false
 * (or NULL) after filling it. Libraries never print: the tui room prints the text and turns the
 * kind into an exit code.
 *
 *     struct error error = {0};
 *     if (!checkpoint_open(path, &checkpoint, &error)) { report(&error); error_free(&error); }
 *
 * The message follows one form, `FILE: tensor NAME: reason`, a line for each problem. */
#ifndef R2M_ANALYSIS_SUPPORT_ERROR_H
#define R2M_ANALYSIS_SUPPORT_ERROR_H

#include <stdbool.h>
#include <stddef.h>

enum error_kind {
    ERROR_NONE,
    ERROR_INPUT,    /* a file or the arithmetic failed: exit 1 */
    ERROR_USAGE,    /* wrong usage or config: exit 2 */
    ERROR_CANCELLED /* the user stopped it: exit 130 */
};

struct error {
    enum error_kind kind;
    char *message; /* one line per problem, no final newline; NULL when there is none */
    char *hint;    /* what the user could do, or NULL */
};

/* Replaces what the error holds. Always returns false, so `return error_set(...)` reads well. */
bool error_set(struct error *error, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Adds a line to the message, for several problems found at once. The kind of the first line
 * stays. Always returns false. */
bool error_add(struct error *error, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets the hint. */
void error_hint(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hands an error on: target takes source's contents, source becomes empty. Returns false. */
bool error_move(struct error *target, struct error *source);

/* Releases the texts and makes it empty again. */
void error_free(struct error *error);

/* Name for a message or a screen: control characters, invalid UTF-8 and invisible direction marks
 * become \xNN or \u{NNNN}, so that a name from a file cannot drive the terminal.
 * Returns a new string; free() it. */
char *error_quote(const char *name, size_t length);

#endif
