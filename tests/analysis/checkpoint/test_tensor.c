/* Tensors that lie strided or big-endian in memory are copied, compared, hashed and read as if they
 * were contiguous and little-endian. */
#include "analysis/checkpoint/checkpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct tensor make(enum dtype dtype, size_t rank, const uint64_t *shape,
                          const uint64_t *strides, const void *data) {
    struct tensor tensor = {.name = "t",
                            .name_length = 1,
                            .dtype = dtype,
                            .rank = rank,
                            .shape = shape,
                            .strides = strides,
                            .elements = 1,
                            .data = data};
    for (size_t d = 0; d < rank; d++)
        tensor.elements *= shape[d];
    tensor.bytes = tensor.elements * dtype_bits(dtype) / 8;
    return tensor;
}

static void strides_are_followed(void **state) {
    (void)state;
    static const unsigned char data[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const uint64_t shape[] = {2, 3, 2}, strides[] = {1, 2, 6};
    static const unsigned char expected[] = {0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11};
    struct tensor tensor = make(DTYPE_U8, 3, shape, strides, data);
    unsigned char copy[12];
    tensor_copy(&tensor, 0, 12, copy);
    assert_memory_equal(copy, expected, 12);
    tensor_copy(&tensor, 5, 4, copy);
    assert_memory_equal(copy, expected + 5, 4);
    assert_false(tensor_is_plain(&tensor));
}

static void one_element_may_be_many(void **state) {
    (void)state;
    static const float value = 2.5F;
    static const uint64_t shape[] = {3, 4}, strides[] = {0, 0};
    struct tensor tensor = make(DTYPE_F32, 2, shape, strides, &value);
    double values[12];
    tensor_read(&tensor, 0, 12, values);
    for (int i = 0; i < 12; i++)
        assert_true(values[i] == 2.5);
}

static void bytes_are_swapped_word_by_word(void **state) {
    (void)state;
    static const unsigned char data[] = {1, 2, 3, 4, 5, 6, 7, 8};
    static const unsigned char halves[] = {4, 3, 2, 1, 8, 7, 6, 5};
    static const unsigned char whole[] = {8, 7, 6, 5, 4, 3, 2, 1};
    static const unsigned char pairs[] = {2, 1, 4, 3, 6, 5, 8, 7};
    static const struct {
        enum dtype dtype;
        uint64_t elements;
        const unsigned char *expected;
    } cases[] = {{DTYPE_C64, 1, halves}, {DTYPE_F32, 2, halves}, {DTYPE_I64, 1, whole},
                 {DTYPE_F64, 1, whole},  {DTYPE_BF16, 4, pairs}, {DTYPE_U8, 8, data}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tensor tensor = make(cases[i].dtype, 1, &cases[i].elements, NULL, data);
        unsigned char copy[8];
        tensor.swapped = true;
        tensor_copy(&tensor, 0, (size_t)cases[i].elements, copy);
        assert_memory_equal(copy, cases[i].expected, 8);
    }
}

/* A matrix larger than the pieces that are worked on, and its transpose stored the other way. */
static void a_transpose_equals_its_copy(void **state) {
    (void)state;
    enum { ROWS = 150, COLUMNS = 113 };
    static float matrix[ROWS][COLUMNS], transposed[COLUMNS][ROWS];
    static const uint64_t shape[] = {COLUMNS, ROWS}, strides[] = {1, COLUMNS};
    for (int r = 0; r < ROWS; r++)
        for (int c = 0; c < COLUMNS; c++)
            matrix[r][c] = transposed[c][r] = (float)(r * 1000 + c);
    struct tensor view = make(DTYPE_F32, 2, shape, strides, matrix);
    struct tensor copy = make(DTYPE_F32, 2, shape, NULL, transposed);
    char one[SHA256_TEXT], other[SHA256_TEXT];
    assert_true(tensor_equal(&view, &copy) && tensor_equal(&copy, &view));
    tensor_digest(&view, one);
    tensor_digest(&copy, other);
    assert_string_equal(one, other);
    double *values = malloc(sizeof(double) * ROWS * COLUMNS);
    tensor_read(&view, 0, (size_t)ROWS * COLUMNS, values);
    for (size_t i = 0; i < (size_t)ROWS * COLUMNS; i++)
        assert_true(values[i] == (double)transposed[i / ROWS][i % ROWS]);
    free(values);
    transposed[COLUMNS - 1][ROWS - 1] += 1;
    assert_false(tensor_equal(&view, &copy));
}

static void different_shapes_and_dtypes_differ(void **state) {
    (void)state;
    static const unsigned char data[8] = {0};
    static const uint64_t four[] = {4}, two[] = {2, 2};
    struct tensor u8 = make(DTYPE_U8, 1, four, NULL, data);
    struct tensor i8 = make(DTYPE_I8, 1, four, NULL, data);
    struct tensor square = make(DTYPE_U8, 2, two, NULL, data);
    assert_true(tensor_equal(&u8, &u8));
    assert_false(tensor_equal(&u8, &i8));
    assert_false(tensor_equal(&u8, &square));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strides_are_followed),
        cmocka_unit_test(one_element_may_be_many),
        cmocka_unit_test(bytes_are_swapped_word_by_word),
        cmocka_unit_test(a_transpose_equals_its_copy),
        cmocka_unit_test(different_shapes_and_dtypes_differ),
    };
    return cmocka_run_group_tests_name("tensor", tests, NULL, NULL);
}
