/* generate MODEL FOLDER SPECIALISTS [ENDING]: base.ENDING and s1.ENDING ... (safetensors, or pth)
 * with the shapes of a real model and weights whose task vectors look like a detector's: rms 3e-4,
 * a shared low-rank part, an own low-rank part and noise.
 *
 *     clip     the vision tower of CLIP ViT-L/14 as DF40 names it: 391 tensors, 303 179 776 weights
 *     vit      that of ViT-B/16
 *     many     150 matrices of 96 x 96: many cells, little weight
 *     llama    matrices of a language model of 7 billion weights in bf16, one of each shape */
#include "analysis/checkpoint/writer.h"
#include "analysis/support/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 8 }; /* rank of the shared and of the own part */

struct model {
    struct tensor_spec *specs;
    uint64_t (*shapes)[4];
    size_t count;
};

static void add(struct model *model, const char *name, size_t rank, const uint64_t *shape) {
    size_t i = model->count++;
    model->specs = memory_resize(model->specs, model->count, sizeof *model->specs);
    model->shapes = memory_resize(model->shapes, model->count, sizeof *model->shapes);
    memcpy(model->shapes[i], shape, rank * sizeof *shape);
    model->specs[i] = (struct tensor_spec){
        .name = memory_string(name), .name_length = strlen(name), .rank = rank};
}

static void add_linear(struct model *model, const char *prefix, uint64_t out, uint64_t in) {
    char name[200];
    snprintf(name, sizeof name, "%s.weight", prefix);
    add(model, name, 2, (uint64_t[]){out, in});
    snprintf(name, sizeof name, "%s.bias", prefix);
    add(model, name, 1, (uint64_t[]){out});
}

static void add_norm(struct model *model, const char *prefix, uint64_t width) {
    char name[200];
    snprintf(name, sizeof name, "%s.weight", prefix);
    add(model, name, 1, (uint64_t[]){width});
    snprintf(name, sizeof name, "%s.bias", prefix);
    add(model, name, 1, (uint64_t[]){width});
}

/* A vision tower: blocks of that width, kernels of patch x patch, position embeddings. */
static void build_tower(struct model *model, int blocks, uint64_t width, uint64_t patch,
                        uint64_t positions) {
    static const struct {
        const char *name;
        uint64_t out, in; /* in widths */
    } linears[] = {{"self_attn.k_proj", 1, 1}, {"self_attn.v_proj", 1, 1},
                   {"self_attn.q_proj", 1, 1}, {"self_attn.out_proj", 1, 1},
                   {"mlp.fc1", 4, 1},          {"mlp.fc2", 1, 4}};
    add(model, "backbone.embeddings.class_embedding", 1, (uint64_t[]){width});
    add(model, "backbone.embeddings.patch_embedding.weight", 4,
        (uint64_t[]){width, 3, patch, patch});
    add(model, "backbone.embeddings.position_embedding.weight", 2, (uint64_t[]){positions, width});
    add_norm(model, "backbone.pre_layrnorm", width);
    for (int layer = 0; layer < blocks; layer++) {
        char prefix[120];
        for (size_t k = 0; k < sizeof linears / sizeof linears[0]; k++) {
            snprintf(prefix, sizeof prefix, "backbone.encoder.layers.%d.%s", layer,
                     linears[k].name);
            add_linear(model, prefix, linears[k].out * width, linears[k].in * width);
        }
        for (int norm = 1; norm <= 2; norm++) {
            snprintf(prefix, sizeof prefix, "backbone.encoder.layers.%d.layer_norm%d", layer, norm);
            add_norm(model, prefix, width);
        }
    }
    add_norm(model, "backbone.post_layernorm", width);
}

static void build_clip(struct model *model) {
    build_tower(model, 24, 1024, 14, 257);
}

static void build_vit(struct model *model) {
    build_tower(model, 12, 768, 16, 197);
}

static void build_llama(struct model *model) {
    add(model, "model.embed_tokens.weight", 2, (uint64_t[]){32000, 4096});
    add(model, "model.layers.0.self_attn.q_proj.weight", 2, (uint64_t[]){4096, 4096});
    add(model, "model.layers.0.mlp.up_proj.weight", 2, (uint64_t[]){11008, 4096});
    add(model, "model.layers.0.mlp.down_proj.weight", 2, (uint64_t[]){4096, 11008});
    add(model, "model.layers.0.input_layernorm.weight", 1, (uint64_t[]){4096});
}

static void build_many(struct model *model) {
    char name[80];
    for (int i = 0; i < 150; i++) {
        snprintf(name, sizeof name, "backbone.layers.%d.weight", i);
        add(model, name, 2, (uint64_t[]){96, 96});
    }
}

/* xorshift64*: fast, and the same everywhere. */
static double uniform(uint64_t *state) {
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (double)((*state * 0x2545F4914F6CDD1DULL) >> 11) * 0x1p-53 - 0.5;
}

static void low_rank(float *values, uint64_t rows, uint64_t cols, double size, uint64_t seed) {
    float *u = memory_array((rows + cols) * PARTS, sizeof *u), *v = u + rows * PARTS;
    for (uint64_t i = 0; i < (rows + cols) * PARTS; i++)
        u[i] = (float)(uniform(&seed) * 3.46);
    for (uint64_t r = 0; r < rows; r++)
        for (int k = 0; k < PARTS; k++) {
            float factor = (float)(size / (k + 1)) * u[r * PARTS + (uint64_t)k];
            for (uint64_t c = 0; c < cols; c++)
                values[r * cols + c] += factor * v[(uint64_t)k * cols + c];
        }
    free(u);
}

static void noise(float *values, uint64_t count, double size, uint64_t seed) {
    for (uint64_t i = 0; i < count; i++)
        values[i] += (float)(size * 3.46 * uniform(&seed));
}

/* Weights of one tensor: the base's, plus for specialist > 0 its task vector. */
static void fill(float *values, uint64_t rows, uint64_t cols, uint64_t tensor,
                 unsigned specialist) {
    uint64_t seed = (tensor + 1) * 0x9E3779B97F4A7C15ULL;
    memset(values, 0, rows * cols * sizeof *values);
    noise(values, rows * cols, 0.02, seed);
    if (specialist == 0)
        return;
    noise(values, rows * cols, 1e-4 * (1 + 0.3 * specialist), seed + specialist);
    low_rank(values, rows, cols, 1.5e-4, seed + 1000);
    low_rank(values, rows, cols, 1.5e-4 * specialist, seed + 1000 + specialist);
}

static bool put(struct writer *writer, enum dtype dtype, size_t tensor, const float *values,
                uint64_t count, struct error *error) {
    if (dtype == DTYPE_F32)
        return writer_put(writer, tensor, values, error);
    double *wide = memory_array(count, sizeof *wide);
    unsigned char *narrow = memory_array(count, dtype_bits(dtype) / 8);
    dtype_widen(DTYPE_F32, values, count, wide);
    dtype_narrow(dtype, wide, count, narrow);
    free(wide);
    bool good = writer_put(writer, tensor, narrow, error);
    free(narrow);
    return good;
}

static bool write_file(const struct model *model, const char *path, unsigned specialist,
                       struct error *error) {
    struct metadata_entry metadata = {"format", "pt"};
    struct writer *writer;
    if (!writer_begin(path,
                      &(struct writer_content){.specs = model->specs,
                                               .count = model->count,
                                               .metadata = &metadata,
                                               .metadata_count = 1},
                      true, &writer, error))
        return false;
    for (size_t i = 0; i < model->count; i++) {
        uint64_t rows = model->specs[i].shape[0], cols = 1;
        for (size_t d = 1; d < model->specs[i].rank; d++)
            cols *= model->specs[i].shape[d];
        float *values = memory_array(rows * cols, sizeof *values);
        fill(values, rows, cols, i, specialist);
        bool good = put(writer, model->specs[i].dtype, i, values, rows * cols, error);
        free(values);
        if (!good) {
            writer_cancel(writer);
            return false;
        }
    }
    return writer_commit(writer, NULL, error);
}

static const struct {
    const char *name;
    enum dtype dtype;
    void (*build)(struct model *model);
} models[] = {{"clip", DTYPE_F32, build_clip},
              {"vit", DTYPE_F32, build_vit},
              {"many", DTYPE_F32, build_many},
              {"llama", DTYPE_BF16, build_llama}};

static bool build(struct model *model, const char *name) {
    for (size_t m = 0; m < sizeof models / sizeof *models; m++) {
        if (strcmp(models[m].name, name) != 0)
            continue;
        models[m].build(model);
        for (size_t i = 0; i < model->count; i++) {
            model->specs[i].shape = model->shapes[i];
            model->specs[i].dtype = models[m].dtype;
        }
        return true;
    }
    return false;
}

int main(int argc, char **argv) {
    struct model model = {0};
    struct error error = {0};
    if (argc != 4 && argc != 5)
        return 2;
    const char *ending = argc > 4 ? argv[4] : "safetensors";
    if (!build(&model, argv[1]))
        return 2;
    for (unsigned s = 0; s <= (unsigned)atoi(argv[3]); s++) {
        char *path = s == 0 ? memory_format("%s/base.%s", argv[2], ending)
                            : memory_format("%s/s%u.%s", argv[2], s, ending);
        if (!write_file(&model, path, s, &error)) {
            fprintf(stderr, "%s\n", error.message);
            return 1;
        }
        free(path);
    }
    return 0;
}
