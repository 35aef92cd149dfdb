/* Any bytes as a torch file of the format before 1.6. */
#include "tests/fuzz/fuzz_torch.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size) {
    if (size > 0)
        open_bytes(&torch_legacy_format, NULL, bytes, size);
    return 0;
}
