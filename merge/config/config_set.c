#include "merge/config/config_parts.h"

#include "analysis/support/utf8.h"
#include "merge/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What each preset changes in the defaults (method.md sections 2 to 5). */
static const char *const preset_names[] = {"r2m", "paper", "script", NULL};
static const char *const preset_changes[][8] = {
    {NULL},
    {"real.center=true", "residual.against=projection", NULL},
    {"real.block_norm=fro_sqrtp", "real.tensors=script", "real.gamma_twice=true",
     "residual.rank.full=true", "eta=script", NULL},
};

enum { PRESET_COUNT = sizeof preset_changes / sizeof *preset_changes };

const char *const *config_preset_names(void) {
    return preset_names;
}

static bool unknown_preset(const char *name, struct error *error) {
    char *quoted = error_quote(name, strlen(name));
    char *list = names_join(preset_names, PRESET_COUNT);
    error_set(error, ERROR_USAGE, "preset: \"%s\" is unknown; allowed is one of %s", quoted, list);
    free(quoted);
    free(list);
    return false;
}

bool config_preset(struct config *config, const char *name, struct error *error) {
    struct settings before = config->settings;
    size_t preset = 0;
    while (preset < PRESET_COUNT && strcmp(preset_names[preset], name) != 0)
        preset++;
    if (preset == PRESET_COUNT)
        return unknown_preset(name, error);
    settings_defaults(&config->settings);
    config->settings.output_dtype = before.output_dtype;
    config->settings.shard_bytes = before.shard_bytes;
    config->rank = config_default_rank;
    config_drop_overrides(config);
    bool good = true;
    for (size_t i = 0; good && preset_changes[preset][i] != NULL; i++)
        good = config_set(config, preset_changes[preset][i], error);
    return good;
}

/* residual.rank.RULE=VALUE */
static bool set_rank(struct config *config, const char *name, const char *text,
                     struct error *error) {
    double number;
    bool good = number_parse(text, &number);
    double value = config_rule_value(name, strcmp(text, "true") == 0, good ? number : NAN);
    return rank_rule_make("residual.rank", name, value, &config->rank, error);
}

/* The specialist of the key specialists.NAME.weight, or NULL. */
static struct config_specialist *weighted(struct config *config, const char *key) {
    static const char start[] = "specialists.", end[] = ".weight";
    size_t length = strlen(key), around = sizeof start - 1 + sizeof end - 1;
    if (length <= around || strncmp(key, start, sizeof start - 1) != 0 ||
        strcmp(key + length - (sizeof end - 1), end) != 0)
        return NULL;
    const char *name = key + sizeof start - 1;
    for (size_t i = 0; i < config->specialist_count; i++) {
        struct config_specialist *one = &config->specialists[i];
        if (strlen(one->name) == length - around && strncmp(one->name, name, length - around) == 0)
            return one;
    }
    return NULL;
}

static bool set_weight(struct config_specialist *one, const char *key, const char *text,
                       struct error *error) {
    double weight = NAN;
    error_free(error);
    if (!number_parse(text, &weight))
        weight = NAN;
    if (!config_weight_check(key, weight, error))
        return false;
    one->weight = weight;
    return true;
}

static bool add_key(struct string_list *list, const char *key, const char *text,
                    struct error *error) {
    error_free(error);
    if (!config_key_check(key, key, text, error))
        return false;
    string_list_add(list, text);
    return true;
}

static bool unknown_key(const char *key, struct error *error) {
    static const char *const others[] = {
        "residual.rank",   "residual.rank.RULE", "specialists.NAME.weight",
        "keys.state_dict", "keys.strip_prefix",  "keys.rename",
        "keys.exclude",    "keys.head",          "eval.command",
        "eval.timeout",    "eval.metric"};
    const size_t other_count = sizeof others / sizeof *others;
    size_t count;
    const struct settings_field *fields = settings_fields(&count);
    const char **names = memory_array(count + other_count, sizeof *names);
    for (size_t i = 0; i < count + other_count; i++)
        names[i] = i < count ? fields[i].path : others[i - count];
    const char *nearest = nearest_name(key, names, count + other_count);
    char *list = names_join(names, count + other_count), *quoted = error_quote(key, strlen(key));
    error_set(error, ERROR_USAGE, "%s: unknown field%s%s%s; allowed is one of %s", quoted,
              nearest != NULL ? ", did you mean " : "", nearest != NULL ? nearest : "",
              nearest != NULL ? "?" : "", list);
    free(names);
    free(list);
    free(quoted);
    return false;
}

static bool set_value(struct config *config, const char *key, const char *text,
                      struct error *error) {
    static const char rank[] = "residual.rank.";
    const struct settings_field *field = settings_field_find(key);
    struct config_specialist *one = weighted(config, key);
    struct string_list *list = config_key_list(config, key);
    if (field != NULL)
        return settings_field_set_text(&config->settings, field, text, error);
    if (one != NULL)
        return set_weight(one, key, text, error);
    if (list != NULL)
        return add_key(list, key, text, error);
    if (strcmp(key, "eval.command") == 0 || strcmp(key, "eval.timeout") == 0 ||
        strcmp(key, "eval.metric") == 0)
        return config_eval_set(&config->eval, key, text, error);
    if (strcmp(key, "residual.rank") == 0)
        return rank_rule_parse(text, &config->rank, error);
    if (strncmp(key, rank, sizeof rank - 1) == 0)
        return set_rank(config, key + sizeof rank - 1, text, error);
    return unknown_key(key, error);
}

bool config_set(struct config *config, const char *assignment, struct error *error) {
    const char *equals = strchr(assignment, '=');
    size_t length = strlen(assignment);
    if (equals == NULL || equals == assignment || utf8_check(assignment, length) < length) {
        char *quoted = error_quote(assignment, length);
        error_set(error, ERROR_USAGE, "\"%s\": allowed is KEY=VALUE in UTF-8", quoted);
        free(quoted);
        return false;
    }
    char *key = memory_text(assignment, (size_t)(equals - assignment));
    bool good = set_value(config, key, equals + 1, error);
    free(key);
    return good;
}
