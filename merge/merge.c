#include "merge/merge.h"

#include "merge/config/config_parts.h"
#include "merge/output_layout.h"
#include "merge/recipe.h"
#include "merge/version.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { METADATA_COUNT = 3 };

/* One merge under way. Workers share it; each writes to its own tensor. */
struct job {
    const struct tensor_table *table;
    const char *path;
    struct recipe *recipes; /* [layer_count] */
    struct output_layout layout;
    struct writer *writer;
    struct progress *progress; /* may be NULL */
    const _Atomic bool *cancel;
    atomic_bool failed;
    _Atomic size_t kept;   /* tensors there from an interrupted merge */
    pthread_mutex_t mutex; /* of error */
    struct error error;    /* the first one */
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Receives values in float64, stores them in the output's dtype. */
struct narrowing {
    const struct job *job;
    const struct layer *layer;
    enum dtype dtype;
    unsigned char *target; /* the whole tensor */
};

static bool overflow(const struct narrowing *to, uint64_t element, double value,
                     struct error *error) {
    return error_set(error, ERROR_INPUT,
                     "%s: tensor %s: element %" PRIu64 " is %g, too large for %s", to->job->path,
                     to->layer->name, element, value, dtype_name(to->dtype));
}

static bool narrow(void *context, uint64_t first, const double *values, size_t count,
                   struct error *error) {
    const struct narrowing *to = context;
    size_t width = dtype_bits(to->dtype) / 8, bad = 0;
    while (bad < count && isfinite(values[bad]))
        bad++;
    if (bad == count)
        bad = dtype_narrow(to->dtype, values, count, to->target + first * width);
    return bad == count || overflow(to, first + bad, values[bad], error);
}

/* A layer in its own order, into target. */
static bool merge_part(const struct job *job, const struct output_part *part, enum dtype dtype,
                       unsigned char *target, struct error *error) {
    const struct recipe *recipe = &job->recipes[part->layer];
    const struct tensor *like = recipe->layer->like;
    struct narrowing to = {job, recipe->layer, dtype, target};
    if (!recipe_is_copy(recipe) || dtype != like->dtype)
        return recipe_run(recipe, job->cancel, narrow, &to, error);
    tensor_copy(like, 0, (size_t)like->elements, target);
    return true;
}

static bool out_of_memory(const struct job *job, const struct layer *layer, struct error *error) {
    return error_set(error, ERROR_INPUT, "%s: tensor %s: not enough memory to merge it", job->path,
                     layer->name);
}

/* The same with its columns as rows. */
static bool merge_transposed(const struct job *job, const struct output_part *part,
                             enum dtype dtype, unsigned char *target, struct error *error) {
    const struct layer *layer = job->recipes[part->layer].layer;
    const uint64_t *shape = layer->like->shape, turned[2] = {shape[1], shape[0]};
    const uint64_t strides[2] = {1, shape[1]};
    unsigned char *own = malloc((size_t)layer->elements * dtype_bits(dtype) / 8 + 1);
    const struct tensor view = {.dtype = dtype,
                                .rank = 2,
                                .shape = turned,
                                .elements = layer->elements,
                                .data = own,
                                .strides = strides};
    if (own == NULL)
        return out_of_memory(job, layer, error);
    bool good = merge_part(job, part, dtype, own, error);
    if (good)
        tensor_copy(&view, 0, (size_t)layer->elements, target);
    free(own);
    return good;
}

/* The tensor that is the output's as it stands, so that its bytes need not be copied; or NULL. */
static const struct tensor *ready_tensor(const struct job *job, size_t index) {
    const struct output_layout *layout = &job->layout;
    const struct output_part *part = &layout->parts[layout->first_part[index]];
    const struct recipe *recipe = &job->recipes[part->layer];
    const struct tensor *like = recipe->layer->like;
    bool whole = layout->first_part[index + 1] - layout->first_part[index] == 1 &&
                 !part->transposed && layout->specs[index].dtype == like->dtype;
    return whole && recipe_is_copy(recipe) && tensor_is_plain(like) ? like : NULL;
}

static bool merge_tensor(const struct job *job, size_t index, struct error *error) {
    const struct output_layout *layout = &job->layout;
    const struct tensor *ready = ready_tensor(job, index);
    enum dtype dtype = layout->specs[index].dtype;
    size_t first = layout->first_part[index], end = layout->first_part[index + 1], at = 0;
    if (ready != NULL)
        return writer_put(job->writer, index, ready->data, error);
    unsigned char *target = malloc((size_t)output_layout_bytes(layout, index) + 1);
    bool good =
        target != NULL || out_of_memory(job, job->recipes[layout->parts[first].layer].layer, error);
    for (size_t p = first; p < end && good; p++) {
        const struct output_part *part = &layout->parts[p];
        good = (part->transposed ? merge_transposed : merge_part)(job, part, dtype, target + at,
                                                                  error);
        at += (size_t)job->recipes[part->layer].layer->elements * dtype_bits(dtype) / 8;
    }
    good = good && writer_put(job->writer, index, target, error);
    free(target);
    return good;
}

static bool is_cancelled(const struct job *job) {
    return job->cancel != NULL && atomic_load(job->cancel);
}

static void keep_first_error(struct job *job, struct error *error) {
    pthread_mutex_lock(&job->mutex);
    if (job->error.kind == ERROR_NONE)
        error_move(&job->error, error);
    pthread_mutex_unlock(&job->mutex);
    error_free(error);
    atomic_store(&job->failed, true);
}

static void merge_item(void *context, size_t index) {
    struct job *job = context;
    struct error error = {0};
    if (atomic_load(&job->failed) || is_cancelled(job))
        return;
    bool kept = writer_kept(job->writer, index);
    atomic_fetch_add(&job->kept, kept);
    if (!kept && !merge_tensor(job, index, &error))
        keep_first_error(job, &error);
    else if (job->progress != NULL)
        atomic_fetch_add(&job->progress->done, output_layout_bytes(&job->layout, index));
}

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL && slash[1] != '\0' ? slash + 1 : path;
}

/* The config as the output carries it: files by name only. So the same inputs give the same bytes
 * wherever they lie, and a published file tells nothing about the machine. */
static char *config_of_output(const struct plan *plan) {
    struct config config;
    config_copy(&config, &plan->config);
    char **paths[SPECIALIST_LIMIT + 1] = {&config.base};
    for (size_t i = 0; i < config.specialist_count; i++)
        paths[i + 1] = &config.specialists[i].path;
    for (size_t i = 0; i <= config.specialist_count; i++) {
        const char *name = file_name(*paths[i]);
        char *quoted = error_quote(name, strlen(name));
        free(*paths[i]);
        *paths[i] = quoted;
    }
    char *text = config_text(&config, NULL);
    config_free(&config);
    return text;
}

static bool is_input(const struct plan *plan, const char *path) {
    const struct tensor_table *table = plan->table;
    bool same = checkpoint_is_made_of(table->base, path);
    for (size_t i = 0; i < table->specialist_count; i++)
        same = same || checkpoint_is_made_of(table->specialists[i].checkpoint, path);
    return same;
}

bool merge_check_output(const struct plan *plan, const char *path, struct error *error) {
    if (!writer_is_named(path))
        return error_set(error, ERROR_USAGE,
                         "%s: the name must end in .safetensors, .pth, .pt or .bin, or in / for a "
                         "model folder",
                         path);
    if (plan->config.settings.shard_bytes != 0 && !writer_is_folder(path))
        return error_set(error, ERROR_USAGE,
                         "%s: with output.shard_bytes the output is a folder; its name must end "
                         "in /",
                         path);
    if (is_input(plan, path))
        return error_set(error, ERROR_USAGE, "%s: is one of the inputs%s; choose another name",
                         path, writer_is_folder(path) ? ", or holds one" : "");
    return true;
}

struct string_list merge_notes(const struct plan *plan, const char *path) {
    struct output_layout layout = {0};
    struct error error = {0};
    struct string_list notes = {0};
    if (output_layout_make(plan->table, &plan->config.settings, path, &layout, &error))
        string_list_copy(&notes, &layout.notes);
    output_layout_free(&layout);
    error_free(&error);
    return notes;
}

static bool same_real(const struct real_settings *one, const struct real_settings *other) {
    return one->rank == other->rank && one->center == other->center &&
           one->normalize == other->normalize && one->block_norm == other->block_norm &&
           one->blend == other->blend && one->against == other->against &&
           one->tensors == other->tensors && one->gamma_twice == other->gamma_twice;
}

static bool check_analysis(const struct plan *plan, const struct analysis *analysis,
                           const struct preview *preview, struct error *error) {
    if (!same_real(&plan->effective.real, &analysis->settings))
        return error_set(error, ERROR_INPUT, "the analysis belongs to other settings of the core");
    if (!preview->complete)
        return error_set(error, ERROR_INPUT, "the analysis has not ended");
    return true;
}

static size_t wished_rank(const void *context, size_t layer, size_t specialist,
                          const struct spectrum *spectrum) {
    return rank_rule_resolve(plan_rule(context, layer, specialist), spectrum->count, spectrum);
}

struct vector_wish merge_wish(const struct plan *plan, uint64_t bytes) {
    return (struct vector_wish){wished_rank, plan, bytes};
}

bool merge_needs_spectra(const struct plan *plan) {
    const struct tensor_table *table = plan->table;
    for (size_t l = 0; l < table->layer_count; l++)
        for (size_t i = 0; i < table->specialist_count; i++) {
            size_t full = layer_max_rank(&table->layers[l]);
            struct rank_rule rule = plan_rule(plan, l, i);
            if (table->layers[l].role != ROLE_MATRIX)
                continue;
            size_t rank = rank_rule_resolve(rule, full, NULL);
            if (!rank_rule_is_shape_only(rule) || (rank > 0 && rank < full))
                return true;
        }
    return false;
}

static void make_recipes(struct job *job, const struct plan *plan, const struct analysis *analysis,
                         const struct preview *preview) {
    job->recipes = memory_array(job->table->layer_count, sizeof *job->recipes);
    for (size_t l = 0; l < job->table->layer_count; l++)
        job->recipes[l] = recipe_make(plan, analysis, preview, l);
}

/* A digest of all that the tensors are made of: program, config, inputs. */
static void make_key(const struct plan *plan, const struct analysis *analysis, const char *config,
                     char key[SHA256_TEXT]) {
    const struct tensor_table *table = plan->table;
    size_t n = table->specialist_count;
    struct digest *digest = digest_begin();
    digest_add(digest, R2M_VERSION, sizeof R2M_VERSION);
    digest_add(digest, config, strlen(config) + 1);
    for (size_t file = 0; file <= n; file++) {
        char content[SHA256_TEXT];
        checkpoint_fingerprint(tensor_table_file(table, file), content);
        digest_add(digest, content, sizeof content);
    }
    digest_add(digest, analysis->gram, table->layer_count * n * n * sizeof *analysis->gram);
    digest_end(digest, key);
}

static bool begin_writing(struct job *job, const struct plan *plan, const struct analysis *analysis,
                          const struct merge_output *output, struct error *error) {
    char *text = config_of_output(plan), key[SHA256_TEXT];
    char *beside_base = path_folder(checkpoint_path(job->table->base));
    const struct metadata_entry metadata[METADATA_COUNT] = {
        {"format", "pt"}, {"r2m.config", text}, {"r2m.version", R2M_VERSION}};
    struct writer_content content = {.specs = job->layout.specs,
                                     .count = job->layout.count,
                                     .metadata = metadata,
                                     .metadata_count = METADATA_COUNT,
                                     .resume = output->resume};
    if (output->lasting) {
        make_key(plan, analysis, text, key);
        content.key = key;
    }
    content.modules =
        checkpoint_modules(tensor_table_file(job->table, job->layout.file), &content.module_count);
    bool good = writer_is_folder(job->path)
                    ? writer_begin_folder(job->path, &content, plan->config.settings.shard_bytes,
                                          beside_base, output->overwrite, &job->writer, error)
                    : writer_begin(job->path, &content, output->overwrite, &job->writer, error);
    free(beside_base);
    free(text);
    return good;
}

/* What an interruption leaves. */
static bool stop(const struct job *job, struct error *error) {
    size_t kept = writer_journaled(job->writer);
    if (kept == 0)
        return error_set(error, ERROR_CANCELLED, "%s: stopped, nothing is written", job->path);
    char *lasting = writer_lasting(job->path);
    error_set(error, ERROR_CANCELLED, "%s: stopped; %zu of %zu tensors are kept in %s", job->path,
              kept, job->layout.count, lasting);
    error_hint(error, "--resume goes on from there, without it the merge begins anew");
    free(lasting);
    return false;
}

/* Fills the file on the pool. */
static bool write_tensors(struct job *job, struct pool *pool, struct error *error) {
    if (job->progress != NULL) {
        atomic_store(&job->progress->done, 0);
        atomic_store(&job->progress->total, writer_file_bytes(job->writer));
    }
    pool_run(pool, job->layout.count, merge_item, job);
    if (is_cancelled(job)) {
        error_free(&job->error);
        return stop(job, error);
    }
    return job->error.kind == ERROR_NONE ? true : error_move(error, &job->error);
}

/* An interrupted writer leaves what it has. */
static void job_free(struct job *job) {
    for (size_t l = 0; job->recipes != NULL && l < job->table->layer_count; l++)
        recipe_free(&job->recipes[l]);
    free(job->recipes);
    output_layout_free(&job->layout);
    (is_cancelled(job) ? writer_leave : writer_cancel)(job->writer);
    error_free(&job->error);
    pthread_mutex_destroy(&job->mutex);
}

bool merge_write_to(const struct plan *plan, const struct analysis *analysis, struct pool *pool,
                    const struct merge_output *output, struct progress *progress,
                    struct merge_result *result, struct error *error) {
    double start = now();
    struct job job = {.table = plan->table,
                      .path = output->path,
                      .progress = progress,
                      .cancel = progress != NULL ? &progress->cancel : NULL};
    struct preview *preview = preview_create(plan->table);
    bool good = false;
    pthread_mutex_init(&job.mutex, NULL);
    preview_compute(preview, plan, analysis);
    if (!merge_check_output(plan, job.path, error) ||
        !check_analysis(plan, analysis, preview, error) ||
        !output_layout_make(plan->table, &plan->config.settings, job.path, &job.layout, error))
        goto done;
    make_recipes(&job, plan, analysis, preview);
    if (!begin_writing(&job, plan, analysis, output, error) || !write_tensors(&job, pool, error))
        goto done;
    *result = (struct merge_result){.tensors = job.layout.count,
                                    .kept = job.kept,
                                    .bytes = writer_file_bytes(job.writer),
                                    .core_norm = preview->core_norm,
                                    .residual_norm = preview->nbar,
                                    .eta = preview->eta};
    if (method_row(plan->config.settings.method)->combine != NULL)
        result->core_norm = result->residual_norm = result->eta = NAN;
    good = writer_commit(job.writer, result->sha256, error);
    job.writer = NULL;
    result->seconds = now() - start;
done:
    job_free(&job);
    preview_free(preview);
    return good;
}

bool merge_write(const struct plan *plan, const struct analysis *analysis, struct pool *pool,
                 const char *path, bool overwrite, struct progress *progress,
                 struct merge_result *result, struct error *error) {
    const struct merge_output output = {.path = path, .overwrite = overwrite};
    return merge_write_to(plan, analysis, pool, &output, progress, result, error);
}

static bool keep(void *context, uint64_t first, const double *values, size_t count,
                 struct error *error) {
    double *target = context;
    (void)error;
    memcpy(target + first, values, count * sizeof *values);
    return true;
}

bool merge_layer(const struct plan *plan, const struct analysis *analysis,
                 const struct preview *preview, size_t layer, double *target, struct error *error) {
    if (!check_analysis(plan, analysis, preview, error))
        return false;
    struct recipe recipe = recipe_make(plan, analysis, preview, layer);
    bool good = recipe_run(&recipe, NULL, keep, target, error);
    recipe_free(&recipe);
    return good;
}
