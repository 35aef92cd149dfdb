/* The spectra pass: the right spectrum in the right place, in the order asked for, and sets that
 * are cancelled or abandoned. */
#include "analysis/gram.h"
#include "analysis/spectra.h"
#include "tests/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

enum { N = 3 };

/* A model on disk with its table and core. */
struct bench {
    struct model model;
    struct tensor_table *table;
    struct pool *pool;
    struct real_core *core;
};

static struct bench bench_begin(unsigned threads, enum against against) {
    struct model_recipe recipe = model_recipe_default(N);
    struct bench bench = {.model = model_make(&recipe)};
    struct real_settings settings = {.rank = 1, .blend = 1, .against = against};
    struct error error = {0};
    bench.table = model_open(&bench.model);
    bench.pool = pool_create(threads);
    struct gram_pass *pass = gram_start(bench.table, bench.pool, NULL, NULL, (struct notifier){0});
    gram_wait(pass, -1);
    const double *gram = gram_result(pass, &error);
    assert_true(real_core_compute(bench.table, gram, &settings, &bench.core, &error));
    gram_free(pass);
    return bench;
}

static void bench_end(struct bench *bench) {
    pool_free(bench->pool);
    real_core_free(bench->core);
    tensor_table_close(bench->table);
    model_remove(&bench->model);
}

/* R_i of a layer from the values that were written. free() it. */
static double *explicit_residual(const struct bench *bench, size_t l, size_t specialist) {
    const struct layer *layer = &bench->table->layers[l];
    double coefficients[N], *residual = memory_array((size_t)layer->elements, sizeof *residual);
    residual_coefficients(bench->core, l, specialist, coefficients);
    const double *base = model_values(&bench->model, 0, layer->name);
    for (size_t j = 0; j < N; j++)
        for (size_t k = 0; k < layer->elements; k++)
            residual[k] +=
                coefficients[j] * (model_values(&bench->model, j + 1, layer->name)[k] - base[k]);
    return residual;
}

static void check_spectrum(const struct bench *bench, const struct spectra *spectra, size_t l,
                           size_t specialist) {
    const struct layer *layer = &bench->table->layers[l];
    const struct spectrum *spectrum = spectra_get(spectra, l, specialist);
    if (layer->role != ROLE_MATRIX) {
        assert_null(spectrum);
        return;
    }
    struct spectrum reference;
    struct error error = {0};
    double *residual = explicit_residual(bench, l, specialist);
    assert_true(spectrum_reference(residual, layer->rows, layer->cols, &reference, &error));
    assert_int_equal(spectrum->count, layer_max_rank(layer));
    for (size_t j = 0; j < reference.count; j++)
        assert_close(spectrum->sigma[j], reference.sigma[j], 1e-6 * reference.sigma[0]);
    spectrum_free(&reference);
    free(residual);
}

static void every_cell_gets_its_spectrum(void **state) {
    (void)state;
    for (int against = AGAINST_CORE; against <= AGAINST_PROJECTION; against++) {
        struct bench bench = bench_begin(2, (enum against)against);
        struct progress progress = {0};
        struct error error = {0};
        struct spectra *spectra = spectra_start(bench.table, bench.core, NULL, NULL, bench.pool,
                                                &progress, (struct notifier){0});
        assert_true(spectra_wait(spectra, -1));
        assert_true(spectra_finished(spectra));
        assert_true(spectra_check(spectra, &error));
        assert_int_equal(spectra_total(spectra), bench.table->matrix_count * N);
        assert_int_equal(spectra_ready(spectra), spectra_total(spectra));
        assert_true(progress.total > 0 && progress.done == progress.total);
        for (size_t l = 0; l < bench.table->layer_count; l++)
            for (size_t i = 0; i < N; i++)
                check_spectrum(&bench, spectra, l, i);
        spectra_free(spectra);
        bench_end(&bench);
    }
}

static size_t three(const void *context, size_t layer, size_t specialist,
                    const struct spectrum *spectrum) {
    (void)layer;
    assert_true(context != NULL && specialist < N && spectrum->count > 0);
    return 3;
}

/* Vectors kept on the way to the values are those that are found without: the same bytes. */
static void vectors_are_kept_as_wished(void **state) {
    (void)state;
    struct bench bench = bench_begin(2, AGAINST_CORE);
    for (uint64_t room = 0; room < 2; room++) {
        const struct vector_wish wish = {
            .rank = three, .context = state, .bytes = room * UINT32_MAX};
        struct spectra *spectra = spectra_start(bench.table, bench.core, &wish, NULL, bench.pool,
                                                NULL, (struct notifier){0});
        assert_true(spectra_wait(spectra, -1));
        for (size_t l = 0; l < bench.table->layer_count; l++) {
            const struct layer *layer = &bench.table->layers[l];
            const struct low_rank *kept = spectra_vectors(spectra, l, 1, 3);
            bool wanted = room > 0 && layer->role == ROLE_MATRIX && layer_max_rank(layer) > 3;
            assert_int_equal(kept != NULL, wanted);
            assert_null(spectra_vectors(spectra, l, 1, 2));
            if (!wanted)
                continue;
            struct low_rank made;
            struct error error = {0};
            double coefficients[N];
            residual_coefficients(bench.core, l, 1, coefficients);
            assert_true(low_rank_prepare(layer, N, coefficients, 3, &made, &error));
            assert_int_equal(made.count, kept->count);
            assert_memory_equal(made.vectors, kept->vectors,
                                made.n * made.count * sizeof *made.vectors);
            low_rank_free(&made);
        }
        spectra_free(spectra);
    }
    assert_null(spectra_vectors(NULL, 0, 0, 3));
    bench_end(&bench);
}

/* Values that are known bring their vectors now, unless those are found later. */
static void vectors_of_known_values(void **state) {
    struct bench bench = bench_begin(2, AGAINST_CORE);
    const struct cache_settings in_memory = {.limit = 1 << 24};
    struct error error = {0};
    struct cache *cache;
    assert_true(cache_open(&in_memory, &cache, &error));
    struct known *known = known_start(bench.table, cache, bench.pool, NULL, (struct notifier){0});
    assert_true(known_wait(known, -1));
    for (int run = 0; run < 3; run++) { /* nothing known; known, later; known, now */
        const struct vector_wish wish = {
            .rank = three, .context = state, .bytes = UINT32_MAX, .late = run < 2};
        struct spectra *spectra = spectra_start(bench.table, bench.core, &wish, known, bench.pool,
                                                NULL, (struct notifier){0});
        assert_true(spectra_wait(spectra, -1));
        cache_flush(cache);
        for (size_t l = 0; l < bench.table->layer_count; l++) {
            const struct layer *layer = &bench.table->layers[l];
            bool truncated = layer->role == ROLE_MATRIX && layer_max_rank(layer) > 3;
            assert_int_equal(spectra_vectors(spectra, l, 1, 3) != NULL, truncated && run != 1);
            check_spectrum(&bench, spectra, l, 1);
        }
        spectra_free(spectra);
    }
    known_release(known);
    cache_close(cache);
    bench_end(&bench);
}

/* Holds the one worker after an item until the gate opens. */
struct gate {
    _Atomic bool closed;
    _Atomic size_t items;
};

static void wait_at_gate(void *context) {
    struct gate *gate = context;
    atomic_fetch_add(&gate->items, 1);
    while (atomic_load(&gate->closed))
        ;
}

static void wait_for_items(struct gate *gate, size_t items) {
    while (atomic_load(&gate->items) < items)
        ;
}

static void preferred_layers_come_next(void **state) {
    (void)state;
    struct bench bench = bench_begin(1, AGAINST_CORE);
    struct gate gate = {.closed = true};
    struct spectra *spectra = spectra_start(bench.table, bench.core, NULL, NULL, bench.pool, NULL,
                                            (struct notifier){wait_at_gate, &gate});
    size_t wanted = tensor_table_find(bench.table, "backbone.embeddings.position_embedding.weight");
    wait_for_items(&gate, 1);        /* the worker is held after the first item */
    spectra_prefer(spectra, wanted); /* the smallest matrix would be last */
    spectra_prefer(spectra, 0);      /* no matrix: nothing happens */
    atomic_store(&gate.closed, false);
    wait_for_items(&gate, 1 + N);
    for (size_t i = 0; i < N; i++)
        assert_non_null(spectra_get(spectra, wanted, i));
    spectra_free(spectra);
    bench_end(&bench);
}

static void the_longest_work_comes_first(void **state) {
    (void)state;
    struct bench bench = bench_begin(1, AGAINST_CORE);
    struct gate gate = {.closed = true};
    struct spectra *spectra = spectra_start(bench.table, bench.core, NULL, NULL, bench.pool, NULL,
                                            (struct notifier){wait_at_gate, &gate});
    wait_for_items(&gate, 1);
    size_t first = tensor_table_find(bench.table, "backbone.encoder.layers.0.mlp.fc1.weight");
    assert_non_null(spectra_get(spectra, first, 0)); /* 20 x 12, the first of its size */
    assert_int_equal(spectra_ready(spectra), 1);
    atomic_store(&gate.closed, false);
    spectra_free(spectra);
    bench_end(&bench);
}

static void cancelling_leaves_the_rest_undone(void **state) {
    (void)state;
    struct bench bench = bench_begin(1, AGAINST_CORE);
    struct progress progress = {.cancel = true};
    struct error error = {0};
    struct spectra *spectra = spectra_start(bench.table, bench.core, NULL, NULL, bench.pool,
                                            &progress, (struct notifier){0});
    assert_true(spectra_wait(spectra, -1));
    assert_int_equal(spectra_ready(spectra), 0);
    assert_false(spectra_check(spectra, &error));
    assert_int_equal(error.kind, ERROR_CANCELLED);
    error_free(&error);
    spectra_free(spectra);
    bench_end(&bench);
}

static void abandoned_sets_end_by_themselves(void **state) {
    (void)state;
    struct bench bench = bench_begin(1, AGAINST_CORE);
    struct gate gate = {.closed = true};
    struct progress progress = {0};
    struct spectra *old = spectra_start(bench.table, bench.core, NULL, NULL, bench.pool, &progress,
                                        (struct notifier){wait_at_gate, &gate});
    wait_for_items(&gate, 1);
    spectra_abandon(old); /* must not wait for the worker, which is held at the gate */
    struct spectra *current = spectra_start(bench.table, bench.core, NULL, NULL, bench.pool,
                                            &progress, (struct notifier){0});
    uint64_t total = atomic_load(&progress.total);
    assert_int_equal(spectra_ready(current), 0);
    atomic_store(&gate.closed, false);
    assert_true(spectra_wait(current, -1));
    assert_int_equal(spectra_ready(current), spectra_total(current));
    assert_int_equal(progress.done, total); /* the old set no longer counts */
    assert_true(atomic_load(&gate.items) <= 2);
    spectra_abandon(current); /* finished: released at once */
    spectra_abandon(NULL);
    bench_end(&bench);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_cell_gets_its_spectrum),
        cmocka_unit_test(vectors_are_kept_as_wished),
        cmocka_unit_test(vectors_of_known_values),
        cmocka_unit_test(preferred_layers_come_next),
        cmocka_unit_test(the_longest_work_comes_first),
        cmocka_unit_test(cancelling_leaves_the_rest_undone),
        cmocka_unit_test(abandoned_sets_end_by_themselves),
    };
    return cmocka_run_group_tests_name("spectra", tests, NULL, NULL);
}
