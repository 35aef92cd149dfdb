#include "merge/merge.h"

#include "analysis/support/ranks.h"
#include "analysis/support/vector.h"
#include "merge/merge_output.h"
#include "merge/recipe.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TICK_SECONDS 0.1

/* One merge under way. Workers share it; each writes to its own tensor. */
struct job {
    const struct tensor_table *table;
    const char *path;
    size_t own;             /* this rank */
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

/* In a loop without an early end, which the compiler makes vectors of. */
VECTOR_LOOP static bool all_finite(const double *values, size_t count) {
    uint64_t bad = 0;
    for (size_t i = 0; i < count; i++)
        bad |= !(fabs(values[i]) <= DBL_MAX);
    return bad == 0;
}

static size_t first_infinite(const double *values, size_t count) {
    size_t first = 0;
    while (first < count && isfinite(values[first]))
        first++;
    return first;
}

static bool narrow(void *context, uint64_t first, const double *values, size_t count,
                   struct error *error) {
    const struct narrowing *to = context;
    size_t width = dtype_bits(to->dtype) / 8;
    size_t bad = all_finite(values, count) ? count : first_infinite(values, count);
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

static bool is_own(const struct job *job, size_t index) {
    return merge_output_owner(job->table, &job->layout, index) == job->own;
}

static void merge_item(void *context, size_t index) {
    struct job *job = context;
    struct error error = {0};
    if (!is_own(job, index) || atomic_load(&job->failed) || is_cancelled(job))
        return;
    bool kept = writer_kept(job->writer, index);
    atomic_fetch_add(&job->kept, kept);
    if (!kept && !merge_tensor(job, index, &error))
        keep_first_error(job, &error);
    else if (job->progress != NULL)
        atomic_fetch_add(&job->progress->done, output_layout_bytes(&job->layout, index));
}

static bool check_analysis(const struct plan *plan, const struct analysis *analysis,
                           const struct preview *preview, struct error *error) {
    if (!real_settings_equal(&plan->effective.real, &analysis->settings))
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
    return (struct vector_wish){.rank = wished_rank, .context = plan, .bytes = bytes};
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

/* What an interruption leaves. */
static bool stop(const struct job *job, struct error *error) {
    size_t kept = writer_journaled(job->writer);
    if (kept == 0)
        return error_set(error, ERROR_CANCELLED, "%s: stopped, nothing is written", job->path);
    char *lasting = writer_lasting(job->path);
    if (ranks_count() == 1)
        error_set(error, ERROR_CANCELLED, "%s: stopped; %zu of %zu tensors are kept in %s",
                  job->path, kept, job->layout.count, lasting);
    else
        error_set(error, ERROR_CANCELLED, "%s: stopped; what is finished is kept in %s", job->path,
                  lasting);
    error_hint(error, "--resume goes on from there, without it the merge begins anew");
    free(lasting);
    return false;
}

static void announce_work(const struct job *job) {
    uint64_t total = 0;
    for (size_t t = 0; t < job->layout.count; t++)
        if (is_own(job, t))
            total += output_layout_bytes(&job->layout, t);
    atomic_store(&job->progress->done, 0);
    atomic_store(&job->progress->total, total);
}

/* Writes what this rank owns, on the pool. */
static bool write_tensors(struct job *job, struct pool *pool, struct error *error) {
    const struct notifier nobody = {0};
    if (job->progress != NULL)
        announce_work(job);
    struct batch *batch = batch_start(pool, job->layout.count, merge_item, job, nobody);
    while (!batch_wait(batch, TICK_SECONDS))
        if (ranks_warned())
            atomic_store(&job->failed, true);
    batch_free(batch);
    if (is_cancelled(job)) {
        error_free(&job->error);
        return stop(job, error);
    }
    return job->error.kind == ERROR_NONE ? true : error_move(error, &job->error);
}

static void job_free(struct job *job) {
    for (size_t l = 0; job->recipes != NULL && l < job->table->layer_count; l++)
        recipe_free(&job->recipes[l]);
    free(job->recipes);
    output_layout_free(&job->layout);
    writer_leave(job->writer); /* one that another rank could not join */
    error_free(&job->error);
    pthread_mutex_destroy(&job->mutex);
}

bool merge_write_to(const struct plan *plan, const struct analysis *analysis, struct pool *pool,
                    const struct merge_output *output, struct progress *progress,
                    struct merge_result *result, struct error *error) {
    double start = now();
    struct job job = {.table = plan->table,
                      .path = output->path,
                      .own = ranks_own(),
                      .progress = progress,
                      .cancel = output->cancel};
    struct preview *preview = preview_create(plan->table);
    if (progress != NULL)
        job.cancel = &progress->cancel;
    pthread_mutex_init(&job.mutex, NULL);
    preview_compute(preview, plan, analysis);
    bool good =
        merge_check_output(plan, job.path, error) &&
        check_analysis(plan, analysis, preview, error) &&
        output_layout_make(plan->table, &plan->config.settings, job.path, &job.layout, error);
    good = ranks_agree(good, error);
    if (!good)
        goto done;
    make_recipes(&job, plan, analysis, preview);
    good = merge_output_begin(plan, analysis, output, &job.layout, &job.writer, error);
    if (!good)
        goto done;
    *result = (struct merge_result){.tensors = job.layout.count,
                                    .bytes = writer_file_bytes(job.writer),
                                    .core_norm = preview->core_norm,
                                    .residual_norm = preview->nbar,
                                    .eta = preview->eta};
    if (method_row(plan->config.settings.method)->combine != NULL)
        result->core_norm = result->residual_norm = result->eta = NAN;
    good = write_tensors(&job, pool, error) && tensor_table_unchanged(plan->table, error);
    good = merge_output_end(plan->table, &job.layout, job.writer, good, result->sha256, error);
    job.writer = NULL;
    if (good)
        result->kept = (size_t)ranks_sum((double)job.kept);
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
