#include "tests/model_fixture.h"

#include "tests/matrix_fixture.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK(number)                                                                              \
    {"backbone.encoder.layers." number ".self_attn.q_proj.weight", 0, false, 2, {12, 12}},         \
        {"backbone.encoder.layers." number ".self_attn.q_proj.bias", 0, false, 1, {12}},           \
        {"backbone.encoder.layers." number ".layer_norm1.weight", 0, false, 1, {12}},              \
        {"backbone.encoder.layers." number ".layer_norm1.bias", 0, false, 1, {12}},                \
        {"backbone.encoder.layers." number ".mlp.fc1.weight", 0, false, 2, {20, 12}},              \
        {"backbone.encoder.layers." number ".mlp.fc1.bias", 0, false, 1, {20}},                    \
        {"backbone.encoder.layers." number ".mlp.fc2.weight", 0, false, 2, {12, 20}}, {            \
        "backbone.encoder.layers." number ".mlp.fc2.bias", 0, false, 1, {                          \
            12                                                                                     \
        }                                                                                          \
    }

static const struct model_tensor tiny_clip[] = {
    {"backbone.embeddings.class_embedding", 0, false, 1, {12}},
    {"backbone.embeddings.patch_embedding.weight", 0, false, 4, {12, 3, 2, 2}},
    {"backbone.embeddings.position_embedding.weight", 0, false, 2, {5, 12}},
    {"backbone.embeddings.position_ids", 0, true, 2, {1, 5}},
    BLOCK("0"),
    BLOCK("2"),
    BLOCK("10"),
    {"head.weight", IN_SPECIALISTS, false, 2, {2, 12}},
    {"head.bias", IN_SPECIALISTS, false, 1, {2}},
};

struct model_recipe model_recipe_default(size_t specialist_count) {
    struct model_recipe recipe = {.specialist_count = specialist_count,
                                  .dtype = DTYPE_F32,
                                  .shared = 0.3,
                                  .seed = 20250924,
                                  .tensors = tiny_clip,
                                  .tensor_count = sizeof tiny_clip / sizeof tiny_clip[0]};
    for (size_t i = 0; i < MODEL_SPECIALISTS; i++)
        recipe.scales[i] = 1e-3;
    return recipe;
}

static uint64_t element_count(size_t rank, const uint64_t *shape) {
    uint64_t count = 1;
    for (size_t d = 0; d < rank; d++)
        count *= shape[d];
    return count;
}

static size_t byte_count(const struct file_tensor *tensor) {
    return (size_t)element_count(tensor->rank, tensor->shape) * dtype_bits(tensor->dtype) / 8;
}

/* The JSON header, padded with spaces to a multiple of 8. */
static char *file_header(const struct file_tensor *tensors, size_t count, size_t *length) {
    char *text = NULL;
    FILE *stream = open_memstream(&text, length);
    size_t offset = 0;
    fputc('{', stream);
    for (size_t i = 0; i < count; i++) {
        fprintf(stream, "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[", i > 0 ? "," : "", tensors[i].name,
                dtype_name(tensors[i].dtype));
        for (size_t d = 0; d < tensors[i].rank; d++)
            fprintf(stream, "%s%llu", d > 0 ? "," : "", (unsigned long long)tensors[i].shape[d]);
        fprintf(stream, "],\"data_offsets\":[%zu,%zu]}", offset, offset + byte_count(&tensors[i]));
        offset += byte_count(&tensors[i]);
    }
    fputc('}', stream);
    for (long at = ftell(stream); at % 8 != 0; at++)
        fputc(' ', stream);
    fclose(stream);
    return text;
}

char *file_of_tensors(struct scratch *scratch, const char *name, const struct file_tensor *tensors,
                      size_t count) {
    size_t length, size;
    char *header = file_header(tensors, count, &length), *bytes = NULL;
    FILE *stream = open_memstream(&bytes, &size);
    uint64_t prefix = length;
    fwrite(&prefix, sizeof prefix, 1, stream);
    fwrite(header, 1, length, stream);
    for (size_t i = 0; i < count; i++)
        fwrite(tensors[i].data, 1, byte_count(&tensors[i]), stream);
    fclose(stream);
    char *path = scratch_write(scratch, name, bytes, size);
    free(header);
    free(bytes);
    return path;
}

static void fill_normal(double *values, size_t count, uint64_t seed) {
    uint64_t state = seed * 0xD1342543DE82EF95u; /* far apart for neighbouring seeds */
    for (size_t k = 0; k < count; k++)
        values[k] = random_normal(&state);
}

/* base, plus for a specialist scale (sqrt(c) common + sqrt(1 - c) own): cosine c. */
static double *make_values(const struct model_recipe *recipe, size_t tensor, size_t file) {
    size_t count =
        (size_t)element_count(recipe->tensors[tensor].rank, recipe->tensors[tensor].shape);
    uint64_t seed = recipe->seed + 1000 * tensor;
    double *values = memory_array(count, sizeof *values);
    double *common = memory_array(count, sizeof *common), *own = memory_array(count, sizeof *own);
    fill_normal(values, count, seed);
    fill_normal(common, count, seed + 1);
    fill_normal(own, count, seed + 1 + file);
    double scale = file > 0 ? recipe->scales[file - 1] : 0;
    for (size_t k = 0; k < count; k++)
        values[k] = 0.02 * values[k] +
                    scale * (sqrt(recipe->shared) * common[k] + sqrt(1 - recipe->shared) * own[k]);
    free(common);
    free(own);
    return values;
}

/* Bytes to store; values become what they hold. */
static void *store(enum dtype dtype, double *values, size_t count) {
    void *bytes = memory_array(count, dtype_bits(dtype) / 8);
    dtype_narrow(dtype, values, count, bytes);
    dtype_widen(dtype, bytes, count, values);
    return bytes;
}

static void *counting(size_t count) {
    int64_t *numbers = memory_array(count, sizeof *numbers);
    for (size_t k = 0; k < count; k++)
        numbers[k] = (int64_t)k;
    return numbers;
}

static char *make_file(struct model *model, size_t file, const char *name) {
    const struct model_recipe *recipe = &model->recipe;
    struct file_tensor *tensors = memory_array(recipe->tensor_count, sizeof *tensors);
    size_t written = 0;
    for (size_t t = 0; t < recipe->tensor_count; t++) {
        const struct model_tensor *line = &recipe->tensors[t];
        if (file == 0 && line->place == IN_SPECIALISTS)
            continue;
        struct file_tensor *tensor = &tensors[written++];
        size_t count = (size_t)element_count(line->rank, line->shape);
        *tensor = (struct file_tensor){.name = line->name, .rank = line->rank};
        memcpy(tensor->shape, line->shape, sizeof tensor->shape);
        double *values = line->integer ? NULL : make_values(recipe, t, file);
        tensor->dtype = line->integer ? DTYPE_I64 : recipe->dtype;
        tensor->data = line->integer ? counting(count) : store(recipe->dtype, values, count);
        model->values[file * recipe->tensor_count + t] = values;
    }
    char *path = file_of_tensors(&model->scratch, name, tensors, written);
    for (size_t t = 0; t < written; t++)
        free((void *)(uintptr_t)tensors[t].data);
    free(tensors);
    return path;
}

struct model model_make(const struct model_recipe *recipe) {
    struct model model = {.scratch = scratch_make(), .recipe = *recipe};
    model.values =
        memory_array((recipe->specialist_count + 1) * recipe->tensor_count, sizeof *model.values);
    model.base = make_file(&model, 0, "base.safetensors");
    for (size_t i = 0; i < recipe->specialist_count; i++) {
        char name[40];
        snprintf(name, sizeof name, "s%zu.safetensors", i + 1);
        model.files[i].path = make_file(&model, i + 1, name);
    }
    return model;
}

const double *model_values(const struct model *model, size_t file, const char *name) {
    size_t t = 0;
    while (strcmp(model->recipe.tensors[t].name, name) != 0)
        t++;
    return model->values[file * model->recipe.tensor_count + t];
}

struct tensor_table *model_open(const struct model *model) {
    struct tensor_table *table = NULL;
    struct table_keys keys;
    struct error error = {0};
    table_keys_defaults(&keys);
    if (!tensor_table_open(model->base, model->files, model->recipe.specialist_count, &keys, &table,
                           &error)) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    table_keys_free(&keys);
    return table;
}

void model_remove(struct model *model) {
    for (size_t v = 0; v < (model->recipe.specialist_count + 1) * model->recipe.tensor_count; v++)
        free(model->values[v]);
    free(model->values);
    scratch_remove(&model->scratch);
}
