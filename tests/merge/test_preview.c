/* The preview: what is known when, norms and shares, warnings. (Every figure is compared with numpy
 * in test_reference.py.) */
#include "merge/preview.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tests/study.h"
#include "tests/support.h"

static bool is_shared(const struct study *study, size_t l) {
    return layer_is_shared(&study->table->layers[l]);
}

static void nothing_is_ready_before_the_gram_pass(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    struct study study = study_make(&recipe, NULL, 1);
    struct analysis early = {.table = study.table, .pool = study.pool};
    preview_compute(study.preview, study.plan, &early);
    assert_false(study.preview->complete);
    for (size_t c = 0; c < study.table->layer_count * 3; c++) {
        assert_false(study.preview->cells[c].ready);
        assert_close(study.preview->cells[c].share_after, 0, 0);
    }
    assert_close(study.preview->eta, 0, 0);
    assert_int_equal(study.preview->warnings.count, 0);
    study_end(&study);
}

/* Before the spectra pass: vectors, rank 0 and full rank are known, a ratio is not. */
static void cells_become_ready_one_by_one(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    struct study study = study_make(&recipe, NULL, 1);
    struct analysis early = *study.analysis;
    size_t matrix = 0;
    while (study.table->layers[matrix].role != ROLE_MATRIX)
        matrix++;
    struct plan_scope scope = {&matrix, 1, PLAN_ALL};
    early.spectra = NULL;
    preview_compute(study.preview, study.plan, &early);
    assert_false(study.preview->complete);
    for (size_t l = 0; l < study.table->layer_count; l++)
        assert_int_equal(preview_cell_at(study.preview, l, 1)->ready,
                         study.table->layers[l].role == ROLE_VECTOR);
    plan_set_rank(study.plan, scope, (struct rank_rule){RANK_FULL, 0}, "full");
    preview_compute(study.preview, study.plan, &early);
    double shares = 0;
    for (size_t i = 0; i < 3; i++)
        shares += preview_cell_at(study.preview, matrix, i)->share_before;
    assert_close(shares, 1, 1e-12);
    assert_close(preview_cell_at(study.preview, matrix, 0)->scale, 1, 0);
    struct preview_cell without = *preview_cell_at(study.preview, matrix, 2);
    preview_compute(study.preview, study.plan, study.analysis);
    assert_true(study.preview->complete);
    struct preview_cell with = *preview_cell_at(study.preview, matrix, 2);
    assert_true(without.residual_norm == with.residual_norm); /* to the bit */
    assert_int_equal(with.rank, with.max_rank);
    assert_close(with.kept, 1, 0);
    plan_set_rank(study.plan, scope, (struct rank_rule){RANK_ZERO, 0}, "zero");
    preview_compute(study.preview, study.plan, &early);
    assert_true(preview_cell_at(study.preview, matrix, 0)->ready);
    assert_close(preview_cell_at(study.preview, matrix, 0)->residual_norm, 0, 0);
    assert_close(preview_cell_at(study.preview, matrix, 0)->kept, 0, 0);
    study_end(&study);
}

static void heads_and_buffers_have_no_cells(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(2);
    struct study study = study_make(&recipe, NULL, 1);
    for (size_t l = 0; l < study.table->layer_count; l++) {
        assert_int_equal(preview_cell_at(study.preview, l, 0)->ready, is_shared(&study, l));
        if (study.table->layers[l].role == ROLE_VECTOR) {
            assert_int_equal(preview_cell_at(study.preview, l, 0)->max_rank, 0);
            assert_close(preview_cell_at(study.preview, l, 0)->kept, 1, 0);
        }
    }
    study_end(&study);
}

static void model_norms_are_the_sum_of_the_cells(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    recipe.scales[0] = 4e-3;
    struct study study = study_make(&recipe, NULL, 1);
    double nbar = 0, bound = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct preview_specialist *one = &study.preview->specialists[i];
        double energy = 0;
        for (size_t l = 0; l < study.table->layer_count; l++)
            energy += pow(preview_cell_at(study.preview, l, i)->residual_norm, 2);
        assert_close(one->residual_norm, sqrt(energy), 1e-15);
        assert_close(one->scale * one->residual_norm, study.preview->nbar, 1e-15);
        nbar += one->residual_norm / 3;
        bound += study.preview->eta * one->scale * one->residual_norm / 3;
    }
    assert_close(study.preview->nbar, nbar, 1e-15);
    assert_close(study.preview->residual_term, bound, 1e-14);
    /* eta unit: equal weights add alpha |core| in all */
    assert_close(study.preview->residual_term, 0.6 * study.preview->core_norm, 1e-14);
    study_end(&study);
}

static void matching_by_layer_evens_every_layer_out(void **state) {
    (void)state;
    static const char *const settings[] = {"norm_match=layer", NULL};
    struct model_recipe recipe = model_recipe_default(3);
    recipe.scales[2] = 6e-3;
    struct study study = study_make(&recipe, settings, 1);
    for (size_t l = 0; l < study.table->layer_count; l++)
        for (size_t i = 0; i < 3 && is_shared(&study, l); i++) {
            assert_close(preview_cell_at(study.preview, l, i)->share_after, 1.0 / 3, 1e-12);
            assert_close(study.preview->dominance[l], 0, 1e-12);
        }
    assert_close(study.preview->specialists[2].scale, 1, 0);
    assert_true(study.preview->specialists[2].share_before > 0.5);
    study_end(&study);
}

static void weights_enter_squared(void **state) {
    (void)state;
    static const char *const settings[] = {"specialists.s2.weight=2", NULL};
    struct model_recipe recipe = model_recipe_default(3);
    struct study study = study_make(&recipe, settings, 1);
    assert_close(study.preview->specialists[0].share_after, 1.0 / 6, 1e-12);
    assert_close(study.preview->specialists[1].share_after, 4.0 / 6, 1e-12);
    study_end(&study);
}

static bool has_warning(const struct preview *preview, const char *text) {
    for (size_t w = 0; w < preview->warnings.count; w++)
        if (strstr(preview->warnings.items[w], text) != NULL)
            return true;
    return false;
}

static void a_dominating_specialist_is_named(void **state) {
    (void)state;
    static const char *const unmatched[] = {"norm_match=none", NULL};
    static const char *const *const settings[] = {NULL, unmatched};
    static const char *const advice[] = {"before matching, 33 % after",
                                         "norm_match global evens it out, or lower its rank"};
    for (size_t c = 0; c < 2; c++) {
        struct model_recipe recipe = model_recipe_default(3);
        recipe.scales[1] = 2.5e-3;
        recipe.shared = 0;
        struct study study = study_make(&recipe, settings[c], 1);
        struct error error = {0};
        assert_true(plan_set(study.plan, "residual.rank.full=true", &error));
        struct real_settings real = study.config.settings.real;
        real.blend = 0; /* the mean: each keeps its own residual */
        assert_true(analysis_set_real(study.analysis, &real, &error));
        assert_true(analysis_wait(study.analysis, NULL, NULL, &error));
        preview_compute(study.preview, study.plan, study.analysis);
        assert_true(study.preview->specialists[1].share_before > 0.5);
        assert_true(has_warning(study.preview, "s2 makes "));
        assert_true(has_warning(study.preview, advice[c]));
        assert_false(has_warning(study.preview, "s1 makes "));
        study_end(&study);
    }
}

static void a_weight_of_0_that_does_not_leave_out_is_told(void **state) {
    (void)state;
    static const char *const methods[] = {"method=r2m", "method=tsv_m", "method=average"};
    static const char *const formed[] = {"s2 has weight 0 but still counts in the Real core",
                                         "s2 has weight 0 but still counts in the orthogonal",
                                         NULL};
    struct error error = {0};
    struct model_recipe recipe = model_recipe_default(3);
    struct study study = study_make(&recipe, NULL, 1);
    assert_null(plan_weight_note(study.plan, 1));
    assert_true(plan_set_weight(study.plan, 1, 0, &error));
    for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
        assert_true(plan_set(study.plan, methods[m], &error));
        preview_compute(study.preview, study.plan, study.analysis);
        assert_int_equal(has_warning(study.preview, "has weight 0"), formed[m] != NULL);
        if (formed[m] != NULL)
            assert_true(has_warning(study.preview, formed[m]));
    }
    study_end(&study);
}

static void of_two_specialists_none_is_called_dominating(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(2);
    recipe.scales[0] = 5e-3;
    struct study study = study_make(&recipe, NULL, 1);
    assert_false(has_warning(study.preview, "makes"));
    study_end(&study);
}

static void vanished_residuals_and_the_cores_warnings_are_told(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    recipe.shared = 1; /* three times the same */
    struct study study = study_make(&recipe, NULL, 1);
    for (size_t i = 0; i < 3; i++) {
        assert_true(study.preview->specialists[i].vanished);
        assert_close(study.preview->specialists[i].scale, 0, 0);
        assert_close(study.preview->specialists[i].share_after, 0, 0);
    }
    assert_true(has_warning(study.preview, "s3 has no residual beyond rounding"));
    assert_close(study.preview->eta, 0, 0);
    struct error error = {0};
    struct real_settings real = study.config.settings.real;
    real.rank = 3; /* the task vectors span one dimension only */
    assert_true(analysis_set_real(study.analysis, &real, &error));
    assert_true(analysis_wait(study.analysis, NULL, NULL, &error));
    preview_compute(study.preview, study.plan, study.analysis);
    assert_true(study.analysis->core->warnings.count > 0);
    assert_true(has_warning(study.preview, study.analysis->core->warnings.items[0]));
    study_end(&study);
}

static void computing_twice_gives_the_same(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(4);
    struct study study = study_make(&recipe, NULL, 1);
    struct preview *again = preview_create(study.table);
    preview_compute(again, study.plan, study.analysis);
    preview_compute(again, study.plan, study.analysis);
    for (size_t c = 0; c < study.table->layer_count * 4; c++) {
        assert_true(again->cells[c].contribution == study.preview->cells[c].contribution);
        assert_int_equal(again->cells[c].rank, study.preview->cells[c].rank);
    }
    assert_int_equal(again->warnings.count, study.preview->warnings.count);
    preview_free(again);
    study_end(&study);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_ready_before_the_gram_pass),
        cmocka_unit_test(cells_become_ready_one_by_one),
        cmocka_unit_test(heads_and_buffers_have_no_cells),
        cmocka_unit_test(model_norms_are_the_sum_of_the_cells),
        cmocka_unit_test(matching_by_layer_evens_every_layer_out),
        cmocka_unit_test(weights_enter_squared),
        cmocka_unit_test(a_dominating_specialist_is_named),
        cmocka_unit_test(of_two_specialists_none_is_called_dominating),
        cmocka_unit_test(a_weight_of_0_that_does_not_leave_out_is_told),
        cmocka_unit_test(vanished_residuals_and_the_cores_warnings_are_told),
        cmocka_unit_test(computing_twice_gives_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
