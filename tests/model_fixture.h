/* Small checkpoints for tests: a base and its specialists, as safetensors files in a scratch
 * folder. The files are put together here byte by byte, without the writer under test.
 *
 *     struct model_recipe recipe = model_recipe_default(3);
 *     recipe.scales[2] = 4e-3;
 *     struct model model = model_make(&recipe);
 *     struct tensor_table *table = model_open(&model);
 *     ...
 *     tensor_table_close(table);
 *     model_remove(&model);
 */
#ifndef R2M_TESTS_MODEL_FIXTURE_H
#define R2M_TESTS_MODEL_FIXTURE_H

#include "analysis/tensor_table.h"
#include "tests/scratch.h"

enum { MODEL_SPECIALISTS = 12 };

/* A tensor to write. */
struct file_tensor {
    const char *name;
    enum dtype dtype;
    size_t rank;
    uint64_t shape[4];
    const void *data; /* contiguous, little-endian */
};

/* Writes a safetensors file with these tensors in this order; the scratch owns the path. */
char *file_of_tensors(struct scratch *scratch, const char *name, const struct file_tensor *tensors,
                      size_t count);

enum model_place { IN_ALL_FILES, IN_SPECIALISTS };

/* A line of the model to make. Integer tensors count up from 0, the same in every file. */
struct model_tensor {
    const char *name;
    enum model_place place;
    bool integer; /* I64 */
    size_t rank;
    uint64_t shape[4];
};

struct model_recipe {
    size_t specialist_count;
    enum dtype dtype;                 /* of floating tensors: F32, F64, F16, BF16 */
    double scales[MODEL_SPECIALISTS]; /* rms of the task vectors' entries; 0: equal to the base */
    double shared;                    /* in [0, 1]: about the cosine of two task vectors */
    uint64_t seed;
    const struct model_tensor *tensors;
    size_t tensor_count;
};

/* A tiny CLIP tower as DF40 names it: patch embedding, position ids, three blocks (0, 2 and 10)
 * with square, tall and wide matrices, biases and norms; a head that the base lacks. F32, rms
 * 1e-3, cosine 0.3. */
struct model_recipe model_recipe_default(size_t specialist_count);

struct model {
    struct scratch scratch;
    struct model_recipe recipe;
    char *base;                                      /* paths, of the scratch */
    struct specialist_path files[MODEL_SPECIALISTS]; /* s1, s2, ... */
    double **values; /* [(1 + N) x tensor_count] as stored; NULL where the file lacks it */
};

struct model model_make(const struct model_recipe *recipe);

/* Values of a tensor in file 0 (the base) or 1.. (specialists), as stored. */
const double *model_values(const struct model *model, size_t file, const char *name);

/* Opens the table with default keys; fails the test when it does not open. */
struct tensor_table *model_open(const struct model *model);

void model_remove(struct model *model);

#endif
