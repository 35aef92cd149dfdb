/* The fields of eval. */
#include "merge/config/config_parts.h"
#include "merge/evaluation/evaluation.h"
#include "merge/text.h"

#include <stdlib.h>
#include <string.h>

static bool set_command(struct config_eval *eval, const char *shown, const char *text,
                        struct error *error) {
    struct error found = {0};
    if (!evaluation_check(text, &found)) {
        error_set(error, ERROR_USAGE, "%s: %s", shown, found.message);
        error_hint(error, "%s", found.hint);
        error_free(&found);
        return false;
    }
    free(eval->command);
    eval->command = memory_string(text);
    return true;
}

static bool set_timeout(struct config_eval *eval, const char *shown, const char *text,
                        struct error *error) {
    double seconds;
    if (!number_parse(text, &seconds) || seconds <= 0)
        return error_set(error, ERROR_USAGE, "%s: allowed is a number of seconds above 0", shown);
    eval->timeout = seconds;
    return true;
}

static bool set_metric(struct config_eval *eval, const char *shown, const char *text,
                       struct error *error) {
    if (text[text[0] == '-'] == '\0')
        return error_set(error, ERROR_USAGE,
                         "%s: allowed is a metric's name, with - before it where lower is better",
                         shown);
    free(eval->metric);
    eval->metric = memory_string(text);
    return true;
}

bool config_eval_set(struct config_eval *eval, const char *shown, const char *text,
                     struct error *error) {
    static const struct {
        const char *field;
        bool (*set)(struct config_eval *eval, const char *shown, const char *text,
                    struct error *error);
    } fields[] = {
        {"eval.command", set_command}, {"eval.timeout", set_timeout}, {"eval.metric", set_metric}};
    size_t i = 0;
    while (strcmp(fields[i].field, shown) != 0)
        i++;
    error_free(error);
    return fields[i].set(eval, shown, text, error);
}
