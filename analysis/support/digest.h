/* SHA-256 of files and memory, by libcrypto. */
#ifndef R2M_ANALYSIS_SUPPORT_DIGEST_H
#define R2M_ANALYSIS_SUPPORT_DIGEST_H

#include "analysis/support/error.h"
#include "analysis/support/progress.h"

enum { SHA256_TEXT = 65 }; /* 64 hexadecimal digits and a NUL */

/* The sha256 of bytes that come piece by piece; digest_end releases. */
struct digest;
struct digest *digest_begin(void);
void digest_add(struct digest *digest, const void *data, size_t bytes);
void digest_end(struct digest *digest, char sha256[SHA256_TEXT]);
void digest_free(struct digest *digest); /* releases without an answer; NULL is accepted */

/* Adds all bytes of a file, by reading: mapped, they would count as memory of the process.
 * progress (may be NULL) counts them; its wish to stop is an ERROR_CANCELLED. */
bool digest_add_file(struct digest *digest, const char *path, struct progress *progress,
                     struct error *error);

/* Hexadecimal sha256 of bytes in memory. */
void digest_memory(const void *data, size_t bytes, char sha256[SHA256_TEXT]);

/* The same of a whole file. */
bool digest_file(const char *path, char sha256[SHA256_TEXT], struct error *error);

#endif
