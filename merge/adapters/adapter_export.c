#include "merge/adapters/adapter_export.h"

#include "analysis/low_rank_factors.h"
#include "analysis/support/atomic_file.h"
#include "merge/config/config_parts.h"
#include "merge/methods/method.h"
#include "merge/version.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_NAME "adapter_config.json"
#define WEIGHTS_NAME "adapter_model.safetensors"

/* One adapter under way; workers share it, each has its own module. */
struct job {
    const struct plan *plan;
    const struct analysis *analysis;
    const struct preview *preview;
    struct adapter_layout layout;
    struct writer *writer;
    struct progress *progress; /* may be NULL */
    atomic_bool failed;
    pthread_mutex_t mutex; /* of error */
    struct error error;    /* the first one */
};

static char *adapter_path(const char *folder, const char *name, const char *file) {
    bool slash = *folder != '\0' && folder[strlen(folder) - 1] == '/';
    return memory_format("%s%s%s%s%s", folder, slash ? "" : "/", name, *file != '\0' ? "/" : "",
                         file);
}

static bool is_cancelled(const struct job *job) {
    return job->progress != NULL && atomic_load(&job->progress->cancel);
}

static bool too_little_memory(const struct adapter_module *module, struct error *error) {
    return error_set(error, ERROR_INPUT, "module %s: not enough memory for its factors",
                     module->name);
}

/* *values (rows x columns) becomes its transpose. */
static bool turn(double **values, size_t rows, size_t columns) {
    double *turned = malloc(rows * columns * sizeof *turned);
    for (size_t r = 0; turned != NULL && r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            turned[c * rows + r] = (*values)[r * columns + c];
    if (turned == NULL)
        return false;
    free(*values);
    *values = turned;
    return true;
}

/* values as float32 into the writer; spec: of A or B. */
static bool put(const struct job *job, size_t spec, const double *values, size_t count,
                struct error *error) {
    unsigned char *bytes = malloc(count * dtype_bits(DTYPE_F32) / 8);
    if (bytes == NULL)
        return too_little_memory(&job->layout.modules[spec / 2], error);
    bool good = dtype_narrow(DTYPE_F32, values, count, bytes) == count ||
                error_set(error, ERROR_INPUT, "module %s: a factor is too large for F32",
                          job->layout.modules[spec / 2].name);
    good = good && writer_put(job->writer, spec, bytes, error);
    free(bytes);
    return good;
}

/* Both factors of a module. An embedding's weight is entries x width, so A is left, turned. */
static bool write_module(const struct job *job, size_t index, struct error *error) {
    const struct adapter_module *module = &job->layout.modules[index];
    const struct layer *layer = &job->plan->table->layers[module->layer];
    size_t specialist = job->layout.specialist, n = job->plan->table->specialist_count;
    const struct preview_cell *cell = preview_cell_at(job->preview, module->layer, specialist);
    double coefficients[SPECIALIST_LIMIT];
    double factor = job->preview->eta * job->plan->shares[specialist] * cell->scale;
    struct low_rank_factors factors;
    residual_coefficients(job->analysis->core, module->layer, specialist, coefficients);
    const struct low_rank *kept =
        spectra_vectors(job->analysis->spectra, module->layer, specialist, module->rank);
    if (!low_rank_factors_make(layer, n, coefficients, module->rank, factor, kept, &factors, error))
        return false;
    size_t a = 2 * index, b = a + 1, left = layer->rows * factors.rank;
    size_t right = layer->cols * factors.rank;
    bool good;
    if (!module->embedding)
        good = put(job, a, factors.right, right, error) && put(job, b, factors.left, left, error);
    else if (turn(&factors.left, layer->rows, factors.rank) &&
             turn(&factors.right, factors.rank, layer->cols))
        good = put(job, a, factors.left, left, error) && put(job, b, factors.right, right, error);
    else
        good = too_little_memory(module, error);
    low_rank_factors_free(&factors);
    return good;
}

static void module_item(void *context, size_t index) {
    struct job *job = context;
    struct error error = {0};
    if (atomic_load(&job->failed) || is_cancelled(job))
        return;
    const struct adapter_module *module = &job->layout.modules[index];
    const struct layer *layer = &job->plan->table->layers[module->layer];
    if (write_module(job, index, &error)) {
        if (job->progress != NULL)
            atomic_fetch_add(&job->progress->done,
                             sizeof(float) * module->rank * (layer->rows + layer->cols));
        return;
    }
    pthread_mutex_lock(&job->mutex);
    if (job->error.kind == ERROR_NONE)
        error_move(&job->error, &error);
    pthread_mutex_unlock(&job->mutex);
    error_free(&error);
    atomic_store(&job->failed, true);
}

static bool fail_to_make(const char *path, struct error *error) {
    return error_set(error, ERROR_INPUT, "%s: cannot be made: %s", path, strerror(errno));
}

static bool make_folder(const char *path, struct error *error) {
    return mkdir(path, 0777) == 0 || errno == EEXIST || fail_to_make(path, error);
}

/* All modules, and the checked file under its name. */
static bool write_weights(struct job *job, struct pool *pool, const char *path, bool overwrite,
                          struct error *error) {
    const struct metadata_entry metadata[] = {{"format", "pt"}, {"r2m.version", R2M_VERSION}};
    const struct writer_content content = {.specs = job->layout.specs,
                                           .count = 2 * job->layout.count,
                                           .metadata = metadata,
                                           .metadata_count = 2};
    if (!writer_begin(path, &content, overwrite, &job->writer, error))
        return false;
    pool_run(pool, job->layout.count, module_item, job);
    bool good = job->error.kind == ERROR_NONE || error_move(error, &job->error);
    if (good && is_cancelled(job))
        good = error_set(error, ERROR_CANCELLED, "stopped");
    if (!good)
        writer_cancel(job->writer);
    return good && writer_commit(job->writer, NULL, error);
}

/* The config comes last: without it the folder is no adapter. */
static bool write_adapter(struct job *job, struct pool *pool, const char *folder, bool overwrite,
                          struct error *error) {
    const struct plan *plan = job->plan;
    const char *name = plan->table->specialists[job->layout.specialist].name;
    char *own = adapter_path(folder, name, ""), *weights = adapter_path(folder, name, WEIGHTS_NAME);
    char *config = adapter_path(folder, name, CONFIG_NAME);
    const char *slash = strrchr(plan->config.base, '/'); /* a published file names no folders */
    char *text = adapter_config_text(
        &job->layout, slash != NULL && slash[1] != '\0' ? slash + 1 : plan->config.base);
    bool made = make_folder(own, error);
    bool good = made && write_weights(job, pool, weights, overwrite, error) &&
                atomic_file_write(config, text, strlen(text), overwrite, error);
    if (made && !good)
        rmdir(own); /* where it is empty */
    free(own);
    free(weights);
    free(config);
    free(text);
    return good;
}

static bool name_is_folder(const char *name) {
    return strchr(name, '/') == NULL && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static bool file_check(const struct plan *plan, const char *path, bool overwrite,
                       struct error *error) {
    if (merge_is_input(plan, path))
        return error_add(error, ERROR_USAGE, "%s: is one of the inputs; choose another folder",
                         path);
    if (!overwrite && access(path, F_OK) == 0)
        return error_add(error, ERROR_INPUT, "%s: exists; --force replaces it", path);
    return true;
}

bool adapters_check(const struct plan *plan, const char *folder, bool overwrite,
                    struct error *error) {
    struct error problems = {0};
    if (method_row(plan->config.settings.method)->combine != NULL)
        return error_set(error, ERROR_USAGE,
                         "method: %s has no term for each specialist, so no adapters",
                         method_row(plan->config.settings.method)->title);
    for (size_t i = 0; i < plan->table->specialist_count; i++) {
        const char *name = plan->table->specialists[i].name;
        if (!name_is_folder(name)) {
            error_add(&problems, ERROR_USAGE, "specialist %s: the name cannot be a folder's", name);
            continue;
        }
        char *weights = adapter_path(folder, name, WEIGHTS_NAME);
        char *config = adapter_path(folder, name, CONFIG_NAME);
        if (file_check(plan, weights, overwrite, &problems))
            file_check(plan, config, overwrite, &problems);
        free(weights);
        free(config);
    }
    return problems.kind == ERROR_NONE ? true : error_move(error, &problems);
}

/* An adapter that is to be replaced by none; where it must not be, adapters_check has said so. */
static void remove_adapter(const char *name, const char *folder) {
    static const char *const files[] = {CONFIG_NAME, WEIGHTS_NAME, ""};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        char *path = adapter_path(folder, name, files[i]);
        remove(path);
        free(path);
    }
}

static void announce(struct progress *progress, const struct job *jobs, size_t count) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++)
        bytes += adapter_layout_bytes(&jobs[i].layout);
    if (progress != NULL) {
        atomic_store(&progress->done, 0);
        atomic_store(&progress->total, bytes);
    }
}

/* Into a folder that is there; *written: how many have got their place. */
static bool write_each(struct job *jobs, struct pool *pool, const char *folder, bool overwrite,
                       size_t *written, struct error *error) {
    const struct tensor_table *table = jobs[0].plan->table;
    for (*written = 0; *written < table->specialist_count; ++*written) {
        struct job *job = &jobs[*written];
        if (job->layout.count == 0)
            remove_adapter(table->specialists[*written].name, folder);
        else if (!write_adapter(job, pool, folder, overwrite, error))
            return false;
    }
    return tensor_table_unchanged(table, error);
}

static void remove_folder(const struct tensor_table *table, const char *folder) {
    for (size_t i = 0; i < table->specialist_count; i++)
        remove_adapter(table->specialists[i].name, folder);
    rmdir(folder);
}

/* A folder that is new appears with all adapters in it, or not at all. */
static bool write_new(struct job *jobs, struct pool *pool, const char *folder,
                      struct error *error) {
    size_t written;
    char *path = atomic_file_settle(folder), *making;
    bool made = atomic_file_folder(path, &making) == 0 || fail_to_make(folder, error);
    bool good = made && write_each(jobs, pool, making, false, &written, error) &&
                (rename(making, path) == 0 || fail_to_make(folder, error));
    if (good)
        atomic_file_sync_folder(path);
    else if (made)
        remove_folder(jobs[0].plan->table, making);
    free(making);
    free(path);
    return good;
}

static bool write_all(struct job *jobs, struct pool *pool, const char *folder, bool overwrite,
                      struct error *error) {
    size_t count = jobs[0].plan->table->specialist_count, written = 0;
    bool there = access(folder, F_OK) == 0;
    announce(jobs[0].progress, jobs, count);
    if (there ? write_each(jobs, pool, folder, overwrite, &written, error)
              : write_new(jobs, pool, folder, error))
        return true;
    if (error->kind == ERROR_CANCELLED)
        error_set(error, ERROR_CANCELLED,
                  "%s: stopped; %zu of %zu adapters are written, the next export begins anew",
                  folder, written, count);
    return false;
}

bool adapters_write(const struct plan *plan, const struct analysis *analysis, struct pool *pool,
                    const char *folder, bool overwrite, struct progress *progress,
                    struct adapter_result *results, struct error *error) {
    size_t n = plan->table->specialist_count;
    struct preview *preview = preview_create(plan->table);
    struct job *jobs = memory_array(n, sizeof *jobs);
    preview_compute(preview, plan, analysis);
    for (size_t i = 0; i < n; i++) {
        struct job *job = &jobs[i];
        *job = (struct job){
            .plan = plan, .analysis = analysis, .preview = preview, .progress = progress};
        pthread_mutex_init(&job->mutex, NULL);
        adapter_layout_make(plan, analysis, preview, i, &job->layout);
        results[i] = (struct adapter_result){job->layout.count, job->layout.rank,
                                             adapter_layout_bytes(&job->layout),
                                             job->layout.left_out, job->layout.left_out_share};
    }
    bool good =
        adapters_check(plan, folder, overwrite, error) &&
        (preview->complete || error_set(error, ERROR_INPUT, "the analysis has not ended")) &&
        write_all(jobs, pool, folder, overwrite, error);
    for (size_t i = 0; i < n; i++) {
        adapter_layout_free(&jobs[i].layout);
        error_free(&jobs[i].error);
        pthread_mutex_destroy(&jobs[i].mutex);
    }
    free(jobs);
    preview_free(preview);
    return good;
}

void adapters_notes(const struct plan *plan, const struct adapter_result *results,
                    struct string_list *notes) {
    for (size_t i = 0; i < plan->table->specialist_count; i++) {
        const struct adapter_result *one = &results[i];
        const char *name = plan->table->specialists[i].name;
        char *text = NULL;
        if (one->modules == 0)
            text = memory_format("%s: no residual that an adapter can hold: none is written", name);
        else if (one->left_out > 0)
            text =
                memory_format("%s: %zu tensors that an adapter cannot hold, such as biases, make "
                              "%.2g %% of its residual's energy",
                              name, one->left_out, 100 * one->left_out_share);
        if (text != NULL)
            string_list_add(notes, text);
        free(text);
    }
}
