#include "analysis/support/digest.h"

#include "analysis/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PIECE = 1 << 20, SHA256_BYTES = 32 };

/* A struct digest is libcrypto's context by another name. */
static EVP_MD_CTX *context_of(struct digest *digest) {
    return (EVP_MD_CTX *)digest;
}

struct digest *digest_begin(void) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        memory_exhausted(0); /* the only way this fails */
    return (struct digest *)context;
}

void digest_add(struct digest *digest, const void *data, size_t bytes) {
    EVP_DigestUpdate(context_of(digest), data, bytes);
}

void digest_end(struct digest *digest, char sha256[SHA256_TEXT]) {
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[SHA256_BYTES];
    EVP_DigestFinal_ex(context_of(digest), bytes, NULL);
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        sha256[2 * i] = digits[bytes[i] >> 4];
        sha256[2 * i + 1] = digits[bytes[i] & 15];
    }
    sha256[SHA256_TEXT - 1] = '\0';
    EVP_MD_CTX_free(context_of(digest));
}

void digest_free(struct digest *digest) {
    EVP_MD_CTX_free(context_of(digest));
}

void digest_memory(const void *data, size_t bytes, char sha256[SHA256_TEXT]) {
    struct digest *digest = digest_begin();
    digest_add(digest, data, bytes);
    digest_end(digest, sha256);
}

static bool is_cancelled(const struct progress *progress) {
    return progress != NULL && atomic_load(&progress->cancel);
}

/* Reads to the end; 0, or an errno: ECANCELED at the wish to stop. */
static int digest_descriptor(int descriptor, struct digest *digest, struct progress *progress) {
    unsigned char *piece = memory_array(PIECE, 1);
    ssize_t length = 1;
    int reason = 0;
    while (length > 0 && reason == 0) {
        length = read(descriptor, piece, PIECE);
        if (length > 0)
            digest_add(digest, piece, (size_t)length);
        else if (length < 0 && errno == EINTR)
            length = 1;
        else if (length < 0)
            reason = errno;
        if (length > 0 && progress != NULL)
            atomic_fetch_add(&progress->done, (uint64_t)length);
        if (is_cancelled(progress))
            reason = ECANCELED;
    }
    free(piece);
    return reason;
}

bool digest_add_file(struct digest *digest, const char *path, struct progress *progress,
                     struct error *error) {
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    int reason = descriptor < 0 ? errno : digest_descriptor(descriptor, digest, progress);
    if (descriptor >= 0)
        close(descriptor);
    if (reason == 0)
        return true;
    char *quoted = error_quote(path, strlen(path));
    error_set(error, reason == ECANCELED ? ERROR_CANCELLED : ERROR_INPUT, "%s: %s", quoted,
              reason == ECANCELED ? "stopped" : strerror(reason));
    free(quoted);
    return false;
}

bool digest_file(const char *path, char sha256[SHA256_TEXT], struct error *error) {
    struct digest *digest = digest_begin();
    bool good = digest_add_file(digest, path, NULL, error);
    digest_end(digest, sha256);
    return good;
}
