/* What the fuzz targets of the torch formats share. */
#ifndef R2M_TESTS_FUZZ_FUZZ_TORCH_H
#define R2M_TESTS_FUZZ_FUZZ_TORCH_H

#include "analysis/checkpoint/torch/torch_file.h"

#include <stdlib.h>

static void expect(bool condition) {
    if (!condition)
        abort();
}

/* Reads the ends of a tensor: all its memory lies between them. */
static void check_tensor(const struct checkpoint *checkpoint, size_t index) {
    const struct tensor *tensor = &checkpoint->tensors[index];
    unsigned char ends[16];
    double value;
    expect(tensor->rank <= TENSOR_RANK_LIMIT && tensor->name_length <= TENSOR_NAME_LIMIT);
    expect(checkpoint_find(checkpoint, tensor->name, tensor->name_length) == tensor);
    expect(checkpoint_tied(checkpoint, index) <= index);
    if (tensor->elements == 0)
        return;
    tensor_copy(tensor, 0, 1, ends);
    tensor_copy(tensor, tensor->elements - 1, 1, ends);
    if (dtype_class(tensor->dtype) == DTYPE_CLASS_FLOAT)
        tensor_read(tensor, tensor->elements - 1, 1, &value);
}

/* Opens bytes, which lie in a block of exactly that size, as a file of the format. */
static void open_bytes(const struct format *format, const char *state_dict,
                       const unsigned char *bytes, size_t size) {
    struct error error = {0};
    struct checkpoint *checkpoint = memory_array(1, sizeof *checkpoint);
    checkpoint->path = memory_string("fuzz");
    checkpoint->wanted = state_dict;
    checkpoint->file = (struct mapping){bytes, size};
    if (format->open(checkpoint, &error)) {
        expect(checkpoint->count > 0 && error.kind == ERROR_NONE);
        for (size_t i = 0; i < checkpoint->count; i++)
            check_tensor(checkpoint, i);
    } else {
        expect(error.kind == ERROR_INPUT && error.message != NULL);
    }
    error_free(&error);
    checkpoint->file.bytes = NULL; /* not mapped */
    checkpoint_close(checkpoint);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

#endif
