/* The JSON of an analysis and of a merge: exactly the keys of the interface, null where nothing is
 * known, and text that any parser takes. */
#include "merge/report.h"

#include "merge/config/document.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/study.h"
#include "tests/support.h"

/* The keys of an object, in order, joined by spaces. */
static void assert_keys(const cJSON *object, const char *expected) {
    char keys[512] = "";
    for (const cJSON *item = object->child; item != NULL; item = item->next) {
        strcat(keys, item->string);
        strcat(keys, item->next != NULL ? " " : "");
    }
    assert_string_equal(keys, expected);
}

static const cJSON *get(const cJSON *object, const char *key) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);
    assert_non_null(item);
    return item;
}

static cJSON *report_of(const struct study *study, const struct analysis *analysis, bool spectra) {
    char *text = report_json(study->plan, analysis, study->preview, spectra);
    assert_int_equal(text[strlen(text) - 1], '\n');
    cJSON *report = cJSON_Parse(text);
    assert_non_null(report);
    free(text);
    return report;
}

static void analyses_have_the_keys_of_the_interface(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    struct study study = study_make(&recipe, NULL, 1);
    for (int spectra = 0; spectra < 2; spectra++) {
        cJSON *report = report_of(&study, study.analysis, spectra);
        assert_keys(report, "r2m base match real specialists cos_task_vectors layers eta "
                            "residual_scale_nbar warnings");
        assert_string_equal(get(report, "base")->valuestring, study.model.base);
        assert_keys(get(report, "real"), "rank center eigenvalues weights core_norm mean_norm "
                                         "cos_core_mean parts");
        assert_keys(get(report, "specialists")->child,
                    "name path norm real_share residual_norm scale share_before share_after");
        const cJSON *layers = get(report, "layers");
        assert_int_equal(cJSON_GetArraySize(layers), study.table->layer_count);
        for (size_t l = 0; l < study.table->layer_count; l++) {
            const struct layer *layer = &study.table->layers[l];
            const cJSON *one = cJSON_GetArrayItem(layers, (int)l);
            assert_keys(one, "name role shape rows cols dominance specialists");
            assert_string_equal(get(one, "name")->valuestring, layer->name);
            assert_string_equal(get(one, "role")->valuestring, role_name(layer->role));
            assert_int_equal(cJSON_GetArraySize(get(one, "specialists")),
                             layer_is_shared(layer) ? 3 : 0);
            assert_int_equal(cJSON_IsNull(get(one, "dominance")), !layer_is_shared(layer));
            if (!layer_is_shared(layer))
                continue;
            const cJSON *cell = get(one, "specialists")->child;
            assert_keys(cell, spectra ? "name norm real fake cross rank max_rank kept "
                                        "residual_norm contribution share stable_rank "
                                        "effective_rank sigma"
                                      : "name norm real fake cross rank max_rank kept "
                                        "residual_norm contribution share stable_rank "
                                        "effective_rank");
            bool is_matrix = layer->role == ROLE_MATRIX;
            assert_int_equal(cJSON_IsNull(get(cell, "stable_rank")), !is_matrix);
            if (spectra && is_matrix)
                assert_int_equal(cJSON_GetArraySize(get(cell, "sigma")), layer_max_rank(layer));
        }
        cJSON_Delete(report);
    }
    study_end(&study);
}

static void what_is_not_known_is_null(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(2);
    struct study study = study_make(&recipe, NULL, 1);
    struct analysis early = *study.analysis;
    early.spectra = NULL;
    preview_compute(study.preview, study.plan, &early);
    cJSON *report = report_of(&study, &early, true);
    assert_true(cJSON_IsNull(get(report, "eta")));
    assert_true(cJSON_IsNull(get(get(report, "specialists")->child, "scale")));
    cJSON_Delete(report);
    early.core = NULL;
    preview_compute(study.preview, study.plan, &early);
    report = report_of(&study, &early, true);
    assert_keys(report, "r2m base match eta residual_scale_nbar warnings");
    cJSON_Delete(report);
    study_end(&study);
}

static void merges_have_the_keys_of_the_interface(void **state) {
    (void)state;
    static char *sentences[] = {"tied", "missing"};
    struct string_list notes = {.items = sentences, .count = 1};
    struct string_list warnings = {.items = sentences + 1, .count = 1};
    struct merge_result result = {.tensors = 3,
                                  .bytes = 5000000000,
                                  .core_norm = 0.1,
                                  .residual_norm = 1.0 / 3,
                                  .eta = NAN,
                                  .seconds = 1.5,
                                  .sha256 = "abc"};
    char *text = report_merge_json("a\"\x1b\xff.safetensors", &result, &notes, &warnings, NULL);
    assert_null(strchr(text, '\x1b'));
    assert_null(strchr(text, '\xff'));
    cJSON *report = cJSON_Parse(text);
    assert_keys(report,
                "output tensors bytes core_norm residual_norm eta seconds sha256 notes warnings");
    assert_string_equal(get(report, "output")->valuestring, "a\"\\x1b\\xff.safetensors");
    assert_true(get(report, "bytes")->valuedouble == 5e9);
    assert_string_equal(cJSON_GetArrayItem(get(report, "notes"), 0)->valuestring, "tied");
    assert_string_equal(cJSON_GetArrayItem(get(report, "warnings"), 0)->valuestring, "missing");
    assert_true(get(report, "residual_norm")->valuedouble == 1.0 / 3);
    assert_true(cJSON_IsNull(get(report, "eta")));
    cJSON_Delete(report);
    free(text);
}

static void documents_are_laid_out(void **state) {
    (void)state;
    struct document json;
    const double numbers[] = {0.1, INFINITY, -3};
    document_begin(&json);
    document_open(&json, NULL, '{', DOCUMENT_LINES);
    document_string(&json, "text", "a\"\\\b\f\n\r\t\x01/\xc3\xa9");
    document_numbers(&json, "numbers", numbers, 3);
    document_open(&json, "empty", '[', DOCUMENT_LINES);
    document_close(&json);
    document_open(&json, "row", '{', DOCUMENT_ROW);
    document_bool(&json, "yes", true);
    document_null(&json, "nothing");
    document_string(&json, "none", NULL);
    document_close(&json);
    document_close(&json);
    char *text = document_end(&json);
    assert_string_equal(text, "{\n"
                              "  \"text\": \"a\\\"\\\\\\b\\f\\n\\r\\t\\u0001/\xc3\xa9\",\n"
                              "  \"numbers\": [0.1, null, -3],\n"
                              "  \"empty\": [],\n"
                              "  \"row\": {\"yes\": true, \"nothing\": null, \"none\": null}\n"
                              "}\n");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(analyses_have_the_keys_of_the_interface),
        cmocka_unit_test(what_is_not_known_is_null),
        cmocka_unit_test(merges_have_the_keys_of_the_interface),
        cmocka_unit_test(documents_are_laid_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
