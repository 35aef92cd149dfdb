/* Any bytes as an index of shards: no reading beyond the end, nothing opened outside the folder,
 * and what is accepted is consistent. The shards a and b in tests/fuzz/shards hold the tensors
 * v, w and v, x. */
#include "analysis/checkpoint/sharded.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool condition) {
    if (!condition)
        abort();
}

static void check_tensors(const struct checkpoint *checkpoint) {
    expect(checkpoint->count > 0 && checkpoint->shard_count > 0);
    for (size_t i = 0; i < checkpoint->count; i++) {
        const struct tensor *tensor = &checkpoint->tensors[i];
        double values[2];
        expect(tensor->data != NULL && tensor->elements == 2);
        expect(checkpoint_find(checkpoint, tensor->name, tensor->name_length) == tensor);
        tensor_read(tensor, 0, 2, values);
    }
    for (size_t i = 0; i < checkpoint->shard_count; i++)
        expect(strcmp(checkpoint->shards[i]->path, "tests/fuzz/shards/a") == 0 ||
               strcmp(checkpoint->shards[i]->path, "tests/fuzz/shards/b") == 0);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size) {
    struct error error = {0};
    if (size == 0)
        return 0;
    struct checkpoint *checkpoint = memory_array(1, sizeof *checkpoint);
    checkpoint->path = memory_string("tests/fuzz/shards/model.safetensors.index.json");
    checkpoint->file = (struct mapping){bytes, size};
    if (sharded_format.open(checkpoint, &error))
        check_tensors(checkpoint);
    else
        expect(error.kind == ERROR_INPUT && error.message != NULL);
    error_free(&error);
    checkpoint->file.bytes = NULL; /* not mapped */
    checkpoint_close(checkpoint);
    return 0;
}
