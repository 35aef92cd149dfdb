/* The plan: which rule each cell gets, edits, undo to the byte. Tables are made by hand. */
#include "merge/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

enum { LAYERS = 6, N = 3, SPAN = LAYERS * N };

/* In natural order; index 2 is a vector. Names with glob characters must be taken literally. */
static char names[LAYERS][16] = {"a[0].w", "a[1].w", "b.bias", "b.w", "c*.w", "cd.w"};

struct fixture {
    struct layer layers[LAYERS];
    struct table_specialist specialists[N];
    struct tensor_table table;
    struct config config;
    struct plan *plan;
};

static void begin(struct fixture *f) {
    static const char *const specialists[] = {"fs=1", "fr=2", "efs=3"};
    struct error error = {0};
    *f = (struct fixture){0};
    for (size_t l = 0; l < LAYERS; l++)
        f->layers[l] = (struct layer){.name = names[l],
                                      .role = l == 2 ? ROLE_VECTOR : ROLE_MATRIX,
                                      .rows = 8,
                                      .cols = 8,
                                      .elements = 64};
    f->specialists[0] = (struct table_specialist){.name = "fs", .path = "1"};
    f->specialists[1] = (struct table_specialist){.name = "fr", .path = "2"};
    f->specialists[2] = (struct table_specialist){.name = "efs", .path = "3"};
    f->table = (struct tensor_table){.layers = f->layers,
                                     .specialists = f->specialists,
                                     .layer_count = LAYERS,
                                     .specialist_count = N,
                                     .matrix_count = LAYERS - 1};
    config_init(&f->config);
    assert_true(config_set_files(&f->config, "base", specialists, N, &error));
}

static void bind(struct fixture *f) {
    struct error error = {0};
    if (!plan_create(&f->config, &f->table, &f->plan, &error))
        fail_msg("%s", error.message);
}

static void end(struct fixture *f) {
    plan_free(f->plan);
    config_free(&f->config);
}

static struct rank_rule rank(double value) {
    return (struct rank_rule){RANK_RANK, value};
}

/* Ranks of all matrix cells as text, rows of layers: "7 7 7|..."; "." for the default rule. */
static char *cells(const struct plan *plan, char *buffer) {
    char *out = buffer;
    for (size_t l = 0; l < LAYERS; l++) {
        for (size_t i = 0; i < N && l != 2; i++) {
            struct rank_rule rule = plan_rule(plan, l, i);
            if (rank_rule_equal(rule, plan->config.rank))
                *out++ = '.';
            else
                out += sprintf(out, "%.0f", rule.value);
        }
        *out++ = l + 1 < LAYERS ? '|' : '\0';
    }
    return buffer;
}

#define assert_cells(plan, expected)                                                               \
    do {                                                                                           \
        char cells_text[256];                                                                      \
        assert_string_equal(cells(plan, cells_text), expected);                                    \
    } while (0)

static void later_overrides_win(void **state) {
    (void)state;
    struct fixture f;
    begin(&f);
    config_add_override(&f.config, "*.w", NULL, rank(1));
    config_add_override(&f.config, "b.*", "fr", rank(2));
    config_add_override(&f.config, "c\\*.w", NULL, rank(3));
    config_add_override(&f.config, "c*.w", "efs", rank(4));
    config_add_override(&f.config, "a\\[1].w", "fs", rank(5));
    bind(&f);
    assert_cells(f.plan, "111|511||121|334|114");
    end(&f);
}

static void overrides_that_meet_nothing_are_errors(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"b.ww",
         "residual.overrides[0].layer: \"b.ww\" matches no matrix; the nearest name is b.w"},
        {"b.bias", "residual.overrides[0].layer: \"b.bias\" matches no matrix"},
        {"zzzzzzzzz*", "residual.overrides[0].layer: \"zzzzzzzzz*\" matches no matrix"},
        {"a[0].w", "matches no matrix"}, /* a set of one character, not the name */
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        struct fixture f;
        struct error error = {0};
        begin(&f);
        config_add_override(&f.config, cases[c][0], NULL, rank(1));
        assert_false(plan_create(&f.config, &f.table, &f.plan, &error));
        assert_int_equal(error.kind, ERROR_USAGE);
        assert_non_null(strstr(error.message, cases[c][1]));
        assert_null(f.plan);
        error_free(&error);
        end(&f);
    }
}

static void unknown_specialists_are_errors(void **state) {
    (void)state;
    struct fixture f;
    struct error error = {0};
    begin(&f);
    config_add_override(&f.config, "*", "who", rank(1));
    assert_false(plan_create(&f.config, &f.table, &f.plan, &error));
    assert_non_null(strstr(error.message, "\"who\" is unknown; there are fs, fr, efs"));
    error_free(&error);
    end(&f);
}

static void scopes_reach_their_cells(void **state) {
    (void)state;
    struct fixture f;
    const size_t one = 0, some[] = {1, 2, 4}, all[] = {0, 1, 2, 3, 4, 5};
    begin(&f);
    bind(&f);
    plan_set_rank(f.plan, (struct plan_scope){&one, 1, 1}, rank(7), "one cell");
    assert_cells(f.plan, ".7.|...||...|...|...");
    plan_set_rank(f.plan, (struct plan_scope){some, 3, PLAN_ALL}, rank(5), "marked");
    assert_cells(f.plan, ".7.|555||...|555|...");
    plan_set_rank(f.plan, (struct plan_scope){all, 6, 2}, rank(3), "a specialist");
    assert_cells(f.plan, ".73|553||..3|553|..3");
    assert_string_equal(f.plan->config.overrides[0].layer, "a\\[0].w");
    plan_set_rank(f.plan, (struct plan_scope){all, 6, PLAN_ALL}, rank(2), "all");
    assert_cells(f.plan, "...|...||...|...|...");
    assert_int_equal(f.plan->config.override_count, 0);
    assert_true(rank_rule_equal(f.plan->config.rank, rank(2)));
    end(&f);
}

/* Repeated edits of the same cells leave one override, and a plan bound anew to the edited config
 * has the same rules. */
static void edits_replace_and_survive_binding(void **state) {
    (void)state;
    struct fixture f;
    const size_t some[] = {0, 3};
    const size_t ranks[2 * N] = {1, 2, 3, 4, 4, 4};
    begin(&f);
    config_add_override(&f.config, "*", NULL, rank(9));
    bind(&f);
    for (unsigned r = 1; r < 5; r++)
        plan_set_rank(f.plan, (struct plan_scope){some, 1, 0}, rank(r), "step");
    assert_int_equal(f.plan->config.override_count, 2);
    plan_set_ranks(f.plan, (struct plan_scope){some, 2, PLAN_ALL}, ranks, "steps");
    assert_cells(f.plan, "123|999||444|999|999");
    assert_int_equal(f.plan->config.override_count, 1 + 3 + 1);
    plan_set_ranks(f.plan, (struct plan_scope){some + 1, 1, 1}, ranks, "one");
    assert_cells(f.plan, "123|999||424|999|999");
    const struct rank_rule rules[N] = {rank(7), {RANK_FULL, 0}, rank(8)};
    plan_set_rules(f.plan, (struct plan_scope){some, 1, PLAN_ALL}, rules, "rules");
    assert_true(rank_rule_equal(plan_rule(f.plan, 0, 1), rules[1]));
    assert_true(rank_rule_equal(plan_rule(f.plan, 0, 2), rules[2]));
    assert_string_equal(plan_step_text(f.plan, plan_position(f.plan) - 1), "rules");
    struct plan *again;
    struct error error = {0};
    assert_true(plan_create(&f.plan->config, &f.table, &again, &error));
    assert_memory_equal(again->rules, f.plan->rules, SPAN * sizeof *again->rules);
    plan_free(again);
    end(&f);
}

static void reset_follows_the_default_again(void **state) {
    (void)state;
    struct fixture f;
    const size_t all[] = {0, 1, 3, 4, 5};
    begin(&f);
    config_add_override(&f.config, "a*", NULL, rank(9));
    bind(&f);
    plan_set_rank(f.plan, (struct plan_scope){all + 2, 1, PLAN_ALL}, rank(5), "set");
    plan_reset(f.plan, (struct plan_scope){all + 2, 1, PLAN_ALL}, "reset");
    assert_cells(f.plan, "999|999||...|...|...");
    assert_int_equal(f.plan->config.override_count, 1);
    plan_reset(f.plan, (struct plan_scope){all, 1, 2}, "behind a glob");
    assert_cells(f.plan, "99.|999||...|...|...");
    plan_reset(f.plan, (struct plan_scope){all, 5, PLAN_ALL}, "all");
    assert_cells(f.plan, "...|...||...|...|...");
    assert_int_equal(f.plan->config.override_count, 0);
    end(&f);
}

/* A random edit; every kind comes up. */
static void edit(struct plan *plan, unsigned *seed) {
    struct error error = {0};
    size_t layers[LAYERS], count = 0, ranks[SPAN];
    char text[64];
    for (size_t l = 0; l < LAYERS; l++)
        if (rand_r(seed) % 2)
            layers[count++] = l;
    for (size_t c = 0; c < SPAN; c++)
        ranks[c] = (size_t)rand_r(seed) % 4;
    struct plan_scope scope = {layers, count, rand_r(seed) % (N + 1) - 1};
    size_t fields;
    const struct settings_field *alpha = settings_field_find("alpha");
    settings_fields(&fields);
    switch (rand_r(seed) % 7) {
    case 0:
        plan_set_rank(plan, scope, rank(rand_r(seed) % 5), "rank");
        break;
    case 1:
        plan_set_ranks(plan, scope, ranks, "ranks");
        break;
    case 2:
        plan_reset(plan, scope, "reset");
        break;
    case 3:
        snprintf(text, sizeof text, "0.%d", rand_r(seed) % 100);
        assert_true(plan_set_field(plan, alpha, text, &error));
        break;
    case 4:
        assert_true(plan_set_weight(plan, (size_t)rand_r(seed) % N, 1 + rand_r(seed) % 9, &error));
        break;
    case 5:
        assert_true(plan_set(plan, rand_r(seed) % 2 ? "norm_match=layer" : "residual.rank.gd=true",
                             &error));
        break;
    default:
        assert_true(plan_preset(plan, rand_r(seed) % 2 ? "paper" : "script", &error));
    }
}

struct snapshot {
    char *text;
    struct rank_rule rules[SPAN];
    double shares[N];
};

static struct snapshot take(const struct plan *plan) {
    struct snapshot snapshot = {.text = config_text(&plan->config, NULL)};
    memcpy(snapshot.rules, plan->rules, sizeof snapshot.rules);
    memcpy(snapshot.shares, plan->shares, sizeof snapshot.shares);
    return snapshot;
}

static void assert_same(const struct plan *plan, const struct snapshot *expected) {
    struct snapshot now = take(plan);
    assert_string_equal(now.text, expected->text);
    for (size_t l = 0; l < LAYERS; l++)
        for (size_t i = 0; i < N && l != 2; i++)
            assert_true(rank_rule_equal(now.rules[l * N + i], expected->rules[l * N + i]));
    assert_memory_equal(now.shares, expected->shares, sizeof now.shares);
    free(now.text);
}

static void undo_and_redo_restore_every_bit(void **state) {
    (void)state;
    enum { STEPS = 300 };
    static struct snapshot snapshots[STEPS + 1];
    struct fixture f;
    unsigned seed = 20240917;
    begin(&f);
    bind(&f);
    snapshots[0] = take(f.plan);
    for (size_t s = 1; s <= STEPS; s++) {
        edit(f.plan, &seed);
        snapshots[s] = take(f.plan);
    }
    for (size_t s = STEPS; s-- > 0;) {
        assert_non_null(plan_undo(f.plan));
        assert_same(f.plan, &snapshots[s]);
    }
    assert_null(plan_undo(f.plan));
    for (size_t s = 1; s <= STEPS; s++) {
        assert_non_null(plan_redo(f.plan));
        assert_same(f.plan, &snapshots[s]);
    }
    assert_null(plan_redo(f.plan));
    assert_int_equal(plan_step_count(f.plan), STEPS);
    for (size_t s = 0; s <= STEPS; s += 7) { /* far back, and forward */
        plan_jump(f.plan, s * 131 % (STEPS + 1));
        assert_int_equal(plan_position(f.plan), s * 131 % (STEPS + 1));
        assert_same(f.plan, &snapshots[s * 131 % (STEPS + 1)]);
    }
    for (size_t s = 0; s <= STEPS; s++)
        free(snapshots[s].text);
    end(&f);
}

static void steps_are_described(void **state) {
    (void)state;
    struct fixture f;
    struct error error = {0};
    const size_t layer = 0;
    begin(&f);
    bind(&f);
    plan_set_rank(f.plan, (struct plan_scope){&layer, 1, 0}, rank(1), "rank of a[0].w 0 -> 1");
    assert_true(plan_set_field(f.plan, settings_field_find("alpha"), "0.8", &error));
    assert_true(plan_set_weight(f.plan, 1, 2, &error));
    assert_string_equal(plan_undo(f.plan), "weight of fr -> 2");
    assert_string_equal(plan_undo(f.plan), "alpha 0.6 -> 0.8");
    assert_string_equal(plan_redo(f.plan), "alpha 0.6 -> 0.8");
    assert_string_equal(plan_undo(f.plan), "alpha 0.6 -> 0.8");
    assert_string_equal(plan_undo(f.plan), "rank of a[0].w 0 -> 1");
    assert_null(plan_undo(f.plan));
    end(&f);
}

static void modified_knows_the_saved_state(void **state) {
    (void)state;
    struct fixture f;
    struct error error = {0};
    const struct settings_field *alpha = settings_field_find("alpha");
    begin(&f);
    bind(&f);
    assert_false(f.plan->modified);
    plan_set_field(f.plan, alpha, "0.7", &error);
    assert_true(f.plan->modified);
    plan_undo(f.plan);
    assert_false(f.plan->modified);
    plan_redo(f.plan);
    plan_mark_saved(f.plan);
    assert_false(f.plan->modified);
    plan_undo(f.plan);
    assert_true(f.plan->modified);
    plan_set_field(f.plan, alpha, "0.9", &error); /* the saved state cannot come back */
    plan_undo(f.plan);
    assert_true(f.plan->modified);
    end(&f);
}

static void history_is_bounded(void **state) {
    (void)state;
    struct fixture f;
    struct error error = {0};
    char text[32];
    begin(&f);
    bind(&f);
    for (int s = 0; s < 600; s++) {
        snprintf(text, sizeof text, "%g", s / 100.0);
        assert_true(plan_set_field(f.plan, settings_field_find("alpha"), text, &error));
    }
    for (int s = 0; s < 500; s++)
        assert_non_null(plan_undo(f.plan));
    assert_null(plan_undo(f.plan));
    assert_close(f.plan->config.settings.alpha, 0.99, 1e-12);
    assert_true(f.plan->modified); /* the state it was opened in is forgotten */
    end(&f);
}

static void wrong_edits_change_nothing(void **state) {
    (void)state;
    struct fixture f;
    struct error error = {0};
    begin(&f);
    bind(&f);
    struct snapshot before = take(f.plan);
    assert_false(plan_set_field(f.plan, settings_field_find("alpha"), "x", &error));
    assert_false(plan_set(f.plan, "alhpa=1", &error));
    assert_false(plan_set(f.plan, "keys.head=x", &error));
    assert_non_null(strstr(error.message, "open"));
    assert_false(plan_preset(f.plan, "x", &error));
    assert_false(plan_set_weight(f.plan, 0, -1, &error));
    assert_true(plan_set_weight(f.plan, 0, 0, &error));
    assert_true(plan_set_weight(f.plan, 1, 0, &error));
    assert_false(plan_set_weight(f.plan, 2, 0, &error));
    assert_non_null(strstr(error.message, "all weights are 0"));
    plan_undo(f.plan);
    plan_undo(f.plan);
    assert_same(f.plan, &before);
    assert_null(plan_undo(f.plan));
    error_free(&error);
    free(before.text);
    end(&f);
}

static void shares_are_normalised_weights(void **state) {
    (void)state;
    struct fixture f;
    struct error error = {0};
    begin(&f);
    bind(&f);
    assert_close(f.plan->shares[0], 1.0 / 3, 1e-16);
    assert_true(plan_set_weight(f.plan, 2, 2, &error));
    assert_close(f.plan->shares[0], 0.25, 0);
    assert_close(f.plan->shares[2], 0.5, 0);
    end(&f);
}

/* A change of specialists waits for its table; undo goes back to the one before. */
static void specialists_come_and_go(void **state) {
    (void)state;
    struct fixture f;
    struct error error = {0};
    struct config next;
    begin(&f);
    config_add_override(&f.config, "b.w", "fr", rank(3));
    bind(&f);
    config_copy(&next, &f.plan->config);
    config_remove_specialist(&next, 1);
    assert_true(plan_adopt(f.plan, &next, "take out fr", &error));
    assert_false(plan_fits_table(f.plan));
    assert_int_equal(f.plan->config.override_count, 0);
    struct table_specialist two[] = {f.specialists[0], f.specialists[2]};
    struct tensor_table table = f.table;
    table.specialists = two;
    table.specialist_count = 2;
    plan_rebind(f.plan, &table);
    assert_true(plan_fits_table(f.plan));
    assert_close(f.plan->shares[1], 0.5, 0);
    assert_string_equal(plan_undo(f.plan), "take out fr");
    assert_false(plan_fits_table(f.plan));
    plan_rebind(f.plan, &f.table);
    assert_true(rank_rule_equal(plan_rule(f.plan, 3, 1), rank(3)));
    config_copy(&next, &f.plan->config);
    config_add_specialist(&next, "fr=other", 2);
    assert_false(plan_adopt(f.plan, &next, "add fr", &error)); /* the name is taken */
    error_free(&error);
    assert_true(plan_fits_table(f.plan));
    end(&f);
}

static void set(struct fixture *f, const char *assignment) {
    struct error error = {0};
    assert_true(plan_set(f->plan, assignment, &error));
}

static void notes_belong_to_plans(void **state) {
    (void)state;
    struct fixture f;
    begin(&f);
    bind(&f);
    size_t first = plan_ticket(f.plan);
    assert_int_equal(plan_ticket(f.plan), first);
    set(&f, "alpha=0.5");
    size_t second = plan_ticket(f.plan);
    assert_int_not_equal(first, second);
    plan_note(f.plan, first, "auc 0.5"); /* told after the plan went on */
    plan_note(f.plan, second, "auc 0.6");
    assert_string_equal(plan_note_at(f.plan, 0), "auc 0.5");
    assert_string_equal(plan_note_at(f.plan, 1), "auc 0.6");
    plan_undo(f.plan);
    assert_string_equal(plan_note_at(f.plan, 1), "auc 0.6");
    set(&f, "alpha=0.7"); /* another plan in the second one's place */
    assert_null(plan_note_at(f.plan, 1));
    plan_note(f.plan, second, "too late");
    assert_null(plan_note_at(f.plan, 1));
    end(&f);
}

/* The oldest steps are forgotten, with their notes; those of later ones move along. */
static void notes_move_with_a_full_history(void **state) {
    (void)state;
    struct fixture f;
    char assignment[32];
    begin(&f);
    bind(&f);
    plan_note(f.plan, plan_ticket(f.plan), "the first");
    set(&f, "alpha=0.5");
    plan_note(f.plan, plan_ticket(f.plan), "the second");
    for (int i = 0; i < 499; i++) {
        snprintf(assignment, sizeof assignment, "alpha=%.4f", 0.001 * (i + 1));
        set(&f, assignment);
    }
    assert_string_equal(plan_note_at(f.plan, 0), "the first");
    set(&f, "alpha=0.9");
    assert_string_equal(plan_note_at(f.plan, 0), "the second");
    assert_null(plan_note_at(f.plan, 1));
    assert_null(plan_note_at(f.plan, plan_step_count(f.plan)));
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(notes_belong_to_plans),
        cmocka_unit_test(notes_move_with_a_full_history),
        cmocka_unit_test(later_overrides_win),
        cmocka_unit_test(overrides_that_meet_nothing_are_errors),
        cmocka_unit_test(unknown_specialists_are_errors),
        cmocka_unit_test(scopes_reach_their_cells),
        cmocka_unit_test(edits_replace_and_survive_binding),
        cmocka_unit_test(reset_follows_the_default_again),
        cmocka_unit_test(undo_and_redo_restore_every_bit),
        cmocka_unit_test(steps_are_described),
        cmocka_unit_test(modified_knows_the_saved_state),
        cmocka_unit_test(history_is_bounded),
        cmocka_unit_test(wrong_edits_change_nothing),
        cmocka_unit_test(shares_are_normalised_weights),
        cmocka_unit_test(specialists_come_and_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
