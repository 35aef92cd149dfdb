/* What evaluations print, and the numbers in it. */
#include "merge/evaluation/metrics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

/* expected: "name=value name=value", in order; or the word that the error holds, after '!'. */
static const struct {
    const char *text, *expected;
} outputs[] = {
    {"{\"auc\": 0.9}", "auc=0.9"},
    {"loading\n{\"auc\": 0.5}\nepoch 2\n{\"auc\": 0.75, \"n\": 3}\ndone\n", "auc=0.75 n=3"},
    {"{\"fs\": {\"auc\": 0.9, \"name\": \"x\"}, \"ok\": true}", "fs.auc=0.9"},
    {"[{\"auc\": 1}]", "auc=1"},
    {"{not json} {\"a\": 2} {}", "a=2"},
    {"auc: 0.9\n", "auc=0.9"},
    {"  auc = 0.9\r\nloss=1e-3\nauc: 0.8", "auc=0.8 loss=0.001"},
    {"video AUC: 95\nEER: 4.5,", "video AUC=95 EER=4.5"},
    {"12:30:01 started\nauc: 0.25", "auc=0.25"},
    {"dataset: Celeb-DF-v2\nacc: 0.8\nauc: 0.9\npred: [0.1 0.2\n 0.3]\ndataset: DFDC\nauc: 0.7\n"
     "===> Test Done!\n",
     "Celeb-DF-v2.acc=0.8 Celeb-DF-v2.auc=0.9 DFDC.auc=0.7"},
    {"", "!no metric"},
    {"all went well\nurl: http://x/1\n", "!no metric"},
    {"{\"name\": \"x\"}", "!no metric"},
    {"{\"auc\": NaN}", "!not a number"},
    {"{\"auc\": -Infinity}", "!not a number"},
    {"auc: nan\n", "!auc"},
    {"loss = inf", "!loss"},
    {"auc: 0.9\nloss: nan", "!loss"},
    {"{\"auc\": 1e999}", "!not a number"},
};

static void check(const char *text, const char *expected) {
    struct metrics metrics = {0};
    struct error error = {0};
    bool good = metrics_parse(text, strlen(text), &metrics, &error);
    if (expected[0] == '!') {
        assert_false(good);
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_non_null(strstr(error.message, expected + 1));
        assert_int_equal(metrics.count, 0);
    } else {
        char found[256] = "";
        assert_true(good);
        for (size_t i = 0; i < metrics.count; i++)
            snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s=%.15g",
                     i > 0 ? " " : "", metrics.items[i].name, metrics.items[i].value);
        assert_string_equal(found, expected);
    }
    metrics_free(&metrics);
    error_free(&error);
}

static void every_form_of_output(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++)
        check(outputs[i].text, outputs[i].expected);
}

static void any_bytes_are_text(void **state) {
    (void)state;
    static const char bytes[] = "\0\xff{\"a\0\": 1}\0auc: 0.5\n\xc3\x28";
    struct metrics metrics = {0};
    struct error error = {0};
    metrics_parse(bytes, sizeof bytes - 1, &metrics, &error);
    for (size_t i = 0; i < metrics.count; i++)
        assert_true(isfinite(metrics.items[i].value));
    metrics_free(&metrics);
    error_free(&error);
}

static void a_name_has_one_value(void **state) {
    (void)state;
    struct metrics metrics = {0};
    metrics_set(&metrics, "auc", 0.5);
    metrics_set(&metrics, "eer", 0.1);
    metrics_set(&metrics, "auc", 0.75);
    assert_int_equal(metrics.count, 2);
    assert_close(metrics_find(&metrics, "auc")->value, 0.75, 0);
    assert_null(metrics_find(&metrics, "acc"));
    metrics_free(&metrics);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_of_output),
        cmocka_unit_test(any_bytes_are_text),
        cmocka_unit_test(a_name_has_one_value),
    };
    return cmocka_run_group_tests_name("metrics", tests, NULL, NULL);
}
