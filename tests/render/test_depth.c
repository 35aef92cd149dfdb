/* Figures along depth and pages carry the numbers of the analysis. */
#include "analysis/layer_kinds.h"
#include "render/figures/figures.h"
#include "tests/recorder.h"
#include "tests/study.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

enum { N = 3, BLOCKS = 3 };
static const double numbers[BLOCKS] = {0, 2, 10}; /* of the tiny model's blocks */

static struct study study;

static struct figure_source source(void) {
    return (struct figure_source){study.analysis, study.preview, study.plan};
}

static int make(void **state) {
    static const char *const settings[] = {"residual.rank.energy=0.8", NULL};
    struct model_recipe recipe = model_recipe_default(N);
    recipe.scales[1] = 3e-3;
    (void)state;
    study = study_make(&recipe, settings, 2);
    return 0;
}

static int unmake(void **state) {
    (void)state;
    study_end(&study);
    return 0;
}

static const struct chart *panel(const struct page *page, const char *title) {
    for (size_t i = 0; i < page->chart_count; i++)
        if (strcmp(page->charts[i]->title, title) == 0)
            return page->charts[i];
    fail_msg("no panel %s", title);
    return NULL;
}

static size_t layer_of(double block, const char *kind) {
    char *name = memory_format("backbone.encoder.layers.%.0f.%s.weight", block, kind);
    size_t layer = tensor_table_find(study.table, name);
    assert_true(layer < study.table->layer_count);
    free(name);
    return layer;
}

/* ||Pi tau_i||^2 and ||tau_i||^2 in a layer, written out (method.md section 6). */
static void energies(size_t layer, size_t specialist, double *real, double *whole) {
    const double *gram = analysis_gram(study.analysis, layer);
    const double *projection = study.analysis->core->projection;
    *whole += gram[specialist * N + specialist];
    for (size_t j = 0; j < N; j++)
        for (size_t k = 0; k < N; k++)
            *real +=
                projection[j * N + specialist] * gram[j * N + k] * projection[k * N + specialist];
}

static void real_shares_of_layers_and_blocks(void **state) {
    static const char *const kinds[] = {"self_attn.q_proj", "mlp.fc1", "mlp.fc2"};
    struct figure_source from = source();
    struct page *page = figure_real_depth(&from, 0);
    (void)state;
    assert_int_equal(page->chart_count, 4);
    for (size_t i = 0; i < N; i++)
        for (size_t b = 0; b < BLOCKS; b++) {
            double block_real = 0, block_whole = 0;
            for (size_t k = 0; k < 3; k++) {
                const struct chart_curve *curve = &panel(page, kinds[k])->curves[i];
                double real = 0, whole = 0;
                energies(layer_of(numbers[b], kinds[k]), i, &real, &whole);
                assert_close(curve->y[b], real / whole, 1e-12);
                assert_close(curve->x[b], numbers[b], 0);
                block_real += real;
                block_whole += whole;
            }
            assert_close(panel(page, "whole blocks")->curves[i].y[b], block_real / block_whole,
                         1e-12);
        }
    assert_string_equal(page->notes.items[0], "Not shown: 2 matrices, each alone in its kind.");
    page_free(page);
}

static void ranks_and_the_largest(void **state) {
    struct figure_source from = source();
    struct page *page = figure_ranks(&from, 0);
    (void)state;
    assert_int_equal(page->chart_count, 3);
    const struct chart *chart = panel(page, "mlp.fc1");
    assert_int_equal(chart->curve_count, N + 1);
    for (size_t b = 0; b < BLOCKS; b++) {
        size_t layer = layer_of(numbers[b], "mlp.fc1");
        for (size_t i = 0; i < N; i++)
            assert_close(chart->curves[i].y[b],
                         (double)preview_cell_at(study.preview, layer, i)->rank, 0);
        assert_close(chart->curves[N].y[b], 12, 0); /* 20 x 12 */
    }
    page_free(page);
}

static void panels_have_the_same_axes(void **state) {
    struct figure_source from = source();
    struct page *pages[] = {figure_real_depth(&from, 0), figure_ranks(&from, 0),
                            figure_multiples(&from, 1)};
    (void)state;
    for (size_t p = 0; p < 3; p++) {
        assert_true(pages[p]->shared && pages[p]->chart_count > 1);
        for (size_t c = 1; c < pages[p]->chart_count; c++) {
            assert_close(pages[p]->charts[c]->x.minimum, pages[p]->charts[0]->x.minimum, 0);
            assert_close(pages[p]->charts[c]->x.maximum, pages[p]->charts[0]->x.maximum, 0);
            assert_close(pages[p]->charts[c]->y.minimum, pages[p]->charts[0]->y.minimum, 0);
            assert_close(pages[p]->charts[c]->y.maximum, pages[p]->charts[0]->y.maximum, 0);
        }
        page_free(pages[p]);
    }
}

static void multiples_show_the_spectra(void **state) {
    struct figure_source from = source();
    struct layer_kinds *kinds = layer_kinds_with_depth(study.table);
    (void)state;
    assert_int_equal(kinds->lone, 2);
    for (size_t k = 0; k < kinds->count; k++) {
        struct page *page = figure_multiples(&from, k);
        assert_int_equal(page->chart_count, BLOCKS);
        assert_string_equal(page->charts[2]->title, "block 10");
        for (size_t b = 0; b < BLOCKS; b++)
            for (size_t i = 0; i < N; i++) {
                const struct spectrum *spectrum =
                    spectra_get(study.analysis->spectra, kinds->kinds[k].layers[b], i);
                const struct chart_curve *curve = &page->charts[b]->curves[i];
                assert_close(curve->x[curve->count - 1], (double)spectrum->count, 0);
                for (size_t at = 0; at < curve->count; at++)
                    assert_close(curve->y[at], spectrum->sigma[(size_t)curve->x[at] - 1], 0);
            }
        page_free(page);
    }
    layer_kinds_free(kinds);
}

static void assert_shown(const struct recorder *recorder, double value) {
    char text[16];
    chart_number(value, 4, text, sizeof text);
    if (recorder_count(recorder, text) == 0)
        fail_msg("the overview lacks %s", text);
}

static void the_overview_has_the_numbers_of_the_plan(void **state) {
    struct figure_source from = source();
    struct page *page = figure_overview(&from, 0);
    struct recorder recorder = recorder_of_page(page, 461 * page->width, 288 * page->height);
    const struct real_core *core = study.analysis->core;
    (void)state;
    assert_shown(&recorder, core->core_norm);
    assert_shown(&recorder, core->mean_norm);
    assert_shown(&recorder, core->cos_core_mean);
    assert_shown(&recorder, study.preview->nbar);
    assert_shown(&recorder, study.preview->eta);
    assert_shown(&recorder, 0.6); /* alpha */
    for (size_t i = 0; i < N; i++) {
        char *before = memory_format("%.1f%%", 100 * study.preview->specialists[i].share_before);
        assert_true(recorder_count(&recorder, before) > 0);
        assert_shown(&recorder, study.preview->specialists[i].residual_norm);
        assert_shown(&recorder, study.preview->specialists[i].scale);
        free(before);
    }
    assert_int_equal(recorder_count(&recorder, "norm_match"), 1);
    assert_int_equal(recorder_count(&recorder, "s2"), 6); /* table, legend, two matrices twice */
    recorder_end(&recorder);
    page_free(page);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_shares_of_layers_and_blocks),
        cmocka_unit_test(ranks_and_the_largest),
        cmocka_unit_test(panels_have_the_same_axes),
        cmocka_unit_test(multiples_show_the_spectra),
        cmocka_unit_test(the_overview_has_the_numbers_of_the_plan),
    };
    return cmocka_run_group_tests_name("depth", tests, make, unmake);
}
