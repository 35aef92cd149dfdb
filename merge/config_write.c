#include "merge/config_parts.h"

#include "analysis/support/atomic_file.h"
#include "merge/json.h"

#include <stdlib.h>
#include <string.h>

static void write_path(struct json *json, const char *key, const char *path, const char *folder) {
    char *shown = folder == NULL || path == NULL ? memory_string(path) : path_to(folder, path);
    json_string(json, key, shown);
    free(shown);
}

static void write_specialists(struct json *json, const struct config *config, const char *folder) {
    json_open(json, "specialists", '[', JSON_LINES);
    for (size_t i = 0; i < config->specialist_count; i++) {
        json_open(json, NULL, '{', JSON_ROW);
        json_string(json, "name", config->specialists[i].name);
        write_path(json, "path", config->specialists[i].path, folder);
        json_number(json, "weight", config->specialists[i].weight);
        json_close(json);
    }
    json_close(json);
}

static void write_keys(struct json *json, const struct table_keys *keys) {
    json_open(json, "keys", '{', JSON_LINES);
    json_strings(json, "strip_prefix", keys->strip_prefix.items, keys->strip_prefix.count);
    json_strings(json, "rename", keys->rename.items, keys->rename.count);
    json_strings(json, "exclude", keys->exclude.items, keys->exclude.count);
    json_strings(json, "head", keys->head.items, keys->head.count);
    json_close(json);
}

static void write_rule(struct json *json, struct rank_rule rule) {
    json_open(json, "rank", '{', JSON_ROW);
    if (rank_kind_has_value(rule.kind))
        json_number(json, rank_kind_name(rule.kind), rule.value);
    else
        json_bool(json, rank_kind_name(rule.kind), true);
    json_close(json);
}

static void write_ranks(struct json *json, const struct config *config) {
    write_rule(json, config->rank);
    json_open(json, "overrides", '[', JSON_LINES);
    for (size_t i = 0; i < config->override_count; i++) {
        const struct rank_override *override = &config->overrides[i];
        json_open(json, NULL, '{', JSON_ROW);
        json_string(json, "layer", override->layer);
        if (override->specialist != NULL)
            json_string(json, "specialist", override->specialist);
        write_rule(json, override->rule);
        json_close(json);
    }
    json_close(json);
}

static void write_field(struct json *json, const struct settings *settings,
                        const struct settings_field *field, const char *key) {
    char text[FIELD_TEXT];
    double value = settings_field_value(settings, field);
    if (field->type == FIELD_CHOICE)
        json_string(json, key, settings_field_text(settings, field, text, sizeof text));
    else if (field->type == FIELD_BOOL)
        json_bool(json, key, value != 0);
    else
        json_number(json, key, value);
}

/* The fields from first on that lie in the object called group; ranks stand in "residual".
 * Returns the first field behind them. */
static size_t write_group(struct json *json, const struct config *config, const char *group,
                          size_t first) {
    size_t count, length = strlen(group), next = first;
    const struct settings_field *fields = settings_fields(&count);
    json_open(json, group, '{', JSON_LINES);
    for (; next < count && strncmp(fields[next].path, group, length) == 0 &&
           fields[next].path[length] == '.';
         next++)
        write_field(json, &config->settings, &fields[next], fields[next].path + length + 1);
    if (strcmp(group, "residual") == 0)
        write_ranks(json, config);
    json_close(json);
    return next;
}

/* All rows of the settings table from the second on (the first is the method). */
static void write_settings(struct json *json, const struct config *config) {
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

char *config_text(const struct config *config, const char *folder) {
    size_t count;
    const struct settings_field *method = settings_fields(&count);
    struct json json;
    json_begin(&json);
    json_open(&json, NULL, '{', JSON_LINES);
    json_number(&json, "r2m", 1);
    write_field(&json, &config->settings, method, method->path);
    write_path(&json, "base", config->base, folder);
    write_specialists(&json, config, folder);
    write_keys(&json, &config->keys);
    write_settings(&json, config);
    json_close(&json);
    return json_end(&json);
}

bool config_write(const struct config *config, const char *path, bool overwrite,
                  struct error *error) {
    char *folder = path_folder(path), *text = config_text(config, folder);
    bool good = atomic_file_write(path, text, strlen(text), overwrite, error);
    free(folder);
    free(text);
    return good;
}
