#include "merge/adapters/adapter_layout.h"

#include "analysis/low_rank_factors.h"
#include "merge/config/document.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHT ".weight"
enum { LAST_PART = 64 }; /* of a module's name, to tell an embedding */

/* The base's tensor, where it is the layer as it stands. */
static const struct tensor *whole_tensor(const struct layer *layer) {
    const struct origin *origin = &layer->origins[0];
    bool whole = layer->base != NULL && origin->whole != NULL && !origin->transposed &&
                 origin->whole->elements == layer->elements;
    return whole ? origin->whole : NULL;
}

/* Length of the module's name in that of its weight, or 0. */
static size_t module_length(const struct tensor *tensor) {
    size_t ending = strlen(WEIGHT), length = tensor->name_length;
    if (length <= ending || memchr(tensor->name, '\0', length) != NULL ||
        memcmp(tensor->name + length - ending, WEIGHT, ending) != 0)
        return 0;
    return length - ending;
}

static bool is_embedding(const char *module) {
    static const char *const names[] = {"wte", "wpe", "shared"};
    const char *dot = strrchr(module, '.'), *last = dot != NULL ? dot + 1 : module;
    char lower[LAST_PART] = "";
    for (size_t i = 0; last[i] != '\0' && i + 1 < sizeof lower; i++)
        lower[i] = (char)tolower((unsigned char)last[i]);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(lower, names[i]) == 0)
            return true;
    return strstr(lower, "embed") != NULL;
}

/* Appends the layer's module at that rank; false when no adapter can hold it. */
static bool add_module(struct adapter_layout *layout, const struct layer *layer, size_t index,
                       size_t rank) {
    const struct tensor *tensor = layer->role == ROLE_MATRIX ? whole_tensor(layer) : NULL;
    size_t length = tensor != NULL ? module_length(tensor) : 0;
    if (length == 0)
        return false;
    struct adapter_module *module = &layout->modules[layout->count++];
    *module = (struct adapter_module){.name = memory_text(tensor->name, length),
                                      .layer = index,
                                      .rank = rank,
                                      .dimensions = tensor->rank,
                                      .shape = tensor->shape};
    module->embedding = tensor->rank == 2 && is_embedding(module->name);
    if (rank > layout->rank)
        layout->rank = rank;
    return true;
}

/* One factor as a tensor: sizes are those of A or B, the kernel's or 1 behind them. */
static struct tensor_spec make_spec(const struct adapter_module *module, char part,
                                    const uint64_t sizes[2]) {
    uint64_t *shape = memory_array(module->dimensions, sizeof *shape);
    for (size_t d = 0; d < module->dimensions; d++)
        shape[d] = d < 2 ? sizes[d] : part == 'A' ? module->shape[d] : 1;
    char *name = memory_format(module->embedding ? "base_model.model.%s.lora_embedding_%c"
                                                 : "base_model.model.%s.lora_%c.weight",
                               module->name, part);
    return (struct tensor_spec){name, strlen(name), DTYPE_F32, module->dimensions, shape};
}

static void make_specs(struct adapter_layout *layout) {
    layout->specs = memory_array(2 * layout->count, sizeof *layout->specs);
    for (size_t m = 0; m < layout->count; m++) {
        const struct adapter_module *module = &layout->modules[m];
        uint64_t in = module->shape[module->embedding ? 0 : 1];
        uint64_t out = module->shape[module->embedding ? 1 : 0];
        layout->specs[2 * m] = make_spec(module, 'A', (uint64_t[]){module->rank, in});
        layout->specs[2 * m + 1] = make_spec(module, 'B', (uint64_t[]){out, module->rank});
    }
}

void adapter_layout_make(const struct plan *plan, const struct analysis *analysis,
                         const struct preview *preview, size_t specialist,
                         struct adapter_layout *layout) {
    const struct tensor_table *table = plan->table;
    double coefficients[SPECIALIST_LIMIT], all = 0, left_out = 0;
    *layout = (struct adapter_layout){.specialist = specialist};
    layout->modules = memory_array(table->layer_count, sizeof *layout->modules);
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct preview_cell *cell = preview_cell_at(preview, l, specialist);
        const struct layer *layer = &table->layers[l];
        size_t rank = 0;
        if (!layer_is_shared(layer) || cell->contribution <= 0)
            continue;
        residual_coefficients(analysis->core, l, specialist, coefficients);
        if (cell->rank > 0)
            rank = low_rank_factors_rank(layer, table->specialist_count, coefficients, cell->rank);
        all += cell->contribution;
        if (rank == 0 || !add_module(layout, layer, l, rank)) {
            layout->left_out++;
            left_out += cell->contribution;
        }
    }
    layout->left_out_share = all > 0 ? left_out / all : 0;
    make_specs(layout);
}

void adapter_layout_free(struct adapter_layout *layout) {
    for (size_t i = 0; layout->specs != NULL && i < 2 * layout->count; i++) {
        free((char *)layout->specs[i].name);
        free((uint64_t *)layout->specs[i].shape);
    }
    for (size_t m = 0; m < layout->count; m++)
        free(layout->modules[m].name);
    free(layout->specs);
    free(layout->modules);
    *layout = (struct adapter_layout){0};
}

uint64_t adapter_layout_bytes(const struct adapter_layout *layout) {
    uint64_t bytes = 0;
    for (size_t i = 0; i < 2 * layout->count; i++) {
        uint64_t elements = 1;
        for (size_t d = 0; d < layout->specs[i].rank; d++)
            elements *= layout->specs[i].shape[d];
        bytes += elements * dtype_bits(DTYPE_F32) / 8;
    }
    return bytes;
}

/* A module's name as a regular expression for itself. */
static char *pattern_of(const char *name) {
    char *pattern = memory_array(2 * strlen(name) + 1, 1), *to = pattern;
    for (; *name != '\0'; *to++ = *name++)
        if (isascii((unsigned char)*name) && !isalnum((unsigned char)*name) && *name != '_')
            *to++ = '\\';
    return pattern;
}

/* The modules whose rank is not the largest one, with theirs. */
static void write_pattern(struct document *json, const char *key,
                          const struct adapter_layout *layout) {
    document_open(json, key, '{', DOCUMENT_LINES);
    for (size_t m = 0; m < layout->count; m++) {
        if (layout->modules[m].rank == layout->rank)
            continue;
        char *pattern = pattern_of(layout->modules[m].name);
        document_number(json, pattern, (double)layout->modules[m].rank);
        free(pattern);
    }
    document_close(json);
}

char *adapter_config_text(const struct adapter_layout *layout, const char *base) {
    struct document json;
    document_begin(&json);
    document_open(&json, NULL, '{', DOCUMENT_LINES);
    document_string(&json, "peft_type", "LORA");
    document_null(&json, "task_type");
    document_string(&json, "base_model_name_or_path", base);
    document_number(&json, "r", (double)layout->rank);
    document_number(&json, "lora_alpha", (double)layout->rank);
    document_bool(&json, "use_rslora", false);
    document_bool(&json, "use_dora", false);
    document_number(&json, "lora_dropout", 0);
    document_string(&json, "bias", "none");
    document_bool(&json, "fan_in_fan_out", false);
    document_bool(&json, "inference_mode", true);
    document_bool(&json, "init_lora_weights", true);
    document_null(&json, "modules_to_save");
    document_open(&json, "target_modules", '[', DOCUMENT_LINES);
    for (size_t m = 0; m < layout->count; m++)
        document_string(&json, NULL, layout->modules[m].name);
    document_close(&json);
    write_pattern(&json, "rank_pattern", layout);
    write_pattern(&json, "alpha_pattern", layout);
    document_close(&json);
    return document_end(&json);
}
