/* Differences of tensors made by hand, whose values are exact in every dtype used. */
#include "analysis/differences.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { N = 3, ROWS = 4, COLUMNS = 75, ELEMENTS = ROWS * COLUMNS };

static const unsigned char every[] = {0, 1, 2};
static const uint64_t shape[] = {ROWS, COLUMNS}, by_column[] = {1, ROWS};

/* A base and specialists in F32, as they lie; turned[i]: the same as tensor i, stored by columns.
 */
struct fixture {
    float values[1 + N][ELEMENTS], columns[1 + N][ELEMENTS];
    double wide[1 + N][ELEMENTS];
    struct tensor plain[1 + N], turned[1 + N], double_size[1 + N];
    const struct tensor *specialists[N];
    struct layer layer;
};

static struct tensor tensor_of(enum dtype dtype, const uint64_t *strides, const void *data) {
    return (struct tensor){.dtype = dtype,
                           .rank = 2,
                           .shape = shape,
                           .elements = ELEMENTS,
                           .strides = strides,
                           .data = data};
}

static void make(struct fixture *fixture) {
    memset(fixture, 0, sizeof *fixture);
    for (size_t f = 0; f <= N; f++) {
        for (size_t e = 0; e < ELEMENTS; e++) {
            float value = (float)((f + 1) * (e % 17)) - (float)(e * e % 29);
            fixture->values[f][e] = value;
            fixture->columns[f][e % COLUMNS * ROWS + e / COLUMNS] = value;
            fixture->wide[f][e] = (double)value;
        }
        fixture->plain[f] = tensor_of(DTYPE_F32, NULL, fixture->values[f]);
        fixture->turned[f] = tensor_of(DTYPE_F32, by_column, fixture->columns[f]);
        fixture->double_size[f] = tensor_of(DTYPE_F64, NULL, fixture->wide[f]);
    }
    fixture->layer.base = &fixture->plain[0];
    fixture->layer.specialists = fixture->specialists;
    for (size_t i = 0; i < N; i++)
        fixture->specialists[i] = &fixture->plain[i + 1];
}

/* All differences, in pieces, some of them short. */
static void assert_differences(const struct fixture *fixture, bool has_base) {
    static const size_t sizes[] = {DIFFERENCES_PIECE, 1, 7, DIFFERENCES_PIECE - 9};
    const struct differences all = differences_of(&fixture->layer, every, N);
    double rows[N * DIFFERENCES_PIECE];
    assert_int_equal(all.count, N);
    for (size_t s = 0, first = 0; s < sizeof sizes / sizeof *sizes; first += sizes[s++]) {
        differences_read(&all, first, sizes[s], rows);
        for (size_t i = 0; i < N; i++)
            for (size_t k = 0; k < sizes[s]; k++)
                assert_true(rows[i * DIFFERENCES_PIECE + k] ==
                            fixture->wide[i + 1][first + k] -
                                (has_base ? fixture->wide[0][first + k] : 0));
    }
}

static void tensors_of_every_kind_are_subtracted(void **state) {
    (void)state;
    struct fixture fixture;
    make(&fixture);
    assert_true(differences_of(&fixture.layer, every, N).alike);
    assert_differences(&fixture, true);
    fixture.specialists[1] = &fixture.turned[2];
    assert_false(differences_of(&fixture.layer, every, N).alike);
    assert_differences(&fixture, true);
    fixture.specialists[1] = &fixture.double_size[2];
    assert_differences(&fixture, true);
    fixture.layer.base = &fixture.turned[0];
    assert_differences(&fixture, true);
    fixture.layer.base = NULL;
    assert_differences(&fixture, false);
}

static void the_order_is_the_callers(void **state) {
    (void)state;
    static const unsigned char some[] = {2, 0};
    struct fixture fixture;
    make(&fixture);
    struct differences differences = differences_of(&fixture.layer, some, 2);
    assert_int_equal(differences.count, 2);
    assert_ptr_equal(differences.tensors[0], &fixture.plain[3]);
    assert_ptr_equal(differences.tensors[1], &fixture.plain[1]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_of_every_kind_are_subtracted),
        cmocka_unit_test(the_order_is_the_callers),
    };
    return cmocka_run_group_tests_name("differences", tests, NULL, NULL);
}
