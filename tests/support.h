/* What every test may use beside cmocka. Include after <cmocka.h>. */
#ifndef R2M_TESTS_SUPPORT_H
#define R2M_TESTS_SUPPORT_H

#include <math.h>
#include <stdio.h>

/* |a - b| <= tolerance in double (cmocka's own compares floats); prints both when it fails. */
#define assert_close(a, b, tolerance)                                                              \
    do {                                                                                           \
        double close_a = (a), close_b = (b);                                                       \
        if (!(fabs(close_a - close_b) <= (tolerance))) {                                           \
            print_error("%.17g is not within %g of %.17g\n", close_a, (double)(tolerance),         \
                        close_b);                                                                  \
            fail();                                                                                \
        }                                                                                          \
    } while (0)

#endif
