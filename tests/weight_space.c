#include "tests/weight_space.h"

#include "tests/matrix_fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum role role;
    size_t rows, cols;
} shapes[SPACE_LAYERS] = {{"a.weight", ROLE_MATRIX, 6, 5},
                          {"b.weight", ROLE_MATRIX, 4, 8},
                          {"c.weight", ROLE_MATRIX, 9, 9},
                          {"class_embedding", ROLE_VECTOR, 1, 7},
                          {"ln_1.bias", ROLE_VECTOR, 1, 7}};

void weight_space_update(struct weight_space *space) {
    size_t n = space->n;
    for (size_t l = 0; l < SPACE_LAYERS; l++)
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n; j++) {
                long double sum = 0;
                for (size_t k = 0; k < space->layers[l].elements; k++)
                    sum += (long double)space->tau[i * SPACE_SIZE + space->first[l] + k] *
                           (long double)space->tau[j * SPACE_SIZE + space->first[l] + k];
                space->gram[(l * n + i) * n + j] = (double)sum;
            }
}

/* One vector: common and own directions, scaled to the norm. */
static void make_vector(double *tau, double norm, double shared, const double *common,
                        uint64_t seed) {
    double square = 0;
    for (size_t k = 0; k < SPACE_SIZE; k++) {
        tau[k] = sqrt(shared) * common[k] + sqrt(1 - shared) * random_normal(&seed);
        square += tau[k] * tau[k];
    }
    for (size_t k = 0; k < SPACE_SIZE; k++)
        tau[k] *= norm / sqrt(square);
}

struct weight_space *weight_space_make(size_t n, const double *norms, double shared,
                                       uint64_t seed) {
    struct weight_space *space = memory_array(1, sizeof *space);
    size_t first = 0;
    for (size_t l = 0; l < SPACE_LAYERS; l++) {
        space->layers[l] = (struct layer){.name = memory_string(shapes[l].name),
                                          .role = shapes[l].role,
                                          .rows = shapes[l].rows,
                                          .cols = shapes[l].cols,
                                          .elements = shapes[l].rows * shapes[l].cols};
        space->first[l] = first;
        first += (size_t)space->layers[l].elements;
    }
    space->n = n;
    space->table = (struct tensor_table){
        .layers = space->layers, .layer_count = SPACE_LAYERS, .matrix_count = 3};
    space->table.specialist_count = n;
    space->table.specialists = memory_array(n, sizeof *space->table.specialists);
    space->tau = memory_array(n * SPACE_SIZE, sizeof *space->tau);
    space->gram = memory_array(SPACE_LAYERS * n * n, sizeof *space->gram);
    double common[SPACE_SIZE];
    uint64_t state = seed * 0xD1342543DE82EF95u;
    for (size_t k = 0; k < SPACE_SIZE; k++)
        common[k] = random_normal(&state);
    for (size_t i = 0; i < n; i++) {
        space->table.specialists[i].name = memory_format("s%zu", i + 1);
        make_vector(space->tau + i * SPACE_SIZE, norms[i], shared, common,
                    (seed + 1 + i) * 0xA0761D6478BD642Fu);
    }
    weight_space_update(space);
    return space;
}

void weight_space_free(struct weight_space *space) {
    for (size_t l = 0; l < SPACE_LAYERS; l++)
        free(space->layers[l].name);
    for (size_t i = 0; i < space->n; i++)
        free(space->table.specialists[i].name);
    free(space->table.specialists);
    free(space->tau);
    free(space->gram);
    free(space);
}
