#include "merge/sweep/vary.h"

#include "merge/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define RANGE_SLACK 1e-9 /* of a step, so that 0.4:1.0:0.2 reaches 1.0 */
#define RANGE_LIMIT 10000
#define RANGE_DIGITS 9 /* of a step that count */

static const char rank_key[] = "residual.rank";

static bool refuse(const char *spec, struct error *error, const char *reason) {
    char *quoted = error_quote(spec, strlen(spec));
    error_set(error, ERROR_USAGE, "--vary %s: %s", quoted, reason);
    free(quoted);
    return false;
}

/* Whether both decide the same field of the config. */
static bool is_same_field(const char *one, const char *other) {
    size_t length = sizeof rank_key - 1;
    bool both_ranks = strncmp(one, rank_key, length) == 0 && strncmp(other, rank_key, length) == 0;
    return both_ranks || strcmp(one, other) == 0;
}

static bool check_key(const struct vary_list *list, const char *spec, const char *key,
                      struct error *error) {
    if (strncmp(key, "keys.", 5) == 0)
        return refuse(spec, error, "what names mean is the same for all points");
    if (strncmp(key, "eval.", 5) == 0)
        return refuse(spec, error, "the evaluation is the same for all points");
    if (strcmp(key, "output.shard_bytes") == 0)
        return refuse(spec, error, "the points of a sweep are single files");
    for (size_t i = 0; i < list->count; i++)
        if (is_same_field(list->items[i].key, key))
            return refuse(spec, error, "the field is varied already");
    return list->count < SWEEP_KEY_LIMIT || refuse(spec, error, "too many fields are varied");
}

static bool holds(const struct string_list *values, const char *text) {
    for (size_t i = 0; i < values->count; i++)
        if (strcmp(values->items[i], text) == 0)
            return true;
    return false;
}

/* The value as it is kept: numbers in their shortest form, so that 0.10 is 0.1. */
static bool add_value(struct vary *vary, const char *spec, const char *text,
                      const struct config *config, struct error *error) {
    double number;
    char buffer[NUMBER_TEXT];
    struct config copy;
    struct error own = {0};
    const char *value = number_parse(text, &number) ? number_text(number, buffer) : text;
    char *assignment = memory_format("%s=%s", vary->key, value);
    config_copy(&copy, config);
    bool good = config_set(&copy, assignment, &own);
    if (!good)
        refuse(spec, error, own.message);
    else if (!holds(&vary->values, value))
        string_list_add(&vary->values, value);
    config_free(&copy);
    error_free(&own);
    free(assignment);
    return good;
}

/* LO:HI:STEP, both ends included. Each value is computed from LO and rounded to the digits that
 * the step can tell apart: 0.4 + 2 * 0.2 is 0.8. */
static bool add_range(struct vary *vary, const char *spec, const double range[3],
                      const struct config *config, struct error *error) {
    double low = range[0], high = range[1], step = range[2];
    if (step == 0)
        return refuse(spec, error, "the step of a range must not be 0");
    if (step < 0)
        return refuse(spec, error, "the step of a range must be above 0");
    if (low > high)
        return refuse(spec, error, "the range is empty: its start lies above its end");
    double steps = floor((high - low) / step + RANGE_SLACK);
    if (!(steps < RANGE_LIMIT))
        return refuse(spec, error, "the range has more than 10000 values");
    double scale = pow(10, RANGE_DIGITS - floor(log10(step)));
    for (size_t i = 0; i <= (size_t)steps; i++) {
        char text[NUMBER_TEXT];
        double value = round((low + (double)i * step) * scale) / scale;
        if (!add_value(vary, spec, number_text(isfinite(value) ? value : low, text), config, error))
            return false;
    }
    return true;
}

/* Whether text is LO:HI:STEP; a text with colons that is not is refused. */
static bool parse_range(const char *text, double range[3]) {
    char *copy = memory_string(text), *rest = copy;
    size_t found = 0;
    for (char *part = strsep(&rest, ":"); part != NULL; part = strsep(&rest, ":")) {
        if (found == 3 || !number_parse(part, &range[found])) {
            found = 0;
            break;
        }
        found++;
    }
    free(copy);
    return found == 3;
}

static bool add_item(struct vary *vary, const char *spec, const char *text,
                     const struct config *config, struct error *error) {
    double range[3];
    if (*text == '\0')
        return refuse(spec, error, "a value is missing");
    if (strchr(text, ':') == NULL)
        return add_value(vary, spec, text, config, error);
    if (!parse_range(text, range))
        return refuse(spec, error, "a range is LO:HI:STEP, three numbers, such as 0.4:1.0:0.2");
    return add_range(vary, spec, range, config, error);
}

static bool add_items(struct vary *vary, const char *spec, const char *items,
                      const struct config *config, struct error *error) {
    char *copy = memory_string(items), *rest = copy;
    bool good = true;
    for (char *item = strsep(&rest, ","); good && item != NULL; item = strsep(&rest, ","))
        good = add_item(vary, spec, item, config, error);
    free(copy);
    return good;
}

static void release(struct vary *vary) {
    free(vary->key);
    string_list_free(&vary->values);
}

bool vary_add(struct vary_list *list, const char *spec, const struct config *config,
              struct error *error) {
    const char *equals = strchr(spec, '=');
    if (equals == NULL || equals == spec)
        return refuse(spec, error, "allowed is KEY=VALUE,VALUE,... or KEY=LO:HI:STEP");
    struct vary vary = {.key = memory_text(spec, (size_t)(equals - spec))};
    if (!check_key(list, spec, vary.key, error) ||
        !add_items(&vary, spec, equals + 1, config, error)) {
        release(&vary);
        return false;
    }
    list->items = memory_resize(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = vary;
    return true;
}

void vary_free(struct vary_list *list) {
    for (size_t i = 0; i < list->count; i++)
        release(&list->items[i]);
    free(list->items);
    *list = (struct vary_list){0};
}

bool sweep_point_apply(const struct vary_list *list, const size_t *choices, struct config *config,
                       struct error *error) {
    bool good = true;
    for (size_t k = 0; good && k < list->count; k++) {
        const struct vary *vary = &list->items[k];
        char *assignment = memory_format("%s=%s", vary->key, vary->values.items[choices[k]]);
        good = config_set(config, assignment, error);
        free(assignment);
    }
    return good;
}
