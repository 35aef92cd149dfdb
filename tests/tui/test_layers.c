/* Rows of the Layers view: modules that fold. */
#include "tests/bare_table.h"
#include "tui/screen/layers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void rows_fold(void **state) {
    static const char *const names[] = {"b.0.q.bias",   "b.0.q.weight", "b.0.v.weight",
                                        "b.1.q.weight", "b.1.v.weight", "head.weight"};
    struct layers_rows rows = {0};
    char label[TEXT_ROOM];
    (void)state;
    struct tensor_table *table = bare_table(names, 6);
    layers_rows_build(&rows, table, false, NULL);
    assert_int_equal(rows.module_count, 3);
    assert_int_equal(rows.row_count, 7); /* two modules with two layers each, one alone */
    layers_row_label(&rows, table, 0, label);
    assert_string_equal(label, "b.0 (2)");
    layers_row_label(&rows, table, 2, label);
    assert_string_equal(label, "v");
    layers_row_label(&rows, table, 6, label);
    assert_string_equal(label, "head");
    assert_int_equal(layers_row_of(&rows, 3), 4);
    rows.modules[1].folded = true;
    layers_rows_update(&rows);
    assert_int_equal(rows.row_count, 5);
    assert_int_equal(layers_row_of(&rows, 4), 3); /* the folded module's row */
    layers_rows_build(&rows, table, true, NULL);
    assert_int_equal(rows.shown_count, 6);
    layers_rows_free(&rows);
    bare_table_free(table);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_fold),
    };
    return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
