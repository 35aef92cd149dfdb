#include "tui/screen/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void status_say(struct status *status, double now, enum status_level level, const char *format,
                ...) {
    char *text = NULL;
    va_list list;
    va_start(list, format);
    int length = vasprintf(&text, format, list);
    va_end(list);
    if (length < 0)
        return;
    free(status->text);
    status->text = text;
    status->level = level;
    status->until = now + STATUS_SECONDS;
    string_list_add(&status->log, text);
}

void status_fail(struct status *status, double now, struct error *error) {
    const char *message = error->message != NULL ? error->message : "failed";
    int first = (int)strcspn(message, "\n");
    const char *more = message[first] != '\0' ? " (more: :messages)" : "";
    const char *hint = error->hint != NULL ? error->hint : "";
    enum status_level level = error->kind == ERROR_CANCELLED ? STATUS_WARNING : STATUS_ERROR;
    status_say(status, now, level, "%.*s%s%s%s", first, message, *hint != '\0' ? "; " : "", hint,
               more);
    if (*more != '\0')
        string_list_add(&status->log, message + first + 1);
    error_free(error);
}

void status_clear(struct status *status, enum status_level up_to) {
    if (status->text == NULL || status->level > up_to)
        return;
    free(status->text);
    status->text = NULL;
}

void status_free(struct status *status) {
    free(status->text);
    string_list_free(&status->log);
    *status = (struct status){0};
}
