/* The key table: no clash, nothing without help, names that read back. */
#include "tui/screen/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void no_key_means_two_things(void **state) {
    size_t count;
    const struct binding *all = bindings(&count);
    (void)state;
    for (size_t i = 0; i < count; i++) {
        const char *at = all[i].keys;
        for (int key; (key = key_list_next(&at)) != INPUT_NONE;)
            for (int view = 0; view < VIEW_COUNT; view++)
                if ((all[i].views & (1u << view)) != 0)
                    assert_ptr_equal(binding_find((enum view_id)view, key), &all[i]);
        assert_int_equal(*at, '\0'); /* every name was understood */
    }
}

static void every_action_has_a_row_with_help(void **state) {
    size_t count;
    const struct binding *all = bindings(&count);
    bool seen[ACTION_COUNT] = {[ACTION_NONE] = true};
    (void)state;
    for (size_t i = 0; i < count; i++) {
        seen[all[i].action] = true;
        assert_true(strlen(all[i].help) > 5);
        assert_true(all[i].views != 0);
        assert_int_equal(all[i].hint != NULL, all[i].priority > 0);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(all[i].name, all[j].name);
    }
    for (int action = 0; action < ACTION_COUNT; action++)
        assert_true(seen[action]);
}

static void help_and_quit_are_in_every_view(void **state) {
    (void)state;
    for (int view = 0; view < VIEW_COUNT; view++) {
        assert_non_null(binding_of((enum view_id)view, ACTION_HELP));
        assert_non_null(binding_of((enum view_id)view, ACTION_QUIT));
        assert_int_equal(binding_find((enum view_id)view, '?')->action, ACTION_HELP);
    }
}

static void names_of_keys_read_back(void **state) {
    static const int keys[] = {INPUT_UP,     INPUT_PAGE_DOWN, INPUT_TAB, INPUT_BACKTAB, ' ',
                               INPUT_ENTER,  INPUT_ESCAPE,    'x',       'X',           ':',
                               INPUT_F1,     INPUT_CTRL('r'), '-',       0x3c3,         0x4e2d,
                               INPUT_DELETE, INPUT_BACKSPACE};
    char name[KEY_TEXT];
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(key_parse(key_text(keys[i], name)), keys[i]);
    assert_int_equal(key_parse("down"), INPUT_DOWN);
    assert_int_equal(key_parse("nothing"), INPUT_NONE);
    assert_int_equal(key_parse(""), INPUT_NONE);
}

static void views_differ(void **state) {
    (void)state;
    assert_int_equal(binding_find(VIEW_LAYERS, '+')->action, ACTION_RANK_UP);
    assert_int_equal(binding_find(VIEW_SPECIALISTS, '+')->action, ACTION_WEIGHT_UP);
    assert_null(binding_find(VIEW_EXPORT, '+'));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_key_means_two_things),
        cmocka_unit_test(every_action_has_a_row_with_help),
        cmocka_unit_test(help_and_quit_are_in_every_view),
        cmocka_unit_test(names_of_keys_read_back),
        cmocka_unit_test(views_differ),
    };
    return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
