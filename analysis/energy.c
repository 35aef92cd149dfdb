#include "analysis/energy.h"

#include "analysis/gram.h"

#include <math.h>
#include <string.h>

struct energy_split energy_split_layer(const struct real_core *core, const double *gram,
                                       size_t specialist) {
    double real[SPECIALIST_LIMIT], fake[SPECIALIST_LIMIT];
    projection_coefficients(core, specialist, real);
    for (size_t j = 0; j < core->n; j++)
        fake[j] = (j == specialist) - real[j];
    return (struct energy_split){gram_form(gram, core->n, real, real),
                                 gram_form(gram, core->n, fake, fake),
                                 2 * gram_form(gram, core->n, real, fake)};
}

double energy_real_share(const struct tensor_table *table, const struct real_core *core,
                         const double *gram, size_t specialist) {
    size_t n = core->n;
    double real = 0, total = 0;
    for (size_t l = 0; l < table->layer_count; l++) {
        if (!core->member[l])
            continue;
        const double *layer_gram = gram + l * n * n;
        real += core->gamma[l] * energy_split_layer(core, layer_gram, specialist).real;
        total += core->gamma[l] * layer_gram[specialist * n + specialist];
    }
    return total > 0 ? real / total : 0;
}

void energy_cosines(const double *gram, size_t n, const double *coefficients, double *cosines) {
    double unit[SPECIALIST_LIMIT][SPECIALIST_LIMIT] = {{0}};
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            unit[i][j] = coefficients != NULL ? coefficients[i * n + j] : i == j;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) {
            double square =
                gram_form(gram, n, unit[i], unit[i]) * gram_form(gram, n, unit[j], unit[j]);
            cosines[i * n + j] =
                square > 0 ? gram_form(gram, n, unit[i], unit[j]) / sqrt(square) : 0;
        }
}

void energy_gram_sum(const struct tensor_table *table, const double *gram, bool matrices_only,
                     double *sum) {
    size_t square = table->specialist_count * table->specialist_count;
    memset(sum, 0, square * sizeof *sum);
    for (size_t l = 0; l < table->layer_count; l++) {
        const struct layer *layer = &table->layers[l];
        if (matrices_only ? layer->role != ROLE_MATRIX : !layer_is_shared(layer))
            continue;
        for (size_t k = 0; k < square; k++)
            sum[k] += gram[l * square + k];
    }
}

double energy_dominance(const double *shares, size_t n) {
    double largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, shares[i]);
    double even = 1.0 / (double)n;
    return n > 1 && largest > even ? (largest - even) / (1 - even) : 0;
}
