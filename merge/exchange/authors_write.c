#include "merge/config/config_parts.h"
#include "merge/exchange/authors_parts.h"
#include "merge/exchange/exchange.h"
#include "merge/exchange/yaml_writer.h"
#include "merge/text.h"

#include <stdlib.h>
#include <string.h>

#define TITLE "the authors' YAML"

static const char *const held[] = {
    "method",     "real.rank",   "real.blend",  "alpha",
    "cart.ratio", "cart.lambda", "ties.lambda", "task_arithmetic.lambda",
    "eta",        NULL};

/* Bytes of the folder that both paths lie in, its slash included. */
static size_t common_folder(const char *one, const char *other, size_t limit) {
    size_t length = 0;
    for (size_t i = 0; i < limit && one[i] != '\0' && one[i] == other[i]; i++)
        if (one[i] == '/')
            length = i + 1;
    return length;
}

/* A file's path without the ending of a checkpoint. */
static char *without_ending(const char *path) {
    static const char *const endings[] = {".pth", ".safetensors", ".pt"};
    size_t length = strlen(path);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t ending = strlen(endings[i]);
        if (length > ending && strcmp(path + length - ending, endings[i]) == 0)
            return memory_text(path, length - ending);
    }
    return memory_string(path);
}

static void write_task(struct yaml_writer *yaml, const struct config_specialist *one,
                       const char *path, struct string_list *lost) {
    char *task = without_ending(path);
    const char *slash = strrchr(task, '/'), *last = slash != NULL ? slash + 1 : task;
    if (strcmp(last, one->name) != 0)
        exchange_lose(lost, TITLE " names a task after its file: %s becomes %s", one->name, last);
    if (strcmp(path + strlen(task), ".pth") != 0)
        exchange_lose(lost, "the authors' script looks for %s.pth, not %s", task, path);
    yaml_writer_text(yaml, NULL, task);
    free(task);
}

/* weight_root and tasks. */
static void write_files(struct yaml_writer *yaml, const struct config *config, const char *folder,
                        struct string_list *lost) {
    size_t count = config->specialist_count;
    char **paths = memory_array(count, sizeof *paths);
    for (size_t i = 0; i < count; i++)
        paths[i] = path_to(folder, config->specialists[i].path);
    size_t root = count > 0 ? common_folder(paths[0], paths[0], strlen(paths[0])) : 0;
    for (size_t i = 1; i < count; i++)
        root = common_folder(paths[0], paths[i], root);
    char *text = root > 0 ? memory_text(paths[0], root) : memory_string("./");
    yaml_writer_text(yaml, "weight_root", text);
    yaml_writer_open(yaml, "tasks", YAML_LIST, true);
    for (size_t i = 0; i < count; i++)
        write_task(yaml, &config->specialists[i], paths[i] + root, lost);
    yaml_writer_close(yaml, YAML_LIST);
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
    free(text);
}

static void write_setting(struct yaml_writer *yaml, const char *name, const struct config *config,
                          const char *path) {
    yaml_writer_number(yaml, name,
                       settings_field_value(&config->settings, settings_field_find(path)));
}

/* initial_rank_ratio: shares of the largest rank, and the rules that are one. */
static void write_rank(struct yaml_writer *yaml, const struct config *config,
                       struct string_list *lost) {
    struct rank_rule rule = config->rank;
    char form[FIELD_TEXT];
    double ratio = rule.kind == RANK_RATIO ? rule.value : rule.kind == RANK_FULL ? 1 : 0;
    if (rule.kind == RANK_RATIO || rule.kind == RANK_FULL || rule.kind == RANK_ZERO)
        yaml_writer_number(yaml, "initial_rank_ratio", ratio);
    else
        exchange_lose(lost, TITLE " has ratios only: rank rule %s is left out",
                      rank_rule_format(rule, form, sizeof form));
}

static void write_r2m(struct yaml_writer *yaml, const struct config *config,
                      struct string_list *lost) {
    write_rank(yaml, config, lost);
    write_setting(yaml, "real_rank_ratio", config, "real.rank");
    write_setting(yaml, "real_blend_beta", config, "real.blend");
    write_setting(yaml, "eta_norm_alpha", config, "alpha");
    if (config->settings.eta != ETA_SCRIPT)
        exchange_lose(lost,
                      "the authors' script takes eta = alpha |core|, eta script; r2m reads the "
                      "file with its default, eta unit");
}

char *authors_text(const struct config *config, const char *folder, struct string_list *lost,
                   struct error *error) {
    const struct authors_method *method = authors_method(config->settings.method);
    struct yaml_writer yaml;
    if (method == NULL) {
        char *names = authors_method_names();
        error_set(error, ERROR_USAGE, "method: " TITLE " has only %s", names);
        free(names);
        return NULL;
    }
    char *model = path_to(folder, config->base);
    yaml_writer_begin(&yaml);
    yaml_writer_text(&yaml, "model", model);
    write_files(&yaml, config, folder, lost);
    yaml_writer_text(&yaml, "merge_method", method->name);
    if (method->prior != NULL)
        write_setting(&yaml, "prior", config, method->prior);
    if (method->ratio != NULL)
        write_setting(&yaml, "initial_rank_ratio", config, method->ratio);
    if (method->method == METHOD_R2M)
        write_r2m(&yaml, config, lost);
    exchange_lost_settings(config, held, TITLE, lost);
    exchange_lost_weights(config, TITLE, lost);
    exchange_lost_overrides(config, TITLE, lost);
    free(model);
    char *text = yaml_writer_end(&yaml);
    if (text == NULL)
        error_set(error, ERROR_INPUT, "a path is not valid UTF-8, YAML cannot hold it");
    return text;
}
