/* Element types of checkpoint files, and their conversion to and from arithmetic.
 *
 * The order of the enum is the official safetensors one (formats.md A3); a writer stores tensors
 * by descending dtype, then by name. */
#ifndef R2M_ANALYSIS_CHECKPOINT_DTYPE_H
#define R2M_ANALYSIS_CHECKPOINT_DTYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dtype {
    DTYPE_BOOL,
    DTYPE_F4,
    DTYPE_F6_E2M3,
    DTYPE_F6_E3M2,
    DTYPE_U8,
    DTYPE_I8,
    DTYPE_F8_E5M2,
    DTYPE_F8_E4M3,
    DTYPE_F8_E8M0,
    DTYPE_F8_E4M3FNUZ,
    DTYPE_F8_E5M2FNUZ,
    DTYPE_I16,
    DTYPE_U16,
    DTYPE_F16,
    DTYPE_BF16,
    DTYPE_I32,
    DTYPE_U32,
    DTYPE_F32,
    DTYPE_C64,
    DTYPE_F64,
    DTYPE_I64,
    DTYPE_U64,
    DTYPE_COUNT
};

/* What kind of number an element is, as far as merging is concerned. */
enum dtype_class {
    DTYPE_CLASS_FLOAT,   /* F64 F32 F16 BF16 F8_E4M3 F8_E5M2: arithmetic is defined */
    DTYPE_CLASS_INTEGER, /* integers and BOOL: buffers, copied as they are */
    DTYPE_CLASS_OPAQUE   /* complex, 4- and 6-bit, scale and FNUZ types: listed, never merged */
};

/* The safetensors name ("F32"), bits per element, class. */
const char *dtype_name(enum dtype dtype);
unsigned dtype_bits(enum dtype dtype);
enum dtype_class dtype_class(enum dtype dtype);

/* Finds a dtype by its exact safetensors name; false when there is none. */
bool dtype_parse(const char *name, size_t length, enum dtype *dtype);

/* source: count little-endian elements of a DTYPE_CLASS_FLOAT dtype, any alignment;
 * target: count doubles. Exact for every one of these types. */
void dtype_widen(enum dtype dtype, const void *source, size_t count, double *target);

/* Differences of several arrays from one, a piece at a time: rows[i * DTYPE_PIECE + k] =
 * sources[i + 1][first + k] - sources[0][first + k] for i < n, k < count <= DTYPE_PIECE. Sources as
 * in dtype_widen. The piece is so small that all rows stay in the first-level cache, and that no
 * source waits so long for its next turn that the processor ceases to read ahead in it. */
enum { DTYPE_PIECE = 128 };
void dtype_subtract(enum dtype dtype, const void *const *sources, size_t n, uint64_t first,
                    size_t count, double *rows);

/* Rounds count doubles to dtype (nearest, ties to even) and stores them little-endian.
 * Returns the index of the first finite value beyond the largest of dtype, or count. Such a value
 * is stored as infinity, in F8_E4M3, which has none, as NaN. */
size_t dtype_narrow(enum dtype dtype, const double *source, size_t count, void *target);

#endif
