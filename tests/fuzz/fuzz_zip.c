/* Any bytes as a torch archive. */
#include "tests/fuzz/fuzz_torch.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size) {
    if (size > 0)
        open_bytes(&torch_archive_format, NULL, bytes, size);
    return 0;
}
