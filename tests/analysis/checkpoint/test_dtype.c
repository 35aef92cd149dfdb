/* Element types: every code of the small formats against their definition, and rounding against
 * a search among all codes. */
#include "analysis/checkpoint/dtype.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct form {
    enum dtype dtype;
    int exponent_bits, fraction_bits;
    bool infinity;
    double largest;
};

static const struct form forms[] = {
    {DTYPE_F16, 5, 10, true, 65504},
    {DTYPE_BF16, 8, 7, true, 0x1.FEp127},
    {DTYPE_F8_E5M2, 5, 2, true, 57344},
    {DTYPE_F8_E4M3, 4, 3, false, 448},
};

enum { FORMS = sizeof forms / sizeof forms[0] };

static unsigned codes(const struct form *form) {
    return 1u << (1 + form->exponent_bits + form->fraction_bits);
}

/* The value by definition: (-1)^s 2^(e-bias) 1.f, or (-1)^s 2^(1-bias) 0.f where e is 0. */
static double value_of(const struct form *form, unsigned code) {
    int bias = (1 << (form->exponent_bits - 1)) - 1;
    unsigned fraction = code & ((1u << form->fraction_bits) - 1);
    unsigned exponent = code >> form->fraction_bits & ((1u << form->exponent_bits) - 1);
    double sign = code >> (form->exponent_bits + form->fraction_bits) ? -1 : 1;
    bool top = exponent == (1u << form->exponent_bits) - 1;
    if (top && form->infinity)
        return fraction == 0 ? sign * INFINITY : NAN;
    if (top && fraction == (1u << form->fraction_bits) - 1)
        return NAN;
    double unit = ldexp(fraction, -form->fraction_bits);
    return exponent == 0 ? sign * ldexp(unit, 1 - bias)
                         : sign * ldexp(1 + unit, (int)exponent - bias);
}

static double widen_code(const struct form *form, unsigned code) {
    double value;
    uint8_t narrow = (uint8_t)code;
    uint16_t wide = (uint16_t)code;
    dtype_widen(form->dtype, dtype_bits(form->dtype) == 8 ? (void *)&narrow : (void *)&wide, 1,
                &value);
    return value;
}

static unsigned narrow_value(const struct form *form, double value, bool *overflow) {
    unsigned char bytes[2] = {0, 0};
    *overflow = dtype_narrow(form->dtype, &value, 1, bytes) == 0;
    return bytes[0] | (unsigned)bytes[1] << 8;
}

static void assert_same_number(double one, double other) {
    if (isnan(one) || isnan(other))
        assert_true(isnan(one) && isnan(other));
    else
        assert_memory_equal(&one, &other, sizeof one); /* signs of zeros too */
}

static void every_code_widens_to_its_definition(void **state) {
    (void)state;
    for (size_t f = 0; f < FORMS; f++)
        for (unsigned code = 0; code < codes(&forms[f]); code++)
            assert_same_number(widen_code(&forms[f], code), value_of(&forms[f], code));
}

static void every_code_survives_a_round_trip(void **state) {
    (void)state;
    for (size_t f = 0; f < FORMS; f++)
        for (unsigned code = 0; code < codes(&forms[f]); code++) {
            bool overflow;
            double value = value_of(&forms[f], code);
            unsigned back = narrow_value(&forms[f], value, &overflow);
            assert_false(overflow);
            if (isnan(value))
                assert_true(isnan(value_of(&forms[f], back)));
            else
                assert_int_equal(back, code);
        }
}

/* Between neighbours a < b of one sign: the middle goes to the even code, what is nearer to one
 * goes to that one. */
static void check_between(const struct form *form, unsigned code) {
    bool overflow;
    double a = value_of(form, code), b = value_of(form, code + 1);
    double middle = (a + b) / 2; /* exact: double has bits to spare */
    assert_int_equal(narrow_value(form, middle, &overflow), code + (code & 1));
    assert_int_equal(narrow_value(form, nextafter(middle, a), &overflow), code);
    assert_int_equal(narrow_value(form, nextafter(middle, b), &overflow), code + 1);
    assert_int_equal(narrow_value(form, nextafter(a, b), &overflow), code);
    assert_int_equal(narrow_value(form, nextafter(b, a), &overflow), code + 1);
    assert_false(overflow);
}

static void rounding_is_to_nearest_and_even(void **state) {
    (void)state;
    for (size_t f = 0; f < FORMS; f++) {
        unsigned sign = codes(&forms[f]) / 2;
        for (unsigned code = 0; value_of(&forms[f], code) < forms[f].largest; code++) {
            check_between(&forms[f], code);
            check_between(&forms[f], code | sign);
        }
    }
}

/* Half a step beyond the largest number rounds away from it (its code is odd), except in E4M3,
 * whose largest code is even. */
static void overflow_begins_half_a_step_beyond_the_largest(void **state) {
    (void)state;
    for (size_t f = 0; f < FORMS; f++) {
        const struct form *form = &forms[f];
        bool overflow;
        bool even;
        unsigned top = narrow_value(form, form->largest, &overflow);
        assert_false(overflow);
        assert_same_number(value_of(form, top), form->largest);
        even = (top & 1) == 0;
        double limit = form->largest + (form->largest - value_of(form, top - 1)) / 2;
        for (int sign = -1; sign <= 1; sign += 2) {
            unsigned expected = top | (sign < 0 ? codes(form) / 2 : 0);
            assert_int_equal(narrow_value(form, sign * nextafter(limit, 0), &overflow), expected);
            assert_false(overflow);
            narrow_value(form, sign * limit, &overflow);
            assert_int_equal(overflow, !even);
            unsigned beyond = narrow_value(form, sign * nextafter(limit, INFINITY), &overflow);
            assert_true(overflow);
            assert_true(fabs(value_of(form, beyond)) != fabs(value_of(form, beyond)) ||
                        fabs(value_of(form, beyond)) > DBL_MAX);
            narrow_value(form, sign * DBL_MAX, &overflow);
            assert_true(overflow);
        }
    }
}

static void infinity_and_nan_are_no_overflow(void **state) {
    (void)state;
    bool overflow;
    for (size_t f = 0; f < FORMS; f++) {
        const struct form *form = &forms[f];
        double infinite = value_of(form, narrow_value(form, -INFINITY, &overflow));
        assert_false(overflow);
        assert_true(form->infinity ? infinite == -INFINITY : isnan(infinite));
        assert_true(isnan(value_of(form, narrow_value(form, NAN, &overflow))));
        assert_false(overflow);
        assert_true(isnan(value_of(form, narrow_value(form, -NAN, &overflow))));
        assert_int_equal(narrow_value(form, 5e-324, &overflow), 0);
        assert_int_equal(narrow_value(form, -5e-324, &overflow), codes(form) / 2);
    }
}

static void f32_rounds_once_and_reports_overflow(void **state) {
    (void)state;
    float stored[4];
    const double values[] = {1 + 0x1p-24, 1 + 0x1.8p-23, 0x1p-150, -0x1.8p-149};
    assert_int_equal(dtype_narrow(DTYPE_F32, values, 4, stored), 4);
    assert_true(stored[0] == 1);
    assert_true(stored[1] == 1 + 0x1p-22f);
    assert_true(stored[2] == 0);
    assert_true(stored[3] == -0x1p-148f);
    double limit = 0x1.FFFFFFp127; /* half a step beyond FLT_MAX */
    const double rows[] = {nextafter(limit, 0), limit, INFINITY, NAN};
    assert_int_equal(dtype_narrow(DTYPE_F32, rows, 4, stored), 1);
    assert_true(stored[0] == FLT_MAX);
    double back[4];
    dtype_widen(DTYPE_F32, stored, 4, back);
    assert_true(back[0] == (double)FLT_MAX && back[1] == INFINITY && back[2] == INFINITY);
    assert_true(isnan(back[3]));
}

static void f64_is_copied_bit_for_bit(void **state) {
    (void)state;
    const uint64_t bits[] = {0x7FF0000000000001, 1, 0x8000000000000000, 0x7FEFFFFFFFFFFFFF};
    double values[4];
    unsigned char stored[33];
    dtype_widen(DTYPE_F64, bits, 4, values);
    assert_int_equal(dtype_narrow(DTYPE_F64, values, 4, stored + 1), 4);
    assert_memory_equal(stored + 1, bits, sizeof bits);
}

static void the_first_overflow_is_named(void **state) {
    (void)state;
    enum { COUNT = 1000 };
    double values[COUNT];
    uint16_t stored[COUNT];
    for (size_t bad = 0; bad < COUNT; bad += 37) {
        for (size_t i = 0; i < COUNT; i++)
            values[i] = i < bad ? 1.5 : 1e6;
        assert_int_equal(dtype_narrow(DTYPE_F16, values, COUNT, stored), bad);
    }
    values[0] = INFINITY;
    assert_int_equal(dtype_narrow(DTYPE_F16, values, 1, stored), 1);
}

static void arrays_of_any_length_and_alignment(void **state) {
    (void)state;
    for (size_t f = 0; f < FORMS; f++) {
        size_t width = dtype_bits(forms[f].dtype) / 8;
        for (size_t count = 0; count < 70; count++) {
            unsigned char source[70 * 2 + 1], target[70 * 2 + 1];
            double values[70];
            for (size_t i = 0; i < count * width; i++)
                source[i + 1] = (unsigned char)(i * 7 % 120); /* finite in every format */
            dtype_widen(forms[f].dtype, source + 1, count, values);
            assert_int_equal(dtype_narrow(forms[f].dtype, values, count, target + 1), count);
            assert_memory_equal(source + 1, target + 1, count * width);
        }
    }
}

static void names_are_those_of_the_format(void **state) {
    (void)state;
    static const char *const names[] = {
        "BOOL",    "F4",          "F6_E2M3",     "F6_E3M2", "U8",  "I8",  "F8_E5M2", "F8_E4M3",
        "F8_E8M0", "F8_E4M3FNUZ", "F8_E5M2FNUZ", "I16",     "U16", "F16", "BF16",    "I32",
        "U32",     "F32",         "C64",         "F64",     "I64", "U64"};
    static const unsigned bits[] = {8,  4,  6,  6,  8,  8,  8,  8,  8,  8,  8,
                                    16, 16, 16, 16, 32, 32, 32, 64, 64, 64, 64};
    assert_int_equal(DTYPE_COUNT, 22);
    for (int i = 0; i < DTYPE_COUNT; i++) {
        enum dtype found = DTYPE_COUNT;
        assert_string_equal(dtype_name((enum dtype)i), names[i]);
        assert_int_equal(dtype_bits((enum dtype)i), bits[i]);
        assert_true(dtype_parse(names[i], strlen(names[i]), &found));
        assert_int_equal(found, i);
    }
    enum dtype found;
    assert_false(dtype_parse("f32", 3, &found));
    assert_false(dtype_parse("F32 ", 4, &found));
    assert_false(dtype_parse("F3", 2, &found));
    assert_false(dtype_parse("", 0, &found));
}

static void classes_say_what_can_be_merged(void **state) {
    (void)state;
    static const enum dtype floats[] = {DTYPE_F64,  DTYPE_F32,     DTYPE_F16,
                                        DTYPE_BF16, DTYPE_F8_E4M3, DTYPE_F8_E5M2};
    static const enum dtype integers[] = {DTYPE_BOOL, DTYPE_U8,  DTYPE_I8,  DTYPE_I16, DTYPE_U16,
                                          DTYPE_I32,  DTYPE_U32, DTYPE_I64, DTYPE_U64};
    int count[3] = {0, 0, 0};
    for (int i = 0; i < DTYPE_COUNT; i++)
        count[dtype_class((enum dtype)i)]++;
    for (size_t i = 0; i < sizeof floats / sizeof floats[0]; i++)
        assert_int_equal(dtype_class(floats[i]), DTYPE_CLASS_FLOAT);
    for (size_t i = 0; i < sizeof integers / sizeof integers[0]; i++)
        assert_int_equal(dtype_class(integers[i]), DTYPE_CLASS_INTEGER);
    assert_int_equal(count[DTYPE_CLASS_FLOAT], 6);
    assert_int_equal(count[DTYPE_CLASS_INTEGER], 9);
}

/* Every float dtype: the differences are those of the widened values, whatever the alignment. */
static void subtracting_is_widening_and_a_difference(void **state) {
    (void)state;
    enum { COUNT = 37, FIRST = 3, ROWS = 2 };
    unsigned char bytes[1 + ROWS + (FIRST + COUNT) * 8];
    double base[COUNT], widened[COUNT], rows[ROWS * DTYPE_PIECE];
    const void *const sources[] = {bytes + 1, bytes + 2, bytes + 3};
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37 % 96 + 16); /* no NaN in any of them */
    for (int d = 0; d < DTYPE_COUNT; d++) {
        size_t start = FIRST * dtype_bits((enum dtype)d) / 8;
        if (dtype_class((enum dtype)d) != DTYPE_CLASS_FLOAT)
            continue;
        dtype_subtract((enum dtype)d, sources, ROWS, FIRST, COUNT, rows);
        dtype_widen((enum dtype)d, bytes + 1 + start, COUNT, base);
        for (size_t r = 0; r < ROWS; r++) {
            dtype_widen((enum dtype)d, bytes + 2 + r + start, COUNT, widened);
            for (size_t i = 0; i < COUNT; i++)
                assert_true(rows[r * DTYPE_PIECE + i] == widened[i] - base[i]);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_widens_to_its_definition),
        cmocka_unit_test(every_code_survives_a_round_trip),
        cmocka_unit_test(rounding_is_to_nearest_and_even),
        cmocka_unit_test(overflow_begins_half_a_step_beyond_the_largest),
        cmocka_unit_test(infinity_and_nan_are_no_overflow),
        cmocka_unit_test(f32_rounds_once_and_reports_overflow),
        cmocka_unit_test(f64_is_copied_bit_for_bit),
        cmocka_unit_test(the_first_overflow_is_named),
        cmocka_unit_test(arrays_of_any_length_and_alignment),
        cmocka_unit_test(subtracting_is_widening_and_a_difference),
        cmocka_unit_test(names_are_those_of_the_format),
        cmocka_unit_test(classes_say_what_can_be_merged),
    };
    return cmocka_run_group_tests_name("dtype", tests, NULL, NULL);
}
