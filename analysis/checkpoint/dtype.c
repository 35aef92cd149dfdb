#include "analysis/checkpoint/dtype.h"

#include "analysis/support/vector.h"

#include <float.h>
#include <stdint.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "checkpoints are little-endian");

static uint32_t float_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static float float_of(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* A float of at most 16 bits: sign, exponent_bits, fraction_bits, bias as in IEEE 754. The
 * functions below are inlined with constants, so that their loops become vector code. */
struct small_float {
    unsigned exponent_bits, fraction_bits;
    bool infinity; /* exponent all ones is infinity or NaN; else only all ones in full is NaN */
};

#define SMALL_F16 ((struct small_float){5, 10, true})
#define SMALL_BF16 ((struct small_float){8, 7, true})
#define SMALL_F8_E5M2 ((struct small_float){5, 2, true})
#define SMALL_F8_E4M3 ((struct small_float){4, 3, false})

static inline unsigned bias(struct small_float form) {
    return (1u << (form.exponent_bits - 1)) - 1;
}

/* Every bit of exponent and fraction. */
static inline uint32_t all_ones(struct small_float form) {
    return (1u << (form.exponent_bits + form.fraction_bits)) - 1;
}

/* The largest code of a finite number. */
static inline uint32_t largest(struct small_float form) {
    return form.infinity ? all_ones(form) - (1u << form.fraction_bits) : all_ones(form) - 1;
}

/* All bits set where the condition holds. Choosing by masks and not by ? keeps the loops free of
 * branches, which compilers cannot turn into vector code around floating point. */
static inline uint32_t mask(bool condition) {
    return 0u - (uint32_t)condition;
}

/* Normal numbers: the exponent takes float's bias. Denormal ones lack the hidden one, which is
 * put in by the exponent of the smallest normal number and subtracted again. */
static inline float small_widen(uint32_t code, struct small_float form) {
    const uint32_t rebias = (127 - bias(form)) << 23, one = 1u << 23;
    uint32_t magnitude = code & all_ones(form);
    uint32_t sign = (code & (all_ones(form) + 1)) << (31 - form.exponent_bits - form.fraction_bits);
    uint32_t denormal = mask(magnitude < 1u << form.fraction_bits);
    uint32_t special = mask(magnitude > largest(form));
    uint32_t number = (magnitude << (23 - form.fraction_bits)) + rebias + (one & denormal);
    float value = float_of(number) - float_of((rebias + one) & denormal);
    return float_of(float_bits(value) | sign | (0x7F800000 & special));
}

/* Normal numbers: half a unit is added to the bits, less one where that sends a tie to even; a
 * carry moves into the exponent as it should. Denormal ones are rounded by an addition to magic,
 * a power of two whose last place is the smallest denormal number. What is too large, infinite or
 * NaN gets a code above largest(). */
static inline uint32_t small_round(double size, struct small_float form) {
    const unsigned shift = 52 - form.fraction_bits;
    const uint64_t least = (1024ULL - bias(form)) << 52; /* the smallest normal number */
    const uint64_t magic = least + ((uint64_t)shift << 52);
    uint64_t bits = bits_of(size);
    uint64_t rounded = bits + ((1ULL << (shift - 1)) - 1) + (bits >> shift & 1);
    uint64_t normal = (rounded >> shift) - ((1023ULL - bias(form)) << form.fraction_bits);
    uint64_t denormal = bits_of(size + double_of(magic)) - magic;
    uint32_t small = mask(bits < least);
    return ((uint32_t)denormal & small) | ((uint32_t)normal & ~small);
}

/* The code to store; a finite number beyond the largest becomes infinity, or NaN in a format
 * without infinity, and sets *overflow. */
static inline uint32_t small_narrow(double value, struct small_float form, uint32_t *overflow) {
    const uint32_t infinite = largest(form) + 1;
    const uint32_t nan = form.infinity ? infinite + (1u << (form.fraction_bits - 1)) : infinite;
    uint64_t bits = bits_of(value);
    uint32_t sign = (uint32_t)(bits >> 63) << (form.exponent_bits + form.fraction_bits);
    double size = double_of(bits & ~(1ULL << 63));
    uint32_t code = small_round(size, form);
    uint32_t beyond = mask(code > largest(form));
    uint32_t is_nan = mask(size != size);
    *overflow |= beyond & mask(size <= DBL_MAX);
    return sign | (code & ~beyond) | (infinite & beyond) | (nan & is_nan);
}

/* The three loops of a format, around its inline widen_one and narrow_one; narrow is true when
 * something overflowed. */
#define CONVERSIONS(name)                                                                          \
    VECTOR_LOOP static void widen_##name(const unsigned char *source, size_t count,                \
                                         double *target) {                                         \
        for (size_t i = 0; i < count; i++)                                                         \
            target[i] = widen_one_##name(source, i);                                               \
    }                                                                                              \
    VECTOR_LOOP static void subtract_##name(const void *const *sources, size_t n, uint64_t first,  \
                                            size_t count, double *restrict rows) {                 \
        _Alignas(CACHE_LINE) double base[DTYPE_PIECE];                                             \
        for (size_t k = 0; k < count; k++)                                                         \
            base[k] = widen_one_##name(sources[0], first + k);                                     \
        for (size_t i = 0; i < n; i++, rows += DTYPE_PIECE)                                        \
            for (size_t k = 0; k < count; k++)                                                     \
                rows[k] = widen_one_##name(sources[i + 1], first + k) - base[k];                   \
    }                                                                                              \
    VECTOR_LOOP static bool narrow_##name(const double *source, size_t count,                      \
                                          unsigned char *target) {                                 \
        uint32_t overflow = 0;                                                                     \
        for (size_t i = 0; i < count; i++)                                                         \
            narrow_one_##name(source[i], target, i, &overflow);                                    \
        return overflow;                                                                           \
    }

/* widen_one and narrow_one of a small format. */
#define SMALL_CONVERSIONS(name, integer, form)                                                     \
    static inline double widen_one_##name(const unsigned char *source, size_t i) {                 \
        integer code;                                                                              \
        memcpy(&code, source + i * sizeof code, sizeof code);                                      \
        return (double)small_widen(code, form);                                                    \
    }                                                                                              \
    static inline void narrow_one_##name(double value, unsigned char *target, size_t i,            \
                                         uint32_t *overflow) {                                     \
        integer code = (integer)small_narrow(value, form, overflow);                               \
        memcpy(target + i * sizeof code, &code, sizeof code);                                      \
    }                                                                                              \
    CONVERSIONS(name)

SMALL_CONVERSIONS(f16, uint16_t, SMALL_F16)
SMALL_CONVERSIONS(bf16, uint16_t, SMALL_BF16)
SMALL_CONVERSIONS(f8_e5m2, uint8_t, SMALL_F8_E5M2)
SMALL_CONVERSIONS(f8_e4m3, uint8_t, SMALL_F8_E4M3)

static inline double widen_one_f32(const unsigned char *source, size_t i) {
    float value;
    memcpy(&value, source + i * sizeof value, sizeof value);
    return (double)value;
}

static inline void narrow_one_f32(double exact, unsigned char *target, size_t i,
                                  uint32_t *overflow) {
    float value = (float)exact;
    *overflow |= (__builtin_fabsf(value) > FLT_MAX) & (__builtin_fabs(exact) <= DBL_MAX);
    memcpy(target + i * sizeof value, &value, sizeof value);
}

static inline double widen_one_f64(const unsigned char *source, size_t i) {
    double value;
    memcpy(&value, source + i * sizeof value, sizeof value);
    return value;
}

static inline void narrow_one_f64(double value, unsigned char *target, size_t i,
                                  uint32_t *overflow) {
    (void)overflow; /* every double fits */
    memcpy(target + i * sizeof value, &value, sizeof value);
}

CONVERSIONS(f32)
CONVERSIONS(f64)

static const struct {
    const char *name;
    unsigned bits;
    enum dtype_class class;
    void (*widen)(const unsigned char *source, size_t count, double *target);
    void (*subtract)(const void *const *sources, size_t n, uint64_t first, size_t count,
                     double *restrict rows);
    bool (*narrow)(const double *source, size_t count, unsigned char *target);
} dtypes[DTYPE_COUNT] = {
    [DTYPE_BOOL] = {"BOOL", 8, DTYPE_CLASS_INTEGER, NULL, NULL, NULL},
    [DTYPE_F4] = {"F4", 4, DTYPE_CLASS_OPAQUE, NULL, NULL, NULL},
    [DTYPE_F6_E2M3] = {"F6_E2M3", 6, DTYPE_CLASS_OPAQUE, NULL, NULL, NULL},
    [DTYPE_F6_E3M2] = {"F6_E3M2", 6, DTYPE_CLASS_OPAQUE, NULL, NULL, NULL},
    [DTYPE_U8] = {"U8", 8, DTYPE_CLASS_INTEGER, NULL, NULL, NULL},
    [DTYPE_I8] = {"I8", 8, DTYPE_CLASS_INTEGER, NULL, NULL, NULL},
    [DTYPE_F8_E5M2] = {"F8_E5M2", 8, DTYPE_CLASS_FLOAT, widen_f8_e5m2, subtract_f8_e5m2,
                       narrow_f8_e5m2},
    [DTYPE_F8_E4M3] = {"F8_E4M3", 8, DTYPE_CLASS_FLOAT, widen_f8_e4m3, subtract_f8_e4m3,
                       narrow_f8_e4m3},
    [DTYPE_F8_E8M0] = {"F8_E8M0", 8, DTYPE_CLASS_OPAQUE, NULL, NULL, NULL},
    [DTYPE_F8_E4M3FNUZ] = {"F8_E4M3FNUZ", 8, DTYPE_CLASS_OPAQUE, NULL, NULL, NULL},
    [DTYPE_F8_E5M2FNUZ] = {"F8_E5M2FNUZ", 8, DTYPE_CLASS_OPAQUE, NULL, NULL, NULL},
    [DTYPE_I16] = {"I16", 16, DTYPE_CLASS_INTEGER, NULL, NULL, NULL},
    [DTYPE_U16] = {"U16", 16, DTYPE_CLASS_INTEGER, NULL, NULL, NULL},
    [DTYPE_F16] = {"F16", 16, DTYPE_CLASS_FLOAT, widen_f16, subtract_f16, narrow_f16},
    [DTYPE_BF16] = {"BF16", 16, DTYPE_CLASS_FLOAT, widen_bf16, subtract_bf16, narrow_bf16},
    [DTYPE_I32] = {"I32", 32, DTYPE_CLASS_INTEGER, NULL, NULL, NULL},
    [DTYPE_U32] = {"U32", 32, DTYPE_CLASS_INTEGER, NULL, NULL, NULL},
    [DTYPE_F32] = {"F32", 32, DTYPE_CLASS_FLOAT, widen_f32, subtract_f32, narrow_f32},
    [DTYPE_C64] = {"C64", 64, DTYPE_CLASS_OPAQUE, NULL, NULL, NULL},
    [DTYPE_F64] = {"F64", 64, DTYPE_CLASS_FLOAT, widen_f64, subtract_f64, narrow_f64},
    [DTYPE_I64] = {"I64", 64, DTYPE_CLASS_INTEGER, NULL, NULL, NULL},
    [DTYPE_U64] = {"U64", 64, DTYPE_CLASS_INTEGER, NULL, NULL, NULL},
};

const char *dtype_name(enum dtype dtype) {
    return dtypes[dtype].name;
}

unsigned dtype_bits(enum dtype dtype) {
    return dtypes[dtype].bits;
}

enum dtype_class dtype_class(enum dtype dtype) {
    return dtypes[dtype].class;
}

bool dtype_parse(const char *name, size_t length, enum dtype *dtype) {
    for (int i = 0; i < DTYPE_COUNT; i++) {
        if (strlen(dtypes[i].name) != length || memcmp(dtypes[i].name, name, length) != 0)
            continue;
        *dtype = (enum dtype)i;
        return true;
    }
    return false;
}

void dtype_widen(enum dtype dtype, const void *source, size_t count, double *target) {
    dtypes[dtype].widen(source, count, target);
}

void dtype_subtract(enum dtype dtype, const void *const *sources, size_t n, uint64_t first,
                    size_t count, double *rows) {
    dtypes[dtype].subtract(sources, n, first, count, rows);
}

size_t dtype_narrow(enum dtype dtype, const double *source, size_t count, void *target) {
    unsigned char *bytes = target;
    if (!dtypes[dtype].narrow(source, count, bytes))
        return count;
    size_t first = 0; /* again one by one: this ends in an error, time does not matter */
    while (!dtypes[dtype].narrow(source + first, 1, bytes + first * (dtypes[dtype].bits / 8)))
        first++;
    return first;
}
