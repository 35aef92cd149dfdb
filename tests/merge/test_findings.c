/* What is found amiss: each finding where it must appear, with its numbers, and nowhere else. */
#include "merge/findings.h"
#include "merge/layer_order.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/study.h"

/* The finding whose title begins so, or NULL. */
static const struct finding *found(const struct finding_list *list, const char *start) {
    for (size_t i = 0; i < list->count; i++)
        if (strncmp(list->items[i].what, start, strlen(start)) == 0)
            return &list->items[i];
    return NULL;
}

static struct finding_list findings_of(const struct study *study) {
    return findings_make(study->plan, study->analysis, study->preview);
}

static const char *remedy_of(const struct study *study) {
    const struct remedy *remedy = findings_remedy(study->plan, study->analysis, study->preview);
    return remedy != NULL ? remedy->assignment : "";
}

static void collapsed_core_is_named_with_its_remedy(void **state) {
    static const char *const centred[] = {"real.center=true", NULL};
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    struct study study = study_make(&recipe, centred, 1), plain = study_make(&recipe, NULL, 1);
    struct finding_list list = findings_of(&study), none = findings_of(&plain);
    assert_true(study.analysis->core->core_mean_ratio < 0.05);
    assert_non_null(found(&list, "The Real core has collapsed"));
    assert_string_equal(remedy_of(&study), "real.center=false");
    assert_null(found(&none, "The Real core has collapsed"));
    assert_string_equal(remedy_of(&plain), ""); /* ranks are nobody's but the user's */
    findings_free(&none);
    findings_free(&list);
    study_end(&plain);
    study_end(&study);
}

static void large_specialist_owns_the_core_and_dominates(void **state) {
    static const char *const unmatched[] = {"norm_match=none", NULL};
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    recipe.scales[1] = 10 * recipe.scales[0];
    struct study study = study_make(&recipe, unmatched, 1);
    struct finding_list list = findings_of(&study);
    const struct finding *core = found(&list, "The Real core is mostly s2");
    assert_non_null(core);
    assert_string_equal(core->remedy->assignment, "real.normalize=true");
    assert_ptr_equal(findings_remedy(study.plan, study.analysis, study.preview), core->remedy);
    findings_free(&list);
    study_end(&study);
}

static void dominating_specialist_is_named(void **state) {
    static const char *const unmatched[] = {"norm_match=none", NULL};
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    recipe.scales[1] = 3 * recipe.scales[0];
    struct study study = study_make(&recipe, unmatched, 1);
    struct finding_list list = findings_of(&study);
    const struct finding *finding = found(&list, "s2 dominates the residuals");
    assert_true(study.preview->specialists[1].share_before > 0.5);
    assert_non_null(finding);
    assert_string_equal(finding->remedy->assignment, "norm_match=global");
    assert_null(found(&list, "s1 dominates"));
    findings_free(&list);
    study_end(&study);
}

static void dropped_and_unchanged_layers_are_told_apart(void **state) {
    static const char *const none[] = {"residual.rank.zero=true", NULL};
    (void)state;
    struct model_recipe recipe = model_recipe_default(2);
    struct study dropped = study_make(&recipe, none, 1);
    struct finding_list list = findings_of(&dropped);
    assert_non_null(found(&list, "Only the Real core acts in"));
    assert_null(strstr(list.items[list.count - 1].what, "unchanged"));
    findings_free(&list);
    study_end(&dropped);
    recipe.scales[0] = recipe.scales[1] = 0;
    struct study unchanged = study_make(&recipe, NULL, 1);
    list = findings_of(&unchanged);
    size_t shared = 0;
    for (size_t l = 0; l < unchanged.table->layer_count; l++)
        shared += layer_is_shared(&unchanged.table->layers[l]);
    assert_int_equal(strtoul(list.items[list.count - 1].what, NULL, 10), shared);
    assert_null(found(&list, "Only the Real core acts in"));
    findings_free(&list);
    study_end(&unchanged);
}

/* ---- noise edges: a signal of SIGNAL directions on noise ---- */

enum { SIDE = 48, SIGNAL = 6 };

static double uniform(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (double)(*state >> 11) * 0x1p-53 - 0.5;
}

static void fill(float matrix[SIDE][SIDE], uint64_t seed) {
    double left[SIGNAL][SIDE], right[SIGNAL][SIDE];
    for (size_t k = 0; k < SIGNAL; k++)
        for (size_t i = 0; i < SIDE; i++) {
            left[k][i] = uniform(&seed);
            right[k][i] = uniform(&seed);
        }
    for (size_t i = 0; i < SIDE; i++)
        for (size_t j = 0; j < SIDE; j++) {
            double value = 0.24 * uniform(&seed);
            for (size_t k = 0; k < SIGNAL; k++)
                value += left[k][i] * right[k][j];
            matrix[i][j] = (float)value;
        }
}

static struct model noisy_model(void) {
    static float values[SIDE][SIDE];
    static const char *const names[] = {"base.safetensors", "s1.safetensors", "s2.safetensors"};
    struct model model = {.scratch = scratch_make(), .recipe = {.specialist_count = 2}};
    model.values = memory_array(1, sizeof *model.values);
    for (uint64_t file = 0; file < 3; file++) {
        struct file_tensor tensor = {"layer.weight", DTYPE_F32, 2, {SIDE, SIDE}, values};
        memset(values, 0, sizeof values);
        if (file > 0)
            fill(values, file);
        char *path = file_of_tensors(&model.scratch, names[file], &tensor, 1);
        if (file == 0)
            model.base = path;
        else
            model.files[file - 1].path = path;
    }
    return model;
}

/* The same settings for three ranks: below the signal, at it, far above it. */
static void cuts_are_held_against_the_noise_edges(void **state) {
    static const struct {
        const char *rank;
        bool cut, noise;
    } cases[] = {{"residual.rank.rank=1", true, false},
                 {"residual.rank.rank=12", false, false},
                 {"residual.rank.full=true", false, true}};
    (void)state;
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        const char *const settings[] = {cases[c].rank, "real.blend=0", NULL};
        struct study study = study_of(noisy_model(), settings, 1);
        struct finding_list list = findings_of(&study);
        const struct finding *cut = found(&list, "Ranks cut into signal in 2 of 2 residuals");
        assert_true((cut != NULL) == cases[c].cut);
        assert_string_equal(remedy_of(&study), "");
        if (cut != NULL) { /* the difference of two signals: nearly all their directions */
            const char *count = strstr(cut->text, "keeps rank 1, ");
            assert_non_null(count);
            assert_in_range(strtoul(count + strlen("keeps rank 1, "), NULL, 10), SIGNAL,
                            2 * SIGNAL);
        }
        assert_true((found(&list, "Noise is kept in 2 of 2") != NULL) == cases[c].noise);
        findings_free(&list);
        study_end(&study);
    }
}

static void layers_are_put_in_order(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    recipe.scales[2] = 4e-3;
    struct study study = study_make(&recipe, NULL, 1);
    size_t layers[64], count = layers_most_dominated(study.table, study.preview, layers, 64);
    for (size_t k = 0; k < count; k++) {
        const struct preview_cell *leader =
            preview_cell_at(study.preview, layers[k], layer_leader(study.preview, layers[k]));
        assert_true(k == 0 ||
                    study.preview->dominance[layers[k - 1]] >= study.preview->dominance[layers[k]]);
        for (size_t i = 0; i < 3; i++)
            assert_true(preview_cell_at(study.preview, layers[k], i)->share_after <=
                        leader->share_after);
    }
    assert_int_equal(count, study.table->matrix_count);
    size_t few[2], least = layers_least_kept(study.table, study.preview, few, 2);
    assert_int_equal(least, 2);
    for (size_t k = 0; k < count; k++)
        assert_true(layer_kept(study.preview, layers[k]) >= layer_kept(study.preview, few[0]));
    study_end(&study);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collapsed_core_is_named_with_its_remedy),
        cmocka_unit_test(large_specialist_owns_the_core_and_dominates),
        cmocka_unit_test(dominating_specialist_is_named),
        cmocka_unit_test(dropped_and_unchanged_layers_are_told_apart),
        cmocka_unit_test(cuts_are_held_against_the_noise_edges),
        cmocka_unit_test(layers_are_put_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
