/* The file of measured plans: what was added is there for the next one, about the same files only;
 * several processes lose nothing; the oldest go. */
#include "merge/sweep/measured.h"
#include "tests/scratch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support.h"

static struct config config_of(const char *second) {
    struct config config;
    struct error error = {0};
    config_init(&config);
    assert_true(config_set_files(&config, "base", (const char *const[]){"one", second}, 2, &error));
    return config;
}

static void add(struct measured_plans *plans, const struct config *config, double auc) {
    struct sweep_record result = {.seconds = 2.5, .output = memory_string("auc: it\n")};
    struct error error = {0};
    metrics_set(&result.metrics, "auc", auc);
    assert_true(measured_add(plans, config, &result, &error));
    sweep_record_free(&result);
}

static void what_was_added_is_read(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    char *path = scratch_path(&scratch, "measured.jsonl");
    struct config config = config_of("two"), other = config_of("three");
    struct measured_plans plans, again;
    struct error error = {0};
    assert_int_equal(measured_read(path, &config, &plans), 0);
    assert_int_equal(plans.count, 0);
    add(&plans, &config, 0.5);
    assert_true(config_set(&config, "alpha=0.9", &error));
    config_add_override(&config, "m.*", NULL, (struct rank_rule){RANK_GD, 0});
    add(&plans, &config, 0.75);
    assert_int_equal(measured_read(path, &config, &again), 0);
    assert_int_equal(again.count, 2);
    const struct measured_plan *latest = &again.items[1];
    assert_true(metrics_find(&latest->record.metrics, "auc")->value == 0.75);
    assert_true(latest->record.seconds == 2.5 && latest->when > 1e9);
    assert_string_equal(latest->record.output, "auc: it\n");
    assert_null(latest->record.error);
    bool alpha = false, overrides = false;
    for (size_t i = 0; i < latest->record.settings.count; i++) {
        alpha |= strcmp(latest->record.settings.items[i], "alpha=0.9") == 0;
        overrides |= strncmp(latest->record.settings.items[i], "overrides=1 (", 13) == 0;
    }
    assert_true(alpha && overrides);
    measured_free(&again);
    assert_int_equal(measured_read(path, &other, &again), 0); /* other files, none of them */
    assert_int_equal(again.count, 0);
    measured_free(&again);
    assert_true(measured_remove(&plans, 0, &error));
    assert_int_equal(measured_read(path, &config, &again), 0);
    assert_int_equal(again.count, 1);
    assert_true(metrics_find(&again.items[0].record.metrics, "auc")->value == 0.75);
    measured_free(&again);
    measured_free(&plans);
    config_free(&config);
    config_free(&other);
    scratch_remove(&scratch);
}

static void nothing_is_lost_between_processes(void **state) {
    (void)state;
    enum { PROCESSES = 4, EACH = 15 };
    struct scratch scratch = scratch_make();
    char *path = scratch_path(&scratch, "measured.jsonl");
    struct config config = config_of("two");
    struct measured_plans plans;
    pid_t children[PROCESSES];
    for (int p = 0; p < PROCESSES; p++) {
        children[p] = fork();
        if (children[p] != 0)
            continue;
        measured_read(path, &config, &plans);
        for (int i = 0; i < EACH; i++)
            add(&plans, &config, p * EACH + i);
        _exit(0);
    }
    for (int p = 0; p < PROCESSES; p++) {
        int status;
        assert_int_equal(waitpid(children[p], &status, 0), children[p]);
        assert_int_equal(status, 0);
    }
    bool seen[PROCESSES * EACH] = {false};
    assert_int_equal(measured_read(path, &config, &plans), 0);
    assert_int_equal(plans.count, PROCESSES * EACH);
    for (size_t i = 0; i < plans.count; i++)
        seen[(size_t)metrics_find(&plans.items[i].record.metrics, "auc")->value] = true;
    for (size_t i = 0; i < plans.count; i++)
        assert_true(seen[i]);
    measured_free(&plans);
    config_free(&config);
    scratch_remove(&scratch);
}

static void the_oldest_go(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct config config = config_of("two");
    char *text, *lines = scratch_path(&scratch, "measured.jsonl");
    size_t size;
    FILE *stream = memory_stream(&text, &size);
    for (int i = 0; i < MEASURED_LIMIT + 20; i++)
        fprintf(stream, "line %d of somebody else\n", i);
    memory_stream_end(stream);
    scratch_write(&scratch, "measured.jsonl", text, size);
    free(text);
    struct measured_plans plans;
    assert_int_equal(measured_read(lines, &config, &plans), MEASURED_LIMIT + 20);
    add(&plans, &config, 1);
    measured_free(&plans);
    size_t length;
    unsigned char *now = scratch_read(lines, &length);
    assert_null(strstr((char *)now, "line 20 of"));
    assert_non_null(strstr((char *)now, "line 21 of")); /* 499 of them, and the plan */
    free(now);
    assert_int_equal(measured_read(lines, &config, &plans), MEASURED_LIMIT - 1);
    assert_int_equal(plans.count, 1);
    measured_free(&plans);
    config_free(&config);
    scratch_remove(&scratch);
}

static void without_a_file_they_last_as_long_as_the_list(void **state) {
    (void)state;
    struct config config = config_of("two");
    struct measured_plans plans;
    assert_int_equal(measured_read(NULL, &config, &plans), 0);
    add(&plans, &config, 1);
    assert_int_equal(plans.count, 1);
    measured_free(&plans);
    config_free(&config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_added_is_read),
        cmocka_unit_test(nothing_is_lost_between_processes),
        cmocka_unit_test(the_oldest_go),
        cmocka_unit_test(without_a_file_they_last_as_long_as_the_list),
    };
    return cmocka_run_group_tests_name("measured", tests, NULL, NULL);
}
