/* Commands that measure, fail, hang, talk too much or leave children behind. */
#include "merge/evaluation/evaluation.h"
#include "tests/scratch.h"

#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/support.h"

enum { LONG = 100 }; /* seconds: no test waits for it */

static bool run(const char *command, const char *path, double limit, struct evaluation *result,
                struct error *error) {
    return evaluation_run(command, path, limit, NULL, result, error);
}

static void the_path_takes_the_place_of_the_braces(void **state) {
    (void)state;
    struct evaluation result;
    struct error error = {0};
    assert_true(run("echo auc: 0.5; test {} = {} && echo \"name\" {}", "it's \"a\" $HOME file",
                    LONG, &result, &error));
    assert_close(metrics_find(&result.metrics, "auc")->value, 0.5, 0);
    assert_non_null(strstr(result.output, "name it's \"a\" $HOME file"));
    evaluation_free(&result);
}

static void a_command_may_change_its_folder(void **state) {
    (void)state;
    struct evaluation result;
    struct error error = {0};
    FILE *file = fopen("evaluated-here", "w");
    assert_non_null(file);
    fclose(file);
    assert_true(
        run("cd / && test -f {} && echo auc: 0.5", "evaluated-here", LONG, &result, &error));
    evaluation_free(&result);
    unlink("evaluated-here");
}

static void half_a_line_of_a_flood_is_no_metric(void **state) {
    (void)state;
    struct evaluation result;
    struct error error = {0};
    assert_true(
        run("yes long.name: 0.5 | head -20000; echo auc: 1; {}; true", ":", LONG, &result, &error));
    assert_int_equal(result.metrics.count, 2);
    assert_non_null(metrics_find(&result.metrics, "long.name"));
    evaluation_free(&result);
}

/* Command, and what the message or the hint says. */
static void failures_are_told(void **state) {
    (void)state;
    static const struct {
        const char *command, *says, *hint;
    } cases[] = {
        {"echo {}; echo broken >&2; exit 3", "exit code 3", "broken"},
        {"no-such-command-at-all {}", "not found", "no-such-command"},
        {"echo {} is fine", "no metric", "is fine"},
        {"echo auc: nan {}; echo auc: nan", "auc", "auc"},
        {"kill -SEGV $$; {}", "signal 11", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct evaluation result;
        struct error error = {0};
        assert_false(run(cases[i].command, "out", LONG, &result, &error));
        assert_int_equal(error.kind, ERROR_INPUT);
        assert_non_null(strstr(error.message, cases[i].says));
        if (cases[i].hint != NULL)
            assert_non_null(strstr(error.hint, cases[i].hint));
        assert_non_null(result.output);
        evaluation_free(&result);
        error_free(&error);
    }
}

static void a_command_without_braces_is_refused(void **state) {
    (void)state;
    struct evaluation result;
    struct error error = {0};
    assert_false(run("echo auc: 1", "out", LONG, &result, &error));
    assert_int_equal(error.kind, ERROR_USAGE);
    evaluation_free(&result);
    error_free(&error);
}

/* The child says its number; its group is gone when evaluation_run returns. */
static void a_slow_command_ends_with_its_children(void **state) {
    (void)state;
    struct evaluation result;
    struct error error = {0};
    assert_false(run("sleep 1000 & echo $!; : {}; wait", "out", 0.2, &result, &error));
    assert_int_equal(error.kind, ERROR_INPUT);
    assert_non_null(strstr(error.message, "0.2 seconds"));
    pid_t child = (pid_t)atoi(result.output);
    assert_true(child > 1);
    struct pollfd death = {(int)syscall(SYS_pidfd_open, child, 0), POLLIN, 0};
    if (death.fd >= 0) { /* killed, and perhaps not dead yet; else gone */
        assert_int_equal(poll(&death, 1, 1000 * LONG), 1);
        close(death.fd);
    }
    evaluation_free(&result);
    error_free(&error);
}

static void what_a_command_leaves_behind_is_ended(void **state) {
    (void)state;
    struct evaluation result;
    struct error error = {0};
    assert_true(run("sleep 1000 & echo auc: 1 {}; echo auc: 1", "out", LONG, &result, &error));
    assert_true(result.seconds < LONG);
    evaluation_free(&result);
}

static void cancelling_ends_it(void **state) {
    (void)state;
    const _Atomic bool cancel = true;
    struct evaluation result;
    struct error error = {0};
    assert_false(evaluation_run("sleep 1000; : {}", "out", LONG, &cancel, &result, &error));
    assert_int_equal(error.kind, ERROR_CANCELLED);
    evaluation_free(&result);
    error_free(&error);
}

static void the_end_of_much_output_is_kept(void **state) {
    (void)state;
    struct evaluation result;
    struct error error = {0};
    assert_true(
        run("yes filler {} | head -c 3000000; echo; echo auc: 0.25", "x", LONG, &result, &error));
    assert_close(metrics_find(&result.metrics, "auc")->value, 0.25, 0);
    assert_true(strlen(result.output) < 200000);
    evaluation_free(&result);
}

static size_t open_files(void) {
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count;
}

static void *run_one(void *result) {
    struct error error = {0};
    assert_true(run("echo auc: 1 {}; echo auc: 1", "x", LONG, result, &error));
    return NULL;
}

/* Nothing stays open, and a command holds no other command's pipe. */
static void several_run_at_once(void **state) {
    (void)state;
    struct evaluation results[8];
    pthread_t threads[8];
    size_t before = open_files();
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_one, &results[i]), 0);
    for (size_t i = 0; i < 8; i++) {
        pthread_join(threads[i], NULL);
        evaluation_free(&results[i]);
    }
    assert_int_equal(open_files(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_path_takes_the_place_of_the_braces),
        cmocka_unit_test(a_command_may_change_its_folder),
        cmocka_unit_test(half_a_line_of_a_flood_is_no_metric),
        cmocka_unit_test(failures_are_told),
        cmocka_unit_test(a_command_without_braces_is_refused),
        cmocka_unit_test(a_slow_command_ends_with_its_children),
        cmocka_unit_test(what_a_command_leaves_behind_is_ended),
        cmocka_unit_test(cancelling_ends_it),
        cmocka_unit_test(the_end_of_much_output_is_kept),
        cmocka_unit_test(several_run_at_once),
    };
    return cmocka_run_group_tests_name("evaluation", tests, NULL, NULL);
}
