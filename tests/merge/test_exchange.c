/* The authors' YAML: what its fields mean, what is refused and where, and that it comes back. */
#include "merge/exchange/authors.h"
#include "merge/exchange/yaml_tree.h"
#include "merge/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

/* As published, but for the hub's name of the base. */
static const char published[] = "exp_name: openai/clip-vit-large-patch14-R2M\n"
                                "model: base.safetensors\n"
                                "pretrained_model: openai\n"
                                "data_location: ./\n"
                                "weight_root: ./models/task3/\n"
                                "save: ./models/merged/\n"
                                "\n"
                                "tasks: [fs_k8, fr_k8, efs_k8]\n"
                                "merge_type: static\n"
                                "merge_method: CORE    # CORE | CART | AVG\n"
                                "prior: 0.5            \n"
                                "initial_rank_ratio: 0.2   \n"
                                "real_rank_ratio: 2        \n"
                                "real_blend_beta: 0.75     \n"
                                "eta_norm_alpha: 0.4       \n"
                                "lambda_cosine: false      \n"
                                "device: auto\n"
                                "test_dataset: [Celeb-DF-v2, FaceShifter]\n"
                                "std:  [0.5, 0.5, 0.5]\n";

static struct config parsed(const char *text) {
    struct config config;
    struct error error = {0};
    if (!authors_parse(text, "a.yaml", "there", &config, &error))
        fail_msg("%s", error.message);
    return config;
}

static void the_published_file_is_understood(void **state) {
    (void)state;
    struct config config = parsed(published);
    assert_string_equal(config.base, "there/base.safetensors");
    assert_int_equal(config.specialist_count, 3);
    assert_string_equal(config.specialists[1].name, "fr_k8");
    assert_string_equal(config.specialists[1].path, "there/./models/task3/fr_k8.pth");
    assert_int_equal(config.settings.method, METHOD_R2M);
    assert_int_equal(config.settings.real.rank, 2);
    assert_close(config.settings.real.blend, 0.75, 0);
    assert_close(config.settings.alpha, 0.4, 0);
    assert_true(rank_rule_equal(config.rank, (struct rank_rule){RANK_RATIO, 0.2}));
    config_free(&config);
}

/* Each method's factor is prior; alpha follows it where eta_norm_alpha is not given. */
static void prior_goes_to_the_method(void **state) {
    (void)state;
    struct config core = parsed("tasks: [a]\nprior: 0.25\nreal_rank_ratio: 5\n");
    assert_close(core.settings.alpha, 0.25, 0);
    assert_int_equal(core.settings.real.rank, 1); /* the number of tasks */
    assert_null(core.base);
    struct config cart =
        parsed("tasks: [a]\nprior: 1.5\ninitial_rank_ratio: 0.16\nmerge_method: CART\n");
    assert_int_equal(cart.settings.method, METHOD_CART);
    assert_close(cart.settings.cart.lambda, 1.5, 0);
    assert_close(cart.settings.cart.ratio, 0.16, 0);
    struct config sum = parsed("merge_method: TA\nprior: 0.7\ntasks: [x/a, y/b]\n");
    assert_close(sum.settings.task_arithmetic.lambda, 0.7, 0);
    assert_string_equal(sum.specialists[1].name, "b");
    assert_string_equal(sum.specialists[1].path, "there/y/b.pth");
    config_free(&core);
    config_free(&cart);
    config_free(&sum);
}

static void problems_name_line_and_field(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"tasks: [a]\nreal_blend_bta: 1\n",
         "a.yaml: line 2: real_blend_bta: unknown field, did you mean real_blend_beta?; known are"},
        {"tasks: [a]\n<<: {a: 1}\n", "a.yaml: line 2: <<: unknown field"},
        {"tasks: a\n", "a.yaml: line 1: tasks: wrong type; allowed is a list of texts"},
        {"tasks: []\n", "a.yaml: line 1: tasks: wrong type"},
        {"tasks:\n - a\n - [b]\n", "a.yaml: line 3: tasks: wrong type"},
        {"model: x\n", "a.yaml: tasks: missing"},
        {"tasks: [a]\neta_norm_alpha: '0.6'\n", "line 2: eta_norm_alpha: allowed is a number from"},
        {"tasks: [a]\neta_norm_alpha: .nan\n", "line 2: eta_norm_alpha: allowed is a number from"},
        {"tasks: [a]\nreal_rank_ratio: 0.5\n",
         "line 2: real_rank_ratio: allowed is a whole number"},
        {"tasks: [a]\ninitial_rank_ratio: 1.1\n", "initial_rank_ratio: allowed is a number from 0"},
        {"tasks: [a]\nreal_blend_beta: [1]\n", "line 2: real_blend_beta: allowed is a number"},
        {"tasks: [a]\nmerge_method: core\n", "merge_method: allowed is one of CORE, CART, AVG"},
        {"tasks: [a]\nmodel: {a: b}\n", "line 2: model: wrong type; allowed is a text"},
        {"tasks: &x [a]\nstd: *x\n", "a.yaml: line 2: an alias (*NAME) is not allowed"},
        {"tasks: [a]\nprior: 1\ntasks: [b]\n", "a.yaml: line 3: tasks: given on line 1 already"},
        {"tasks: !!python/name:os.system [a]\n", "a.yaml: line 1: a tag (!NAME) is not allowed"},
        {"tasks: [a]\n---\ntasks: [b]\n", "line 2: a second document is not allowed"},
        {"tasks: [a]\n? [b]\n: c\n", "line 2: a key has to be a text"},
        {"tasks:\n\t- a\n", "a.yaml: line 2: "},
        {"tasks: [a\n", "a.yaml: line 2: "},
        {"tasks: [\"a\\0b\"]\n", "line 1: a text holds the NUL character"},
        {"tasks: [\xff\xfe]\n", "a.yaml: byte 8: "},
        {"\x01\x02", "a.yaml: byte 0: "},
        {"- tasks\n", "a.yaml: not a mapping"},
        {"text\n", "a.yaml: not a mapping"},
        {"", "a.yaml: tasks: missing"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct error error = {0};
        assert_false(authors_parse(cases[i].text, "a.yaml", NULL, &config, &error));
        assert_int_equal(error.kind, ERROR_USAGE);
        if (strstr(error.message, cases[i].says) == NULL)
            fail_msg("%s\nis not in: %s", cases[i].says, error.message);
        error_free(&error);
    }
}

static void all_problems_are_listed(void **state) {
    (void)state;
    struct config config;
    struct error error = {0};
    assert_false(authors_parse("a: 1\nb: 2\nprior: x\n", "a.yaml", NULL, &config, &error));
    size_t lines = 1;
    for (const char *at = error.message; *at != '\0'; at++)
        lines += *at == '\n';
    assert_int_equal(lines, 4); /* prior, a, b, tasks */
    error_free(&error);
}

/* What would take memory or the stack is refused before it does. */
static void hostile_files_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *start, *part, *says;
    } cases[] = {{"tasks: ", "[", "nested too deeply"},
                 {"tasks: ", "{a: ", "nested too deeply"},
                 {"tasks: [", "a, ", "too many values"},
                 {"", "- a\n", "too many values"}};
    enum { PARTS = 20000 };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t start = strlen(cases[i].start), part = strlen(cases[i].part);
        char *text = calloc(start + PARTS * part + 1, 1);
        memcpy(text, cases[i].start, start);
        for (size_t p = 0; p < PARTS; p++)
            memcpy(text + start + p * part, cases[i].part, part);
        struct yaml_value root;
        struct error error = {0};
        assert_false(yaml_tree_parse(text, "a.yaml", &root, &error));
        assert_non_null(strstr(error.message, cases[i].says));
        error_free(&error);
        free(text);
    }
}

static char *written(const struct config *config, struct string_list *lost) {
    struct error error = {0};
    char *text = authors_text(config, "there", lost, &error);
    if (text == NULL)
        fail_msg("%s", error.message);
    return text;
}

static void a_file_comes_back(void **state) {
    (void)state;
    static const char *const texts[] = {
        published, "tasks: ['1', 'true', \"a b\", 'x: y', '#z', \"\\u00e9\"]\nmodel: 'null'\n",
        "tasks: [a, b]\nmodel: m\nmerge_method: CART\nprior: 1.25\ninitial_rank_ratio: 0.32\n",
        "tasks: [a, b]\nmodel: m\nmerge_method: TM\nprior: 0.1\n",
        "tasks: [a, b]\nmodel: m\nmerge_method: AVG\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct string_list lost = {0};
        struct config first = parsed(texts[i]);
        char *text = written(&first, &lost);
        struct config second = parsed(text);
        char *again = written(&second, &lost);
        assert_string_equal(text, again);
        assert_int_equal(first.specialist_count, second.specialist_count);
        for (size_t s = 0; s < first.specialist_count; s++)
            assert_string_equal(first.specialists[s].name, second.specialists[s].name);
        assert_memory_equal(&first.settings, &second.settings, sizeof first.settings);
        assert_true(rank_rule_equal(first.rank, second.rank));
        free(text);
        free(again);
        string_list_free(&lost);
        config_free(&first);
        config_free(&second);
    }
}

static void what_is_lost_is_said(void **state) {
    (void)state;
    static const char *const assignments[] = {"real.center=true",   "norm_match=layer",
                                              "residual.rank=e90",  "specialists.b.weight=2",
                                              "keys.exclude=pos.*", "eta=script"};
    static const char *const said[] = {"has no real.center (here true)",
                                       "has no norm_match (here layer)",
                                       "rank rule e90 is left out",
                                       "has no weights: c counts like the others",
                                       "has no keys.exclude",
                                       "2 overrides are left out",
                                       "c becomes b.v2",
                                       "looks for b.v2.pth, not b.v2.pt"};
    struct error error = {0};
    struct string_list lost = {0};
    struct config config = parsed("tasks: [a, b]\nmodel: m\n");
    free(config.specialists[1].path);
    config.specialists[1].path = memory_string("there/b.v2.pt");
    for (size_t i = 0; i < sizeof assignments / sizeof *assignments; i++)
        assert_true(config_set(&config, assignments[i], &error));
    free(config.specialists[1].name);
    config.specialists[1].name = memory_string("c");
    config_add_override(&config, "*", NULL, (struct rank_rule){RANK_FULL, 0});
    config_add_override(&config, "*", "a", (struct rank_rule){RANK_ZERO, 0});
    free(written(&config, &lost));
    char *all = names_join((const char *const *)lost.items, lost.count);
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (strstr(all, said[i]) == NULL)
            fail_msg("%s\nis not in: %s", said[i], all);
    assert_int_equal(lost.count, sizeof said / sizeof *said);
    free(all);
    string_list_free(&lost);
    config_free(&config);
}

static void a_method_without_a_name_there_is_an_error(void **state) {
    (void)state;
    struct error error = {0};
    struct string_list lost = {0};
    struct config config = parsed("tasks: [a]\nmodel: m\n");
    config.settings.method = METHOD_TSV_M;
    assert_null(authors_text(&config, NULL, &lost, &error));
    assert_int_equal(error.kind, ERROR_USAGE);
    assert_non_null(strstr(error.message, "CORE, CART, AVG, TA, TM"));
    error_free(&error);
    config_free(&config);
}

static void files_are_told_by_name_and_content(void **state) {
    (void)state;
    assert_true(authors_recognise("a.yaml", ""));
    assert_true(authors_recognise("x/a.yml", "model: x\n"));
    assert_true(authors_recognise("a", "# text\nweight_root: x\n"));
    assert_true(authors_recognise("a.cfg", "tasks: [a]\n"));
    assert_false(authors_recognise("a.json", "{ \"tasks:\": 1 }"));
    assert_false(authors_recognise("a.yaml", "  { \"r2m\": 1 }"));
    assert_false(authors_recognise("a", "subtasks: 1\n"));
    assert_false(authors_recognise(".yaml", ""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_file_is_understood),
        cmocka_unit_test(prior_goes_to_the_method),
        cmocka_unit_test(problems_name_line_and_field),
        cmocka_unit_test(all_problems_are_listed),
        cmocka_unit_test(hostile_files_are_refused),
        cmocka_unit_test(a_file_comes_back),
        cmocka_unit_test(what_is_lost_is_said),
        cmocka_unit_test(a_method_without_a_name_there_is_an_error),
        cmocka_unit_test(files_are_told_by_name_and_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
