/* Every figure of the table over extreme inputs: all texts inside the canvas and apart, legends in
 * the colours and dashes of the curves, curves through the values they stand for. */
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

enum { LONG = 200, SUBJECTS = 3 };

static char *long_name(const char *start, char filling) {
    char *name = memory_array(LONG + 1, 1);
    memset(name, filling, LONG);
    memcpy(name, start, strlen(start));
    return name;
}

static struct figure_source source_of(const struct study *study) {
    return (struct figure_source){study->analysis, study->preview, study->plan};
}

static size_t subjects(const struct study *study, enum figure_scope scope) {
    struct layer_kinds *kinds = layer_kinds_with_depth(study->table);
    const size_t counts[] = {[FIGURE_WHOLE] = 1,
                             [FIGURE_SPECIALIST] = study->table->specialist_count,
                             [FIGURE_KIND] = kinds->count,
                             [FIGURE_LAYER] = study->table->layer_count};
    layer_kinds_free(kinds);
    return counts[scope];
}

/* Calls check for the figures of the study in two sizes, for the first few subjects of each. */
static void each_figure(const struct study *study,
                        void (*check)(const struct page *page, const struct recorder *recorder)) {
    static const double sizes[][2] = {{461, 288}, {346, 230}};
    struct figure_source source = source_of(study);
    size_t count;
    const struct figure *all = figures(&count);
    for (size_t f = 0; f < count; f++) {
        size_t taken = 0;
        for (size_t s = 0; s < subjects(study, all[f].scope) && taken < SUBJECTS; s++) {
            if (all[f].scope == FIGURE_LAYER && study->table->layers[s].role != ROLE_MATRIX)
                continue;
            struct page *page = figure_page(&all[f], &source, s);
            taken++;
            for (size_t size = 0; size < 2; size++) {
                struct recorder recorder = recorder_of_page(page, sizes[size][0] * page->width,
                                                            sizes[size][1] * page->height);
                print_message("%s %zu\n", all[f].name, s);
                check(page, &recorder);
                recorder_end(&recorder);
            }
            page_free(page);
        }
    }
}

static void check_texts(const struct page *page, const struct recorder *recorder) {
    (void)page;
    recorder_check_texts(recorder);
}

static void check_layout(const struct model_recipe *recipe, const char *const *settings) {
    struct study study = study_make(recipe, settings, 2);
    each_figure(&study, check_texts);
    study_end(&study);
}

static void one_specialist(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(1);
    check_layout(&recipe, NULL);
}

static void twelve_specialists_of_long_names(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(12);
    recipe.scales[11] = 4e-3;
    struct study study = study_make(&recipe, NULL, 2);
    each_figure(&study, check_texts);
    for (size_t i = 0; i < 12; i++) {
        free(study.table->specialists[i].name);
        study.table->specialists[i].name = long_name("", (char)('a' + i));
    }
    each_figure(&study, check_texts);
    study_end(&study);
}

static void ranks_of_one(void **state) {
    static const char *const settings[] = {"residual.rank.rank=1", NULL};
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    check_layout(&recipe, settings);
}

static void spectra_of_zeros(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    recipe.scales[1] = 0;
    check_layout(&recipe, NULL);
    recipe.scales[0] = recipe.scales[2] = 0;
    check_layout(&recipe, NULL);
}

static void ten_orders_of_magnitude(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    recipe.dtype = DTYPE_F64;
    recipe.shared = 0;
    recipe.scales[0] = 1e-7;
    recipe.scales[1] = 1e-2;
    recipe.scales[2] = 1e3;
    check_layout(&recipe, NULL);
}

/* So many blocks of one small matrix. */
static void blocks(size_t count, const char *format, struct model_recipe *recipe) {
    struct model_tensor *tensors = memory_array(count, sizeof *tensors);
    for (size_t t = 0; t < count; t++) {
        char *name = memory_array(2 * LONG, 1);
        snprintf(name, 2 * LONG, format, t);
        tensors[t] = (struct model_tensor){name, IN_ALL_FILES, false, 2, {3, 4}};
    }
    recipe->tensors = tensors;
    recipe->tensor_count = count;
}

static void blocks_end(struct model_recipe *recipe) {
    for (size_t t = 0; t < recipe->tensor_count; t++)
        free((char *)recipe->tensors[t].name);
    free((struct model_tensor *)recipe->tensors);
}

static void two_thousand_layers(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(2);
    blocks(2000, "blocks.%zu.mlp.fc1.weight", &recipe);
    check_layout(&recipe, NULL);
    blocks_end(&recipe);
}

static void layers_of_long_names(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(2);
    char *format = long_name("blocks.%zu.", 'w');
    blocks(13, format, &recipe);
    check_layout(&recipe, NULL);
    blocks_end(&recipe);
    free(format);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_specialist),
        cmocka_unit_test(twelve_specialists_of_long_names),
        cmocka_unit_test(ranks_of_one),
        cmocka_unit_test(spectra_of_zeros),
        cmocka_unit_test(ten_orders_of_magnitude),
        cmocka_unit_test(two_thousand_layers),
        cmocka_unit_test(layers_of_long_names),
    };
    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
