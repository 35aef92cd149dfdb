/* How work is shared out, and one process alone as a rank. (Several are tested under mpirun.) */
#include "analysis/support/ranks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void the_largest_first_to_who_has_least(void **state) {
    (void)state;
    const double sizes[] = {1, 7, 2, 5, 5, 0};
    /* 7 to 0; the first 5 to 1, the other to 2; 2 to 1 (5 = 5, the lower rank); 1 to 2; 0 to 2. */
    const size_t expected[] = {2, 0, 1, 1, 2, 2};
    size_t owners[6];
    ranks_share_out(sizes, 6, 3, owners);
    assert_memory_equal(owners, expected, sizeof expected);
    ranks_share_out(sizes, 6, 1, owners);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(owners[i], 0);
}

static void equal_sizes_are_spread(void **state) {
    (void)state;
    enum { ITEMS = 100, RANKS = 7 };
    double sizes[ITEMS];
    size_t owners[ITEMS], loads[RANKS] = {0};
    for (size_t i = 0; i < ITEMS; i++)
        sizes[i] = 3;
    ranks_share_out(sizes, ITEMS, RANKS, owners);
    for (size_t i = 0; i < ITEMS; i++)
        loads[owners[i]]++;
    for (size_t rank = 0; rank < RANKS; rank++)
        assert_true(loads[rank] == ITEMS / RANKS || loads[rank] == ITEMS / RANKS + 1);
}

static void one_process_alone(void **state) {
    (void)state;
    struct error error = {0};
    double values[] = {1, 2, 3};
    const size_t first[] = {0, 1, 3}, owners[] = {0, 0};
    assert_true(ranks_begin(&error));
    assert_int_equal(ranks_count(), 1);
    assert_int_equal(ranks_own(), 0);
    assert_int_equal(ranks_beside(), 1);
    ranks_gather(values, first, 2, owners);
    assert_true(values[0] == 1 && values[1] == 2 && values[2] == 3);
    assert_true(ranks_sum(5) == 5);
    assert_true(ranks_agree(true, &error));
    error_set(&error, ERROR_INPUT, "kept");
    assert_false(ranks_agree(false, &error));
    assert_string_equal(error.message, "kept");
    assert_false(ranks_warned());
    error_free(&error);
    ranks_end();
}

static void mpirun_without_mpi_is_refused(void **state) {
    (void)state;
    struct error error = {0};
    if (strcmp(ranks_feature(), "-mpi") != 0)
        skip();
    setenv("OMPI_COMM_WORLD_SIZE", "4", 1);
    assert_false(ranks_begin(&error));
    assert_int_equal(error.kind, ERROR_USAGE);
    assert_non_null(strstr(error.message, "4 times"));
    assert_non_null(strstr(error.hint, "MPI=1"));
    error_free(&error);
    setenv("OMPI_COMM_WORLD_SIZE", "1", 1);
    assert_true(ranks_begin(&error));
    unsetenv("OMPI_COMM_WORLD_SIZE");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_first_to_who_has_least),
        cmocka_unit_test(equal_sizes_are_spread),
        cmocka_unit_test(one_process_alone),
        cmocka_unit_test(mpirun_without_mpi_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
