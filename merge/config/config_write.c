#include "merge/config/config_parts.h"

#include "analysis/support/atomic_file.h"
#include "analysis/support/utf8.h"
#include "merge/config/document.h"

#include <stdlib.h>
#include <string.h>

static void write_path(struct document *json, const char *key, const char *path,
                       const char *folder) {
    char *shown = folder == NULL || path == NULL ? memory_string(path) : path_to(folder, path);
    document_string(json, key, shown);
    free(shown);
}

static void write_specialists(struct document *json, const struct config *config,
                              const char *folder) {
    document_open(json, "specialists", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < config->specialist_count; i++) {
        document_open(json, NULL, '{', DOCUMENT_ROW);
        document_string(json, "name", config->specialists[i].name);
        write_path(json, "path", config->specialists[i].path, folder);
        document_number(json, "weight", config->specialists[i].weight);
        document_close(json);
    }
    document_close(json);
}

static void write_keys(struct document *json, const struct table_keys *keys) {
    document_open(json, "keys", '{', DOCUMENT_LINES);
    if (keys->state_dict.count > 0)
        document_strings(json, "state_dict", keys->state_dict.items, keys->state_dict.count);
    document_strings(json, "strip_prefix", keys->strip_prefix.items, keys->strip_prefix.count);
    document_strings(json, "rename", keys->rename.items, keys->rename.count);
    document_strings(json, "exclude", keys->exclude.items, keys->exclude.count);
    document_strings(json, "head", keys->head.items, keys->head.count);
    document_close(json);
}

static void write_rule(struct document *json, struct rank_rule rule) {
    document_open(json, "rank", '{', DOCUMENT_ROW);
    if (rank_kind_has_value(rule.kind))
        document_number(json, rank_kind_name(rule.kind), rule.value);
    else
        document_bool(json, rank_kind_name(rule.kind), true);
    document_close(json);
}

static void write_ranks(struct document *json, const struct config *config) {
    write_rule(json, config->rank);
    document_open(json, "overrides", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < config->override_count; i++) {
        const struct rank_override *override = &config->overrides[i];
        document_open(json, NULL, '{', DOCUMENT_ROW);
        document_string(json, "layer", override->layer);
        if (override->specialist != NULL)
            document_string(json, "specialist", override->specialist);
        write_rule(json, override->rule);
        document_close(json);
    }
    document_close(json);
}

static void write_field(struct document *json, const struct settings *settings,
                        const struct settings_field *field, const char *key) {
    char text[FIELD_TEXT];
    double value = settings_field_value(settings, field);
    if (field->type == FIELD_CHOICE)
        document_string(json, key, settings_field_text(settings, field, text, sizeof text));
    else if (field->type == FIELD_BOOL)
        document_bool(json, key, value != 0);
    else
        document_number(json, key, value);
}

/* What other methods would look at stands in the file only where it was changed. R2M's fields
 * always do: the screen shows its ranks and energies with every method. */
static bool is_written(const struct settings *settings, const struct settings_field *field) {
    struct settings defaults;
    settings_defaults(&defaults);
    return (field->methods & 1U << METHOD_R2M) != 0 || settings_field_applies(settings, field) ||
           settings_field_value(settings, field) != settings_field_value(&defaults, field);
}

/* Whether any field from first on that lies in the object called group is written. */
static bool group_is_written(const struct settings *settings, const char *group, size_t first) {
    size_t count, length = strlen(group);
    const struct settings_field *fields = settings_fields(&count);
    bool any = false;
    for (size_t i = first;
         i < count && strncmp(fields[i].path, group, length) == 0 && fields[i].path[length] == '.';
         i++)
        any = any || is_written(settings, &fields[i]);
    return any;
}

/* The fields from first on that lie in the object called group; ranks stand in "residual".
 * Returns the first field behind them. */
static size_t write_group(struct document *json, const struct config *config, const char *group,
                          size_t first) {
    size_t count, length = strlen(group), next = first;
    const struct settings_field *fields = settings_fields(&count);
    bool shown = group_is_written(&config->settings, group, first);
    if (shown)
        document_open(json, group, '{', DOCUMENT_LINES);
    for (; next < count && strncmp(fields[next].path, group, length) == 0 &&
           fields[next].path[length] == '.';
         next++)
        if (is_written(&config->settings, &fields[next]))
            write_field(json, &config->settings, &fields[next], fields[next].path + length + 1);
    if (strcmp(group, "residual") == 0)
        write_ranks(json, config);
    if (shown)
        document_close(json);
    return next;
}

/* All rows of the settings table from the second on (the first is the method). */
static void write_settings(struct document *json, const struct config *config) {
    size_t count;
    const struct settings_field *fields = settings_fields(&count);
    for (size_t i = 1; i < count;) {
        const char *dot = strchr(fields[i].path, '.');
        if (dot == NULL) {
            write_field(json, &config->settings, &fields[i], fields[i].path);
            i++;
            continue;
        }
        char *group = memory_text(fields[i].path, (size_t)(dot - fields[i].path));
        i = write_group(json, config, group, i);
        free(group);
    }
}

static void write_eval(struct document *json, const struct config_eval *eval) {
    if (eval->command == NULL)
        return;
    document_open(json, "eval", '{', DOCUMENT_LINES);
    document_string(json, "command", eval->command);
    document_number(json, "timeout", eval->timeout);
    if (eval->metric != NULL)
        document_string(json, "metric", eval->metric);
    document_close(json);
}

char *config_text(const struct config *config, const char *folder) {
    size_t count;
    const struct settings_field *method = settings_fields(&count);
    struct document json;
    document_begin(&json);
    document_open(&json, NULL, '{', DOCUMENT_LINES);
    document_number(&json, "r2m", 1);
    write_field(&json, &config->settings, method, method->path);
    write_path(&json, "base", config->base, folder);
    write_specialists(&json, config, folder);
    write_keys(&json, &config->keys);
    write_settings(&json, config);
    write_eval(&json, &config->eval);
    document_close(&json);
    return document_end(&json);
}

bool config_write(const struct config *config, const char *path, bool overwrite,
                  struct error *error) {
    char *folder = path_folder(path), *text = config_text(config, folder);
    size_t length = strlen(text);
    bool good = utf8_check(text, length) == length;
    if (good)
        good = atomic_file_write(path, text, length, overwrite, error);
    else
        error_set(error, ERROR_INPUT, "%s: a path is not valid UTF-8, JSON cannot hold it", path);
    free(folder);
    free(text);
    return good;
}
