/* Any bytes as the pickle of a torch archive with two storages. */
#include "tests/fuzz/fuzz_torch.h"
#include "tests/torch_archive.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size) {
    static const float storage[16] = {1};
    const struct record records[] = {
        {.name = "data.pkl", .data = bytes, .length = size, .folder = true},
        {.name = "data/0", .data = storage, .length = 16, .folder = true},
        {.name = "data/1", .data = storage, .length = sizeof storage, .folder = true},
        {.name = "version", .data = "3\n", .length = 2, .folder = true},
    };
    struct zip zip = zip_make(records, 4, false);
    open_bytes(&torch_archive_format, NULL, zip.bytes.data, zip.bytes.length);
    open_bytes(&torch_archive_format, "", zip.bytes.data, zip.bytes.length);
    zip_free(&zip);
    return 0;
}
