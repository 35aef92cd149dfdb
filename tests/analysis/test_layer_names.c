/* Names of layers: their modules, their kinds. */
#include "analysis/layer_kinds.h"
#include "analysis/layer_names.h"
#include "tests/bare_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_module(const char *name, const char *module) {
    size_t length = layer_module_length(name);
    assert_int_equal(length, strlen(module));
    assert_memory_equal(name, module, length);
}

static void modules_end_at_the_first_number(void **state) {
    (void)state;
    assert_module("blocks.3.attn.qkv.weight", "blocks.3");
    assert_module("vision.encoder.layers.11.mlp.fc1.weight", "vision.encoder.layers.11");
    assert_module("features.0.weight", "features.0");
    assert_module("a.b.c.weight", "a.b");
    assert_module("patch_embed.proj.weight", "patch_embed");
    assert_module("fc.weight", "");
    assert_module("weight", "");
    assert_module("0.weight", "");
}

static void kinds_differ_only_in_numbers(void **state) {
    (void)state;
    assert_true(layer_same_kind("blocks.3.fc1.weight", "blocks.11.fc1.weight"));
    assert_true(layer_same_kind("a", "a"));
    assert_false(layer_same_kind("blocks.3.fc1.weight", "blocks.3.fc2.weight"));
    assert_false(layer_same_kind("blocks.3.fc1.weight", "blocks.3.fc1"));
    assert_false(layer_same_kind("blocks.3.fc1.weight", "blocks.3.fc2x.weight"));
    assert_false(layer_same_kind("blocks.3.fc1.weight", "blocks.3.fc1.weight2x"));
    assert_false(layer_same_kind("a", "ab"));
}

static void assert_kind(const struct layer_kind *kind, const char *name, size_t count,
                        const double *depths) {
    assert_string_equal(kind->name, name);
    assert_int_equal(kind->count, count);
    for (size_t i = 0; i < count; i++)
        assert_true(kind->depths[i] == depths[i]);
}

static void layers_of_every_block_are_one_kind(void **state) {
    static const char *const names[] = {"patch.proj.weight",         "enc.2.mlp.fc1.weight",
                                        "enc.2.mlp.fc1.bias",        "enc.2.attn.in_proj_weight",
                                        "enc.10.mlp.fc1.weight",     "enc.10.attn.in_proj_weight",
                                        "enc.11.attn.in_proj_weight"};
    (void)state;
    struct tensor_table *table = bare_table(names, 7);
    struct layer_kinds *kinds = layer_kinds_create(table);
    assert_int_equal(kinds->count, 3);
    assert_kind(&kinds->kinds[0], "patch.proj", 1, (double[]){0});
    assert_kind(&kinds->kinds[1], "mlp.fc1", 2, (double[]){2, 10});
    assert_kind(&kinds->kinds[2], "attn.in_proj", 3, (double[]){2, 10, 11});
    assert_false(kinds->kinds[0].numbered);
    assert_true(kinds->kinds[2].numbered);
    assert_int_equal(kinds->kinds[2].layers[1], 5);
    layer_kinds_free(kinds);
    bare_table_free(table);
}

static void kinds_of_one_name_are_told_apart(void **state) {
    static const char *const names[] = {
        "text.layers.0.fc.weight",    "text.layers.1.fc.weight",    "vision.layers.0.fc.weight",
        "vision.layers.1.fc.weight",  "swin.0.blocks.0.qkv.weight", "swin.0.blocks.1.qkv.weight",
        "swin.1.blocks.0.qkv.weight", "features.0.weight",          "features.3.weight"};
    (void)state;
    struct tensor_table *table = bare_table(names, 9);
    struct layer_kinds *kinds = layer_kinds_create(table);
    assert_int_equal(kinds->count, 4);
    assert_kind(&kinds->kinds[0], "text.layers.*.fc", 2, (double[]){0, 1});
    assert_kind(&kinds->kinds[1], "vision.layers.*.fc", 2, (double[]){0, 1});
    assert_kind(&kinds->kinds[2], "qkv", 3, (double[]){0, 1, 2});
    assert_false(kinds->kinds[2].numbered); /* stage and block: no one number is the depth */
    assert_kind(&kinds->kinds[3], "features.*", 2, (double[]){0, 3});
    layer_kinds_free(kinds);
    bare_table_free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modules_end_at_the_first_number),
        cmocka_unit_test(kinds_differ_only_in_numbers),
        cmocka_unit_test(layers_of_every_block_are_one_kind),
        cmocka_unit_test(kinds_of_one_name_are_told_apart),
    };
    return cmocka_run_group_tests_name("layer names", tests, NULL, NULL);
}
