#include "merge/config/config_parts.h"

#include "merge/evaluation/evaluation.h"
#include "merge/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct rank_rule config_default_rank = {RANK_RATIO, 0.1};

void config_init(struct config *config) {
    *config = (struct config){.rank = config_default_rank, .eval.timeout = EVALUATION_SECONDS};
    table_keys_defaults(&config->keys);
    settings_defaults(&config->settings);
}

void config_forget_eval(struct config *config) {
    free(config->eval.command);
    free(config->eval.metric);
    config->eval = (struct config_eval){.timeout = EVALUATION_SECONDS};
}

void config_copy(struct config *target, const struct config *source) {
    *target = *source;
    target->base = memory_string(source->base);
    target->specialists = memory_array(source->specialist_count, sizeof *target->specialists);
    for (size_t i = 0; i < source->specialist_count; i++) {
        const struct config_specialist *one = &source->specialists[i];
        target->specialists[i] = (struct config_specialist){memory_string(one->name),
                                                            memory_string(one->path), one->weight};
    }
    table_keys_copy(&target->keys, &source->keys);
    target->eval = (struct config_eval){memory_string(source->eval.command), source->eval.timeout,
                                        memory_string(source->eval.metric)};
    target->overrides = memory_array(source->override_count, sizeof *target->overrides);
    for (size_t i = 0; i < source->override_count; i++) {
        const struct rank_override *one = &source->overrides[i];
        target->overrides[i] = (struct rank_override){memory_string(one->layer),
                                                      memory_string(one->specialist), one->rule};
    }
}

static void specialists_free(struct config *config) {
    for (size_t i = 0; i < config->specialist_count; i++) {
        free(config->specialists[i].name);
        free(config->specialists[i].path);
    }
    free(config->specialists);
    config->specialists = NULL;
    config->specialist_count = 0;
}

void config_drop_overrides(struct config *config) {
    for (size_t i = 0; i < config->override_count; i++) {
        free(config->overrides[i].layer);
        free(config->overrides[i].specialist);
    }
    free(config->overrides);
    config->overrides = NULL;
    config->override_count = 0;
}

void config_free(struct config *config) {
    free(config->base);
    specialists_free(config);
    table_keys_free(&config->keys);
    config_drop_overrides(config);
    config_forget_eval(config);
    *config = (struct config){0};
}

static bool name_is_taken(const struct config *config, const char *name) {
    for (size_t i = 0; i < config->specialist_count; i++)
        if (config->specialists[i].name != NULL && strcmp(config->specialists[i].name, name) == 0)
            return true;
    return false;
}

void config_name_specialists(struct config *config) {
    for (size_t i = 0; i < config->specialist_count; i++) {
        struct config_specialist *one = &config->specialists[i];
        if (one->name != NULL)
            continue;
        char *stem = path_default_name(one->path), *name = memory_string(stem);
        for (unsigned number = 2; name_is_taken(config, name); number++) {
            free(name);
            name = memory_format("%s-%u", stem, number);
        }
        free(stem);
        one->name = name;
    }
}

/* NAME=PATH, or PATH: a name has no slash. */
static struct config_specialist specialist_from_text(const char *text) {
    struct config_specialist one = {.weight = 1};
    const char *equals = strchr(text, '=');
    bool named =
        equals != NULL && equals > text && memchr(text, '/', (size_t)(equals - text)) == NULL;
    if (named)
        one.name = memory_text(text, (size_t)(equals - text));
    one.path = memory_string(named ? equals + 1 : text);
    return one;
}

bool config_set_files(struct config *config, const char *base, const char *const *specialists,
                      size_t count, struct error *error) {
    free(config->base);
    specialists_free(config);
    config->base = memory_string(base);
    config->specialists = memory_array(count, sizeof *config->specialists);
    config->specialist_count = count;
    for (size_t i = 0; i < count; i++)
        config->specialists[i] = specialist_from_text(specialists[i]);
    config_name_specialists(config);
    return config_check(config, error);
}

void config_add_specialist(struct config *config, const char *text, double weight) {
    size_t count = config->specialist_count + 1;
    config->specialists = memory_resize(config->specialists, count, sizeof *config->specialists);
    config->specialists[count - 1] = specialist_from_text(text);
    config->specialists[count - 1].weight = weight;
    config->specialist_count = count;
    config_name_specialists(config);
}

void config_remove_specialist(struct config *config, size_t index) {
    struct config_specialist *one = &config->specialists[index];
    size_t kept = 0;
    for (size_t i = 0; i < config->override_count; i++) {
        struct rank_override *override = &config->overrides[i];
        bool of_it = override->specialist != NULL && strcmp(override->specialist, one->name) == 0;
        if (!of_it) {
            config->overrides[kept++] = *override;
            continue;
        }
        free(override->layer);
        free(override->specialist);
    }
    config->override_count = kept;
    free(one->name);
    free(one->path);
    config->specialist_count--;
    for (size_t i = index; i < config->specialist_count; i++)
        config->specialists[i] = config->specialists[i + 1];
}

void config_move_specialist(struct config *config, size_t from, size_t to) {
    struct config_specialist moved = config->specialists[from];
    for (; from < to; from++)
        config->specialists[from] = config->specialists[from + 1];
    for (; from > to; from--)
        config->specialists[from] = config->specialists[from - 1];
    config->specialists[to] = moved;
}

void config_move_override(struct config *config, size_t from, size_t to) {
    struct rank_override moved = config->overrides[from];
    for (; from < to; from++)
        config->overrides[from] = config->overrides[from + 1];
    for (; from > to; from--)
        config->overrides[from] = config->overrides[from - 1];
    config->overrides[to] = moved;
}

void config_add_override(struct config *config, const char *layer, const char *specialist,
                         struct rank_rule rule) {
    size_t size = sizeof *config->overrides;
    config->overrides = memory_resize(config->overrides, config->override_count + 1, size);
    config->overrides[config->override_count++] =
        (struct rank_override){memory_string(layer), memory_string(specialist), rule};
}

double config_rule_value(const char *name, bool is_true, double number) {
    for (enum rank_kind kind = 0; kind < RANK_KIND_COUNT; kind++)
        if (strcmp(rank_kind_name(kind), name) == 0 && !rank_kind_has_value(kind))
            return is_true ? 1 : NAN;
    return is_true ? NAN : number;
}

struct string_list *config_key_list(struct config *config, const char *field) {
    const struct {
        const char *field;
        struct string_list *list;
    } lists[] = {{"keys.state_dict", &config->keys.state_dict},
                 {"keys.strip_prefix", &config->keys.strip_prefix},
                 {"keys.rename", &config->keys.rename},
                 {"keys.exclude", &config->keys.exclude},
                 {"keys.head", &config->keys.head}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(lists[i].field, field) == 0)
            return lists[i].list;
    return NULL;
}

bool config_key_check(const char *field, const char *shown, const char *text, struct error *error) {
    bool is_rename = strcmp(field, "keys.rename") == 0;
    if (*text == '\0')
        return error_add(error, ERROR_USAGE, "%s: an empty text is not allowed", shown);
    if (is_rename && (*text == '=' || strchr(text, '=') == NULL))
        return error_add(error, ERROR_USAGE, "%s: allowed is FROM=TO", shown);
    return true;
}

void config_shares(const struct config *config, double *shares) {
    double sum = 0;
    for (size_t i = 0; i < config->specialist_count; i++)
        sum += config->specialists[i].weight;
    for (size_t i = 0; i < config->specialist_count; i++)
        shares[i] = config->specialists[i].weight / sum;
}

bool config_weight_check(const char *shown, double weight, struct error *error) {
    if (weight >= 0 && weight <= WEIGHT_LIMIT)
        return true;
    return error_add(error, ERROR_USAGE, "%s: allowed is a number from 0 to %g", shown,
                     WEIGHT_LIMIT);
}

/* Names: present, printable, unique. */
static bool names_check(const struct config *config, struct error *error) {
    bool good = true;
    for (size_t i = 0; i < config->specialist_count; i++) {
        const char *name = config->specialists[i].name;
        if (name_is_unfit(name))
            good =
                error_add(error, ERROR_USAGE,
                          "specialists[%zu].name: empty, not UTF-8 or with control characters", i);
        for (size_t j = 0; j < i; j++)
            if (strcmp(config->specialists[j].name, name) == 0) {
                good = error_add(error, ERROR_USAGE, "specialists[%zu].name: \"%s\" is taken", i,
                                 name);
                break;
            }
    }
    return good;
}

static bool files_check(const struct config *config, struct error *error) {
    size_t count = config->specialist_count;
    bool good = true;
    if (config->base == NULL || *config->base == '\0')
        good = error_add(error, ERROR_USAGE, "base: no file is given");
    if (count == 0 || count > SPECIALIST_LIMIT)
        good = error_add(error, ERROR_USAGE, "specialists: %zu given; allowed is 1 to %d", count,
                         SPECIALIST_LIMIT);
    for (size_t i = 0; i < count; i++)
        if (*config->specialists[i].path == '\0')
            good = error_add(error, ERROR_USAGE, "specialists[%zu].path: no file is given", i);
    return good;
}

static bool weights_check(const struct config *config, struct error *error) {
    double sum = 0;
    for (size_t i = 0; i < config->specialist_count; i++)
        sum += config->specialists[i].weight;
    if (config->specialist_count == 0 || sum > 0)
        return true;
    return error_add(error, ERROR_USAGE, "specialists: all weights are 0");
}

static bool override_names_check(const struct config *config, struct error *error) {
    size_t count = config->specialist_count;
    const char **names = memory_array(count, sizeof *names);
    bool good = true;
    for (size_t i = 0; i < count; i++)
        names[i] = config->specialists[i].name;
    for (size_t i = 0; i < config->override_count; i++) {
        const char *name = config->overrides[i].specialist;
        if (name == NULL || name_is_taken(config, name))
            continue;
        char *quoted = error_quote(name, strlen(name)), *list = names_join(names, count);
        good = error_add(error, ERROR_USAGE,
                         "residual.overrides[%zu].specialist: \"%s\" is unknown; there are %s", i,
                         quoted, list);
        free(quoted);
        free(list);
    }
    free(names);
    return good;
}

bool config_check(const struct config *config, struct error *error) {
    struct error problems = {0};
    bool good = files_check(config, &problems);
    good &= names_check(config, &problems);
    good &= weights_check(config, &problems);
    good &= override_names_check(config, &problems);
    return good ? true : error_move(error, &problems);
}

bool config_open_table(const struct config *config, struct tensor_table **table,
                       struct error *error) {
    struct specialist_path paths[SPECIALIST_LIMIT];
    if (!config_check(config, error))
        return false;
    for (size_t i = 0; i < config->specialist_count; i++)
        paths[i] =
            (struct specialist_path){config->specialists[i].name, config->specialists[i].path};
    return tensor_table_open(config->base, paths, config->specialist_count, &config->keys, table,
                             error);
}
