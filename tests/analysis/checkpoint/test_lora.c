/* Adapters that are wrong: each is refused in words that name it, in bounded time; and what their
 * names and configs mean when they are right. */
#include "analysis/checkpoint/checkpoint.h"
#include "analysis/checkpoint/lora/update.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

#define LORA "\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 4"
#define GOOD "{" LORA "}"
#define AB(a, b)                                                                                   \
    "\"m.lora_A.weight\":{\"dtype\":\"F32\",\"shape\":[" a "],\"data_offsets\":[0,24]},"           \
    "\"m.lora_B.weight\":{\"dtype\":\"F32\",\"shape\":[" b "],\"data_offsets\":[24,56]}"
#define PAIR "{" AB("2,3", "4,2") "}"
#define ONE(name) "{\"" name "\":{\"dtype\":\"F32\",\"shape\":[14],\"data_offsets\":[0,56]}}"
#define TWO(one, other)                                                                            \
    "{\"" one "\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"                    \
    "\"" other "\":{\"dtype\":\"F32\",\"shape\":[4,2],\"data_offsets\":[24,56]}}"

enum { DATA = 56 };

/* The folder of an adapter with that config and header of its weights; the scratch owns the path.
 */
static char *write_adapter(struct scratch *scratch, const char *config, const char *header) {
    unsigned char *file = memory_array(8 + strlen(header) + DATA, 1);
    uint64_t length = strlen(header);
    memcpy(file, &length, 8);
    memcpy(file + 8, header, length);
    scratch_write(scratch, "adapter_model.safetensors", file, 8 + length + DATA);
    free(file);
    return scratch_write(scratch, "adapter_config.json", config, strlen(config));
}

static void assert_refused(const char *config, const char *header, const char *message) {
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    write_adapter(&scratch, config, header);
    if (checkpoint_open(scratch.folder, &checkpoint, &error))
        fail_msg("%s with %s was accepted", config, header);
    assert_int_equal(error.kind, ERROR_INPUT);
    if (strstr(error.message, message) == NULL)
        fail_msg("expected \"%s\" in \"%s\"", message, error.message);
    assert_null(strchr(error.message, '\n'));
    error_free(&error);
    scratch_remove(&scratch);
}

static void configs_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *config, *message;
    } rows[] = {
        {"{\"peft_type\": \"LOHA\"}", "peft_type is LOHA: of PEFT's adapters only LORA"},
        {"{\"peft_type\": \"\\u001b[31m\"}", "\\x1b[31m"},
        {"{\"peft_type\": 1}", "expected a string"},
        {"{\"peft_type\": \"LORA\"}", "has no r or no lora_alpha"},
        {"{\"peft_type\": \"LORA\", \"r\": 2}", "has no r or no lora_alpha"},
        {"{" LORA ", \"r\": 2}", "r occurs twice"},
        {"{" LORA ", \"\\u0072\": 2}", "r occurs twice"},
        {"{\"peft_type\": \"LORA\", \"r\": 0, \"lora_alpha\": 1}", "a number above 0"},
        {"{\"peft_type\": \"LORA\", \"r\": -2, \"lora_alpha\": 1}", "a number above 0"},
        {"{\"peft_type\": \"LORA\", \"r\": \"2\", \"lora_alpha\": 1}", "expected a number"},
        {"{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 1e999}", "too large"},
        {"{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": "
         "1.0000000000000000000000000000000000000000000000000000000000000000000001}",
         "too many digits"},
        {"{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": null}", "expected a number"},
        {"{" LORA ", \"use_rslora\": 1}", "expected true or false"},
        {"{" LORA ", \"use_dora\": true}", "use_dora is set: DoRA"},
        {"{" LORA ", \"layer_replication\": [[0, 4]]}", "layer_replication is set"},
        {"{" LORA ", \"trainable_token_indices\": {\"w\": [1]}}", "trainable_token_indices"},
        {"{" LORA ", \"init_lora_weights\": \"pissa_niter_4\"}", "pissa_niter_4"},
        {"{" LORA ", \"init_lora_weights\": \"olora\"}", "olora"},
        {"{" LORA ", \"init_lora_weights\": \"corda\"}", "corda"},
        {"{" LORA ", \"init_lora_weights\": \"loftq\"}", "loftq"},
        {"{" LORA ", \"init_lora_weights\": \"lora_ga\"}", "lora_ga"},
        {"{" LORA ", \"rank_pattern\": []}", "expected an object"},
        {"{" LORA ", \"rank_pattern\": {\"(\": 1}}", "no regular expression"},
        {"{" LORA ", \"rank_pattern\": {\"a\": 0}}", "above 0"},
        {"{" LORA ", \"rank_pattern\": {\"m\": 3}}", "has 2 components, and the config says 3"},
        {"{" LORA "", "expected"},
        {"{" LORA "}}", "something after the end"},
        {"{" LORA ", \"a\": \"\xff\"}", "is not UTF-8"},
        {"{\"r\": 2, \"lora_alpha\": 1}", "weight_map"},
        {"[]", ""},
        {" ", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_refused(rows[i].config, PAIR, rows[i].message);
}

static void weights_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *header, *message;
    } rows[] = {
        {ONE("m.lora_A.weight"), "tensor m.lora_A.weight: has no lora_B"},
        {ONE("m.lora_B.weight"), "has no lora_A"},
        {ONE("m.lora_B.bias"), "has no lora_A"},
        {ONE("lora_A.weight"), "is no factor"},
        {ONE("m.lora_A"), "is no factor"},
        {ONE("m.lora_A.bias"), "is no factor"},
        {ONE("m.lora_C.weight"), "is no factor"},
        {ONE("lora_unet_down.lora_down.weight"), "is no factor"},
        {ONE("m.lora_magnitude_vector"), "belongs to DoRA"},
        {TWO("m.lora_A.one.weight", "m.lora_A.two.weight"), "two adapters"},
        {"{" AB("6", "4,2") "}", "are not the two sides"},
        {"{" AB("2,3", "8") "}", "are not the two sides"},
        {"{" AB("2,3", "2,2,2") "}", "are not the two sides"},
        {"{" AB("3,2", "4,2") "}", "takes 2 components, and its lora_A gives 3"},
        {"{" AB("3,2", "8,1") "}", "takes 1 components"},
        {"{\"m.lora_A.weight\":{\"dtype\":\"I32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
         "\"m.lora_B.weight\":{\"dtype\":\"F32\",\"shape\":[4,2],\"data_offsets\":[24,56]}}",
         "not floating"},
        {"{\"m.lora_A.weight\":{\"dtype\":\"F8_E8M0\",\"shape\":[2,28],\"data_offsets\":[0,56]}}",
         "type F8_E8M0 cannot be merged"},
        {"{\"a\":1}", "tensor a"},
        {"{\"\":{\"dtype\":\"F32\",\"shape\":[14],\"data_offsets\":[0,55]}}", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_refused(GOOD, rows[i].header, rows[i].message);
}

/* Sizes that multiply to more than is there: no such update is ever made. */
static void empty_factors_are_no_weights(void **state) {
    (void)state;
    assert_refused("{\"peft_type\": \"LORA\", \"r\": 1, \"lora_alpha\": 4}",
                   "{\"m.lora_A.weight\":{\"dtype\":\"U8\",\"shape\":[56],\"data_offsets\":[0,56]},"
                   "\"n.lora_A.weight\":{\"dtype\":\"F32\",\"shape\":[0,4294967296],"
                   "\"data_offsets\":[56,56]},"
                   "\"n.lora_B.weight\":{\"dtype\":\"F32\",\"shape\":[4294967296,0],"
                   "\"data_offsets\":[56,56]}}",
                   "tensor ");
}

static void a_large_config_is_refused_at_once(void **state) {
    (void)state;
    enum { SIZE = 2 << 20 };
    char *config = memory_array(SIZE + 1, 1);
    memset(config, ' ', SIZE);
    memcpy(config, GOOD, strlen(GOOD));
    assert_refused(config, PAIR, "at most 1048576 are allowed");
    free(config);
}

/* Thousands of patterns that repeat what they hold: an end is put to them. */
static void patterns_end(void **state) {
    (void)state;
    static const char head[] = "{" LORA ", \"rank_pattern\": {";
    enum { PATTERNS = 20000 };
    char *config = memory_array(PATTERNS, 32), *at = stpcpy(config, head);
    for (int i = 0; i < PATTERNS; i++)
        at += sprintf(at, "%s\"(x%d){2000}\": 2", i > 0 ? "," : "", i);
    strcpy(at, "}}");
    assert_refused(config, PAIR, "patterns that repeat too much");
    free(config);
    assert_refused("{" LORA ", \"alpha_pattern\": {\"(([mx]|[my])+)+\\\\d\": 3}}",
                   TWO("mmmmmmmmmmmmmmmmmmmmmmmmmmmmmm.lora_A.weight",
                       "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmm.lora_B.weight"),
                   "too long to match");
}

static struct checkpoint *open_adapter(struct scratch *scratch, const char *config,
                                       const char *header) {
    struct error error = {0};
    struct checkpoint *checkpoint;
    if (!checkpoint_open(write_adapter(scratch, config, header), &checkpoint, &error))
        fail_msg("%s: %s", config, error.message);
    assert_string_equal(checkpoint_format(checkpoint), "lora");
    return checkpoint;
}

static void names_lead_to_weights(void **state) {
    (void)state;
    static const struct {
        const char *a, *b, *weight;
    } rows[] = {
        {"base_model.model.x.m.lora_A.weight", "base_model.model.x.m.lora_B.weight", "x.m.weight"},
        {"base_model.model.m.lora_A.default.weight", "base_model.model.m.lora_B.default.weight",
         "m.weight"},
        {"x.m.lora_A.weight", "x.m.lora_B.weight", "x.m.weight"},
        {"a.base_layer.m.lora_A.weight", "a.base_layer.m.lora_B.weight", "a.m.weight"},
        {"my_lora_net.m.lora_A.weight", "my_lora_net.m.lora_B.weight", "my_lora_net.m.weight"},
        {"m\\u0000n.lora_A.weight", "m\\u0000n.lora_B.weight", "m"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scratch scratch = scratch_make();
        char *header =
            memory_format("{\"%s\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                          "\"%s\":{\"dtype\":\"F32\",\"shape\":[4,2],\"data_offsets\":[24,56]}}",
                          rows[i].a, rows[i].b);
        struct checkpoint *checkpoint = open_adapter(&scratch, GOOD, header);
        assert_int_equal(checkpoint_count(checkpoint), 2);
        assert_int_equal(checkpoint_weight_count(checkpoint), 1);
        const struct tensor *weight = checkpoint_weight(checkpoint, 0);
        assert_string_equal(weight->name, rows[i].weight);
        assert_true(weight->rank == 2 && weight->shape[0] == 4 && weight->shape[1] == 3);
        assert_close(weight->update->scale, 2, 0);
        checkpoint_close(checkpoint);
        free(header);
        scratch_remove(&scratch);
    }
}

static void configs_give_scales(void **state) {
    (void)state;
    static const struct {
        const char *config;
        double scale;
    } rows[] = {
        {GOOD, 2},
        {"{" LORA ", \"use_rslora\": true}", 2.8284271247461903},
        {"{" LORA ", \"use_rslora\": null, \"more\": [1.5, -2e3, {}]}", 2},
        {"{" LORA ", \"alpha_pattern\": {\"m\": 3}}", 1.5},
        {"{" LORA ", \"alpha_pattern\": {\"x\": 3, \"[lm]\": 5, \"m\": 7}}", 2.5},
        {"{" LORA ", \"alpha_pattern\": {\"\\\\w\": 3.5}}", 1.75},
        {"{" LORA ", \"rank_pattern\": {\"m\": 2}, \"init_lora_weights\": \"gaussian\"}", 2},
        {"{\"peft_type\": \"LORA\", \"r\": 9, \"lora_alpha\": 4, \"rank_pattern\": {\"m\": 2}}", 2},
        {"{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": 0}", 0},
        {"{\"peft_type\": \"LORA\", \"r\": 2, \"lora_alpha\": -1}", -0.5},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scratch scratch = scratch_make();
        struct checkpoint *checkpoint = open_adapter(&scratch, rows[i].config, PAIR);
        assert_close(checkpoint_weight(checkpoint, 0)->update->scale, rows[i].scale, 1e-15);
        checkpoint_close(checkpoint);
        scratch_remove(&scratch);
    }
}

static void an_adapter_without_weights_is_said(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct error error = {0};
    struct checkpoint *checkpoint;
    char *path = scratch_write(&scratch, "adapter_config.json", GOOD, strlen(GOOD));
    for (size_t i = 0; i < 2; i++) {
        assert_false(checkpoint_open(i == 0 ? path : scratch.folder, &checkpoint, &error));
        assert_non_null(
            strstr(error.message, "no adapter_model.safetensors and no adapter_model.bin"));
        error_free(&error);
    }
    scratch_write(&scratch, "adapter_model.safetensors", GOOD, strlen(GOOD));
    assert_false(checkpoint_open(path, &checkpoint, &error)); /* its weights are a config */
    error_free(&error);
    scratch_remove(&scratch);
    assert_refused(GOOD, "{\"__metadata__\":{}}", "adapter_model.safetensors");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configs_are_refused),
        cmocka_unit_test(weights_are_refused),
        cmocka_unit_test(empty_factors_are_no_weights),
        cmocka_unit_test(a_large_config_is_refused_at_once),
        cmocka_unit_test(patterns_end),
        cmocka_unit_test(names_lead_to_weights),
        cmocka_unit_test(configs_give_scales),
        cmocka_unit_test(an_adapter_without_weights_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
