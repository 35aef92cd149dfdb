/* A model held in memory as explicit task vectors, so that what the program does with N x N
 * matrices can be checked against the same thing done with the weights. */
#ifndef R2M_TESTS_WEIGHT_SPACE_H
#define R2M_TESTS_WEIGHT_SPACE_H

#include "analysis/tensor_table.h"

enum { SPACE_LAYERS = 5, SPACE_SIZE = 157 }; /* layers, and their elements in all */

struct weight_space {
    struct tensor_table table; /* names, roles and shapes only: no files */
    struct layer layers[SPACE_LAYERS];
    size_t n;
    size_t first[SPACE_LAYERS]; /* where a layer begins in a task vector */
    double *tau;                /* [N x SPACE_SIZE] */
    double *gram;               /* [SPACE_LAYERS x N x N], by plain loops */
};

/* Three matrices (6 x 5, 4 x 8, 9 x 9) and two vectors (7 and 7 elements), one of them named as a
 * layer norm's bias. norms[N]: length of each task vector; shared in [0, 1]: about the cosine
 * between two of them, in the mean over seeds. */
struct weight_space *weight_space_make(size_t n, const double *norms, double shared, uint64_t seed);

/* After tau was changed. */
void weight_space_update(struct weight_space *space);

void weight_space_free(struct weight_space *space);

#endif
