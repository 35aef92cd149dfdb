#include "merge/config/settings.h"

#include "merge/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Names in the order of the enums. */
static const char *const methods[] = {"r2m",  "average", "task_arithmetic", "ties", "dare",
                                      "cart", "tsv_m",   "iso_c",           NULL};
static const char *const block_norms[] = {"none", "fro", "fro_sqrtp", NULL};
static const char *const real_tensors[] = {"matrices", "script", NULL};
static const char *const against[] = {"core", "projection", NULL};
static const char *const norm_matches[] = {"global", "layer", "none", NULL};
static const char *const eta_rules[] = {"unit", "script", "absolute", NULL};
static const char *const output_dtypes[] = {"base", "f32", "f16", "bf16", NULL};
static const char *const output_names[] = {"auto", "base", "specialists", NULL};

#define MEMBER(name) offsetof(struct settings, name), sizeof(((struct settings *)0)->name)
#define WHOLE_LIMIT 9007199254740992.0 /* 2^53: whole numbers that a double holds exactly */

#define FOR(method) (1U << METHOD_##method)
#define ANY (~0U)
#define R2M FOR(R2M)

static const struct settings_field fields[] = {
    {"method", FIELD_CHOICE, MEMBER(method), 0, 0, methods, EFFECT_CORE, ANY,
     "The merging method."},
    {"real.rank", FIELD_INTEGER, MEMBER(real.rank), 1, SPECIALIST_LIMIT, NULL, EFFECT_CORE, R2M,
     "Dimension k of the Real subspace; at most the number of specialists."},
    {"real.center", FIELD_BOOL, MEMBER(real.center), 0, 1, NULL, EFFECT_CORE, R2M,
     "Subtract the mean task vector first (the paper's formula)."},
    {"real.normalize", FIELD_BOOL, MEMBER(real.normalize), 0, 1, NULL, EFFECT_CORE, R2M,
     "Scale every task vector to the mean norm first, so that none captures the core."},
    {"real.block_norm", FIELD_CHOICE, MEMBER(real.block_norm), 0, 0, block_norms, EFFECT_CORE, R2M,
     "Weight of a layer in the Real core: none, 1 / its norm, or sqrt(size) / its norm."},
    {"real.blend", FIELD_NUMBER, MEMBER(real.blend), 0, 1, NULL, EFFECT_CORE, R2M,
     "From the mean task vector (0) to the Real core (1)."},
    {"real.tensors", FIELD_CHOICE, MEMBER(real.tensors), 0, 0, real_tensors, EFFECT_CORE, R2M,
     "Layers of the core: matrices, or the script's (names without \"ln\" and \"bias\")."},
    {"real.gamma_twice", FIELD_BOOL, MEMBER(real.gamma_twice), 0, 1, NULL, EFFECT_CORE, R2M,
     "The script's quirk: the core of a layer times its block norm factor once more."},
    {"residual.against", FIELD_CHOICE, MEMBER(real.against), 0, 0, against, EFFECT_CORE, R2M,
     "What a residual leaves out: the shared core, or its own projection on the subspace."},
    {"norm_match", FIELD_CHOICE, MEMBER(norm_match), 0, 0, norm_matches, EFFECT_PREVIEW, R2M,
     "Give the residuals equal norms: over the whole model, tensor by tensor, or not."},
    {"eta", FIELD_CHOICE, MEMBER(eta), 0, 0, eta_rules, EFFECT_PREVIEW, R2M,
     "Size of the residual term: alpha |core| / mean norm, alpha |core|, or alpha."},
    {"alpha", FIELD_NUMBER, MEMBER(alpha), 0, 10, NULL, EFFECT_PREVIEW, R2M,
     "Strength of the residual term, relative to the core with eta unit."},
    {"core_scale", FIELD_NUMBER, MEMBER(core_scale), -10, 10, NULL, EFFECT_PREVIEW, R2M,
     "Factor of the Real core."},
    {"task_arithmetic.lambda", FIELD_NUMBER, MEMBER(task_arithmetic.lambda), -10, 10, NULL,
     EFFECT_PREVIEW, FOR(TASK_ARITHMETIC), "Factor of the sum of the task vectors."},
    {"ties.density", FIELD_NUMBER, MEMBER(ties.density), 0, 1, NULL, EFFECT_PREVIEW, FOR(TIES),
     "Share of a task vector's elements that stays, the largest of each tensor."},
    {"ties.lambda", FIELD_NUMBER, MEMBER(ties.lambda), -10, 10, NULL, EFFECT_PREVIEW, FOR(TIES),
     "Factor of the mean over the specialists that agree with the elected sign."},
    {"dare.drop", FIELD_NUMBER, MEMBER(dare.drop), 0, 0.9999, NULL, EFFECT_PREVIEW, FOR(DARE),
     "Chance that an element of a task vector is dropped; the others grow by 1 / (1 - drop)."},
    {"dare.lambda", FIELD_NUMBER, MEMBER(dare.lambda), -10, 10, NULL, EFFECT_PREVIEW, FOR(DARE),
     "Factor of the sum of the thinned task vectors."},
    {"dare.seed", FIELD_INTEGER, MEMBER(dare.seed), 0, WHOLE_LIMIT, NULL, EFFECT_PREVIEW, FOR(DARE),
     "Seed of what is dropped: the same seed, the same merge."},
    {"cart.ratio", FIELD_NUMBER, MEMBER(cart.ratio), 0, 1, NULL, EFFECT_PREVIEW, FOR(CART),
     "Rank kept of every matrix, as a share of its full rank."},
    {"cart.lambda", FIELD_NUMBER, MEMBER(cart.lambda), -10, 10, NULL, EFFECT_PREVIEW, FOR(CART),
     "Factor of the sum of the truncated differences from the average."},
    {"tsv_m.alpha", FIELD_NUMBER, MEMBER(tsv_m.alpha), -10, 10, NULL, EFFECT_PREVIEW, FOR(TSV_M),
     "Factor of the merged singular vectors' sum."},
    {"iso_c.alpha", FIELD_NUMBER, MEMBER(iso_c.alpha), -10, 10, NULL, EFFECT_PREVIEW, FOR(ISO_C),
     "Factor of the sum of task vectors with equal singular values."},
    {"output.dtype", FIELD_CHOICE, MEMBER(output_dtype), 0, 0, output_dtypes, EFFECT_OUTPUT, ANY,
     "Element type of merged tensors: the base tensor's, or one for all."},
    {"output.names", FIELD_CHOICE, MEMBER(output_names), 0, 0, output_names, EFFECT_OUTPUT, ANY,
     "Whose names and layout the output has; auto: a torch file the specialists'."},
    {"output.shard_bytes", FIELD_INTEGER, MEMBER(shard_bytes), 0, WHOLE_LIMIT, NULL, EFFECT_OUTPUT,
     ANY, "Largest file of a sharded output; 0: one file."},
};

enum { FIELD_COUNT = sizeof fields / sizeof *fields };

const struct settings_field *settings_fields(size_t *count) {
    *count = FIELD_COUNT;
    return fields;
}

const struct settings_field *settings_field_find(const char *path) {
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (strcmp(fields[i].path, path) == 0)
            return &fields[i];
    return NULL;
}

void settings_defaults(struct settings *settings) {
    *settings = (struct settings){
        .real = {.rank = 1, .blend = 1},
        .alpha = 0.6,
        .core_scale = 1,
        .task_arithmetic = {.lambda = 0.3},
        .ties = {.density = 0.2, .lambda = 1},
        .dare = {.drop = 0.5, .lambda = 0.3},
        .cart = {.ratio = 0.12, .lambda = 2},
        .tsv_m = {.alpha = 1},
        .iso_c = {.alpha = 1},
    };
}

bool settings_field_applies(const struct settings *settings, const struct settings_field *field) {
    return (field->methods >> settings->method & 1) != 0;
}

static size_t choice_count(const struct settings_field *field) {
    size_t count = 0;
    while (field->choices[count] != NULL)
        count++;
    return count;
}

char *settings_field_allowed(const struct settings_field *field, char *buffer, size_t size) {
    char low[NUMBER_TEXT], high[NUMBER_TEXT];
    int length;
    switch (field->type) {
    case FIELD_BOOL:
        snprintf(buffer, size, "true or false");
        break;
    case FIELD_CHOICE:
        length = snprintf(buffer, size, "%s%s", choice_count(field) > 1 ? "one of " : "only ",
                          field->choices[0]);
        for (size_t i = 1; field->choices[i] != NULL && (size_t)length < size; i++)
            length += snprintf(buffer + length, size - (size_t)length, ", %s", field->choices[i]);
        break;
    default:
        snprintf(buffer, size, "a %snumber from %s to %s",
                 field->type == FIELD_INTEGER ? "whole " : "", number_text(field->minimum, low),
                 number_text(field->maximum, high));
    }
    return buffer;
}

/* Every member is a bool, an unsigned (enums too), a uint64_t or a double. */
double settings_field_value(const struct settings *settings, const struct settings_field *field) {
    const char *member = (const char *)settings + field->offset;
    if (field->type == FIELD_NUMBER)
        return *(const double *)(const void *)member;
    if (field->type == FIELD_BOOL)
        return *(const bool *)(const void *)member;
    if (field->size == sizeof(uint64_t))
        return (double)*(const uint64_t *)(const void *)member;
    return *(const unsigned *)(const void *)member;
}

static void store(struct settings *settings, const struct settings_field *field, double value) {
    char *member = (char *)settings + field->offset;
    if (field->type == FIELD_NUMBER)
        *(double *)(void *)member = value;
    else if (field->type == FIELD_BOOL)
        *(bool *)(void *)member = value != 0;
    else if (field->size == sizeof(uint64_t))
        *(uint64_t *)(void *)member = (uint64_t)value;
    else
        *(unsigned *)(void *)member = (unsigned)value;
}

char *settings_field_text(const struct settings *settings, const struct settings_field *field,
                          char *buffer, size_t size) {
    double value = settings_field_value(settings, field);
    char number[NUMBER_TEXT];
    const char *text = number_text(value, number);
    if (field->type == FIELD_BOOL)
        text = value != 0 ? "true" : "false";
    else if (field->type == FIELD_CHOICE)
        text = field->choices[(size_t)value];
    snprintf(buffer, size, "%s", text);
    return buffer;
}

static bool refuse(const struct settings_field *field, const char *text, struct error *error) {
    char allowed[FIELD_TEXT];
    char *quoted = error_quote(text, strlen(text));
    error_set(error, ERROR_USAGE, "%s: %s is not allowed; allowed is %s", field->path, quoted,
              settings_field_allowed(field, allowed, sizeof allowed));
    free(quoted);
    return false;
}

bool settings_field_set_number(struct settings *settings, const struct settings_field *field,
                               double value, struct error *error) {
    bool choice = field->type == FIELD_CHOICE;
    double maximum = choice ? (double)choice_count(field) - 1 : field->maximum;
    bool fits = value >= field->minimum && value <= maximum; /* false for NaN */
    bool whole = field->type == FIELD_NUMBER || value == floor(value);
    char text[NUMBER_TEXT];
    if (!fits || !whole)
        return refuse(field, number_text(value, text), error);
    store(settings, field, value == 0 ? 0 : value); /* -0 is 0 */
    return true;
}

/* The number that text stands for in this kind of field. */
static bool field_parse(const struct settings_field *field, const char *text, double *value) {
    static const char *const truths[] = {"false", "true", NULL};
    const char *const *names = field->type == FIELD_BOOL ? truths : field->choices;
    if (names == NULL)
        return number_parse(text, value);
    for (size_t i = 0; names[i] != NULL; i++)
        if (strcmp(names[i], text) == 0) {
            *value = (double)i;
            return true;
        }
    return false;
}

bool settings_field_set_text(struct settings *settings, const struct settings_field *field,
                             const char *text, struct error *error) {
    double value;
    if (!field_parse(field, text, &value))
        return refuse(field, text, error);
    return settings_field_set_number(settings, field, value, error);
}
