/* Spectra of task vectors and of the base, when asked for. */
#include "analysis/raw_spectra.h"
#include "tests/model_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support.h"

enum { N = 3 };

struct bench {
    struct model model;
    struct tensor_table *table;
    struct pool *pool;
    struct cache *cache;
    struct known *known;
    struct raw_spectra *raw;
    int news[2]; /* a pipe: a byte for every item that ended */
};

static void note(void *context) {
    const struct bench *bench = context;
    assert_int_equal(write(bench->news[1], "", 1), 1);
}

static void bench_begin(struct bench *bench) {
    struct model_recipe recipe = model_recipe_default(N);
    bench->model = model_make(&recipe);
    bench->table = model_open(&bench->model);
    bench->pool = pool_create(2);
    assert_int_equal(pipe(bench->news), 0);
    const struct cache_settings in_memory = {.limit = 1 << 24};
    struct error error = {0};
    assert_true(cache_open(&in_memory, &bench->cache, &error));
    bench->known = known_start(bench->table, bench->cache, bench->pool, NULL, (struct notifier){0});
    assert_true(known_wait(bench->known, -1));
    bench->raw =
        raw_spectra_create(bench->table, bench->known, bench->pool, (struct notifier){note, bench});
}

static void bench_end(struct bench *bench) {
    raw_spectra_free(bench->raw);
    known_release(bench->known);
    pool_free(bench->pool);
    cache_close(bench->cache);
    tensor_table_close(bench->table);
    model_remove(&bench->model);
    close(bench->news[0]);
    close(bench->news[1]);
}

static void wait_for(struct bench *bench, size_t layer) {
    char byte;
    raw_spectra_ask(bench->raw, layer);
    while (raw_spectra_base(bench->raw, layer) == NULL ||
           raw_spectra_task(bench->raw, layer, 0) == NULL ||
           raw_spectra_task(bench->raw, layer, 1) == NULL ||
           raw_spectra_task(bench->raw, layer, 2) == NULL) {
        assert_int_equal(read(bench->news[0], &byte, 1), 1);
        raw_spectra_ask(bench->raw, layer);
    }
}

/* The singular values of values (minus less, where that is not NULL) by the reference. */
static void assert_spectrum(const struct layer *layer, const struct spectrum *spectrum,
                            const double *values, const double *less) {
    double *matrix = memory_array((size_t)layer->elements, sizeof *matrix);
    struct spectrum reference;
    struct error error = {0};
    for (size_t k = 0; k < layer->elements; k++)
        matrix[k] = values[k] - (less != NULL ? less[k] : 0);
    assert_true(spectrum_reference(matrix, layer->rows, layer->cols, &reference, &error));
    assert_int_equal(spectrum->count, reference.count);
    for (size_t j = 0; j < reference.count; j++)
        assert_true(fabs(spectrum->sigma[j] - reference.sigma[j]) <= 1e-6 * reference.sigma[0]);
    spectrum_free(&reference);
    free(matrix);
}

static void spectra_are_those_of_the_values(void **state) {
    struct bench bench;
    (void)state;
    bench_begin(&bench);
    for (size_t l = 0; l < bench.table->layer_count; l++) {
        const struct layer *layer = &bench.table->layers[l];
        assert_null(raw_spectra_base(bench.raw, l));
        raw_spectra_ask(bench.raw, l);
        if (layer->role != ROLE_MATRIX) {
            assert_null(raw_spectra_task(bench.raw, l, 0));
            continue;
        }
        wait_for(&bench, l);
        const double *base = model_values(&bench.model, 0, layer->name);
        assert_spectrum(layer, raw_spectra_base(bench.raw, l), base, NULL);
        for (size_t i = 0; i < N; i++)
            assert_spectrum(layer, raw_spectra_task(bench.raw, l, i),
                            model_values(&bench.model, i + 1, layer->name), base);
        assert_false(raw_spectra_failed(bench.raw, l));
    }
    bench_end(&bench);
}

/* Every layer is asked for in turn, so that most are put off; then all are there when asked again.
 */
static void what_was_put_off_is_computed_later(void **state) {
    struct bench bench;
    (void)state;
    bench_begin(&bench);
    for (size_t l = 0; l < bench.table->layer_count; l++)
        raw_spectra_ask(bench.raw, l);
    for (size_t l = 0; l < bench.table->layer_count; l++)
        if (bench.table->layers[l].role == ROLE_MATRIX)
            wait_for(&bench, l);
    while (!raw_spectra_idle(bench.raw))
        ;
    bench_end(&bench);
}

/* What one set found, the next one has to the same bytes. */
static void what_is_known_is_the_same(void **state) {
    struct bench bench;
    (void)state;
    bench_begin(&bench);
    size_t layer = 0;
    while (bench.table->layers[layer].role != ROLE_MATRIX)
        layer++;
    wait_for(&bench, layer);
    struct raw_spectra *first = bench.raw;
    cache_flush(bench.cache);
    bench.raw =
        raw_spectra_create(bench.table, bench.known, bench.pool, (struct notifier){note, &bench});
    wait_for(&bench, layer);
    for (size_t i = 0; i <= N; i++) {
        const struct spectrum *then =
            i < N ? raw_spectra_task(first, layer, i) : raw_spectra_base(first, layer);
        const struct spectrum *now =
            i < N ? raw_spectra_task(bench.raw, layer, i) : raw_spectra_base(bench.raw, layer);
        assert_memory_equal(now->sigma, then->sigma, then->count * sizeof *then->sigma);
        assert_true(now->median == then->median && now->noise_edge == then->noise_edge);
    }
    raw_spectra_free(first);
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spectra_are_those_of_the_values),
        cmocka_unit_test(what_was_put_off_is_computed_later),
        cmocka_unit_test(what_is_known_is_the_same),
    };
    return cmocka_run_group_tests_name("raw_spectra", tests, NULL, NULL);
}
