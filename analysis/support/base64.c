#include "analysis/support/base64.h"

#include "analysis/support/memory.h"

#include <openssl/evp.h>

char *base64_text(const void *data, size_t size) {
    char *text = memory_array((size + 2) / 3 * 4 + 1, 1);
    EVP_EncodeBlock((unsigned char *)text, data, (int)size);
    return text;
}
