#include "merge/exchange/mergekit.h"

#include "merge/config/config_parts.h"
#include "merge/exchange/exchange.h"
#include "merge/exchange/yaml_writer.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define TITLE "mergekit's YAML"

/* A method there: what multiplies N a_i, and its parameters. */
static const struct row {
    const char *name;
    const char *scale;   /* our field that multiplies the weights, or NULL */
    const char *lambda;  /* our field that is its lambda, or NULL */
    const char *density; /* our field behind its density, or NULL */
    enum method method;
    bool with_base, normalize;
    bool drops; /* density is 1 minus that field */
} rows[] = {
    {"linear", NULL, NULL, NULL, METHOD_AVERAGE, false, true, false},
    {"task_arithmetic", "task_arithmetic.lambda", NULL, NULL, METHOD_TASK_ARITHMETIC, true, false,
     false},
    {"ties", NULL, "ties.lambda", "ties.density", METHOD_TIES, true, true, false},
    {"dare_linear", "dare.lambda", NULL, "dare.drop", METHOD_DARE, true, false, true},
};

enum { ROWS = sizeof rows / sizeof *rows };

static const struct row *row_of(enum method method, struct error *error) {
    for (size_t i = 0; i < ROWS; i++)
        if (rows[i].method == method)
            return &rows[i];
    error_set(error, ERROR_USAGE,
              "method: mergekit has average (linear), task_arithmetic, ties and dare (dare_linear) "
              "of the methods here");
    return NULL;
}

static double setting(const struct config *config, const char *path, double otherwise) {
    return path != NULL ? settings_field_value(&config->settings, settings_field_find(path))
                        : otherwise;
}

static void write_model(struct yaml_writer *yaml, const struct config *config,
                        const struct row *row, size_t specialist, const char *folder) {
    const struct config_specialist *one = &config->specialists[specialist];
    double sum = 0, density = setting(config, row->density, 1);
    for (size_t i = 0; i < config->specialist_count; i++)
        sum += config->specialists[i].weight;
    double counts = (double)config->specialist_count * one->weight / sum;
    char *path = path_to(folder, one->path);
    yaml_writer_open(yaml, NULL, YAML_MAP, false);
    yaml_writer_text(yaml, "model", path);
    yaml_writer_open(yaml, "parameters", YAML_MAP, false);
    yaml_writer_number(yaml, "weight", setting(config, row->scale, 1) * counts);
    if (row->density != NULL)
        yaml_writer_number(yaml, "density", row->drops ? 1 - density : density);
    yaml_writer_close(yaml, YAML_MAP);
    yaml_writer_close(yaml, YAML_MAP);
    free(path);
}

static void write_parameters(struct yaml_writer *yaml, const struct config *config,
                             const struct row *row) {
    double lambda = setting(config, row->lambda, 1);
    yaml_writer_open(yaml, "parameters", YAML_MAP, false);
    yaml_writer_truth(yaml, "normalize", row->normalize);
    if (lambda != 1)
        yaml_writer_number(yaml, "lambda", lambda);
    if (row->drops)
        yaml_writer_truth(yaml, "rescale", true);
    yaml_writer_close(yaml, YAML_MAP);
}

/* mergekit's name of a dtype that both can write, or NULL. */
static const char *dtype_there(enum dtype dtype) {
    return dtype == DTYPE_F32    ? "float32"
           : dtype == DTYPE_F16  ? "float16"
           : dtype == DTYPE_BF16 ? "bfloat16"
                                 : NULL;
}

/* The dtype of everything that is merged, or NULL where there are several. */
static const char *common_dtype(const struct tensor_table *table) {
    const char *found = NULL;
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        const char *name = dtype_there(layer->like->dtype);
        if (layer->role == ROLE_BUFFER)
            continue;
        if (name == NULL || (found != NULL && strcmp(found, name) != 0))
            return NULL;
        found = name;
    }
    return found;
}

static void write_dtypes(struct yaml_writer *yaml, const struct config *config,
                         const struct tensor_table *table, struct string_list *lost) {
    static const char *const chosen[] = {
        [OUTPUT_F32] = "float32", [OUTPUT_F16] = "float16", [OUTPUT_BF16] = "bfloat16"};
    enum output_dtype output = config->settings.output_dtype;
    const char *name = output == OUTPUT_BASE ? common_dtype(table) : chosen[output];
    yaml_writer_text(yaml, "dtype", "float32");
    if (name == NULL)
        exchange_lose(lost, TITLE " has one dtype for all tensors: they become float32");
    else if (strcmp(name, "float32") != 0)
        yaml_writer_text(yaml, "out_dtype", name);
}

static bool is_folder(const char *path) {
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* What mergekit asks of its models. */
static void lost_files(const struct config *config, struct string_list *lost) {
    size_t files = !is_folder(config->base);
    for (size_t i = 0; i < config->specialist_count; i++)
        files += !is_folder(config->specialists[i].path);
    if (files > 0)
        exchange_lose(lost,
                      "mergekit-yaml opens model folders with a config.json; %zu of the models "
                      "here are single files, for mergekit-pytorch",
                      files);
}

static bool weights_differ(const struct config *config) {
    for (size_t i = 1; i < config->specialist_count; i++)
        if (config->specialists[i].weight != config->specialists[0].weight)
            return true;
    return false;
}

/* Heads are averaged here, without weights, and tensors beside the base's are no matter. */
static void lost_heads(const struct config *config, const struct tensor_table *table,
                       const struct row *row, struct string_list *lost) {
    size_t heads = 0, missing = 0;
    for (size_t l = 0; l < table->layer_count; l++) {
        bool is_head = table->layers[l].role == ROLE_HEAD;
        heads += is_head && table->layers[l].base != NULL;
        missing += is_head && table->layers[l].base == NULL;
    }
    if (row->method == METHOD_AVERAGE && heads + missing > 0 && weights_differ(config))
        exchange_lose(lost, "mergekit weighs the %zu head tensors, too; here they count alike",
                      heads + missing);
    if (heads > 0 && row->method != METHOD_AVERAGE)
        exchange_lose(lost, "mergekit merges the %zu head tensors by %s; here they are averaged",
                      heads, row->name);
    if (missing > 0 && row->with_base)
        exchange_lose(lost,
                      "mergekit's %s needs every tensor in the base; %zu head tensors are only in "
                      "the specialists (--tensor-intersection leaves them out)",
                      row->name, missing);
}

static void write_all(struct yaml_writer *yaml, const struct config *config, const struct row *row,
                      const char *folder) {
    char *base = path_to(folder, config->base);
    yaml_writer_text(yaml, "merge_method", row->name);
    if (row->with_base)
        yaml_writer_text(yaml, "base_model", base);
    yaml_writer_open(yaml, "models", YAML_LIST, false);
    for (size_t i = 0; i < config->specialist_count; i++)
        write_model(yaml, config, row, i, folder);
    yaml_writer_close(yaml, YAML_LIST);
    write_parameters(yaml, config, row);
    free(base);
}

char *mergekit_text(const struct config *config, const struct tensor_table *table,
                    const char *folder, struct string_list *lost, struct error *error) {
    static const char *const held[] = {"method",       "task_arithmetic.lambda",
                                       "ties.density", "ties.lambda",
                                       "dare.drop",    "dare.lambda",
                                       "output.dtype", NULL};
    const struct row *row = row_of(config->settings.method, error);
    struct yaml_writer yaml;
    if (row == NULL)
        return NULL;
    yaml_writer_begin(&yaml);
    write_all(&yaml, config, row, folder);
    write_dtypes(&yaml, config, table, lost);
    exchange_lost_settings(config, held, TITLE, lost);
    if (row->drops)
        exchange_lose(lost, "mergekit draws what is dropped by its own --random-seed and rescales "
                            "by the sum of magnitudes: the weights are alike, not equal");
    lost_heads(config, table, row, lost);
    lost_files(config, lost);
    char *text = yaml_writer_end(&yaml);
    if (text == NULL)
        error_set(error, ERROR_INPUT, "a path is not valid UTF-8, YAML cannot hold it");
    return text;
}
