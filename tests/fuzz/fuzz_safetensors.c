/* Any bytes as a safetensors file, and as the header of one: no reading beyond the end, and what
 * is accepted is consistent. */
#include "analysis/checkpoint/safetensors.h"

#include <stdlib.h>
#include <string.h>

static void expect(bool condition) {
    if (!condition)
        abort();
}

/* The tensors' data lie one after another in the file, every byte in one of them. */
static void check_tensors(const struct checkpoint *checkpoint) {
    uint64_t length, total = 0;
    memcpy(&length, checkpoint->file.bytes, sizeof length);
    const unsigned char *data = checkpoint->file.bytes + 8 + length;
    const unsigned char *end = checkpoint->file.bytes + checkpoint->file.size;
    for (size_t i = 0; i < checkpoint->count; i++) {
        const struct tensor *tensor = &checkpoint->tensors[i];
        expect(tensor->data >= data && tensor->bytes <= (uint64_t)(end - tensor->data));
        expect(tensor->rank <= TENSOR_RANK_LIMIT && tensor->name_length <= TENSOR_NAME_LIMIT);
        expect(checkpoint_find(checkpoint, tensor->name, tensor->name_length) == tensor);
        total += tensor->bytes;
        if (dtype_class(tensor->dtype) == DTYPE_CLASS_FLOAT && tensor->elements > 0) {
            double first, last;
            tensor_read(tensor, 0, 1, &first);
            tensor_read(tensor, tensor->elements - 1, 1, &last);
        }
    }
    expect(total == (uint64_t)(end - data));
}

/* bytes lie in a block of exactly that size, so that the sanitizer guards its end. */
static void open_file(const unsigned char *bytes, size_t size) {
    struct error error = {0};
    struct checkpoint *checkpoint = memory_array(1, sizeof *checkpoint);
    checkpoint->path = memory_string("fuzz");
    checkpoint->file = (struct mapping){bytes, size};
    bool recognised = safetensors_format.recognise(&checkpoint->file);
    if (safetensors_format.open(checkpoint, &error))
        check_tensors(checkpoint);
    else
        expect(error.kind == ERROR_INPUT && error.message != NULL);
    if (!recognised)
        sniff_foreign(checkpoint, &error);
    error_free(&error);
    checkpoint->file.bytes = NULL; /* not mapped */
    checkpoint_close(checkpoint);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size) {
    enum { DATA = 32 };
    if (size == 0)
        return 0;
    open_file(bytes, size);
    unsigned char *file = memory_array(8 + size + DATA, 1);
    uint64_t length = size;
    memcpy(file, &length, sizeof length);
    memcpy(file + 8, bytes, size);
    open_file(file, 8 + size + DATA);
    free(file);
    return 0;
}
