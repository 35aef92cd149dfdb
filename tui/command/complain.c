#include "tui/command/complain.h"

#include "analysis/support/ranks.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Quoted once more, which leaves what is quoted alone: paths may come from strange configs. */
static void print_lines(const char *prefix, const char *text) {
    while (text != NULL && ranks_own() == 0) { /* the first rank speaks for all */
        const char *end = strchrnul(text, '\n');
        char *line = error_quote(text, (size_t)(end - text));
        fprintf(stderr, "r2m: %s%s\n", prefix, line);
        free(line);
        text = *end != '\0' ? end + 1 : NULL;
    }
}

int complain(struct error *error) {
    static const int codes[] = {[ERROR_NONE] = EXIT_FAILED,
                                [ERROR_INPUT] = EXIT_FAILED,
                                [ERROR_USAGE] = EXIT_WRONG_USE,
                                [ERROR_CANCELLED] = EXIT_INTERRUPTED};
    int code = codes[error->kind];
    print_lines("", error->message);
    print_lines("hint: ", error->hint);
    error_free(error);
    return code;
}

int complain_usage(const char *command, const char *format, ...) {
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        memory_exhausted(BUFSIZ);
    va_end(arguments);
    print_lines("", text);
    free(text);
    if (ranks_own() == 0)
        fprintf(stderr, "Try 'r2m %s%s--help'.\n", command != NULL ? command : "",
                command != NULL ? " " : "");
    return EXIT_WRONG_USE;
}

void complain_warnings(const struct string_list *warnings) {
    for (size_t i = 0; i < warnings->count; i++)
        print_lines("warning: ", warnings->items[i]);
}
