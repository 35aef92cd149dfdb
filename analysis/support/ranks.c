/* What both twins share. */
#include "analysis/support/ranks.h"

#include "analysis/support/memory.h"

#include <stdlib.h>

struct share {
    double size;
    size_t index;
};

static int compare_shares(const void *one, const void *other) {
    const struct share *a = one, *b = other;
    if (a->size != b->size)
        return a->size > b->size ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

double ranks_sum(double number) {
    size_t count = ranks_count(), own = ranks_own();
    double sum = 0, *numbers = memory_array(count, sizeof *numbers);
    size_t *first = memory_array(count + 1, sizeof *first);
    size_t *owners = memory_array(count, sizeof *owners);
    for (size_t rank = 0; rank < count; rank++) {
        first[rank + 1] = rank + 1;
        owners[rank] = rank;
    }
    numbers[own] = number;
    ranks_gather(numbers, first, count, owners);
    for (size_t rank = 0; rank < count; rank++)
        sum += numbers[rank];
    free(owners);
    free(first);
    free(numbers);
    return sum;
}

void ranks_share_out(const double *sizes, size_t count, size_t ranks, size_t *owners) {
    struct share *shares = memory_array(count, sizeof *shares);
    double *loads = memory_array(ranks, sizeof *loads);
    for (size_t i = 0; i < count; i++)
        shares[i] = (struct share){sizes[i], i};
    qsort(shares, count, sizeof *shares, compare_shares);
    for (size_t i = 0; i < count; i++) {
        size_t least = 0;
        for (size_t rank = 1; rank < ranks; rank++)
            least = loads[rank] < loads[least] ? rank : least;
        owners[shares[i].index] = least;
        loads[least] += shares[i].size;
    }
    free(loads);
    free(shares);
}
