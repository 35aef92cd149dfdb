/* Against sums of integers, which are exact in every order. */
#include "analysis/inner_products.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 5, STRIDE = 40, COUNT = 32 };

static double value(size_t row, size_t k) {
    return (double)((row * 7 + k * 3) % 11) - 5;
}

static void test_sums_every_pair(void **state) {
    (void)state;
    double rows[ROWS * STRIDE];
    struct inner_sum sums[ROWS * ROWS];
    for (size_t n = 1; n <= ROWS; n++) {
        memset(sums, 0, sizeof sums);
        for (size_t i = 0; i < ROWS * STRIDE; i++)
            rows[i] = value(i / STRIDE, i % STRIDE);
        inner_products_add(rows, n, 0, STRIDE, COUNT, sums);
        inner_products_add(rows, n, 0, STRIDE, INNER_LANES, sums); /* a second piece adds */
        for (size_t i = 0; i < n; i++)
            for (size_t j = i; j < n; j++) {
                double expected = 0;
                for (size_t k = 0; k < COUNT + INNER_LANES; k++)
                    expected += value(i, k % COUNT) * value(j, k % COUNT);
                assert_true(inner_sum_total(&sums[i * n + j]) == expected);
            }
    }
}

static void test_leaves_the_lower_triangle(void **state) {
    (void)state;
    double rows[2 * INNER_LANES];
    struct inner_sum sums[4] = {{{0}}};
    for (size_t i = 0; i < 2 * INNER_LANES; i++)
        rows[i] = 1;
    inner_products_add(rows, 2, 0, INNER_LANES, INNER_LANES, sums);
    assert_true(inner_sum_total(&sums[2]) == 0);
    assert_true(inner_sum_total(&sums[1]) == INNER_LANES);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sums_every_pair),
        cmocka_unit_test(test_leaves_the_lower_triangle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
