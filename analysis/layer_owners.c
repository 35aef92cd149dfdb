#include "analysis/layer_owners.h"

#include "analysis/support/ranks.h"

#include <stdlib.h>

/* Operations: of a matrix the square of its smaller side and its reduction, for each specialist;
 * beside them, and for all others, a few for each element. */
static double work_of(const struct layer *layer, size_t specialists) {
    double n = (double)layer_max_rank(layer), elements = (double)layer->elements;
    return (double)specialists * (n * elements + 4.0 / 3 * n * n * n + 10 * elements);
}

void layer_owners_share(struct tensor_table *table, const size_t *units, size_t unit_count) {
    size_t count = units != NULL ? unit_count : table->layer_count;
    double *work = memory_array(count, sizeof *work);
    size_t *owners = memory_array(count, sizeof *owners);
    for (size_t l = 0; l < table->layer_count; l++)
        work[units != NULL ? units[l] : l] += work_of(&table->layers[l], table->specialist_count);
    ranks_share_out(work, count, ranks_count(), owners);
    for (size_t l = 0; l < table->layer_count; l++)
        table->layers[l].owner = owners[units != NULL ? units[l] : l];
    free(owners);
    free(work);
}

size_t *layer_owners(const struct tensor_table *table) {
    size_t *owners = memory_array(table->layer_count, sizeof *owners);
    for (size_t l = 0; l < table->layer_count; l++)
        owners[l] = table->layers[l].owner;
    return owners;
}
