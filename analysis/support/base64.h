/* Bytes as base64 text, by libcrypto. */
#ifndef R2M_ANALYSIS_SUPPORT_BASE64_H
#define R2M_ANALYSIS_SUPPORT_BASE64_H

#include <stddef.h>

/* With padding, without line ends; free() the result. size below 1 GiB. */
char *base64_text(const void *data, size_t size);

#endif
