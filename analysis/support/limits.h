/* What this process may use of the machine: processors and memory, by the kernel's count and by
 * the limits of its control groups, of version 1 and 2, its own and those above it. */
#ifndef R2M_ANALYSIS_SUPPORT_LIMITS_H
#define R2M_ANALYSIS_SUPPORT_LIMITS_H

#include <stdint.h>

/* root: "" for the machine; a folder that holds proc/ and sys/ for tests. */

/* Processors: those it is bound to, at most the quota of processor time, rounded up; at least 1. */
unsigned limits_processors(const char *root);

/* Bytes of memory that can still be had: the kernel's MemAvailable, at most what the groups leave;
 * pages of files make room in both. UINT64_MAX when nothing tells. */
uint64_t limits_memory(const char *root);

#endif
