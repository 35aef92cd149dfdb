#define PCRE2_CODE_UNIT_WIDTH 8

#include "analysis/checkpoint/lora/module_pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum {
    PATTERN_LIMIT = 1024,  /* bytes of one */
    STEP_LIMIT = 20000,    /* of the matcher on one name */
    TRIAL_LIMIT = 1 << 24, /* patterns times names; an adapter of 1000 modules has a million */
    CODE_LIMIT = 1 << 24   /* bytes of all, compiled */
};

struct module_pattern {
    pcre2_code *code;
    double value;
};

/* (.*\.)?(PATTERN)$ from the start of the name on, as PEFT has it. */
static pcre2_code *compile(const struct json_text *pattern) {
    static const char head[] = "(.*\\.)?(", tail[] = ")$";
    char text[sizeof head + PATTERN_LIMIT + sizeof tail];
    int problem;
    PCRE2_SIZE place;
    char *decoded = memory_array(pattern->length + 1, 1);
    size_t length = json_decode(pattern, decoded);
    pcre2_code *code = NULL;
    if (length <= PATTERN_LIMIT) {
        char *end = mempcpy(text, head, sizeof head - 1);
        end = mempcpy(end, decoded, length);
        end = mempcpy(end, tail, sizeof tail - 1);
        code = pcre2_compile((PCRE2_SPTR)text, (PCRE2_SIZE)(end - text),
                             PCRE2_ANCHORED | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C, &problem, &place,
                             NULL);
    }
    free(decoded);
    return code;
}

const char *module_patterns_add(struct module_patterns *patterns, const struct json_text *pattern,
                                double value) {
    pcre2_code *code = compile(pattern);
    if (code == NULL)
        return "a pattern that is no regular expression of at most 1024 bytes";
    size_t bytes = 0;
    pcre2_pattern_info(code, PCRE2_INFO_SIZE, &bytes);
    patterns->bytes += bytes;
    patterns->items = memory_resize(patterns->items, patterns->count + 1, sizeof *patterns->items);
    patterns->items[patterns->count++] = (struct module_pattern){code, value};
    return patterns->bytes <= CODE_LIMIT ? NULL : "patterns that repeat too much";
}

bool module_patterns_find(const struct module_patterns *patterns, const char *name, size_t length,
                          uint64_t *trials, double *value) {
    if (patterns->count == 0)
        return true;
    bool good = true;
    int found = PCRE2_ERROR_NOMATCH;
    pcre2_match_context *limits = pcre2_match_context_create(NULL);
    pcre2_match_data *data = pcre2_match_data_create(1, NULL);
    if (limits == NULL || data == NULL)
        memory_exhausted(sizeof(void *));
    pcre2_set_match_limit(limits, STEP_LIMIT);
    pcre2_set_heap_limit(limits, 1024);
    for (size_t i = 0; good && found < 0 && i < patterns->count; i++) {
        found = pcre2_match(patterns->items[i].code, (PCRE2_SPTR)name, length, 0, 0, data, limits);
        good = (found >= 0 || found == PCRE2_ERROR_NOMATCH) && ++*trials <= TRIAL_LIMIT;
        if (found >= 0)
            *value = patterns->items[i].value;
    }
    pcre2_match_data_free(data);
    pcre2_match_context_free(limits);
    return good;
}

void module_patterns_free(struct module_patterns *patterns) {
    for (size_t i = 0; i < patterns->count; i++)
        pcre2_code_free(patterns->items[i].code);
    free(patterns->items);
    *patterns = (struct module_patterns){0};
}
