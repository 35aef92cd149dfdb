#include "tests/study.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void require(bool holds, const struct error *error) {
    if (holds)
        return;
    fprintf(stderr, "study: %s\n", error->message);
    abort();
}

/* Config with the model's files under their names s1, s2, ... */
static void make_config(struct study *study, const char *const *settings) {
    struct error error = {0};
    size_t n = study->model.recipe.specialist_count;
    char *files[MODEL_SPECIALISTS];
    for (size_t i = 0; i < n; i++)
        files[i] = memory_string(study->model.files[i].path);
    config_init(&study->config);
    require(
        config_set_files(&study->config, study->model.base, (const char *const *)files, n, &error),
        &error);
    for (; settings != NULL && *settings != NULL; settings++)
        require(config_set(&study->config, *settings, &error), &error);
    for (size_t i = 0; i < n; i++)
        free(files[i]);
}

struct study study_of(struct model model, const char *const *settings, unsigned threads) {
    struct study study = {.model = model};
    struct error error = {0};
    make_config(&study, settings);
    require(config_open_table(&study.config, &study.table, &error), &error);
    require(plan_create(&study.config, study.table, &study.plan, &error), &error);
    study.pool = pool_create(threads);
    study.analysis = analysis_start(study.table, NULL, study.pool, &study.config.settings.real,
                                    (struct notifier){0});
    require(analysis_wait(study.analysis, NULL, NULL, &error), &error);
    study.preview = preview_create(study.table);
    preview_compute(study.preview, study.plan, study.analysis);
    return study;
}

struct study study_make(const struct model_recipe *recipe, const char *const *settings,
                        unsigned threads) {
    return study_of(model_make(recipe), settings, threads);
}

void study_end(struct study *study) {
    preview_free(study->preview);
    plan_free(study->plan);
    analysis_free(study->analysis);
    pool_free(study->pool);
    tensor_table_close(study->table);
    config_free(&study->config);
    model_remove(&study->model);
}

struct checkpoint *study_merge(const struct study *study, const char *name) {
    struct checkpoint *checkpoint;
    struct merge_result result;
    struct error error = {0};
    char *path = memory_format("%s/%s", study->model.scratch.folder, name);
    require(
        merge_write(study->plan, study->analysis, study->pool, path, true, NULL, &result, &error),
        &error);
    require(checkpoint_open(path, &checkpoint, &error), &error);
    free(path);
    return checkpoint;
}

double *study_layer(const struct study *study, size_t layer) {
    struct error error = {0};
    double *values = memory_array((size_t)study->table->layers[layer].elements, sizeof *values);
    require(merge_layer(study->plan, study->analysis, study->preview, layer, values, &error),
            &error);
    return values;
}

double *tensor_values(const struct checkpoint *checkpoint, const char *name) {
    const struct tensor *tensor = checkpoint_find(checkpoint, name, strlen(name));
    double *values = memory_array((size_t)tensor->elements, sizeof *values);
    tensor_read(tensor, 0, (size_t)tensor->elements, values);
    return values;
}
