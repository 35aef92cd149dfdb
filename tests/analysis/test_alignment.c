/* Names lined up without being told: prefixes found by a vote, each file on its own. */
#include "analysis/tensor_table.h"
#include "tests/model_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { FILES = 4, TENSORS = 200, BLOCKS = 2 };

static const float ones[1024] = {1, 1, 1, 1};
static const int64_t ids[8] = {0, 1, 2, 3, 4, 5, 6, 7};

/* The tensors of a file to be. */
struct content {
    struct file_tensor items[TENSORS];
    char *names[TENSORS];
    size_t count;
};

static void put(struct content *content, const char *prefix, const char *name, uint64_t rows,
                uint64_t cols) {
    char *full = memory_format("%s%s", prefix, name);
    content->names[content->count] = full;
    content->items[content->count++] =
        (struct file_tensor){full, DTYPE_F32, cols > 0 ? 2 : 1, {rows, cols}, ones};
}

/* .weight [rows, cols] and .bias [rows] */
static void put_linear(struct content *content, const char *prefix, const char *name, uint64_t rows,
                       uint64_t cols) {
    char *module = memory_format("%s%s", prefix, name);
    put(content, module, ".weight", rows, cols);
    put(content, module, ".bias", rows, 0);
    free(module);
}

static void put_norm(struct content *content, const char *prefix, const char *name, uint64_t d) {
    put_linear(content, prefix, name, d, 0);
}

static void put_ids(struct content *content, const char *prefix) {
    put(content, prefix, "embeddings.position_ids", 1, 5);
    content->items[content->count - 1].dtype = DTYPE_I64;
    content->items[content->count - 1].data = ids;
}

/* Blocks of a transformer as Hugging Face names them. */
static void put_blocks(struct content *content, const char *prefix, uint64_t d) {
    static const char *const square[] = {"k_proj", "v_proj", "q_proj", "out_proj"};
    for (int block = 0; block < BLOCKS; block++) {
        char *layer = memory_format("%sencoder.layers.%d.", prefix, block);
        char *attention = memory_format("%sself_attn.", layer);
        for (size_t k = 0; k < 4; k++)
            put_linear(content, attention, square[k], d, d);
        put_norm(content, layer, "layer_norm1", d);
        put_linear(content, layer, "mlp.fc1", 4 * d, d);
        put_linear(content, layer, "mlp.fc2", d, 4 * d);
        put_norm(content, layer, "layer_norm2", d);
        free(attention);
        free(layer);
    }
}

/* A vision tower as Hugging Face names it. */
static void put_vision(struct content *content, const char *prefix, uint64_t d) {
    put(content, prefix, "embeddings.class_embedding", d, 0);
    put(content, prefix, "embeddings.patch_embedding.weight", d, 12);
    put(content, prefix, "embeddings.position_embedding.weight", 5, d);
    put_norm(content, prefix, "pre_layrnorm", d);
    put_blocks(content, prefix, d);
    put_norm(content, prefix, "post_layernorm", d);
}

static void put_text(struct content *content, const char *prefix, uint64_t d) {
    put(content, prefix, "embeddings.token_embedding.weight", 9, d);
    put(content, prefix, "embeddings.position_embedding.weight", 7, d);
    put_blocks(content, prefix, d);
    put_norm(content, prefix, "final_layer_norm", d);
}

enum { VISION = 3 + 2 + BLOCKS * 16 + 2, TEXT = 2 + BLOCKS * 16 + 2 };

/* openai/clip-vit-*: both towers and what joins them. */
static void put_clip(struct content *content, uint64_t d, uint64_t text_d) {
    put(content, "", "logit_scale", 1, 0);
    put_text(content, "text_model.", text_d);
    put(content, "", "text_projection.weight", text_d, text_d);
    put_vision(content, "vision_model.", d);
    put(content, "", "visual_projection.weight", text_d, d);
}

/* A detector of DF40: the tower as backbone, and a head. */
static void put_detector(struct content *content, const char *wrapper, uint64_t d) {
    char *backbone = memory_format("%sbackbone.", wrapper);
    put_vision(content, backbone, d);
    put_linear(content, wrapper, "head", 2, d);
    free(backbone);
}

static void content_free(struct content *content) {
    for (size_t i = 0; i < content->count; i++)
        free(content->names[i]);
    *content = (struct content){.count = 0};
}

/* A base and specialists on the disk, opened. */
struct attempt {
    struct scratch scratch;
    struct table_keys keys;
    char *base;
    struct specialist_path files[FILES];
    size_t count;
    struct tensor_table *table;
    struct error error;
};

static struct attempt attempt_begin(void) {
    struct attempt attempt = {.scratch = scratch_make()};
    table_keys_defaults(&attempt.keys);
    return attempt;
}

/* Writes the first file as the base, others as s1, s2, ...; empties the content. */
static void add(struct attempt *attempt, struct content *content) {
    char name[] = "s1.safetensors";
    name[1] = (char)('1' + attempt->count);
    char *path =
        file_of_tensors(&attempt->scratch, attempt->base == NULL ? "base.safetensors" : name,
                        content->items, content->count);
    if (attempt->base == NULL)
        attempt->base = path;
    else
        attempt->files[attempt->count++].path = path;
    content_free(content);
}

static bool try_open(struct attempt *attempt) {
    return tensor_table_open(attempt->base, attempt->files, attempt->count, &attempt->keys,
                             &attempt->table, &attempt->error);
}

static void must_open(struct attempt *attempt) {
    if (!try_open(attempt)) {
        print_error("%s\n", attempt->error.message);
        fail();
    }
}

static void attempt_end(struct attempt *attempt) {
    tensor_table_close(attempt->table);
    table_keys_free(&attempt->keys);
    error_free(&attempt->error);
    scratch_remove(&attempt->scratch);
}

static const struct layer *layer_named(const struct attempt *attempt, const char *name) {
    size_t index = tensor_table_find(attempt->table, name);
    if (index == attempt->table->layer_count) {
        print_error("no layer %s\n", name);
        fail();
    }
    return &attempt->table->layers[index];
}

static size_t count_role(const struct tensor_table *table, enum role role) {
    size_t count = 0;
    for (size_t l = 0; l < table->layer_count; l++)
        count += table->layers[l].role == role;
    return count;
}

static bool says(const char *text, const char *part) {
    if (text != NULL && strstr(text, part) != NULL)
        return true;
    print_error("\"%s\" is not in:\n%s\n", part, text != NULL ? text : "(nothing)");
    return false;
}

static const struct match *match_of(const struct attempt *attempt, size_t specialist) {
    return &attempt->table->specialists[specialist].match;
}

static void detectors_meet_the_whole_clip(void **state) {
    (void)state;
    static const char *const wrappers[] = {"", "module.", "_orig_mod.module."};
    struct attempt attempt = attempt_begin();
    struct content content = {.count = 0};
    put_clip(&content, 8, 6);
    put_ids(&content, "vision_model.");
    add(&attempt, &content);
    for (size_t i = 0; i < 3; i++) {
        put_detector(&content, wrappers[i], 8);
        if (i == 1)
            put_ids(&content, "module.backbone.");
        add(&attempt, &content);
    }
    must_open(&attempt);
    const struct match *match = match_of(&attempt, 1);
    assert_string_equal(match->from, "module.backbone.");
    assert_string_equal(match->to, "vision_model.");
    assert_int_equal(match->matched.count, VISION + 1);
    assert_int_equal(match->base_only.count, TEXT + 3);
    assert_int_equal(match->specialist_only.count, 2);
    assert_int_equal(match->other_shape.count, 0);
    assert_string_equal(match_of(&attempt, 0)->from, "backbone.");
    assert_string_equal(match_of(&attempt, 2)->from, "_orig_mod.module.backbone.");
    assert_int_equal(attempt.table->matrix_count, 2 + BLOCKS * 6);
    assert_int_equal(count_role(attempt.table, ROLE_HEAD), 2);
    assert_int_equal(count_role(attempt.table, ROLE_BUFFER), 1);
    assert_int_equal(count_role(attempt.table, ROLE_CARRIED), TEXT + 3);
    assert_string_equal(layer_named(&attempt, "head.weight")->output_name, "head.weight");
    assert_string_equal(
        layer_named(&attempt, "vision_model.encoder.layers.1.mlp.fc1.weight")->output_name,
        "vision_model.encoder.layers.1.mlp.fc1.weight");
    assert_int_equal(attempt.table->warnings.count, 1); /* one sentence for the text tower */
    assert_true(says(attempt.table->warnings.items[0], "39 tensors in no specialist"));
    assert_true(says(attempt.table->warnings.items[0], "and 34 more"));
    attempt_end(&attempt);
}

static void buffers_of_specialists_take_the_prefix_too(void **state) {
    (void)state;
    struct attempt attempt = attempt_begin();
    struct content content = {.count = 0};
    put_vision(&content, "vision_model.", 8);
    add(&attempt, &content);
    for (size_t i = 0; i < 2; i++) {
        put_detector(&content, i == 0 ? "" : "module.", 8);
        put_ids(&content, i == 0 ? "backbone." : "module.backbone.");
        add(&attempt, &content);
    }
    must_open(&attempt);
    const struct layer *buffer = layer_named(&attempt, "vision_model.embeddings.position_ids");
    assert_int_equal(buffer->role, ROLE_BUFFER);
    assert_non_null(buffer->specialists[0]);
    assert_non_null(buffer->specialists[1]);
    assert_string_equal(buffer->output_name, "vision_model.embeddings.position_ids");
    assert_int_equal(attempt.table->warnings.count, 0);
    attempt_end(&attempt);
}

static void any_prefix_on_either_side(void **state) {
    (void)state;
    static const char *const prefixes[] = {
        "",        "module.",     "backbone.", "model.",  "vision_model.",
        "visual.", "base_model.", "a.b.c.d.",  "encoder."};
    enum { PREFIXES = sizeof prefixes / sizeof prefixes[0] };
    for (size_t b = 0; b < PREFIXES; b++)
        for (size_t s = 0; s < PREFIXES; s++) {
            struct attempt attempt = attempt_begin();
            struct content content = {.count = 0};
            put_vision(&content, prefixes[b], 8);
            add(&attempt, &content);
            put_vision(&content, prefixes[s], 8);
            put_linear(&content, "", "head", 2, 8);
            add(&attempt, &content);
            must_open(&attempt);
            const struct match *match = match_of(&attempt, 0);
            assert_int_equal(match->matched.count, VISION);
            assert_int_equal(match->specialist_only.count, 2);
            assert_string_equal(match->from, b == s ? "" : prefixes[s]);
            assert_string_equal(match->to, b == s ? "" : prefixes[b]);
            assert_int_equal(layer_named(&attempt, "head.weight")->role, ROLE_HEAD);
            attempt_end(&attempt);
        }
}

static void two_towers_as_good_are_a_tie(void **state) {
    (void)state;
    struct attempt attempt = attempt_begin();
    struct content content = {.count = 0};
    put_vision(&content, "teacher.", 8);
    put_vision(&content, "student.", 8);
    add(&attempt, &content);
    put_vision(&content, "backbone.", 8);
    add(&attempt, &content);
    assert_false(try_open(&attempt));
    assert_int_equal(attempt.error.kind, ERROR_INPUT);
    assert_true(says(attempt.error.message, "s1.safetensors: its names line up with the base's in "
                                            "several ways"));
    assert_true(
        says(attempt.error.message, "\"backbone.\" for the base's \"student.\" (39 match)"));
    assert_true(
        says(attempt.error.message, "\"backbone.\" for the base's \"teacher.\" (39 match)"));
    assert_true(says(attempt.error.hint, "--rename backbone.=student."));
    string_list_add(&attempt.keys.rename, "backbone.=teacher.");
    must_open(&attempt); /* as the hint says */
    assert_null(match_of(&attempt, 0)->from);
    assert_non_null(layer_named(&attempt, "teacher.pre_layrnorm.bias")->specialists[0]);
    attempt_end(&attempt);
}

static void names_as_they_are_win_a_tie(void **state) {
    (void)state;
    struct attempt attempt = attempt_begin();
    struct content content = {.count = 0};
    put_vision(&content, "model.", 8);
    put_vision(&content, "model_ema.", 8);
    add(&attempt, &content);
    put_vision(&content, "model.", 8);
    add(&attempt, &content);
    must_open(&attempt);
    assert_string_equal(match_of(&attempt, 0)->from, "");
    assert_int_equal(match_of(&attempt, 0)->matched.count, VISION);
    attempt_end(&attempt);
}

static void other_models_do_not_line_up(void **state) {
    (void)state;
    struct attempt attempt = attempt_begin();
    struct content content = {.count = 0};
    put_clip(&content, 8, 6);
    add(&attempt, &content);
    put_linear(&content, "", "conv_stem", 4, 9);
    put_linear(&content, "blocks.0.", "project", 4, 4);
    put_linear(&content, "blocks.0.", "mlp.fc1", 4, 4);
    add(&attempt, &content);
    put_linear(&content, "", "conv_stem", 4, 9);
    put_linear(&content, "blocks.0.", "project", 4, 4);
    put_linear(&content, "blocks.0.", "mlp.fc1", 32, 8); /* by chance */
    put_linear(&content, "blocks.1.", "expand", 4, 4);
    put_linear(&content, "blocks.1.", "reduce", 4, 4);
    add(&attempt, &content);
    assert_false(try_open(&attempt));
    assert_true(says(attempt.error.message,
                     "s1.safetensors: no tensor in common with the base, whatever prefix"));
    assert_true(
        says(attempt.error.message,
             "\"blocks.\" for the base's \"vision_model.encoder.layers.\" (0 match, 2 more"));
    assert_true(says(attempt.error.message,
                     "s2.safetensors: its names do not line up with the base's: \"blocks.\" for "
                     "the base's \"vision_model.encoder.layers.\" (2 match); "));
    attempt_end(&attempt);
}

/* The text tower of the large CLIP is as wide as the vision tower of the base CLIP. */
static void a_tower_is_not_taken_for_another(void **state) {
    (void)state;
    struct attempt attempt = attempt_begin();
    struct content content = {.count = 0};
    put_clip(&content, 8, 6);
    add(&attempt, &content);
    put_detector(&content, "module.", 6);
    add(&attempt, &content);
    assert_false(try_open(&attempt));
    assert_true(says(attempt.error.message, "is it the right base?"));
    assert_true(
        says(attempt.error.message, "\"module.backbone.\" for the base's \"vision_model.\""));
    assert_true(says(attempt.error.message, "\"module.backbone.\" for the base's \"text_model.\""));
    attempt_end(&attempt);
}

/* What the base lacks is lined up with the first specialist's. */
static void heads_of_several_names_are_one(void **state) {
    (void)state;
    struct attempt attempt = attempt_begin();
    struct content content = {.count = 0};
    put_clip(&content, 8, 6);
    add(&attempt, &content);
    put_detector(&content, "module.", 8);
    add(&attempt, &content);
    put_vision(&content, "base_model.", 8);
    put_linear(&content, "", "classifier", 2, 8);
    add(&attempt, &content);
    must_open(&attempt);
    const struct layer *head = layer_named(&attempt, "head.weight");
    assert_int_equal(head->role, ROLE_HEAD);
    assert_non_null(head->specialists[0]);
    assert_non_null(head->specialists[1]);
    assert_null(match_of(&attempt, 0)->head_from);
    assert_string_equal(match_of(&attempt, 1)->head_from, "classifier.");
    assert_string_equal(match_of(&attempt, 1)->head_to, "head.");
    assert_int_equal(count_role(attempt.table, ROLE_HEAD), 2);
    attempt_end(&attempt);
}

/* A base for 20 classes, detectors for 2. */
static void heads_may_have_other_classes_than_the_base(void **state) {
    (void)state;
    struct attempt attempt = attempt_begin();
    struct content content = {.count = 0};
    put_vision(&content, "", 8);
    put_linear(&content, "", "head", 20, 8);
    put_linear(&content, "", "fc", 20, 8);
    add(&attempt, &content);
    for (size_t i = 0; i < 2; i++) {
        put_vision(&content, "module.", 8);
        put_linear(&content, "", "module.head", 2, 8);
        add(&attempt, &content);
    }
    must_open(&attempt);
    const struct layer *head = layer_named(&attempt, "head.weight");
    assert_int_equal(head->role, ROLE_HEAD);
    assert_ptr_equal(head->like, head->specialists[0]);
    assert_int_equal(head->elements, 16);
    assert_int_equal(match_of(&attempt, 0)->other_shape.count, 2);
    tensor_table_close(attempt.table);
    attempt.table = NULL;
    string_list_free(&attempt.keys.head);
    assert_false(try_open(&attempt));
    assert_true(says(attempt.error.message, "head.weight: shape [2, 8] differs from the base's"));
    assert_true(says(attempt.error.hint, "--set keys.head=head."));
    attempt_end(&attempt);
}

static void few_common_tensors_are_said(void **state) {
    (void)state;
    struct attempt attempt = attempt_begin();
    struct content content = {.count = 0};
    put(&content, "", "shared", 4, 4);
    put_blocks(&content, "a.", 4);
    add(&attempt, &content);
    put(&content, "", "shared", 4, 4);
    put_linear(&content, "b.", "c", 3, 4);
    put_linear(&content, "b.", "d", 5, 4);
    add(&attempt, &content);
    must_open(&attempt);
    bool said = false;
    for (size_t i = 0; i < attempt.table->warnings.count; i++)
        said = said || strstr(attempt.table->warnings.items[i],
                              "only 1 of the 5 tensors of s1 line up") != NULL;
    assert_true(said);
    attempt_end(&attempt);
}

static void the_report_can_be_read(void **state) {
    (void)state;
    struct attempt attempt = attempt_begin();
    struct content content = {.count = 0};
    put_clip(&content, 8, 6);
    add(&attempt, &content);
    put_detector(&content, "", 8);
    add(&attempt, &content);
    must_open(&attempt);
    char *text = match_text(attempt.table, 0);
    assert_string_equal(text, "s1: 39 of 41 tensors match the base; names \"backbone.\" as "
                              "\"vision_model.\"\n"
                              "  2 only in the specialist: head.bias, head.weight\n"
                              "  39 only in the base: logit_scale, "
                              "text_model.embeddings.position_embedding.weight, "
                              "text_model.embeddings.token_embedding.weight, "
                              "text_model.encoder.layers.0.layer_norm1.bias, "
                              "text_model.encoder.layers.0.layer_norm1.weight and 34 more\n");
    free(text);
    attempt_end(&attempt);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detectors_meet_the_whole_clip),
        cmocka_unit_test(buffers_of_specialists_take_the_prefix_too),
        cmocka_unit_test(any_prefix_on_either_side),
        cmocka_unit_test(two_towers_as_good_are_a_tie),
        cmocka_unit_test(names_as_they_are_win_a_tie),
        cmocka_unit_test(other_models_do_not_line_up),
        cmocka_unit_test(a_tower_is_not_taken_for_another),
        cmocka_unit_test(heads_of_several_names_are_one),
        cmocka_unit_test(heads_may_have_other_classes_than_the_base),
        cmocka_unit_test(few_common_tensors_are_said),
        cmocka_unit_test(the_report_can_be_read),
    };
    return cmocka_run_group_tests_name("alignment", tests, NULL, NULL);
}
