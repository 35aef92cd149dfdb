/* Iso-C (Marczak et al. 2025, arXiv 2502.04959): the sum of the task vectors with all singular
 * values set to their mean, so that no shared direction outweighs the others. */
#include "merge/methods/piece.h"
#include "merge/methods/singular.h"

#include <stdlib.h>

/* Directions that the sum does not have count as 0 and stay out: their vectors are arbitrary. */
static const double zero_share = 1e-12;

struct method_cost iso_c_price(const struct layer *layer, size_t specialist_count) {
    (void)specialist_count;
    return (struct method_cost){singular_memory(layer->rows, layer->cols), 1,
                                singular_operations(layer->rows, layer->cols)};
}

bool iso_c_combine(const struct method_input *input, double *delta, struct error *error) {
    const struct layer *layer = input->layer;
    struct singular parts;
    double mean = 0;
    task_vector_combine(layer, input->specialist_count, input->weights, 0, (size_t)layer->elements,
                        delta);
    if (!singular_make(delta, layer->rows, layer->cols, &parts, error))
        return false;
    for (size_t j = 0; j < parts.n; j++)
        mean += parts.sigma[j] / (double)parts.n;
    double smallest = zero_share * parts.sigma[0];
    for (size_t j = 0; j < parts.n; j++)
        parts.sigma[j] = parts.sigma[j] > smallest ? input->settings->iso_c.alpha * mean : 0;
    singular_product(parts.u, parts.n, parts.sigma, parts.vt, layer->rows, layer->cols, parts.n,
                     delta);
    singular_free(&parts);
    return true;
}
