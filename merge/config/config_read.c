#include "merge/config/config_parts.h"

#include "analysis/support/utf8.h"
#include "merge/config/config_reader.h"
#include "merge/exchange/authors.h"
#include "merge/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_BYTES_LIMIT = 16 << 20 };

static read_member read_version, read_base, read_specialists, read_specialist_name,
    read_specialist_path, read_specialist_weight, read_key_list, read_default_rank, read_overrides,
    read_override_layer, read_override_specialist, read_override_rank, read_eval;

/* What a config may hold beside the rows of settings_fields(). */
static const struct row rows[] = {
    {"r2m", read_version, true},
    {"base", read_base, true},
    {"specialists", read_specialists, true},
    {"specialists[].name", read_specialist_name, false},
    {"specialists[].path", read_specialist_path, true},
    {"specialists[].weight", read_specialist_weight, false},
    {"keys", reader_object, false},
    {"keys.state_dict", read_key_list, false},
    {"keys.strip_prefix", read_key_list, false},
    {"keys.rename", read_key_list, false},
    {"keys.exclude", read_key_list, false},
    {"keys.head", read_key_list, false},
    {"real", reader_object, false},
    {"residual", reader_object, false},
    {"residual.rank", read_default_rank, false},
    {"residual.overrides", read_overrides, false},
    {"residual.overrides[].layer", read_override_layer, true},
    {"residual.overrides[].specialist", read_override_specialist, false},
    {"residual.overrides[].rank", read_override_rank, true},
    {"task_arithmetic", reader_object, false},
    {"ties", reader_object, false},
    {"dare", reader_object, false},
    {"cart", reader_object, false},
    {"tsv_m", reader_object, false},
    {"iso_c", reader_object, false},
    {"output", reader_object, false},
    {"eval", reader_object, false},
    {"eval.command", read_eval, true},
    {"eval.timeout", read_eval, false},
    {"eval.metric", read_eval, false},
};

enum { ROW_COUNT = sizeof rows / sizeof *rows };

static char *read_path(struct reader *reader, struct member member) {
    char *given = reader_string(reader, member);
    char *path = given != NULL ? path_from(reader->folder, given) : NULL;
    free(given);
    return path;
}

static void read_version(struct reader *reader, struct member member) {
    if (!cJSON_IsNumber(member.item) || member.item->valuedouble != 1)
        reader_problem(reader, member.shown, "this program reads configs of version 1 only");
}

static void read_base(struct reader *reader, struct member member) {
    reader->config->base = read_path(reader, member);
}

static void begin_specialist(struct config *config) {
    size_t count = config->specialist_count + 1;
    config->specialists = memory_resize(config->specialists, count, sizeof *config->specialists);
    config->specialists[count - 1] = (struct config_specialist){.weight = 1};
    config->specialist_count = count;
}

static struct config_specialist *last_specialist(struct reader *reader) {
    return &reader->config->specialists[reader->config->specialist_count - 1];
}

static void read_specialists(struct reader *reader, struct member member) {
    reader_list(reader, member, begin_specialist);
}

static void read_specialist_name(struct reader *reader, struct member member) {
    last_specialist(reader)->name = reader_string(reader, member);
}

static void read_specialist_path(struct reader *reader, struct member member) {
    last_specialist(reader)->path = read_path(reader, member);
}

static void read_specialist_weight(struct reader *reader, struct member member) {
    struct error found = {0};
    double weight = cJSON_IsNumber(member.item) ? member.item->valuedouble : NAN;
    if (config_weight_check(member.shown, weight, &found))
        last_specialist(reader)->weight = weight;
    else
        reader_adopt(reader, &found);
}

static void read_key_list(struct reader *reader, struct member member) {
    struct string_list *list = config_key_list(reader->config, member.pattern);
    const cJSON *item;
    size_t index = 0;
    string_list_free(list);
    *list = (struct string_list){0};
    if (!cJSON_IsArray(member.item))
        reader_problem(reader, member.shown, "wrong type; allowed is a list of texts");
    cJSON_ArrayForEach(item, member.item) {
        struct error found = {0};
        char *shown = memory_format("%s[%zu]", member.shown, index++);
        if (!cJSON_IsString(item))
            reader_problem(reader, shown, "wrong type; allowed is a text");
        else if (config_key_check(member.pattern, shown, item->valuestring, &found))
            string_list_add(list, item->valuestring);
        else
            reader_adopt(reader, &found);
        free(shown);
    }
}

static void read_rule(struct reader *reader, struct member member, struct rank_rule *rule) {
    const cJSON *item = cJSON_IsObject(member.item) ? member.item->child : NULL;
    struct error found = {0};
    if (item == NULL || item->next != NULL) {
        reader_problem(
            reader, member.shown,
            "allowed is exactly one of {\"ratio\": 0.1}, {\"rank\": 32}, {\"energy\": 0.9}, "
            "{\"gd\": true}, {\"mp\": true}, {\"auto\": true}, {\"full\": true}, {\"zero\": true}");
        return;
    }
    double number = cJSON_IsNumber(item) ? item->valuedouble : NAN;
    double value = config_rule_value(item->string, cJSON_IsTrue(item), number);
    if (!rank_rule_make(member.shown, item->string, value, rule, &found))
        reader_adopt(reader, &found);
}

static void read_default_rank(struct reader *reader, struct member member) {
    read_rule(reader, member, &reader->config->rank);
}

static void begin_override(struct config *config) {
    config_add_override(config, NULL, NULL, config->rank);
}

static struct rank_override *last_override(struct reader *reader) {
    return &reader->config->overrides[reader->config->override_count - 1];
}

static void read_overrides(struct reader *reader, struct member member) {
    reader_list(reader, member, begin_override);
}

static void read_override_layer(struct reader *reader, struct member member) {
    last_override(reader)->layer = reader_string(reader, member);
}

static void read_override_specialist(struct reader *reader, struct member member) {
    last_override(reader)->specialist = reader_string(reader, member);
}

static void read_override_rank(struct reader *reader, struct member member) {
    read_rule(reader, member, &last_override(reader)->rule);
}

/* A text, or the number of seconds. */
static void read_eval(struct reader *reader, struct member member) {
    struct error found = {0};
    char number[NUMBER_TEXT];
    bool is_number = cJSON_IsNumber(member.item);
    bool is_timeout = strcmp(member.pattern, "eval.timeout") == 0;
    const char *text = is_number ? number_text(member.item->valuedouble, number)
                                 : cJSON_GetStringValue(member.item);
    if (text == NULL || is_timeout != is_number)
        reader_problem(reader, member.shown,
                       is_timeout ? "wrong type; allowed is a number of seconds"
                                  : "wrong type; allowed is a text");
    else if (!config_eval_set(&reader->config->eval, member.shown, text, &found))
        reader_adopt(reader, &found);
}

/* cJSON would end a string at \u0000 without a word. */
static bool holds_null_character(const char *json) {
    for (const char *c = json; (c = strchr(c, '\\')) != NULL && c[1] != '\0'; c += 2)
        if (strncmp(c, "\\u0000", 6) == 0)
            return true;
    return false;
}

/* A problem of the text itself, at end. */
static void text_problem(struct reader *reader, const char *json, const char *end,
                         const char *reason) {
    size_t line = 1;
    for (const char *c = json; c < end; c++)
        line += *c == '\n';
    error_add(reader->problems, ERROR_USAGE, "%s: line %zu: %s", reader->name, line, reason);
}

/* Fills reader->config; problems are noted. */
static void read_document(struct reader *reader, const char *json) {
    size_t length = strlen(json), good = utf8_check(json, length);
    const char *end = json;
    if (good < length) {
        text_problem(reader, json, json + good, "not valid UTF-8");
        return;
    }
    cJSON *document = cJSON_ParseWithLengthOpts(json, length + 1, &end, true);
    if (document == NULL)
        text_problem(reader, json, end, "not valid JSON");
    else if (holds_null_character(json))
        error_add(reader->problems, ERROR_USAGE, "%s: a text holds the NUL character \\u0000",
                  reader->name);
    else
        reader_object(reader, (struct member){document, "", ""});
    cJSON_Delete(document);
}

/* The checks across fields, their lines one by one under the file's name. */
static void check_whole(struct reader *reader) {
    struct error found = {0};
    config_name_specialists(reader->config);
    if (config_check(reader->config, &found))
        return;
    char *rest = found.message;
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        error_add(reader->problems, ERROR_USAGE, "%s: %s", reader->name, line);
    error_free(&found);
}

bool config_parse(const char *json, const char *name, const char *folder, struct config *config,
                  struct error *error) {
    struct error problems = {0};
    struct reader reader = {name, folder, rows, ROW_COUNT, config, &problems};
    config_init(config);
    read_document(&reader, json);
    if (problems.kind == ERROR_NONE)
        check_whole(&reader);
    if (problems.kind == ERROR_NONE)
        return true;
    config_free(config);
    return error_move(error, &problems);
}

/* The whole file as a string; NULL with an error. name: the path as messages show it. */
static char *file_text(const char *path, const char *name, struct error *error) {
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        error_set(error, ERROR_INPUT, "%s: cannot be opened: %s", name, strerror(errno));
        return NULL;
    }
    char *text = memory_array((size_t)CONFIG_BYTES_LIMIT + 2, 1);
    size_t length = fread(text, 1, (size_t)CONFIG_BYTES_LIMIT + 1, file);
    if (ferror(file))
        error_set(error, ERROR_INPUT, "%s: cannot be read: %s", name, strerror(errno));
    else if (length > CONFIG_BYTES_LIMIT)
        error_set(error, ERROR_USAGE, "%s: not a config, it is larger than 16 MiB", name);
    else if (memchr(text, '\0', length) != NULL)
        error_set(error, ERROR_USAGE, "%s: not a config, it holds NUL bytes", name);
    else
        error_free(error);
    fclose(file);
    if (error->kind == ERROR_NONE)
        return text;
    free(text);
    return NULL;
}

bool config_read(const char *path, struct config *config, struct error *error) {
    *config = (struct config){0};
    char *name = error_quote(path, strlen(path)), *folder = path_folder(path);
    char *text = file_text(path, name, error);
    bool theirs = text != NULL && authors_recognise(path, text);
    bool good =
        text != NULL && (theirs ? authors_parse : config_parse)(text, name, folder, config, error);
    config->foreign = good && theirs;
    free(text);
    free(folder);
    free(name);
    return good;
}
