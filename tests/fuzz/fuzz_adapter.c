/* Any bytes as the config of an adapter: no reading beyond the end, bounded time for any pattern,
 * and the updates that an accepted one makes of three small modules are finite and fit. */
#include "analysis/checkpoint/lora/adapter_config.h"
#include "analysis/checkpoint/lora/lora.h"
#include "analysis/checkpoint/lora/update.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const float numbers[24] = {1, -2, 0.5F, 3};

static const struct {
    const char *name;
    size_t rank;
    uint64_t shape[4];
} factors[] = {
    {"base_model.model.layers.0.query.lora_A.weight", 2, {2, 3}},
    {"base_model.model.layers.0.query.lora_B.weight", 2, {4, 2}},
    {"base_model.model.layers.0.query.lora_B.bias", 1, {4}},
    {"base_model.model.layers.10.patch.lora_A.weight", 4, {2, 3, 2, 2}},
    {"base_model.model.layers.10.patch.lora_B.weight", 4, {4, 2, 1, 1}},
    {"base_model.model.words.lora_embedding_A", 2, {2, 5}},
    {"base_model.model.words.lora_embedding_B", 2, {3, 2}},
    {"base_model.model.head.weight", 2, {2, 3}},
};

enum { FACTORS = sizeof factors / sizeof factors[0] };

static void expect(bool condition) {
    if (!condition)
        abort();
}

static void add_tensors(struct checkpoint *checkpoint) {
    checkpoint->tensors = memory_array(FACTORS, sizeof *checkpoint->tensors);
    checkpoint->count = FACTORS;
    for (size_t i = 0; i < FACTORS; i++) {
        struct tensor *tensor = &checkpoint->tensors[i];
        *tensor = (struct tensor){.name = factors[i].name,
                                  .name_length = strlen(factors[i].name),
                                  .dtype = DTYPE_F32,
                                  .rank = factors[i].rank,
                                  .shape = factors[i].shape,
                                  .data = (const unsigned char *)numbers};
        expect(tensor_measure(tensor) == NULL);
    }
}

static void check_weights(const struct checkpoint *checkpoint) {
    expect(checkpoint_weight_count(checkpoint) == 5);
    for (size_t i = 0; i < checkpoint_weight_count(checkpoint); i++) {
        const struct tensor *weight = checkpoint_weight(checkpoint, i);
        double values[64];
        expect(weight->elements <= 64);
        tensor_read(weight, 0, (size_t)weight->elements, values);
        for (size_t k = 0; k < weight->elements; k++)
            expect(!isnan(values[k]));
    }
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size) {
    struct error error = {0};
    struct adapter_config config;
    if (size == 0)
        return 0;
    struct checkpoint *checkpoint = memory_array(1, sizeof *checkpoint);
    checkpoint->path = memory_string("adapter_config.json");
    checkpoint->file = (struct mapping){bytes, size};
    adapter_config_recognise(&checkpoint->file);
    add_tensors(checkpoint);
    if (adapter_config_read(checkpoint, &config, &error) &&
        lora_take_weights(checkpoint, &config, &error))
        check_weights(checkpoint);
    else
        expect(error.kind == ERROR_INPUT && error.message != NULL);
    adapter_config_free(&config);
    error_free(&error);
    checkpoint->file.bytes = NULL; /* not mapped */
    checkpoint_close(checkpoint);
    return 0;
}
