/* SHA-256 of files and memory, by libcrypto. */
#ifndef R2M_ANALYSIS_SUPPORT_DIGEST_H
#define R2M_ANALYSIS_SUPPORT_DIGEST_H

#include "analysis/support/error.h"

enum { SHA256_TEXT = 65 }; /* 64 hexadecimal digits and a NUL */

/* Hexadecimal sha256 of bytes in memory. */
void digest_memory(const void *data, size_t bytes, char sha256[SHA256_TEXT]);

/* The same of a whole file. */
bool digest_file(const char *path, char sha256[SHA256_TEXT], struct error *error);

#endif
