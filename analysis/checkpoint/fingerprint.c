/* What a checkpoint holds, by a sample of its bytes. */
#include "analysis/checkpoint/checkpoint.h"

#include <string.h>

/* So many elements of every stretch of a tensor are looked at. */
enum { STRETCH = 1 << 18, SAMPLE = 1 << 10 };

static void add_elements(struct digest *digest, const struct tensor *tensor, uint64_t first) {
    unsigned char bytes[SAMPLE * 8]; /* the widest element has 8 */
    uint64_t rest = tensor->elements - first;
    size_t count = rest < SAMPLE ? (size_t)rest : SAMPLE;
    tensor_copy(tensor, first, count, bytes);
    digest_add(digest, bytes, count * dtype_bits(tensor->dtype) / 8);
}

static void add_tensor(struct digest *digest, const struct tensor *tensor) {
    digest_add(digest, tensor->name, tensor->name_length + 1);
    digest_add(digest, dtype_name(tensor->dtype), strlen(dtype_name(tensor->dtype)) + 1);
    digest_add(digest, &tensor->rank, sizeof tensor->rank);
    digest_add(digest, tensor->shape, tensor->rank * sizeof *tensor->shape);
    for (uint64_t first = 0; first < tensor->elements; first += STRETCH)
        add_elements(digest, tensor, first);
}

void checkpoint_fingerprint(const struct checkpoint *checkpoint, char sha256[SHA256_TEXT]) {
    struct digest *digest = digest_begin();
    for (size_t i = 0; i < checkpoint_count(checkpoint); i++)
        add_tensor(digest, checkpoint_tensor(checkpoint, i));
    digest_end(digest, sha256);
}
