/* The config: what is read, what is refused and how, texts that read back, paths, --set, presets.
 */
#include "merge/config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILES "\"r2m\": 1, \"base\": \"b.safetensors\", \"specialists\": [{\"path\": \"s.pth\"}]"

static const char full[] =
    "{ \"r2m\": 1, \"method\": \"r2m\", \"base\": \"base.safetensors\",\n"
    "  \"specialists\": [ {\"name\": \"fs\", \"path\": \"/abs/fs.pth\", \"weight\": 2.5},\n"
    "                   {\"path\": \"sub/fr.v2.pth\"}, {\"path\": \"other/fr.v2.pth\"} ],\n"
    "  \"keys\": {\"strip_prefix\": [\"module.\"], \"rename\": [\"a.=b.\"], \"exclude\": "
    "[\"x*\"],\n"
    "            \"head\": []},\n"
    "  \"real\": {\"rank\": 2, \"center\": true, \"normalize\": true, \"block_norm\": \"fro\",\n"
    "           \"blend\": 0.3333333333333333, \"tensors\": \"script\", \"gamma_twice\": true},\n"
    "  \"residual\": {\"against\": \"projection\", \"rank\": {\"energy\": 0.95},\n"
    "     \"overrides\": [ {\"layer\": \"blocks.3.*\", \"specialist\": \"fs\", \"rank\": {\"gd\": "
    "true}},\n"
    "                    {\"layer\": \"x\\\"\\u00e9\", \"rank\": {\"rank\": 7}} ]},\n"
    "  \"norm_match\": \"layer\", \"eta\": \"script\", \"alpha\": 0.1, \"core_scale\": -1.5,\n"
    "  \"output\": {\"dtype\": \"f16\", \"shard_bytes\": 5000000000} }\n";

static void parse(const char *json, const char *folder, struct config *config) {
    struct error error = {0};
    if (!config_parse(json, "c.json", folder, config, &error))
        fail_msg("%s", error.message);
}

static void every_field_is_read(void **state) {
    (void)state;
    struct config c;
    parse(full, "dir", &c);
    assert_string_equal(c.base, "dir/base.safetensors");
    assert_int_equal(c.specialist_count, 3);
    assert_string_equal(c.specialists[0].path, "/abs/fs.pth");
    assert_true(c.specialists[0].weight == 2.5 && c.specialists[1].weight == 1);
    assert_string_equal(c.specialists[1].path, "dir/sub/fr.v2.pth");
    assert_string_equal(c.specialists[1].name, "fr.v2");
    assert_string_equal(c.specialists[2].name, "fr.v2-2");
    assert_string_equal(c.keys.strip_prefix.items[0], "module.");
    assert_string_equal(c.keys.rename.items[0], "a.=b.");
    assert_string_equal(c.keys.exclude.items[0], "x*");
    assert_int_equal(c.keys.head.count, 0);
    assert_int_equal(c.settings.real.rank, 2);
    assert_true(c.settings.real.blend == 1.0 / 3);
    assert_int_equal(c.settings.real.against, AGAINST_PROJECTION);
    assert_true(rank_rule_equal(c.rank, (struct rank_rule){RANK_ENERGY, 0.95}));
    assert_int_equal(c.override_count, 2);
    assert_string_equal(c.overrides[0].specialist, "fs");
    assert_true(rank_rule_equal(c.overrides[0].rule, (struct rank_rule){RANK_GD, 0}));
    assert_string_equal(c.overrides[1].layer, "x\"\xc3\xa9");
    assert_null(c.overrides[1].specialist);
    assert_int_equal(c.settings.output_dtype, OUTPUT_F16);
    assert_true(c.settings.shard_bytes == 5000000000u);
    config_free(&c);
}

static void missing_fields_are_defaults(void **state) {
    (void)state;
    struct config c, d;
    parse("{" FILES "}", NULL, &c);
    config_init(&d);
    assert_memory_equal(&c.settings, &d.settings, sizeof c.settings);
    assert_true(rank_rule_equal(c.rank, (struct rank_rule){RANK_RATIO, 0.1}));
    assert_int_equal(c.keys.head.count, 2);
    assert_string_equal(c.specialists[0].name, "s");
    config_free(&c);
    config_free(&d);
}

static void text_reads_back_byte_for_byte(void **state) {
    (void)state;
    struct config one, two;
    parse(full, NULL, &one);
    char *text = config_text(&one, NULL);
    parse(text, NULL, &two);
    char *again = config_text(&two, NULL);
    assert_string_equal(text, again);
    assert_non_null(strstr(text, "\n  \"alpha\": 0.1,\n"));
    assert_memory_equal(&one.settings, &two.settings, sizeof one.settings);
    struct config copy;
    config_copy(&copy, &two);
    char *copied = config_text(&copy, NULL);
    assert_string_equal(text, copied);
    free(text);
    free(again);
    free(copied);
    config_free(&one);
    config_free(&two);
    config_free(&copy);
}

static void refuse(const char *json, const char *message) {
    struct config config;
    struct error error = {0};
    if (config_parse(json, "c.json", NULL, &config, &error))
        fail_msg("accepted: %s", json);
    assert_int_equal(error.kind, ERROR_USAGE);
    if (strstr(error.message, message) == NULL)
        fail_msg("%s\nlacks: %s", error.message, message);
    assert_null(config.base);
    error_free(&error);
}

static void wrong_fields_are_named(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"\"alhpa\": 1", "c.json: alhpa: unknown field, did you mean alpha?"},
        {"\"real\": {\"rnak\": 1}", "c.json: real.rnak: unknown field, did you mean rank?"},
        {"\"real\": {\"x.y\": 1}", "allowed is one of rank, center, normalize, block_norm, blend, "
                                   "tensors, gamma_twice"},
        {"\"real.rank\": 1", "c.json: real.rank: unknown field"},
        {"\"specialists[].name\": \"x\"", "c.json: specialists[].name: unknown field"},
        {"\"keys\": {\"heads\": []}", "c.json: keys.heads: unknown field, did you mean head?"},
        {"\"residual\": {\"ranks\": {}}", "c.json: residual.ranks: unknown field"},
        {"\"output\": {\"type\": 1}", "allowed is one of dtype, names, shard_bytes"},
        {"\"real\": {\"against\": \"core\"}", "c.json: real.against: unknown field"},
        {"\"residual\": {\"overrides\": [{\"layers\": \"a\"}]}",
         "c.json: residual.overrides[0].layers: unknown field, did you mean layer?"},
        {"\"\\u001b[2J\": 1", "c.json: \\x1b[2J: unknown field"},
        {"\"alpha\": \"0.6\"", "c.json: alpha: wrong type; allowed is a number from 0 to 10"},
        {"\"alpha\": null", "c.json: alpha: wrong type"},
        {"\"alpha\": 1e999", "c.json: alpha: inf is not allowed"},
        {"\"alpha\": 11", "c.json: alpha: 11 is not allowed; allowed is a number from 0 to 10"},
        {"\"eta\": 1", "c.json: eta: wrong type; allowed is one of unit, script, absolute"},
        {"\"eta\": \"units\"", "c.json: eta: units is not allowed"},
        {"\"method\": \"tie\"",
         "c.json: method: tie is not allowed; allowed is one of r2m, average"},
        {"\"real\": {\"center\": 1}", "c.json: real.center: wrong type; allowed is true or false"},
        {"\"real\": {\"rank\": 1.5}", "c.json: real.rank: 1.5 is not allowed"},
        {"\"real\": []", "c.json: real: wrong type; allowed is an object"},
        {"\"keys\": {\"head\": \"x\"}",
         "c.json: keys.head: wrong type; allowed is a list of texts"},
        {"\"keys\": {\"head\": [1]}", "c.json: keys.head[0]: wrong type; allowed is a text"},
        {"\"keys\": {\"rename\": [\"ok=\", \"ab\"]}", "c.json: keys.rename[1]: allowed is FROM=TO"},
        {"\"residual\": {\"rank\": 32}", "c.json: residual.rank: allowed is exactly one of"},
        {"\"residual\": {\"rank\": {}}", "c.json: residual.rank: allowed is exactly one of"},
        {"\"residual\": {\"rank\": {\"gd\": true, \"mp\": true}}", "allowed is exactly one of"},
        {"\"residual\": {\"rank\": {\"gd\": 1}}", "c.json: residual.rank.gd: allowed is only true"},
        {"\"residual\": {\"rank\": {\"gd\": false}}", "residual.rank.gd: allowed is only true"},
        {"\"residual\": {\"rank\": {\"ratio\": true}}", "residual.rank.ratio: allowed is a number"},
        {"\"residual\": {\"rank\": {\"ratio\": 2}}", "residual.rank.ratio: allowed is a number"},
        {"\"residual\": {\"rank\": {\"svd\": 2}}", "residual.rank: unknown rule \"svd\""},
        {"\"residual\": {\"overrides\": {}}", "residual.overrides: wrong type"},
        {"\"residual\": {\"overrides\": [1]}", "residual.overrides[0]: wrong type"},
        {"\"residual\": {\"overrides\": [{\"layer\": \"a\"}]}",
         "c.json: residual.overrides[0].rank: missing"},
        {"\"residual\": {\"overrides\": [{\"rank\": {\"rank\": 1}}]}",
         "c.json: residual.overrides[0].layer: missing"},
        {"\"residual\": {\"overrides\": [{\"layer\": \"a\", \"specialist\": \"q\", \"rank\": "
         "{\"rank\": 1}}]}",
         "c.json: residual.overrides[0].specialist: \"q\" is unknown; there are s"},
        {"\"alpha\": 1, \"alpha\": 1", "c.json: alpha: given more than once"},
        {"\"real\": {\"rank\": 1, \"rank\": 2}", "c.json: real.rank: given more than once"},
        {"\"base\": \"c\"", "c.json: base: given more than once"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[512];
        snprintf(json, sizeof json, "{" FILES ", %s}", cases[i][0]);
        refuse(json, cases[i][1]);
    }
}

static void wrong_documents_are_refused(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"", "c.json: line 1: not valid JSON"},
        {"{" FILES "} x", "not valid JSON"},
        {"{" FILES ",}", "not valid JSON"},
        {"{\n  \"r2m\": 1,\n  oops\n}", "c.json: line 3: not valid JSON"},
        {"{\n\"r2m\": \"\xff\"}", "c.json: line 2: not valid UTF-8"},
        {"[]", "c.json: the file: wrong type; allowed is an object"},
        {"{}", "c.json: r2m: missing\nc.json: base: missing\nc.json: specialists: missing"},
        {"{\"r2m\": 2, \"base\": \"b\", \"specialists\": []}", "configs of version 1"},
        {"{\"r2m\": true, \"base\": \"b\", \"specialists\": []}", "configs of version 1"},
        {"{\"r2m\": 1, \"base\": \"b\", \"specialists\": []}", "0 given; allowed is 1 to 64"},
        {"{\"r2m\": 1, \"base\": 1, \"specialists\": [{\"path\": \"s\"}]}",
         "c.json: base: allowed is a text that is not empty"},
        {"{\"r2m\": 1, \"base\": \"\", \"specialists\": [{\"path\": \"s\"}]}", "c.json: base: "},
        {"{\"r2m\": 1, \"base\": \"a\\u0000b\", \"specialists\": [{\"path\": \"s\"}]}",
         "NUL character"},
        {"{\"r2m\": 1, \"base\": \"b\", \"specialists\": [{}]}",
         "c.json: specialists[0].path: missing"},
        {"{\"r2m\": 1, \"base\": \"b\", \"specialists\": [\"s\"]}",
         "c.json: specialists[0]: wrong type; allowed is an object"},
        {"{\"r2m\": 1, \"base\": \"b\", \"specialists\": [{\"path\": \"s\", \"weight\": 0}]}",
         "c.json: specialists: all weights are 0"},
        {"{\"r2m\": 1, \"base\": \"b\", \"specialists\": [{\"path\": \"s\", \"weight\": -1}]}",
         "c.json: specialists[0].weight: allowed is a number from 0"},
        {"{\"r2m\": 1, \"base\": \"b\", \"specialists\": [{\"path\": \"s\", \"name\": \"a\\nb\"}]}",
         "c.json: specialists[0].name: empty, not UTF-8 or with control characters"},
        {"{\"r2m\": 1, \"base\": \"b\", \"specialists\": [{\"path\": \"s\", \"name\": \"x\"}, "
         "{\"path\": \"t\", \"name\": \"x\"}]}",
         "c.json: specialists[1].name: \"x\" is taken"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(cases[i][0], cases[i][1]);
}

static void all_problems_are_listed(void **state) {
    (void)state;
    const char *json =
        "{" FILES ", \"alpha\": 99, \"etta\": 1, \"real\": {\"rank\": 0, \"blend\": 2}}";
    refuse(json, "c.json: alpha:");
    refuse(json, "\nc.json: etta:");
    refuse(json, "\nc.json: real.rank:");
    refuse(json, "\nc.json: real.blend:");
}

static void deep_nesting_is_an_error_not_a_crash(void **state) {
    (void)state;
    char *json = malloc(200001);
    memset(json, '[', 200000);
    json[200000] = '\0';
    refuse(json, "not valid JSON");
    free(json);
}

static char *make_folder(void) {
    const char *parent = getenv("TMPDIR");
    char *folder = memory_format("%s/r2m-config-XXXXXX", parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(folder));
    return folder;
}

/* FOLDER/models/{b,s}.safetensors, a config in FOLDER/models, in FOLDER and in FOLDER/runs. */
static void paths_follow_the_config_file(void **state) {
    (void)state;
    static const struct {
        const char *config, *base;
    } cases[] = {{"models/c.json", "\"base\": \"b.safetensors\""},
                 {"c.json", "\"base\": \"models/b.safetensors\""},
                 {"runs/c.json", "\"base\": \"../models/b.safetensors\""}};
    struct error error = {0};
    struct config config, back;
    char *root = make_folder();
    char *models = memory_format("%s/models", root), *runs = memory_format("%s/runs", root);
    char *base = memory_format("%s/b.safetensors", models);
    char *specialist = memory_format("fs=%s/s.safetensors", models);
    const char *const specialists[] = {specialist};
    assert_int_equal(mkdir(models, 0700) | mkdir(runs, 0700), 0);
    config_init(&config);
    assert_true(config_set_files(&config, base, specialists, 1, &error));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = memory_format("%s/%s", root, cases[i].config), line[4096] = {0};
        assert_true(config_write(&config, path, false, &error));
        assert_false(config_write(&config, path, false, &error));
        error_free(&error);
        assert_true(config_write(&config, path, true, &error));
        FILE *file = fopen(path, "r");
        assert_true(fread(line, 1, sizeof line - 1, file) > 0);
        fclose(file);
        assert_non_null(strstr(line, cases[i].base));
        assert_true(config_read(path, &back, &error));
        char *one = realpath(back.base, NULL), *folder = realpath(models, NULL);
        /* the file is not there: compare the folder it would open in */
        char *of_base = memory_text(back.base, strlen(back.base) - strlen("/b.safetensors"));
        char *resolved = realpath(of_base, NULL);
        assert_null(one);
        assert_string_equal(resolved, folder);
        assert_string_equal(back.specialists[0].name, "fs");
        free(folder);
        free(of_base);
        free(resolved);
        config_free(&back);
        assert_int_equal(unlink(path), 0);
        free(path);
    }
    config_free(&config);
    assert_int_equal(rmdir(models) | rmdir(runs) | rmdir(root), 0);
    free(root);
    free(models);
    free(runs);
    free(base);
    free(specialist);
}

static void far_paths_are_written_absolute(void **state) {
    (void)state;
    struct config config;
    parse("{\"r2m\": 1, \"base\": \"/far/away/b.pth\", \"specialists\": [{\"path\": \"/s.pth\"}]}",
          NULL, &config);
    char *text = config_text(&config, "/usr/lib");
    assert_non_null(strstr(text, "\"/far/away/b.pth\""));
    assert_non_null(strstr(text, "\"/s.pth\""));
    free(text);
    config_free(&config);
}

static void files_that_are_no_config(void **state) {
    (void)state;
    static const struct {
        const char *path;
        enum error_kind kind;
        const char *message;
    } cases[] = {{"/nowhere/c.json", ERROR_INPUT, "/nowhere/c.json: cannot be opened"},
                 {"/tmp", ERROR_INPUT, "/tmp: cannot be read"},
                 {"/dev/zero", ERROR_USAGE, "/dev/zero: not a config"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct config config;
        struct error error = {0};
        assert_false(config_read(cases[i].path, &config, &error));
        assert_int_equal(error.kind, cases[i].kind);
        assert_non_null(strstr(error.message, cases[i].message));
        error_free(&error);
    }
}

static void paths_that_json_cannot_hold(void **state) {
    (void)state;
    static const char *const specialists[] = {"s.pth"};
    struct config config;
    struct error error = {0};
    config_init(&config);
    assert_true(config_set_files(&config, "caf\xe9.pth", specialists, 1, &error));
    assert_false(config_write(&config, "/tmp/r2m-never-written.json", false, &error));
    assert_non_null(strstr(error.message, "not valid UTF-8"));
    assert_int_equal(access("/tmp/r2m-never-written.json", F_OK), -1);
    error_free(&error);
    config_free(&config);
}

static void files_of_the_command_line(void **state) {
    (void)state;
    static const char *const specialists[] = {"fs.pth", "x/fs.pth", "mine=x/a=b.pth", "x/c=d.pth",
                                              ".hidden"};
    struct config c;
    struct error error = {0};
    config_init(&c);
    assert_true(config_set_files(&c, "b", specialists, 5, &error));
    static const char *const names[] = {"fs", "fs-2", "mine", "c=d", ".hidden"};
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(c.specialists[i].name, names[i]);
    assert_string_equal(c.specialists[2].path, "x/a=b.pth");
    assert_string_equal(c.specialists[3].path, "x/c=d.pth");
    static const char *const twice[] = {"a=1", "a=2"};
    assert_false(config_set_files(&c, "b", twice, 2, &error));
    assert_int_equal(error.kind, ERROR_USAGE);
    error_free(&error);
    config_free(&c);
}

static void set_reaches_every_kind_of_field(void **state) {
    (void)state;
    static const char *const good[] = {"alpha=0.25",
                                       "real.center=true",
                                       "norm_match=none",
                                       "residual.rank.rank=5",
                                       "residual.rank=5%",
                                       "residual.rank.mp=true",
                                       "specialists.fs.weight=3",
                                       "keys.exclude=pos*",
                                       "keys.rename=a.=b.",
                                       "output.dtype=f32",
                                       "real.block_norm=fro",
                                       "residual.rank.energy=0.5",
                                       "keys.head=fc.*"};
    static const char *const bad[][2] = {
        {"alpha", "KEY=VALUE"},
        {"=1", "KEY=VALUE"},
        {"keys.head=\xff", "UTF-8"},
        {"alhpa=1", "alhpa: unknown field, did you mean alpha?"},
        {"alpha=x", "alpha: x is not allowed"},
        {"base=x", "base: unknown field"},
        {"residual.rank=5x", "\"5x\" is not a rule"},
        {"residual.rnk=5", "did you mean residual.rank?"},
        {"residual.rank.mp=1", "residual.rank.mp: allowed is only true"},
        {"residual.rank.rank=x", "residual.rank.rank: allowed is a whole number"},
        {"residual.rank.foo=1", "residual.rank: unknown rule \"foo\""},
        {"specialists.xx.weight=1", "specialists.xx.weight: unknown field"},
        {"specialists.fs.weight=-1", "specialists.fs.weight: allowed is a number from 0"},
        {"specialists.fs.weight=nan", "specialists.fs.weight: allowed is a number from 0"},
        {"keys.rename=ab", "keys.rename: allowed is FROM=TO"},
        {"keys.head=", "keys.head: an empty text"},
    };
    struct config c;
    struct error error = {0};
    static const char *const specialists[] = {"fs=a.pth"};
    config_init(&c);
    assert_true(config_set_files(&c, "b", specialists, 1, &error));
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (!config_set(&c, good[i], &error))
            fail_msg("%s", error.message);
    assert_true(c.settings.alpha == 0.25 && c.settings.real.center);
    assert_true(rank_rule_equal(c.rank, (struct rank_rule){RANK_ENERGY, 0.5}));
    assert_true(c.specialists[0].weight == 3);
    assert_string_equal(c.keys.rename.items[0], "a.=b.");
    assert_int_equal(c.keys.head.count, 3);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(config_set(&c, bad[i][0], &error));
        assert_int_equal(error.kind, ERROR_USAGE);
        if (strstr(error.message, bad[i][1]) == NULL)
            fail_msg("%s\nlacks: %s", error.message, bad[i][1]);
    }
    error_free(&error);
    config_free(&c);
}

static void presets_set_hyperparameters_only(void **state) {
    (void)state;
    struct config c, d;
    struct error error = {0};
    parse(full, NULL, &c);
    assert_true(config_preset(&c, "script", &error));
    assert_int_equal(c.settings.real.block_norm, BLOCK_NORM_FRO_SQRTP);
    assert_int_equal(c.settings.real.tensors, REAL_TENSORS_SCRIPT);
    assert_true(c.settings.real.gamma_twice && !c.settings.real.center);
    assert_int_equal(c.settings.eta, ETA_SCRIPT);
    assert_int_equal(c.rank.kind, RANK_FULL);
    assert_int_equal(c.override_count, 0);
    assert_true(c.specialists[0].weight == 2.5);
    assert_int_equal(c.settings.output_dtype, OUTPUT_F16);
    assert_int_equal(c.keys.exclude.count, 1);
    assert_true(config_preset(&c, "paper", &error));
    assert_true(c.settings.real.center && !c.settings.real.gamma_twice);
    assert_int_equal(c.settings.real.against, AGAINST_PROJECTION);
    assert_int_equal(c.settings.eta, ETA_UNIT);
    assert_true(config_preset(&c, "r2m", &error));
    config_init(&d);
    c.settings.output_dtype = OUTPUT_BASE;
    c.settings.shard_bytes = 0;
    assert_memory_equal(&c.settings, &d.settings, sizeof c.settings);
    assert_true(rank_rule_equal(c.rank, d.rank));
    assert_false(config_preset(&c, "papr", &error));
    assert_non_null(strstr(error.message, "r2m, paper, script"));
    for (size_t i = 0; config_preset_names()[i] != NULL; i++)
        assert_true(config_preset(&c, config_preset_names()[i], &error));
    error_free(&error);
    config_free(&c);
    config_free(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_is_read),
        cmocka_unit_test(missing_fields_are_defaults),
        cmocka_unit_test(text_reads_back_byte_for_byte),
        cmocka_unit_test(wrong_fields_are_named),
        cmocka_unit_test(wrong_documents_are_refused),
        cmocka_unit_test(all_problems_are_listed),
        cmocka_unit_test(deep_nesting_is_an_error_not_a_crash),
        cmocka_unit_test(paths_follow_the_config_file),
        cmocka_unit_test(far_paths_are_written_absolute),
        cmocka_unit_test(files_that_are_no_config),
        cmocka_unit_test(paths_that_json_cannot_hold),
        cmocka_unit_test(files_of_the_command_line),
        cmocka_unit_test(set_reaches_every_kind_of_field),
        cmocka_unit_test(presets_set_hyperparameters_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
