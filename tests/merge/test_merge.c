/* The merge: the identities of method.md section 8, a truncated merge against LAPACK, dtypes,
 * refusals, and that nothing is left behind when it fails. */
#include "merge/merge.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/matrix_fixture.h"
#include "tests/study.h"
#include "tests/support.h"

/* Layers that both files hold as computed numbers. */
static bool is_shared(const struct study *study, size_t l) {
    return layer_is_shared(&study->table->layers[l]);
}

static const double *stored(const struct study *study, size_t file, size_t l) {
    return model_values(&study->model, file, study->table->layers[l].name);
}

/* Distance of two float32 neighbours at value. */
static double ulp32(double value) {
    float size = (float)fabs(value);
    return (double)nextafterf(size, INFINITY) - (double)size;
}

/* The merged file holds, to ulps units in the last place of float32, expected(l)[e]. */
static void assert_file(const struct study *study, const struct checkpoint *merged, double ulps,
                        double *(*expected)(const struct study *, size_t)) {
    for (size_t l = 0; l < study->table->layer_count; l++) {
        if (!is_shared(study, l))
            continue;
        double *truth = expected(study, l);
        double *found = tensor_values(merged, study->table->layers[l].name);
        for (size_t e = 0; e < study->table->layers[l].elements; e++)
            assert_close(found[e], truth[e], ulps * ulp32(truth[e]));
        free(truth);
        free(found);
    }
}

static double *first_specialist(const struct study *study, size_t l) {
    size_t bytes = (size_t)study->table->layers[l].elements * sizeof(double);
    return memcpy(malloc(bytes), stored(study, 1, l), bytes);
}

static double *weight_average(const struct study *study, size_t l) {
    size_t n = study->table->specialist_count;
    double *mean = memory_array((size_t)study->table->layers[l].elements, sizeof *mean);
    for (size_t e = 0; e < study->table->layers[l].elements; e++)
        for (size_t i = 1; i <= n; i++)
            mean[e] += stored(study, i, l)[e] / (double)n;
    return mean;
}

static void identity_1_equal_to_the_base(void **state) {
    (void)state;
    static const char *const center[] = {"real.center=true", NULL};
    static const char *const script[] = {"real.block_norm=fro_sqrtp", "real.gamma_twice=true",
                                         "eta=script", NULL};
    static const char *const *const settings[] = {NULL, center, script};
    static const enum dtype dtypes[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_F64};
    for (size_t c = 0; c < 12; c++) {
        struct model_recipe recipe = model_recipe_default(3);
        memset(recipe.scales, 0, sizeof recipe.scales);
        recipe.dtype = dtypes[c % 4];
        struct study study = study_make(&recipe, settings[c / 4], 2);
        struct checkpoint *merged = study_merge(&study, "m.safetensors");
        for (size_t l = 0; l < study.table->layer_count; l++) {
            const struct tensor *base = study.table->layers[l].base;
            if (base == NULL)
                continue;
            const struct tensor *tensor = checkpoint_find(merged, base->name, base->name_length);
            assert_int_equal(tensor->bytes, base->bytes);
            assert_memory_equal(tensor->data, base->data, base->bytes);
        }
        checkpoint_close(merged);
        study_end(&study);
    }
}

static void identity_2_identical_specialists(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(4);
    recipe.shared = 1;
    struct study study = study_make(&recipe, NULL, 2);
    struct checkpoint *merged = study_merge(&study, "m.safetensors");
    assert_file(&study, merged, 1, first_specialist);
    assert_close(study.preview->core_norm / study.preview->specialists[0].task_norm, 1, 1e-12);
    assert_close(study.preview->nbar, 0, 0);
    assert_true(study.preview->specialists[2].vanished);
    checkpoint_close(merged);
    study_end(&study);
}

static void identity_3_one_specialist(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(1);
    struct study study = study_make(&recipe, NULL, 2);
    struct checkpoint *merged = study_merge(&study, "m.safetensors");
    assert_file(&study, merged, 1, first_specialist);
    checkpoint_close(merged);
    struct error error = {0};
    struct real_settings centred = study.config.settings.real;
    centred.center = true;
    assert_false(analysis_set_real(study.analysis, &centred, &error));
    assert_int_equal(error.kind, ERROR_USAGE);
    assert_non_null(strstr(error.message, "center"));
    error_free(&error);
    study_end(&study);
}

static void identity_4_no_residual_and_the_whole_space(void **state) {
    (void)state;
    static const char *const settings[] = {"alpha=0", "real.rank=3", NULL};
    struct model_recipe recipe = model_recipe_default(3);
    struct study study = study_make(&recipe, settings, 2);
    struct checkpoint *merged = study_merge(&study, "m.safetensors");
    assert_file(&study, merged, 0.51, weight_average);
    checkpoint_close(merged);
    study_end(&study);
}

static void identity_5_full_rank_without_matching(void **state) {
    (void)state;
    static const char *const alphas[] = {"alpha=0", "alpha=0.6", "alpha=10"};
    for (size_t a = 0; a < 3; a++) {
        const char *const settings[] = {"residual.rank.full=true", "norm_match=none",
                                        "real.blend=0", alphas[a], NULL};
        struct model_recipe recipe = model_recipe_default(3);
        struct study study = study_make(&recipe, settings, 2);
        struct checkpoint *merged = study_merge(&study, "m.safetensors");
        assert_file(&study, merged, 0.51, weight_average);
        checkpoint_close(merged);
        study_end(&study);
    }
}

/* Largest |merged(c) - base - c^power (merged(1) - base)| as a share of the largest change. */
static double scaling_error(const char *eta, double c, double core_power, double residual_power) {
    const char *const core_only[] = {eta, "alpha=0", NULL};
    const char *const both[] = {eta, "alpha=0.6", NULL};
    const char *const *const settings[] = {core_only, both};
    struct study one[2], other[2];
    double worst = 0, largest = 0;
    for (size_t s = 0; s < 2; s++) {
        struct model_recipe recipe = model_recipe_default(3);
        recipe.dtype = DTYPE_F64;
        recipe.scales[1] = 2e-3;
        one[s] = study_make(&recipe, settings[s], 2);
        for (size_t i = 0; i < 3; i++)
            recipe.scales[i] *= c;
        other[s] = study_make(&recipe, settings[s], 2);
    }
    for (size_t l = 0; l < one[0].table->layer_count; l++) {
        if (!is_shared(&one[0], l))
            continue;
        double *a[2], *b[2];
        for (size_t s = 0; s < 2; s++) {
            a[s] = study_layer(&one[s], l);
            b[s] = study_layer(&other[s], l);
        }
        for (size_t e = 0; e < one[0].table->layers[l].elements; e++) {
            double base = stored(&one[0], 0, l)[e];
            double core = pow(c, core_power) * (a[0][e] - base);
            double residual = pow(c, residual_power) * (a[1][e] - a[0][e]);
            worst = fmax(worst, fabs(b[1][e] - base - core - residual));
            largest = fmax(largest, fabs(b[1][e] - base));
        }
        for (size_t s = 0; s < 2; s++) {
            free(a[s]);
            free(b[s]);
        }
    }
    for (size_t s = 0; s < 2; s++) {
        study_end(&one[s]);
        study_end(&other[s]);
    }
    return worst / largest;
}

static void identity_6_scaling(void **state) {
    (void)state;
    assert_true(scaling_error("eta=unit", 7, 1, 1) < 1e-10);
    assert_true(scaling_error("eta=script", 7, 1, 1) > 1e-3);
    assert_true(scaling_error("eta=script", 7, 1, 2) < 1e-10);
}

static void identity_7_permutation(void **state) {
    (void)state;
    static const size_t order[] = {2, 0, 1}; /* new place k holds old specialist order[k] */
    static const char *const settings[] = {"real.rank=2", "residual.rank.energy=0.7", NULL};
    struct model_recipe recipe = model_recipe_default(3);
    recipe.scales[0] = 3e-3;
    recipe.scales[2] = 2e-3;
    struct study one = study_make(&recipe, settings, 2);
    struct model model = model_make(&recipe);
    struct specialist_path files[3] = {model.files[2], model.files[0], model.files[1]};
    memcpy(model.files, files, sizeof files);
    struct study other = study_of(model, settings, 2);
    for (size_t k = 0; k < 3; k++) {
        const struct preview_specialist *a = &one.preview->specialists[order[k]];
        const struct preview_specialist *b = &other.preview->specialists[k];
        assert_close(b->task_norm, a->task_norm, 1e-12);
        assert_close(b->residual_norm, a->residual_norm, 1e-9 * a->residual_norm);
        assert_close(b->scale, a->scale, 1e-9);
        assert_close(b->share_before, a->share_before, 1e-9);
        assert_close(b->share_after, a->share_after, 1e-9);
        assert_close(other.analysis->core->weights[k], one.analysis->core->weights[order[k]], 1e-9);
        for (size_t l = 0; l < one.table->layer_count; l++)
            assert_int_equal(preview_cell_at(other.preview, l, k)->rank,
                             preview_cell_at(one.preview, l, order[k])->rank);
    }
    for (size_t l = 0; l < one.table->layer_count; l++) {
        if (one.table->layers[l].role == ROLE_BUFFER)
            continue;
        double *a = study_layer(&one, l), *b = study_layer(&other, l);
        for (size_t e = 0; e < one.table->layers[l].elements; e++)
            assert_close(a[e], b[e], 1e-9);
        free(a);
        free(b);
    }
    study_end(&one);
    study_end(&other);
}

static void identity_8_equal_contributions(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    recipe.scales[1] = 5e-3;
    struct study study = study_make(&recipe, NULL, 2);
    for (size_t i = 0; i < 3; i++)
        assert_close(study.preview->specialists[i].share_after, 1.0 / 3, 1e-12);
    for (size_t l = 0; l < study.table->layer_count; l++) {
        double before = 0, after = 0;
        for (size_t i = 0; i < 3 && is_shared(&study, l); i++) {
            before += preview_cell_at(study.preview, l, i)->share_before;
            after += preview_cell_at(study.preview, l, i)->share_after;
        }
        assert_close(before, is_shared(&study, l), 1e-12);
        assert_close(after, is_shared(&study, l), 1e-12);
    }
    study_end(&study);
}

static void identity_9_energy_adds_up(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(4);
    recipe.scales[3] = 3e-3;
    struct study study = study_make(&recipe, NULL, 2);
    for (size_t i = 0; i < 4; i++) {
        double cross = 0, total = 0;
        for (size_t l = 0; l < study.table->layer_count; l++) {
            const double *gram = analysis_gram(study.analysis, l);
            struct energy_split split = energy_split_layer(study.analysis->core, gram, i);
            double norm = gram[i * 4 + i];
            assert_close(split.real + split.fake + split.cross, norm, 1e-12 * norm);
            if (study.table->layers[l].role != ROLE_MATRIX)
                continue;
            cross += split.cross;
            total += norm;
        }
        assert_close(cross, 0, 1e-12 * total);
    }
    study_end(&study);
}

/* One specialist cut at rank r in one layer, the others whole: the merge moves by the tail. */
static void identity_10_the_discarded_tail(void **state) {
    (void)state;
    static const char *const settings[] = {"residual.rank.full=true", "norm_match=none",
                                           "eta=absolute", "alpha=1", NULL};
    struct model_recipe recipe = model_recipe_default(3);
    struct study study = study_make(&recipe, settings, 2);
    for (size_t l = 0; l < study.table->layer_count; l++) {
        size_t full = layer_max_rank(&study.table->layers[l]);
        if (full == 0)
            continue;
        double *whole = study_layer(&study, l);
        for (size_t r = 0; r < full; r += 3) {
            struct rank_rule rule = {RANK_RANK, (double)r};
            plan_set_rank(study.plan, (struct plan_scope){&l, 1, 1}, rule, "cut");
            preview_compute(study.preview, study.plan, study.analysis);
            double *cut = study_layer(&study, l), difference = 0;
            for (size_t e = 0; e < study.table->layers[l].elements; e++)
                difference += (whole[e] - cut[e]) * (whole[e] - cut[e]);
            const struct spectrum *spectrum = spectra_get(study.analysis->spectra, l, 1);
            double tail = spectrum->cumulative[full] - spectrum->cumulative[r];
            assert_close(difference, tail / 9, 1e-9 * spectrum->cumulative[full]);
            free(cut);
        }
        plan_undo(study.plan);
        free(whole);
    }
    study_end(&study);
}

/* theta_0 + core + eta sum a_i s_i T(R_i) with T by gesdd, everything in whole arrays. */
static double *explicit_merge(const struct study *study, size_t l) {
    const struct layer *layer = &study->table->layers[l];
    size_t n = study->table->specialist_count, count = (size_t)layer->elements;
    double a[SPECIALIST_LIMIT], *sum = memory_array(count, sizeof *sum);
    double scale = study->config.settings.core_scale;
    double *residual = memory_array(count, sizeof *residual);
    real_core_coefficients(study->analysis->core, l, a);
    for (size_t e = 0; e < count; e++) {
        sum[e] = stored(study, 0, l)[e];
        for (size_t j = 0; j < n; j++)
            sum[e] += scale * a[j] * (stored(study, j + 1, l)[e] - stored(study, 0, l)[e]);
    }
    for (size_t i = 0; i < n; i++) {
        const struct preview_cell *cell = preview_cell_at(study->preview, l, i);
        residual_coefficients(study->analysis->core, l, i, a);
        memset(residual, 0, count * sizeof *residual);
        for (size_t e = 0; e < count; e++)
            for (size_t j = 0; j < n; j++)
                residual[e] += a[j] * (stored(study, j + 1, l)[e] - stored(study, 0, l)[e]);
        double *kept = layer->role == ROLE_MATRIX
                           ? matrix_truncated(residual, layer->rows, layer->cols, cell->rank)
                           : NULL;
        double factor = study->preview->eta * study->plan->shares[i] * cell->scale;
        for (size_t e = 0; e < count; e++)
            sum[e] += factor * (kept != NULL ? kept[e] : residual[e]);
        free(kept);
    }
    free(residual);
    return sum;
}

/* Half a unit in the last place of a dtype at value. */
static double half_ulp(enum dtype dtype, double value) {
    int digits = dtype == DTYPE_F64 ? 53 : dtype == DTYPE_F32 ? 24 : dtype == DTYPE_F16 ? 11 : 8;
    int least = dtype == DTYPE_F16 ? -14 : -126, exponent;
    frexp(value, &exponent);
    return ldexp(0.5, (exponent - 1 > least ? exponent - 1 : least) - digits + 1);
}

static void check_against_lapack(enum dtype dtype, const char *const *settings) {
    struct model_recipe recipe = model_recipe_default(3);
    recipe.dtype = dtype;
    recipe.scales[0] = 4e-3;
    struct study study = study_make(&recipe, settings, 2);
    struct checkpoint *merged = study_merge(&study, "m.safetensors");
    for (size_t l = 0; l < study.table->layer_count; l++) {
        const struct layer *layer = &study.table->layers[l];
        if (!is_shared(&study, l))
            continue;
        enum dtype output = checkpoint_find(merged, layer->name, strlen(layer->name))->dtype;
        double *truth = explicit_merge(&study, l), *found = tensor_values(merged, layer->name);
        double change = 0;
        for (size_t e = 0; e < layer->elements; e++)
            change = fmax(change, fabs(truth[e] - stored(&study, 0, l)[e]));
        for (size_t e = 0; e < layer->elements; e++)
            assert_close(found[e], truth[e], 2e-6 * change + half_ulp(output, truth[e]));
        free(truth);
        free(found);
    }
    checkpoint_close(merged);
    study_end(&study);
}

static void truncated_merges_agree_with_lapack(void **state) {
    (void)state;
    static const enum dtype dtypes[] = {DTYPE_F32, DTYPE_F16, DTYPE_BF16, DTYPE_F64};
    static const char *const layer[] = {"residual.rank.rank=3", "norm_match=layer", NULL};
    static const char *const high[] = {"residual.rank.rank=10", "residual.against=projection",
                                       "real.rank=2", NULL};
    static const char *const centred[] = {"residual.rank.energy=0.6", "real.center=true", NULL};
    static const char *const weights[] = {"specialists.s2.weight=3", "eta=absolute",
                                          "core_scale=0.5", NULL};
    static const char *const *const settings[] = {NULL, layer, high, centred, weights};
    for (size_t d = 0; d < 4; d++)
        for (size_t s = 0; s < 5; s++)
            check_against_lapack(dtypes[d], settings[s]);
}

static void output_dtype_is_chosen(void **state) {
    (void)state;
    static const struct {
        const char *setting;
        enum dtype dtype;
    } cases[] = {{"output.dtype=f32", DTYPE_F32},
                 {"output.dtype=f16", DTYPE_F16},
                 {"output.dtype=bf16", DTYPE_BF16}};
    for (size_t c = 0; c < 3; c++) {
        const char *const settings[] = {cases[c].setting, NULL};
        struct model_recipe recipe = model_recipe_default(2);
        struct study study = study_make(&recipe, settings, 2);
        struct checkpoint *merged = study_merge(&study, "m.safetensors");
        for (size_t t = 0; t < checkpoint_count(merged); t++) {
            const struct tensor *tensor = checkpoint_tensor(merged, t);
            bool is_buffer = strstr(tensor->name, "position_ids") != NULL;
            assert_int_equal(tensor->dtype, is_buffer ? DTYPE_I64 : cases[c].dtype);
        }
        checkpoint_close(merged);
        study_end(&study);
        check_against_lapack(DTYPE_F64, settings);
    }
}

static void heads_are_averaged_and_buffers_kept(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    struct study study = study_make(&recipe, NULL, 2);
    struct checkpoint *merged = study_merge(&study, "m.safetensors");
    double *head = tensor_values(merged, "head.weight");
    for (size_t e = 0; e < 24; e++) {
        double mean = 0;
        for (size_t i = 1; i <= 3; i++)
            mean += model_values(&study.model, i, "head.weight")[e] / 3;
        assert_close(head[e], mean, ulp32(mean));
    }
    free(head);
    const struct tensor *ids = checkpoint_find(merged, "backbone.embeddings.position_ids", 32);
    for (int64_t k = 0; k < 5; k++) {
        int64_t id;
        memcpy(&id, ids->data + 8 * k, 8);
        assert_int_equal(id, k);
    }
    checkpoint_close(merged);
    study_end(&study);
}

/* Three specialists; the second lacks head.bias; the base alone has scale; a negative zero that
 * nobody changes stays one. */
static void missing_biases_carried_tensors_and_negative_zeros(void **state) {
    (void)state;
    const float zeros[] = {-0.0f, 1, 2, -3}, other[] = {-0.0f, 1.5f, 2, -3}, bias[] = {3, 6};
    const struct file_tensor base[] = {{"w", DTYPE_F32, 2, {2, 2}, zeros},
                                       {"scale", DTYPE_F32, 1, {4}, zeros}};
    const struct file_tensor with[] = {{"w", DTYPE_F32, 2, {2, 2}, other},
                                       {"head.bias", DTYPE_F32, 1, {2}, bias}};
    struct model model = {.scratch = scratch_make()};
    model.recipe.specialist_count = 3;
    model.base = file_of_tensors(&model.scratch, "base.safetensors", base, 2);
    static const char *const names[] = {"a.safetensors", "b.safetensors", "c.safetensors"};
    for (size_t i = 0; i < 3; i++)
        model.files[i].path = file_of_tensors(&model.scratch, names[i], with, i == 1 ? 1 : 2);
    struct study study = study_of(model, NULL, 1);
    struct checkpoint *merged = study_merge(&study, "m.safetensors");
    const struct tensor *carried = checkpoint_find(merged, "scale", 5);
    assert_memory_equal(carried->data, zeros, sizeof zeros);
    double *w = tensor_values(merged, "w");
    assert_true(w[0] == 0 && signbit(w[0]));
    assert_close(w[1], 1.5, 1e-6);
    free(w);
    if (checkpoint_find(merged, "head.bias", 9) != NULL) {
        double *mean = tensor_values(merged, "head.bias");
        assert_close(mean[0], 2, 0);
        assert_close(mean[1], 4, 0);
        free(mean);
    }
    checkpoint_close(merged);
    study_end(&study);
}

static void bytes_do_not_depend_on_threads_or_folder(void **state) {
    (void)state;
    static const unsigned threads[] = {1, 2, 8};
    unsigned char *first = NULL;
    size_t first_length = 0;
    for (size_t t = 0; t < 3; t++) {
        struct model_recipe recipe = model_recipe_default(3);
        struct study study = study_make(&recipe, NULL, threads[t]);
        checkpoint_close(study_merge(&study, "m.safetensors"));
        size_t length;
        unsigned char *bytes =
            scratch_read(scratch_path(&study.model.scratch, "m.safetensors"), &length);
        if (first == NULL) {
            first = bytes;
            first_length = length;
        } else {
            assert_int_equal(length, first_length);
            assert_memory_equal(bytes, first, length);
            free(bytes);
        }
        study_end(&study);
    }
    free(first);
}

/* A plan that needs no spectrum gives the same bytes from the core alone. */
static void whole_ranks_need_no_spectra(void **state) {
    (void)state;
    static const char *const settings[] = {"residual.rank.full=true", NULL};
    struct model_recipe recipe = model_recipe_default(3);
    struct study study = study_make(&recipe, settings, 2);
    assert_false(merge_needs_spectra(study.plan));
    checkpoint_close(study_merge(&study, "done.safetensors"));
    analysis_free(study.analysis);
    struct error error = {0};
    study.analysis = analysis_start(study.table, NULL, study.pool, &study.config.settings.real,
                                    (struct notifier){0});
    assert_true(analysis_wait_core(study.analysis, NULL, NULL, &error));
    checkpoint_close(study_merge(&study, "core.safetensors"));
    size_t lengths[2];
    unsigned char *one =
        scratch_read(scratch_path(&study.model.scratch, "done.safetensors"), &lengths[0]);
    unsigned char *two =
        scratch_read(scratch_path(&study.model.scratch, "core.safetensors"), &lengths[1]);
    assert_int_equal(lengths[0], lengths[1]);
    assert_memory_equal(one, two, lengths[0]);
    free(one);
    free(two);
    assert_true(config_set(&study.config, "residual.rank.rank=3", &error));
    struct plan *plan;
    assert_true(plan_create(&study.config, study.table, &plan, &error));
    assert_true(merge_needs_spectra(plan));
    struct merge_result result;
    assert_false(merge_write(plan, study.analysis, study.pool,
                             scratch_path(&study.model.scratch, "x.safetensors"), false, NULL,
                             &result, &error));
    assert_non_null(strstr(error.message, "has not ended"));
    error_free(&error);
    plan_free(plan);
    study_end(&study);
}

static void the_config_is_in_the_output(void **state) {
    (void)state;
    static const char *const settings[] = {"alpha=0.35", NULL};
    struct model_recipe recipe = model_recipe_default(2);
    struct study study = study_make(&recipe, settings, 2);
    struct checkpoint *merged = study_merge(&study, "m.safetensors");
    struct config config;
    struct error error = {0};
    assert_string_equal(checkpoint_metadata(merged, "format"), "pt");
    assert_non_null(checkpoint_metadata(merged, "r2m.version"));
    const char *text = checkpoint_metadata(merged, "r2m.config");
    assert_null(strstr(text, study.model.scratch.folder));
    assert_true(config_parse(text, "metadata", study.model.scratch.folder, &config, &error));
    assert_string_equal(config.base, study.model.base);
    assert_close(config.settings.alpha, 0.35, 0);
    config_free(&config);
    checkpoint_close(merged);
    study_end(&study);
}

/* Merges to a name of the folder and expects a refusal that leaves the folder as it was. */
static void refuse(struct study *study, const char *path, bool overwrite, enum error_kind kind,
                   const char *message, struct progress *progress) {
    struct merge_result result;
    struct error error = {0};
    size_t entries = scratch_count(&study->model.scratch);
    assert_false(merge_write(study->plan, study->analysis, study->pool, path, overwrite, progress,
                             &result, &error));
    assert_int_equal(error.kind, kind);
    if (strstr(error.message, message) == NULL)
        fail_msg("%s\nlacks: %s", error.message, message);
    assert_int_equal(scratch_count(&study->model.scratch), entries);
    error_free(&error);
}

static void outputs_that_are_refused(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(2);
    struct study study = study_make(&recipe, NULL, 2);
    struct scratch *scratch = &study.model.scratch;
    char *soft = scratch_path(scratch, "soft.safetensors");
    char *hard = scratch_path(scratch, "hard.safetensors");
    assert_int_equal(symlink(study.model.files[1].path, soft), 0);
    assert_int_equal(link(study.model.base, hard), 0);
    refuse(&study, study.model.base, true, ERROR_USAGE, "one of the inputs", NULL);
    refuse(&study, study.model.files[1].path, true, ERROR_USAGE, "one of the inputs", NULL);
    refuse(&study, soft, true, ERROR_USAGE, "one of the inputs", NULL);
    refuse(&study, hard, true, ERROR_USAGE, "one of the inputs", NULL);
    refuse(&study, scratch_path(scratch, "m.onnx"), true, ERROR_USAGE, ".safetensors", NULL);
    refuse(&study, scratch_path(scratch, ".pth"), true, ERROR_USAGE, ".pth", NULL);
    refuse(&study, scratch->folder, true, ERROR_USAGE, "or holds one", NULL);
    refuse(&study, scratch_path(scratch, ".safetensors"), true, ERROR_USAGE, ".safetensors", NULL);
    checkpoint_close(study_merge(&study, "there.safetensors"));
    refuse(&study, scratch_path(scratch, "there.safetensors"), false, ERROR_INPUT, "exist", NULL);
    refuse(&study, "/nowhere/m.safetensors", false, ERROR_INPUT, "/nowhere", NULL);
    struct error error = {0};
    assert_true(plan_set(study.plan, "output.shard_bytes=1000", &error));
    refuse(&study, scratch_path(scratch, "s.safetensors"), true, ERROR_USAGE, "output.shard_bytes",
           NULL);
    plan_undo(study.plan);
    assert_true(plan_set(study.plan, "real.rank=2", &error));
    refuse(&study, scratch_path(scratch, "r.safetensors"), true, ERROR_INPUT, "other settings",
           NULL);
    study_end(&study);
}

/* A torch file and shards hold what the safetensors file holds. */
static void every_kind_of_output_holds_the_same(void **state) {
    (void)state;
    static const char *const names[] = {"m.pth", "m.bin", "folder/", "folder"};
    struct model_recipe recipe = model_recipe_default(2);
    struct study study = study_make(&recipe, NULL, 2);
    struct scratch *scratch = &study.model.scratch;
    struct checkpoint *like = study_merge(&study, "m.safetensors"), *merged;
    struct error error = {0};
    struct merge_result result;
    for (size_t i = 0; i < 4; i++) {
        char *path = scratch_path(scratch, names[i]);
        if (i == 3)
            assert_true(plan_set(study.plan, "output.shard_bytes=2000", &error));
        if (!merge_write(study.plan, study.analysis, study.pool, path, i == 3, NULL, &result,
                         &error) ||
            !checkpoint_open(path, &merged, &error))
            fail_msg("%s", error.message);
        assert_int_equal(checkpoint_count(merged), checkpoint_count(like));
        assert_string_equal(checkpoint_format(merged), i < 2    ? "torch"
                                                       : i == 2 ? "safetensors"
                                                                : "sharded");
        for (size_t t = 0; t < checkpoint_count(like); t++) {
            const struct tensor *tensor = checkpoint_tensor(like, t);
            const struct tensor *found = checkpoint_find(merged, tensor->name, tensor->name_length);
            assert_true(found != NULL && tensor_equal(tensor, found));
        }
        checkpoint_close(merged);
    }
    checkpoint_close(like);
    study_end(&study);
}

static void overflow_names_the_tensor(void **state) {
    (void)state;
    static const char *const settings[] = {"output.dtype=f16", NULL};
    const float small[] = {1, 2, 3, 4}, large[] = {1, 2, 65000, 4}, huge[] = {1, 2, 66000, 4};
    struct model model = {.scratch = scratch_make()};
    const struct file_tensor base[] = {{"w", DTYPE_F32, 2, {2, 2}, large},
                                       {"b", DTYPE_F32, 1, {4}, small}};
    const struct file_tensor one[] = {{"w", DTYPE_F32, 2, {2, 2}, huge},
                                      {"b", DTYPE_F32, 1, {4}, small}};
    model.recipe.specialist_count = 1;
    model.base = file_of_tensors(&model.scratch, "base.safetensors", base, 2);
    model.files[0].path = file_of_tensors(&model.scratch, "one.safetensors", one, 2);
    struct study study = study_of(model, settings, 2);
    refuse(&study, scratch_path(&study.model.scratch, "m.safetensors"), false, ERROR_INPUT,
           "m.safetensors: tensor w: element 2 is 66000, too large for F16", NULL);
    study_end(&study);
}

static void a_full_disk_leaves_nothing(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(2);
    struct study study = study_make(&recipe, NULL, 2);
    struct rlimit before, small = {1000, 1000};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    refuse(&study, scratch_path(&study.model.scratch, "m.safetensors"), false, ERROR_INPUT,
           "m.safetensors", NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, handler);
    study_end(&study);
}

static void a_cancelled_merge_leaves_nothing(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(2);
    struct study study = study_make(&recipe, NULL, 2);
    struct progress progress = {0};
    atomic_store(&progress.cancel, true);
    refuse(&study, scratch_path(&study.model.scratch, "m.safetensors"), false, ERROR_CANCELLED,
           "stopped", &progress);
    study_end(&study);
}

/* Vectors are kept where there is room, found while writing where there is room for that, too, and
 * nothing takes more than is allowed. */
static void check_room_for_vectors(const struct plan *plan, const char *path) {
    struct work_limits limits = {.threads = 2, .memory = 1 << 30};
    struct merge_estimate roomy, tight;
    struct error error = {0};
    assert_true(merge_estimate(plan, &limits, path, &roomy, &error));
    assert_true(roomy.late && roomy.vector_bytes > 0);
    limits.memory = roomy.memory_bytes - 1;
    assert_true(merge_estimate(plan, &limits, path, &tight, &error));
    assert_false(tight.late);
    assert_int_equal(tight.vector_bytes, roomy.vector_bytes);
    assert_true(tight.memory_bytes <= limits.memory);
}

static void the_estimate_fits_the_merge(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    struct study study = study_make(&recipe, NULL, 2);
    struct work_limits limits = {.threads = 2};
    struct merge_estimate estimate;
    struct merge_result result;
    struct error error = {0};
    struct progress progress = {0};
    char *path = scratch_path(&study.model.scratch, "m.safetensors");
    assert_true(merge_estimate(study.plan, &limits, path, &estimate, &error));
    check_room_for_vectors(study.plan, path);
    assert_true(merge_write(study.plan, study.analysis, study.pool, path, false, &progress, &result,
                            &error));
    assert_int_equal(estimate.tensors, result.tensors);
    assert_int_equal(result.tensors, study.table->layer_count);
    double share = (double)estimate.output_bytes / (double)result.bytes;
    assert_true(share > 0.7 && share < 1.3);
    assert_true(estimate.free_bytes > 0 && estimate.operations > 0);
    assert_true(estimate.read_bytes > estimate.output_bytes);
    assert_true(estimate.memory_bytes > 0);
    char sha256[SHA256_TEXT];
    assert_true(digest_file(path, sha256, &error));
    assert_string_equal(result.sha256, sha256);
    assert_close(result.eta, study.preview->eta, 0);
    assert_close(result.residual_norm, study.preview->nbar, 0);
    assert_true(atomic_load(&progress.done) > 0 && progress.done <= progress.total);
    assert_true(merge_estimate(study.plan, &limits, scratch_path(&study.model.scratch, "f//"),
                               &estimate, &error));
    assert_true(estimate.free_bytes > 0);
    assert_false(merge_estimate(study.plan, &limits, "x.onnx", &estimate, &error));
    assert_int_equal(error.kind, ERROR_USAGE);
    error_free(&error);
    study_end(&study);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_1_equal_to_the_base),
        cmocka_unit_test(identity_2_identical_specialists),
        cmocka_unit_test(identity_3_one_specialist),
        cmocka_unit_test(identity_4_no_residual_and_the_whole_space),
        cmocka_unit_test(identity_5_full_rank_without_matching),
        cmocka_unit_test(identity_6_scaling),
        cmocka_unit_test(identity_7_permutation),
        cmocka_unit_test(identity_8_equal_contributions),
        cmocka_unit_test(identity_9_energy_adds_up),
        cmocka_unit_test(identity_10_the_discarded_tail),
        cmocka_unit_test(truncated_merges_agree_with_lapack),
        cmocka_unit_test(output_dtype_is_chosen),
        cmocka_unit_test(heads_are_averaged_and_buffers_kept),
        cmocka_unit_test(missing_biases_carried_tensors_and_negative_zeros),
        cmocka_unit_test(bytes_do_not_depend_on_threads_or_folder),
        cmocka_unit_test(whole_ranks_need_no_spectra),
        cmocka_unit_test(the_config_is_in_the_output),
        cmocka_unit_test(outputs_that_are_refused),
        cmocka_unit_test(every_kind_of_output_holds_the_same),
        cmocka_unit_test(overflow_names_the_tensor),
        cmocka_unit_test(a_full_disk_leaves_nothing),
        cmocka_unit_test(a_cancelled_merge_leaves_nothing),
        cmocka_unit_test(the_estimate_fits_the_merge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
