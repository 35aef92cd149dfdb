/* Loops over weights are compiled twice: for every processor of the kind, and for those with AVX2;
 * the loader chooses when the program starts. Fused multiply-add is left out on purpose: both give
 * the same bytes.
 *
 *     VECTOR_LOOP static void scale(size_t count, double factor, double *values) { ... } */
#ifndef R2M_ANALYSIS_SUPPORT_VECTOR_H
#define R2M_ANALYSIS_SUPPORT_VECTOR_H

#include <stdint.h> /* for __GLIBC__ */

/* Scratch of such loops is aligned to this: values that straddle two lines halve the speed. */
enum { CACHE_LINE = 64 };

/* Sanitizers are not yet awake when the loader chooses. */
#if defined __x86_64__ && defined __GLIBC__ && !defined __SANITIZE_ADDRESS__ &&                    \
    (!defined __clang__ || __clang_major__ >= 16)
#define VECTOR_LOOP __attribute__((target_clones("avx2", "default")))
#else
#define VECTOR_LOOP
#endif

#endif
