/* The table of layers: rows and figures agree with the preview, and hostile names stay one field.
 */
#include "merge/layers_csv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/study.h"

enum { RANK_COLUMN = 10, SHARE_COLUMN = 16, COLUMNS = 19 };

/* Splits a row without quotes in place; returns its number of fields. */
static size_t split(char *row, char *fields[COLUMNS]) {
    size_t count = 0;
    for (char *field; (field = strsep(&row, ",")) != NULL; count++)
        if (count < COLUMNS)
            fields[count] = field;
    return count;
}

static void rows_are_those_of_the_preview(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(3);
    struct study study = study_make(&recipe, NULL, 1);
    char *text = layers_csv(study.analysis, study.preview), *rest = text, *fields[COLUMNS];
    assert_int_equal(split(strsep(&rest, "\n"), fields), COLUMNS);
    assert_string_equal(fields[RANK_COLUMN], "rank");
    assert_string_equal(fields[SHARE_COLUMN], "share");
    for (size_t l = 0; l < study.table->layer_count; l++)
        for (size_t i = 0; i < 3 && layer_is_shared(&study.table->layers[l]); i++) {
            const struct preview_cell *cell = preview_cell_at(study.preview, l, i);
            assert_int_equal(split(strsep(&rest, "\n"), fields), COLUMNS);
            assert_string_equal(fields[0], study.table->layers[l].name);
            assert_string_equal(fields[5], study.table->specialists[i].name);
            assert_int_equal(strtoul(fields[RANK_COLUMN], NULL, 10), cell->rank);
            assert_true(strtod(fields[SHARE_COLUMN], NULL) == cell->share_after);
        }
    assert_string_equal(rest, "");
    free(text);
    study_end(&study);
}

static void names_are_quoted_where_they_must_be(void **state) {
    (void)state;
    struct model_recipe recipe = model_recipe_default(2);
    struct study study = study_make(&recipe, NULL, 1);
    char hostile[] = "a,\"b\"\nc", *kept = study.table->specialists[0].name;
    study.table->specialists[0].name = hostile;
    char *text = layers_csv(study.analysis, study.preview);
    study.table->specialists[0].name = kept;
    assert_non_null(strstr(text, ",\"a,\"\"b\"\"\nc\","));
    free(text);
    study_end(&study);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_those_of_the_preview),
        cmocka_unit_test(names_are_quoted_where_they_must_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
