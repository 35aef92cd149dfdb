/* The report's folder: whole or not at all, and nothing of anybody else's is touched. */
#include "render/report/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/study.h"

struct room {
    struct study study;
    struct input_files files;
    struct report_source source;
    char *folder;
};

static int make_room(void **state) {
    struct error error = {0};
    struct room *room = memory_array(1, sizeof *room);
    struct model_recipe recipe = model_recipe_default(3);
    room->study = study_make(&recipe, NULL, 1);
    assert_true(input_files_read(room->study.table, room->study.pool, &room->files, NULL, &error));
    room->source = (struct report_source){room->study.plan, room->study.analysis,
                                          room->study.preview, &room->files};
    room->folder = scratch_path(&room->study.model.scratch, "report");
    *state = room;
    return 0;
}

static int leave_room(void **state) {
    struct room *room = *state;
    input_files_free(&room->files);
    study_end(&room->study);
    free(room);
    return 0;
}

static void a_wish_to_stop_leaves_nothing(void **state) {
    struct room *room = *state;
    struct error error = {0};
    struct progress progress = {.cancel = true};
    struct input_files files;
    size_t before = scratch_count(&room->study.model.scratch);
    assert_false(report_write(&room->source, room->folder, false, &progress, &error));
    assert_int_equal(error.kind, ERROR_CANCELLED);
    error_free(&error);
    assert_false(input_files_read(room->study.table, room->study.pool, &files, &progress, &error));
    assert_int_equal(error.kind, ERROR_CANCELLED);
    assert_int_equal(files.count, 0);
    error_free(&error);
    assert_int_equal(scratch_count(&room->study.model.scratch), before);
}

static void progress_ends_where_it_said(void **state) {
    struct room *room = *state;
    struct error error = {0};
    struct progress progress = {0};
    size_t before = scratch_count(&room->study.model.scratch);
    assert_true(report_write(&room->source, room->folder, false, &progress, &error));
    assert_true(progress.done > 0 && progress.done <= progress.total);
    assert_int_equal(scratch_count(&room->study.model.scratch), before + 1);
    assert_false(report_write(&room->source, room->folder, false, NULL, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    error_free(&error);
}

static void a_failure_keeps_what_was_there(void **state) {
    struct room *room = *state;
    struct error error = {0};
    size_t length;
    assert_int_equal(mkdir(room->folder, 0777), 0);
    char *in_the_way = memory_format("%s/figures", room->folder);
    assert_int_equal(symlink("nowhere", in_the_way), 0);
    assert_false(report_write(&room->source, room->folder, true, NULL, &error));
    assert_non_null(strstr(error.message, "figures"));
    error_free(&error);
    char *page = memory_format("%s/report.html", room->folder);
    assert_null(scratch_read(page, &length));
    free(page);
    free(in_the_way);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_wish_to_stop_leaves_nothing, make_room, leave_room),
        cmocka_unit_test_setup_teardown(progress_ends_where_it_said, make_room, leave_room),
        cmocka_unit_test_setup_teardown(a_failure_keeps_what_was_there, make_room, leave_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
