#include "analysis/checkpoint/lora/adapter_config.h"

#include "analysis/checkpoint/header_json.h"
#include "analysis/checkpoint/lora/module_pattern.h"
#include "analysis/support/utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 40 };

struct reader {
    const struct checkpoint *checkpoint;
    struct adapter_config *config;
    struct json json;
    struct error *error;
    uint64_t seen; /* a bit for each row of fields */
};

/* One member that matters: reads its value. name and what are the row's. */
struct field {
    const char *name;
    bool (*read)(struct reader *reader, const struct field *field);
    const char *what; /* the reason to refuse it */
};

static bool refuse(const struct reader *reader, const char *reason) {
    return checkpoint_fail(reader->checkpoint, reader->error, "%s", reason);
}

/* The text of a string, decoded and shortened for a message; free() it. */
static char *shown_text(const struct json_text *text) {
    char *decoded = memory_array(text->length + 1, 1);
    size_t length = json_decode(text, decoded);
    char *quoted = error_quote(decoded, length < SHOWN ? length : SHOWN);
    free(decoded);
    return quoted;
}

static bool read_type(struct reader *reader, const struct field *field) {
    struct json_text text;
    if (!json_string(&reader->json, &text) || json_equals(&text, "LORA"))
        return reader->json.problem == NULL;
    char *shown = shown_text(&text);
    checkpoint_fail(reader->checkpoint, reader->error, "%s is %s: of PEFT's adapters only %s",
                    field->name, shown, field->what);
    free(shown);
    return false;
}

static bool read_positive(struct reader *reader, double *number) {
    return json_number(&reader->json, number) &&
           (*number > 0 || json_fail(&reader->json, "expected a number above 0"));
}

static bool read_rank(struct reader *reader, const struct field *field) {
    (void)field;
    return read_positive(reader, &reader->config->rank);
}

/* 0 is an adapter that does nothing. */
static bool read_alpha(struct reader *reader, const struct field *field) {
    (void)field;
    return json_number(&reader->json, &reader->config->alpha);
}

static bool read_rank_stabilised(struct reader *reader, const struct field *field) {
    (void)field;
    return json_word(&reader->json, "null") ||
           json_bool(&reader->json, &reader->config->rank_stabilised);
}

static bool read_transposed(struct reader *reader, const struct field *field) {
    (void)field;
    return json_word(&reader->json, "null") ||
           json_bool(&reader->json, &reader->config->transposed);
}

/* {"PATTERN": NUMBER, ...} or null */
static bool read_patterns(struct reader *reader, struct module_patterns *patterns) {
    struct json *json = &reader->json;
    if (json_word(json, "null") || !json_open(json, '{'))
        return json->problem == NULL;
    for (bool first = true; json_next(json, '}', &first);) {
        struct json_text key;
        double value;
        size_t at = json->at;
        if (!json_key(json, &key) || !read_positive(reader, &value))
            return false;
        const char *problem = module_patterns_add(patterns, &key, value);
        if (problem != NULL)
            return checkpoint_fail(reader->checkpoint, reader->error, "%s (byte %zu)", problem, at);
    }
    return json->problem == NULL;
}

static bool read_rank_pattern(struct reader *reader, const struct field *field) {
    (void)field;
    return read_patterns(reader, &reader->config->ranks);
}

static bool read_alpha_pattern(struct reader *reader, const struct field *field) {
    (void)field;
    return read_patterns(reader, &reader->config->alphas);
}

/* A member that must say no: false, null, or nothing in its brackets. */
static bool read_unused(struct reader *reader, const struct field *field) {
    struct json *json = &reader->json;
    char closing = json_peek(json) == '{' ? '}' : ']';
    if (json_word(json, "false") || json_word(json, "null"))
        return true;
    if (json_peek(json) == '{' || json_peek(json) == '[') {
        bool first = true;
        json_open(json, closing == '}' ? '{' : '[');
        if (!json_next(json, closing, &first))
            return json->problem == NULL;
    }
    return checkpoint_fail(reader->checkpoint, reader->error, "%s is set: %s", field->name,
                           field->what);
}

/* Starts that leave the base as it is; the others put a part of it into the factors. */
static bool read_start(struct reader *reader, const struct field *field) {
    static const char *const harmless[] = {"gaussian", "eva", "orthogonal"};
    struct json *json = &reader->json;
    struct json_text text;
    if (json_peek(json) != '"')
        return json_skip(json);
    if (!json_string(json, &text))
        return false;
    for (size_t i = 0; i < sizeof harmless / sizeof harmless[0]; i++)
        if (json_equals(&text, harmless[i]))
            return true;
    char *shown = shown_text(&text);
    checkpoint_fail(reader->checkpoint, reader->error, "%s is %s: %s", field->name, shown,
                    field->what);
    free(shown);
    return false;
}

static const struct field fields[] = {
    {"peft_type", read_type, "LORA can be merged"},
    {"r", read_rank, NULL},
    {"lora_alpha", read_alpha, NULL},
    {"use_rslora", read_rank_stabilised, NULL},
    {"fan_in_fan_out", read_transposed, NULL},
    {"rank_pattern", read_rank_pattern, NULL},
    {"alpha_pattern", read_alpha_pattern, NULL},
    {"init_lora_weights", read_start,
     "the adapter was trained on a changed base; save it with PEFT's "
     "path_initial_model_for_weight_conversion, or merge it into its base first"},
    {"use_dora", read_unused, "DoRA scales the whole weight, it adds no low-rank term to it"},
    {"use_qalora", read_unused, "QA-LoRA pools its inputs, it adds no low-rank term to the weight"},
    {"use_bdlora", read_unused, "block-diagonal LoRA cannot be merged here"},
    {"alora_invocation_tokens", read_unused,
     "an activated LoRA acts on some tokens only and has no merged weights"},
    {"arrow_config", read_unused, "Arrow routes between adapters and has no merged weights"},
    {"kasa_config", read_unused, "KaSA cuts the base's own singular values as well"},
    {"monteclora_config", read_unused, "MonteCLoRA samples its weights"},
    {"layer_replication", read_unused, "the adapter fits a base with repeated layers only"},
    {"trainable_token_indices", read_unused, "changes of single tokens cannot be merged here"},
    {"target_parameters", read_unused,
     "factors of bare parameters (experts) cannot be merged here"},
};

enum { FIELDS = sizeof fields / sizeof fields[0] };

static bool read_member(struct reader *reader) {
    struct json_text key;
    if (!json_key(&reader->json, &key))
        return false;
    for (size_t i = 0; i < FIELDS; i++) {
        if (!json_equals(&key, fields[i].name))
            continue;
        if (reader->seen >> i & 1)
            return checkpoint_fail(reader->checkpoint, reader->error, "%s occurs twice",
                                   fields[i].name);
        reader->seen |= (uint64_t)1 << i;
        return fields[i].read(reader, &fields[i]);
    }
    return json_skip(&reader->json);
}

static bool has_seen(const struct reader *reader, const char *name) {
    for (size_t i = 0; i < FIELDS; i++)
        if (strcmp(fields[i].name, name) == 0)
            return reader->seen >> i & 1;
    return false;
}

static bool check_text(struct reader *reader) {
    const struct mapping *file = &reader->checkpoint->file;
    if (file->size > ADAPTER_CONFIG_LIMIT)
        return checkpoint_fail(reader->checkpoint, reader->error,
                               "a config of %zu bytes; at most %d are allowed", file->size,
                               ADAPTER_CONFIG_LIMIT);
    size_t valid = utf8_check((const char *)file->bytes, file->size);
    return valid == file->size ||
           checkpoint_fail(reader->checkpoint, reader->error, "byte %zu is not UTF-8", valid);
}

static bool read_text(struct reader *reader) {
    struct json *json = &reader->json;
    json_open(json, '{');
    for (bool first = true; json_next(json, '}', &first);)
        if (!read_member(reader))
            break;
    if (reader->error->kind == ERROR_NONE && !json_end(json))
        checkpoint_fail(reader->checkpoint, reader->error, "%s (byte %zu)", json->problem,
                        json->at);
    return reader->error->kind == ERROR_NONE;
}

bool adapter_config_read(const struct checkpoint *checkpoint, struct adapter_config *config,
                         struct error *error) {
    const struct mapping *file = &checkpoint->file;
    struct reader reader = {.checkpoint = checkpoint,
                            .config = config,
                            .json = {.text = (const char *)file->bytes, .length = file->size},
                            .error = error};
    *config = (struct adapter_config){0};
    if (!check_text(&reader) || !read_text(&reader))
        return false;
    if (!has_seen(&reader, "peft_type"))
        return refuse(&reader, "has no peft_type: not the config of a PEFT adapter");
    if (!has_seen(&reader, "r") || !has_seen(&reader, "lora_alpha"))
        return refuse(&reader, "has no r or no lora_alpha: the scale of the updates is unknown");
    return true;
}

bool adapter_config_recognise(const struct mapping *file) {
    struct json json = {.text = (const char *)file->bytes, .length = file->size};
    struct json_text key;
    if (json_peek(&json) != '{')
        return false;
    if (json.length > ADAPTER_CONFIG_LIMIT)
        json.length = ADAPTER_CONFIG_LIMIT;
    json_open(&json, '{');
    for (bool first = true; json_next(&json, '}', &first);) {
        if (!json_key(&json, &key))
            return false;
        if (json_equals(&key, "peft_type"))
            return true;
        json_skip(&json);
    }
    return false;
}

bool adapter_config_module(struct adapter_config *config, const char *module, size_t length,
                           double *rank, double *scale) {
    double alpha = config->alpha;
    *rank = config->rank;
    if (!module_patterns_find(&config->ranks, module, length, &config->trials, rank) ||
        !module_patterns_find(&config->alphas, module, length, &config->trials, &alpha))
        return false;
    *scale = alpha / (config->rank_stabilised ? sqrt(*rank) : *rank);
    return true;
}

void adapter_config_free(struct adapter_config *config) {
    module_patterns_free(&config->ranks);
    module_patterns_free(&config->alphas);
}
