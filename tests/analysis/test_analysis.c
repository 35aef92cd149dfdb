/* The way from files to spectra, and the ways it can end. */
#include "analysis/analysis.h"
#include "tests/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

static const struct real_settings plain = {.rank = 1, .blend = 1};

struct bench {
    struct model model;
    struct tensor_table *table;
    struct pool *pool;
    struct analysis *analysis;
    struct error error;
};

static struct bench bench_begin(const struct real_settings *settings) {
    struct model_recipe recipe = model_recipe_default(3);
    struct bench bench = {.model = model_make(&recipe)};
    bench.table = model_open(&bench.model);
    bench.pool = pool_create(2);
    bench.analysis = analysis_start(bench.table, NULL, bench.pool, settings, (struct notifier){0});
    return bench;
}

static void bench_end(struct bench *bench) {
    analysis_free(bench->analysis);
    pool_free(bench->pool);
    tensor_table_close(bench->table);
    model_remove(&bench->model);
    error_free(&bench->error);
}

static void runs_from_files_to_spectra(void **state) {
    (void)state;
    struct bench bench = bench_begin(&plain);
    struct analysis *analysis = bench.analysis;
    assert_true(analysis_wait(analysis, NULL, NULL, &bench.error));
    assert_int_equal(analysis->stage, ANALYSIS_DONE);
    assert_int_equal(analysis_advance(analysis), ANALYSIS_DONE);
    assert_int_equal(spectra_ready(analysis->spectra), bench.table->matrix_count * 3);
    size_t layer = tensor_table_find(bench.table, "backbone.encoder.layers.2.mlp.fc1.weight");
    double coefficients[3];
    residual_coefficients(analysis->core, layer, 1, coefficients);
    double square = gram_form(analysis_gram(analysis, layer), 3, coefficients, coefficients);
    const struct spectrum *spectrum = spectra_get(analysis->spectra, layer, 1);
    assert_close(spectrum_total(spectrum), square, 1e-10 * square); /* two ways to ||R||^2 */
    bench_end(&bench);
}

static void the_core_alone_needs_no_spectra(void **state) {
    (void)state;
    struct bench bench = bench_begin(&plain);
    assert_true(analysis_wait_core(bench.analysis, NULL, NULL, &bench.error));
    assert_non_null(bench.analysis->core);
    assert_null(bench.analysis->spectra);
    assert_true(analysis_wait_core(bench.analysis, NULL, NULL, &bench.error)); /* again: at once */
    assert_true(analysis_wait(bench.analysis, NULL, NULL, &bench.error));
    assert_non_null(bench.analysis->spectra);
    bench_end(&bench);
}

static void another_core_means_other_spectra(void **state) {
    (void)state;
    struct bench bench = bench_begin(&plain);
    struct analysis *analysis = bench.analysis;
    assert_true(analysis_wait(analysis, NULL, NULL, &bench.error));
    unsigned generation = analysis->generation;
    double first = spectra_get(analysis->spectra, 1, 0)->sigma[0];
    struct real_settings settings = plain;
    settings.rank = 3;
    settings.against = AGAINST_PROJECTION;
    assert_true(analysis_set_real(analysis, &settings, &bench.error));
    assert_true(analysis->generation > generation);
    assert_int_equal(analysis->stage, ANALYSIS_SPECTRA);
    assert_int_equal(analysis->core->settings.rank, 3);
    analysis_prefer(analysis, 2);
    assert_true(analysis_wait(analysis, NULL, NULL, &bench.error));
    assert_true(spectra_get(analysis->spectra, 1, 0)->sigma[0] < 1e-10 * first); /* all is Real */
    bench_end(&bench);
}

static void settings_change_many_times(void **state) {
    (void)state;
    struct bench bench = bench_begin(&plain);
    assert_true(analysis_wait_core(bench.analysis, NULL, NULL, &bench.error));
    for (unsigned k = 0; k < 20; k++) { /* running sets are left behind */
        struct real_settings settings = plain;
        settings.rank = 1 + k % 3;
        assert_true(analysis_set_real(bench.analysis, &settings, &bench.error));
    }
    assert_true(analysis_wait(bench.analysis, NULL, NULL, &bench.error));
    assert_int_equal(bench.analysis->progress.done, bench.analysis->progress.total);
    bench_end(&bench);
}

static void wrong_settings_change_nothing(void **state) {
    (void)state;
    struct bench bench = bench_begin(&plain);
    struct real_settings wrong = plain;
    wrong.rank = 4;
    assert_false(analysis_set_real(bench.analysis, &wrong, &bench.error)); /* before the end */
    assert_true(analysis_wait(bench.analysis, NULL, NULL, &bench.error));
    const struct real_core *core = bench.analysis->core;
    assert_false(analysis_set_real(bench.analysis, &wrong, &bench.error));
    assert_int_equal(bench.error.kind, ERROR_USAGE);
    assert_ptr_equal(bench.analysis->core, core);
    assert_int_equal(bench.analysis->stage, ANALYSIS_DONE);
    bench_end(&bench);
}

static void settings_given_early_count(void **state) {
    (void)state;
    struct bench bench = bench_begin(&plain);
    struct real_settings settings = plain;
    settings.rank = 2;
    assert_true(analysis_set_real(bench.analysis, &settings, &bench.error));
    assert_true(analysis_wait(bench.analysis, NULL, NULL, &bench.error));
    assert_int_equal(bench.analysis->core->settings.rank, 2);
    bench_end(&bench);
}

static void a_wrong_start_can_be_mended(void **state) {
    (void)state;
    struct real_settings wrong = plain;
    wrong.rank = 9;
    struct bench bench = bench_begin(&wrong);
    assert_false(analysis_wait(bench.analysis, NULL, NULL, &bench.error));
    assert_int_equal(bench.error.kind, ERROR_USAGE);
    assert_int_equal(bench.analysis->stage, ANALYSIS_FAILED);
    assert_true(analysis_set_real(bench.analysis, &plain, &bench.error));
    assert_true(analysis_wait(bench.analysis, NULL, NULL, &bench.error));
    bench_end(&bench);
}

static void cancelling_is_an_error_of_its_own(void **state) {
    (void)state;
    for (int core_only = 0; core_only <= 1; core_only++) {
        struct bench bench = bench_begin(&plain);
        atomic_store(&bench.analysis->progress.cancel, true);
        bool done = core_only ? analysis_wait_core(bench.analysis, NULL, NULL, &bench.error)
                              : analysis_wait(bench.analysis, NULL, NULL, &bench.error);
        assert_false(done);
        assert_int_equal(bench.error.kind, ERROR_CANCELLED);
        assert_int_equal(analysis_advance(bench.analysis), ANALYSIS_FAILED);
        bench_end(&bench);
    }
}

/* Keeps the workers busy until the tick has cancelled. */
struct stopper {
    _Atomic bool closed;
    _Atomic bool *cancel;
};

static void hold_worker(void *context, size_t item) {
    (void)item;
    while (atomic_load(&((struct stopper *)context)->closed))
        ;
}

static void cancel_from_tick(void *context, const struct analysis *analysis) {
    struct stopper *stopper = context;
    assert_int_equal(analysis->stage, ANALYSIS_SPECTRA);
    atomic_store(stopper->cancel, true);
    atomic_store(&stopper->closed, false);
}

static void a_tick_may_cancel(void **state) {
    (void)state;
    struct bench bench = bench_begin(&plain);
    assert_true(analysis_wait_core(bench.analysis, NULL, NULL, &bench.error));
    struct stopper stopper = {.closed = true, .cancel = &bench.analysis->progress.cancel};
    struct batch *batch = batch_start(bench.pool, 2, hold_worker, &stopper, (struct notifier){0});
    assert_false(analysis_wait(bench.analysis, cancel_from_tick, &stopper, &bench.error));
    assert_int_equal(bench.error.kind, ERROR_CANCELLED);
    batch_free(batch);
    bench_end(&bench);
}

static void weights_that_are_not_finite_fail(void **state) {
    (void)state;
    float good[4] = {1, 2, 3, 4}, bad[4] = {1, NAN, 3, 4};
    struct scratch scratch = scratch_make();
    struct file_tensor base = {"m", DTYPE_F32, 2, {2, 2}, good}, one = base;
    one.data = bad;
    char *base_path = file_of_tensors(&scratch, "base.safetensors", &base, 1);
    struct specialist_path file = {NULL, file_of_tensors(&scratch, "one.safetensors", &one, 1)};
    struct table_keys keys = {0};
    struct tensor_table *table;
    struct error error = {0};
    assert_true(tensor_table_open(base_path, &file, 1, &keys, &table, &error));
    struct pool *pool = pool_create(1);
    struct analysis *analysis = analysis_start(table, NULL, pool, &plain, (struct notifier){0});
    assert_false(analysis_wait(analysis, NULL, NULL, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_non_null(strstr(error.message, "one.safetensors: tensor m: 1 of 4"));
    error_free(&error);
    analysis_free(analysis);
    pool_free(pool);
    tensor_table_close(table);
    scratch_remove(&scratch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_from_files_to_spectra),
        cmocka_unit_test(the_core_alone_needs_no_spectra),
        cmocka_unit_test(another_core_means_other_spectra),
        cmocka_unit_test(settings_change_many_times),
        cmocka_unit_test(wrong_settings_change_nothing),
        cmocka_unit_test(settings_given_early_count),
        cmocka_unit_test(a_wrong_start_can_be_mended),
        cmocka_unit_test(cancelling_is_an_error_of_its_own),
        cmocka_unit_test(a_tick_may_cancel),
        cmocka_unit_test(weights_that_are_not_finite_fail),
    };
    return cmocka_run_group_tests_name("analysis", tests, NULL, NULL);
}
