#include "analysis/energy.h"

#include "analysis/gram.h"

#include <math.h>
#include <string.h>

#define VANISHED 1e-6 /* of the lengths that were combined */

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

/* Longest that sum_j a_j tau_j could be: no part of it against another. */
static double longest_sum(const double *gram, size_t n, const double *a) {
    double longest = 0;
    for (size_t j = 0; j < n; j++)
        longest += fabs(a[j]) * sqrt(gram[j * n + j]);
    return longest;
}

/* Root of a square, 0 where only rounding is left of the cancellation. */
static double norm_of(double square, double longest) {
    double norm = square > 0 ? sqrt(square) : 0;
    return norm > VANISHED * longest ? norm : 0;
}

/* From inner products and norms; the diagonal is exactly 1. */
static void fill_cosines(const double *products, const double *norms, size_t n, double *cosines) {
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++) {
            double both = norms[i] * norms[j];
            double cosine = both > 0 ? fmax(-1, fmin(1, products[i * n + j] / both)) : 0;
            cosines[i * n + j] = cosines[j * n + i] = i == j && both > 0 ? 1 : cosine;
        }
}

void energy_cosines(const double *gram, size_t n, const double *coefficients, double *cosines) {
    double identity[SPECIALIST_LIMIT * SPECIALIST_LIMIT];
    double products[SPECIALIST_LIMIT * SPECIALIST_LIMIT], norms[SPECIALIST_LIMIT];
    if (coefficients == NULL) {
        memset(identity, 0, n * n * sizeof *identity);
        for (size_t i = 0; i < n; i++)
            identity[i * n + i] = 1;
        coefficients = identity;
    }
    for (size_t i = 0; i < n; i++) {
        const double *row = coefficients + i * n;
        for (size_t j = 0; j < n; j++)
            products[i * n + j] = gram_form(gram, n, row, coefficients + j * n);
        norms[i] = norm_of(products[i * n + i], longest_sum(gram, n, row));
    }
    fill_cosines(products, norms, n, cosines);
}

void energy_residual_cosines(const struct tensor_table *table, const struct real_core *core,
                             const double *gram, double *cosines) {
    size_t n = core->n;
    double rows[SPECIALIST_LIMIT * SPECIALIST_LIMIT], norms[SPECIALIST_LIMIT];
    double products[SPECIALIST_LIMIT * SPECIALIST_LIMIT] = {0}, longest[SPECIALIST_LIMIT] = {0};
    for (size_t l = 0; l < table->layer_count; l++) {
        if (table->layers[l].role != ROLE_MATRIX)
            continue;
        const double *of_layer = gram + l * n * n;
        for (size_t i = 0; i < n; i++)
            residual_coefficients(core, l, i, rows + i * n);
        for (size_t i = 0; i < n; i++) {
            longest[i] += pow(longest_sum(of_layer, n, rows + i * n), 2);
            for (size_t j = 0; j < n; j++)
                products[i * n + j] += gram_form(of_layer, n, rows + i * n, rows + j * n);
        }
    }
    for (size_t i = 0; i < n; i++)
        norms[i] = norm_of(products[i * n + i], sqrt(longest[i]));
    fill_cosines(products, norms, n, cosines);
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
