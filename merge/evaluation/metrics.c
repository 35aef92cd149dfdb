#include "merge/evaluation/metrics.h"

#include "analysis/support/memory.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { DEEPEST = 8, NAME_LIMIT = 128, METRIC_LIMIT = 4096 };

void metrics_set(struct metrics *metrics, const char *name, double value) {
    for (size_t i = 0; i < metrics->count; i++)
        if (strcmp(metrics->items[i].name, name) == 0) {
            metrics->items[i].value = value;
            return;
        }
    if (metrics->count == METRIC_LIMIT)
        return;
    metrics->items = memory_resize(metrics->items, metrics->count + 1, sizeof *metrics->items);
    metrics->items[metrics->count++] = (struct metric){memory_string(name), value};
}

const struct metric *metrics_find(const struct metrics *metrics, const char *name) {
    for (size_t i = 0; i < metrics->count; i++)
        if (strcmp(metrics->items[i].name, name) == 0)
            return &metrics->items[i];
    return NULL;
}

bool metric_is_cost(const char *name) {
    static const char *const costs[] = {"loss", "eer", "hter", "acer", "apcer", "bpcer",
                                        "far",  "frr", "fpr",  "fnr",  "error", "err",
                                        "nll",  "ece", "mse",  "mae",  "brier"};
    const char *word = name;
    for (const char *at = name; *at != '\0'; at++)
        word = strchr("._-/ ", *at) != NULL ? at + 1 : word;
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++)
        if (strcasecmp(word, costs[i]) == 0)
            return true;
    return false;
}

void metrics_free(struct metrics *metrics) {
    for (size_t i = 0; i < metrics->count; i++)
        free(metrics->items[i].name);
    free(metrics->items);
    *metrics = (struct metrics){0};
}

static bool not_a_number(const char *name, struct error *error) {
    char *quoted = error_quote(name, strnlen(name, NAME_LIMIT));
    error_set(error, ERROR_INPUT, "the evaluation printed %s, which is not a number", quoted);
    free(quoted);
    return false;
}

/* ---- JSON ---- */

static bool add_number(struct metrics *metrics, const char *name, double value,
                       struct error *error) {
    if (!isfinite(value))
        return not_a_number(name, error);
    metrics_set(metrics, name, value);
    return true;
}

/* Numbers of an object; those of objects in it as "outer.inner". Other values are left out. */
static bool add_object(struct metrics *metrics, const cJSON *object, const char *prefix,
                       unsigned depth, struct error *error) {
    const cJSON *item;
    bool good = true;
    cJSON_ArrayForEach(item, object) {
        const char *key = item->string != NULL ? item->string : "";
        char *name = memory_format("%s%s%s", prefix, *prefix != '\0' ? "." : "", key);
        if (cJSON_IsNumber(item))
            good = add_number(metrics, name, item->valuedouble, error);
        else if (cJSON_IsObject(item) && depth < DEEPEST)
            good = add_object(metrics, item, name, depth + 1, error);
        free(name);
        if (!good)
            return false;
    }
    return true;
}

/* Python writes NaN and Infinity, which JSON has not. */
static bool is_no_number(const char *at) {
    static const char *const names[] = {"NaN", "Infinity", "-Infinity"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(at, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

/* Takes the last object of the text that holds a number; *found tells whether there is one. */
static bool parse_json(const char *text, struct metrics *metrics, bool *found,
                       struct error *error) {
    *found = false;
    for (const char *at = text; (at = strchr(at, '{')) != NULL;) {
        const char *end = NULL;
        struct metrics these = {0};
        cJSON *object = cJSON_ParseWithOpts(at, &end, false);
        bool good = object != NULL ? add_object(&these, object, "", 0, error)
                                   : end == NULL || !is_no_number(end) ||
                                         not_a_number("NaN or Infinity", error);
        cJSON_Delete(object);
        if (!good) {
            metrics_free(&these);
            return false;
        }
        if (these.count > 0) {
            metrics_free(metrics);
            *metrics = these;
            *found = true;
        }
        at = object != NULL && end > at ? end : at + 1;
    }
    return true;
}

/* ---- lines ---- */

/* A name as people give metrics: letters, digits and a few signs, not a number itself. */
static bool is_name(const char *name) {
    static const char signs[] = " ._-/@()+%";
    bool letter = false;
    for (const char *c = name; *c != '\0'; c++) {
        bool alphabetic = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        letter |= alphabetic;
        if (!alphabetic && !(*c >= '0' && *c <= '9') && strchr(signs, *c) == NULL)
            return false;
    }
    return letter && strlen(name) < NAME_LIMIT;
}

static void trim(char **text) {
    *text += strspn(*text, " \t\r");
    for (size_t length = strlen(*text);
         length > 0 && strchr(" \t\r,", (*text)[length - 1]) != NULL;)
        (*text)[--length] = '\0';
}

/* "name: value" cut in two; false for any other line. */
static bool split(char *line, char **name, char **value) {
    char *sign = strpbrk(line, ":=");
    if (sign == NULL)
        return false;
    *sign = '\0';
    *name = line;
    *value = sign + 1;
    trim(name);
    trim(value);
    return is_name(*name) && **value != '\0';
}

static bool parse_line(char *line, char **dataset, struct metrics *metrics, struct error *error) {
    char *name, *value, *end;
    if (!split(line, &name, &value))
        return true;
    if (strcmp(name, "dataset") == 0) {
        free(*dataset);
        *dataset = memory_string(value);
        return true;
    }
    double number = strtod(value, &end);
    if (end == value || *end != '\0')
        return true;
    char *full = *dataset != NULL ? memory_format("%s.%s", *dataset, name) : memory_string(name);
    bool good = add_number(metrics, full, number, error);
    free(full);
    return good;
}

static bool parse_lines(char *text, struct metrics *metrics, struct error *error) {
    char *dataset = NULL, *rest = text;
    bool good = true;
    for (char *line; good && (line = strsep(&rest, "\n")) != NULL;)
        good = parse_line(line, &dataset, metrics, error);
    free(dataset);
    return good;
}

bool metrics_parse(const char *text, size_t length, struct metrics *metrics, struct error *error) {
    char *copy = memory_text(text, length);
    bool found;
    for (size_t i = 0; i < length; i++)
        copy[i] = copy[i] == '\0' ? ' ' : copy[i];
    bool good =
        parse_json(copy, metrics, &found, error) && (found || parse_lines(copy, metrics, error));
    free(copy);
    if (good && metrics->count == 0)
        error_set(error, ERROR_INPUT, "the evaluation printed no metric");
    if (!good)
        metrics_free(metrics);
    return good && metrics->count > 0;
}
