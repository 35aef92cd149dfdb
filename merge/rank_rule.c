#include "merge/rank_rule.h"

#include "analysis/auto_rank.h"
#include "merge/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANK_LIMIT 1e9 /* no matrix is larger */

/* One row a rule; needs_spectrum: its rank does not follow from the shape. */
static const struct {
    const char *name;
    bool has_value, needs_spectrum;
    double maximum;
    const char *text;
} kinds[RANK_KIND_COUNT] = {
    [RANK_RATIO] = {"ratio", true, false, 1, "share of the largest rank, rounded down"},
    [RANK_RANK] = {"rank", true, false, RANK_LIMIT, "that many singular values"},
    [RANK_ENERGY] = {"energy", true, true, 1, "as many as keep this share of the energy"},
    [RANK_GD] = {"gd", false, true, 1, "those above the Gavish-Donoho threshold"},
    [RANK_MP] = {"mp", false, true, 1, "those above the Marchenko-Pastur noise edge"},
    [RANK_AUTO] = {"auto", false, true, 1, "as many as stand above the noise, by their energy"},
    [RANK_FULL] = {"full", false, false, 1, "all: the residual is not truncated"},
    [RANK_ZERO] = {"zero", false, false, 1, "none: the residual is left out"},
};

const char *rank_kind_name(enum rank_kind kind) {
    return kinds[kind].name;
}

const char *rank_kind_text(enum rank_kind kind) {
    return kinds[kind].text;
}

bool rank_kind_has_value(enum rank_kind kind) {
    return kinds[kind].has_value;
}

bool rank_rule_is_shape_only(struct rank_rule rule) {
    return !kinds[rule.kind].needs_spectrum;
}

bool rank_rule_equal(struct rank_rule one, struct rank_rule other) {
    return one.kind == other.kind && one.value == other.value;
}

static bool kind_find(const char *name, enum rank_kind *kind) {
    for (*kind = 0; *kind < RANK_KIND_COUNT; (*kind)++)
        if (strcmp(kinds[*kind].name, name) == 0)
            return true;
    return false;
}

static bool unknown_rule(const char *field, const char *name, struct error *error) {
    const char *names[RANK_KIND_COUNT];
    for (size_t i = 0; i < RANK_KIND_COUNT; i++)
        names[i] = kinds[i].name;
    char *list = names_join(names, RANK_KIND_COUNT), *quoted = error_quote(name, strlen(name));
    error_set(error, ERROR_USAGE, "%s: unknown rule \"%s\"; allowed is one of %s", field, quoted,
              list);
    free(quoted);
    free(list);
    return false;
}

bool rank_rule_make(const char *field, const char *name, double value, struct rank_rule *rule,
                    struct error *error) {
    enum rank_kind kind;
    if (!kind_find(name, &kind))
        return unknown_rule(field, name, error);
    if (!kinds[kind].has_value && value != 1)
        return error_set(error, ERROR_USAGE, "%s.%s: allowed is only true", field, name);
    bool fits = value >= 0 && value <= kinds[kind].maximum; /* false for NaN */
    if (!fits || (kind == RANK_RANK && value != floor(value)))
        return error_set(error, ERROR_USAGE, "%s.%s: allowed is a %s", field, name,
                         kind == RANK_RANK ? "whole number from 0 on" : "number from 0 to 1");
    *rule = (struct rank_rule){kind, kinds[kind].has_value && value > 0 ? value : 0};
    return true;
}

/* A number that may end in a per cent sign. */
static bool number_or_percent(const char *text, double *value, bool *percent) {
    size_t length = strlen(text);
    *percent = length > 0 && text[length - 1] == '%';
    char *number = memory_text(text, length - *percent);
    bool good = number_parse(number, value);
    free(number);
    if (good && *percent)
        *value /= 100;
    return good;
}

bool rank_rule_parse(const char *text, struct rank_rule *rule, struct error *error) {
    struct error reason = {0};
    enum rank_kind kind;
    double value = 1;
    bool percent = false, good;
    if (kind_find(text, &kind)) {
        good = !kinds[kind].has_value;
    } else if (text[0] == 'e') {
        kind = RANK_ENERGY;
        good = number_or_percent(text + 1, &value, &percent);
        if (value > 1 && !percent)
            value /= 100;
    } else {
        kind = strspn(text, "0123456789") == strlen(text) ? RANK_RANK : RANK_RATIO;
        good = number_or_percent(text, &value, &percent);
    }
    good = good && rank_rule_make("rank", kinds[kind].name, value, rule, &reason);
    error_free(&reason);
    if (good)
        return true;
    char *quoted = error_quote(text, strlen(text));
    error_set(error, ERROR_USAGE,
              "rank: \"%s\" is not a rule; allowed is 64 (rank), 10%% or 0.1 (ratio), e90 or e0.9 "
              "(energy), gd, mp, auto, full, zero",
              quoted);
    free(quoted);
    return false;
}

/* value as per cent when that reads back exactly, else as a fraction. */
static void share_text(double value, const char *before, const char *after, char *buffer,
                       size_t size) {
    char text[NUMBER_TEXT];
    double percent = 0;
    bool exact = number_parse(number_text(value * 100, text), &percent) && percent / 100 == value;
    if (exact && (*after != '\0' || percent > 1))
        snprintf(buffer, size, "%s%s%s", before, text, after);
    else
        snprintf(buffer, size, "%s%s", before, number_text(value, text));
}

char *rank_rule_format(struct rank_rule rule, char *buffer, size_t size) {
    if (rule.kind == RANK_RATIO)
        share_text(rule.value, "", "%", buffer, size);
    else if (rule.kind == RANK_ENERGY)
        share_text(rule.value, "e", "", buffer, size);
    else if (rule.kind == RANK_RANK)
        snprintf(buffer, size, "%.0f", rule.value);
    else
        snprintf(buffer, size, "%s", kinds[rule.kind].name);
    return buffer;
}

/* floor(rho * n), at least 1 when rho > 0. */
static size_t ratio_rank(double ratio, size_t max_rank) {
    size_t rank = (size_t)(ratio * (double)max_rank);
    return rank == 0 && ratio > 0 ? 1 : rank;
}

size_t rank_rule_resolve(struct rank_rule rule, size_t max_rank, const struct spectrum *spectrum) {
    size_t rank = 0;
    if (kinds[rule.kind].needs_spectrum && spectrum == NULL)
        return 0;
    if (rule.kind == RANK_RATIO)
        rank = ratio_rank(rule.value, max_rank);
    else if (rule.kind == RANK_RANK)
        rank = (size_t)rule.value;
    else if (rule.kind == RANK_ENERGY)
        rank = spectrum_energy_rank(spectrum, rule.value);
    else if (rule.kind == RANK_GD)
        rank = spectrum_count_above(spectrum, spectrum_gavish_donoho(spectrum));
    else if (rule.kind == RANK_MP)
        rank = spectrum_count_above(spectrum, spectrum_marchenko_pastur(spectrum));
    else if (rule.kind == RANK_AUTO)
        rank = auto_rank(spectrum).rank;
    else if (rule.kind == RANK_FULL)
        rank = max_rank;
    return rank < max_rank ? rank : max_rank;
}
