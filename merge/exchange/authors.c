#include "merge/exchange/authors_parts.h"

#include "merge/config/config_parts.h"
#include "merge/exchange/yaml_tree.h"
#include "merge/text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where reading stands. Problems are collected, reading goes on. */
struct reading {
    const char *name, *folder;
    const struct yaml_value *root;
    const struct authors_method *method;
    struct config *config;
    struct error *problems;
};

typedef void read_field(struct reading *reading, const struct yaml_value *value);

static read_field read_tasks, read_text, read_model, read_method, read_rank_ratio, read_real_rank,
    read_blend, read_alpha, read_prior;

static const struct {
    const char *name;
    read_field *read; /* NULL: known there, without effect here as in the script */
} fields[] = {
    {"tasks", read_tasks},
    {"weight_root", read_text},
    {"model", read_model},
    {"merge_method", read_method},
    {"prior", read_prior},
    {"initial_rank_ratio", read_rank_ratio},
    {"real_rank_ratio", read_real_rank},
    {"real_blend_beta", read_blend},
    {"eta_norm_alpha", read_alpha},
    {"exp_name", NULL},
    {"pretrained_model", NULL},
    {"data_location", NULL},
    {"save", NULL},
    {"merge_type", NULL},
    {"lambda_cosine", NULL},
    {"device", NULL},
    {"half_precision", NULL},
    {"save_avg", NULL},
    {"test_dataset", NULL},
    {"test_batchSize", NULL},
    {"workers", NULL},
    {"resolution", NULL},
    {"with_mask", NULL},
    {"with_landmark", NULL},
    {"mean", NULL},
    {"std", NULL},
};

enum { FIELD_COUNT = sizeof fields / sizeof *fields };

static const struct authors_method methods[] = {
    {"CORE", METHOD_R2M, "alpha", NULL},
    {"CART", METHOD_CART, "cart.lambda", "cart.ratio"},
    {"AVG", METHOD_AVERAGE, NULL, NULL},
    {"TA", METHOD_TASK_ARITHMETIC, "task_arithmetic.lambda", NULL},
    {"TM", METHOD_TIES, "ties.lambda", NULL},
};

enum { METHODS = sizeof methods / sizeof *methods };

const struct authors_method *authors_method(enum method method) {
    for (size_t i = 0; i < METHODS; i++)
        if (methods[i].method == method)
            return &methods[i];
    return NULL;
}

char *authors_method_names(void) {
    const char *names[METHODS];
    for (size_t i = 0; i < METHODS; i++)
        names[i] = methods[i].name;
    return names_join(names, METHODS);
}

bool authors_recognise(const char *path, const char *text) {
    static const char *const endings[] = {".yaml", ".yml"}, *const starts[] = {"tasks:",
                                                                               "weight_root:"};
    size_t length = strlen(path);
    const char *first = text + strspn(text, " \t\r\n");
    if (*first == '{')
        return false;
    for (size_t i = 0; i < 2; i++) {
        size_t ending = strlen(endings[i]);
        if (length > ending && strcmp(path + length - ending, endings[i]) == 0)
            return true;
        const char *found = strstr(text, starts[i]);
        if (found != NULL && (found == text || found[-1] == '\n'))
            return true;
    }
    return false;
}

/* `FILE: line N: FIELD: reason` */
static void problem(struct reading *reading, const struct yaml_value *value, const char *field,
                    const char *reason) {
    error_add(reading->problems, ERROR_USAGE, "%s: line %zu: %s: %s", reading->name, value->line,
              field, reason);
}

static bool is_text(const struct yaml_value *value) {
    return value->kind == YAML_TEXT && value->text[0] != '\0';
}

static void read_text(struct reading *reading, const struct yaml_value *value) {
    if (!is_text(value))
        problem(reading, value, value->key, "wrong type; allowed is a text");
}

/* A path as it opens from the current folder: taken from the file's where that leads somewhere. */
static char *open_path(const struct reading *reading, const char *path) {
    char *beside = path_from(reading->folder, path);
    if (access(beside, F_OK) == 0 || access(path, F_OK) != 0)
        return beside;
    free(beside);
    return memory_string(path);
}

static void read_model(struct reading *reading, const struct yaml_value *value) {
    read_text(reading, value);
    if (is_text(value))
        reading->config->base = open_path(reading, value->text);
}

/* The file of a task, as the script names it or with another ending. */
static char *task_path(const struct reading *reading, const char *task) {
    static const char *const endings[] = {".pth", ".safetensors", ".pt", ""};
    const struct yaml_value *root = yaml_tree_member(reading->root, "weight_root");
    char *given = path_from(root != NULL && is_text(root) ? root->text : NULL, task);
    char *path = NULL;
    for (size_t i = 0; path == NULL && i < sizeof endings / sizeof *endings; i++) {
        char *ended = memory_format("%s%s", given, endings[i]), *tried = open_path(reading, ended);
        if (access(tried, F_OK) == 0)
            path = memory_string(tried);
        free(ended);
        free(tried);
    }
    if (path == NULL) { /* opening will say that it is not there */
        char *ended = memory_format("%s.pth", given);
        path = open_path(reading, ended);
        free(ended);
    }
    free(given);
    return path;
}

static void read_tasks(struct reading *reading, const struct yaml_value *value) {
    struct config *config = reading->config;
    if (value->kind != YAML_LIST || value->count == 0) {
        problem(reading, value, "tasks", "wrong type; allowed is a list of texts");
        return;
    }
    config->specialists = memory_array(value->count, sizeof *config->specialists);
    for (size_t i = 0; i < value->count; i++) {
        if (!is_text(&value->items[i])) {
            problem(reading, &value->items[i], "tasks", "wrong type; allowed is a list of texts");
            continue;
        }
        const char *task = value->items[i].text, *slash = strrchr(task, '/');
        config->specialists[config->specialist_count++] = (struct config_specialist){
            memory_string(slash != NULL ? slash + 1 : task), task_path(reading, task), 1};
    }
}

static void read_method(struct reading *reading, const struct yaml_value *value) {
    for (size_t i = 0; value->kind == YAML_TEXT && i < METHODS; i++)
        if (strcmp(methods[i].name, value->text) == 0) {
            reading->method = &methods[i];
            reading->config->settings.method = methods[i].method;
            return;
        }
    char *list = authors_method_names(), *reason = memory_format("allowed is one of %s", list);
    problem(reading, value, "merge_method", reason);
    free(list);
    free(reason);
}

/* Sets a field of our config; a problem is told in the file's words. */
static bool set(struct reading *reading, const struct yaml_value *value, const char *path) {
    const struct settings_field *field = settings_field_find(path);
    struct error own = {0};
    double number;
    if (yaml_tree_number(value, &number) &&
        settings_field_set_number(&reading->config->settings, field, number, &own))
        return true;
    char allowed[FIELD_TEXT];
    char *reason =
        memory_format("allowed is %s", settings_field_allowed(field, allowed, sizeof allowed));
    problem(reading, value, value->key, reason);
    free(reason);
    error_free(&own);
    return false;
}

static void read_blend(struct reading *reading, const struct yaml_value *value) {
    set(reading, value, "real.blend");
}

static void read_alpha(struct reading *reading, const struct yaml_value *value) {
    set(reading, value, "alpha");
}

/* Where eta_norm_alpha says it, prior is checked only. */
static void read_prior(struct reading *reading, const struct yaml_value *value) {
    const char *path = reading->method->prior != NULL ? reading->method->prior : "alpha";
    set(reading, value, path);
}

/* The script takes the smaller of this and the number of tasks. */
static void read_real_rank(struct reading *reading, const struct yaml_value *value) {
    const struct yaml_value *tasks = yaml_tree_member(reading->root, "tasks");
    unsigned *rank = &reading->config->settings.real.rank;
    if (set(reading, value, "real.rank") && tasks != NULL && tasks->kind == YAML_LIST &&
        tasks->count > 0 && *rank > tasks->count)
        *rank = (unsigned)tasks->count;
}

static void read_rank_ratio(struct reading *reading, const struct yaml_value *value) {
    double number = 0;
    if (reading->method->ratio != NULL) {
        set(reading, value, reading->method->ratio);
        return;
    }
    struct error own = {0};
    if (!yaml_tree_number(value, &number) ||
        !rank_rule_make("", "ratio", number, &reading->config->rank, &own))
        problem(reading, value, value->key, "allowed is a number from 0 to 1");
    error_free(&own);
}

static void unknown_field(struct reading *reading, const struct yaml_value *value) {
    const char *names[FIELD_COUNT];
    for (size_t i = 0; i < FIELD_COUNT; i++)
        names[i] = fields[i].name;
    const char *nearest = nearest_name(value->key, names, FIELD_COUNT);
    char *list = names_join(names, FIELD_COUNT);
    char *quoted = error_quote(value->key, strlen(value->key));
    char *reason =
        memory_format("unknown field%s%s%s; known are %s", nearest != NULL ? ", did you mean " : "",
                      nearest != NULL ? nearest : "", nearest != NULL ? "?" : "", list);
    problem(reading, value, quoted, reason);
    free(list);
    free(quoted);
    free(reason);
}

/* In the order of the table: the method comes before what depends on it. */
static void read_fields(struct reading *reading) {
    for (size_t f = 0; f < FIELD_COUNT; f++) {
        const struct yaml_value *value = yaml_tree_member(reading->root, fields[f].name);
        if (value != NULL && fields[f].read != NULL)
            fields[f].read(reading, value);
    }
    for (size_t i = 0; i < reading->root->count; i++) {
        size_t f = 0;
        while (f < FIELD_COUNT && strcmp(fields[f].name, reading->root->items[i].key) != 0)
            f++;
        if (f == FIELD_COUNT)
            unknown_field(reading, &reading->root->items[i]);
    }
    if (yaml_tree_member(reading->root, "tasks") == NULL)
        error_add(reading->problems, ERROR_USAGE, "%s: tasks: missing", reading->name);
}

bool authors_parse(const char *text, const char *name, const char *folder, struct config *config,
                   struct error *error) {
    struct error problems = {0};
    struct yaml_value root;
    struct reading reading = {name, folder, &root, &methods[0], config, &problems};
    config_init(config);
    bool good = yaml_tree_parse(text, name, &root, &problems);
    if (good && root.kind != YAML_MAP)
        error_add(&problems, ERROR_USAGE, "%s: not a mapping of fields to values", name);
    else if (good)
        read_fields(&reading);
    yaml_tree_free(&root);
    if (problems.kind == ERROR_NONE)
        return true;
    config_free(config);
    return error_move(error, &problems);
}
