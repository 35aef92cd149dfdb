/* One process alone. */
#include "analysis/support/ranks.h"

#include <stdlib.h>

const char *ranks_feature(void) {
    return "-mpi";
}

bool ranks_begin(struct error *error) {
    const char *started = getenv("OMPI_COMM_WORLD_SIZE");
    if (started == NULL || strtoul(started, NULL, 10) <= 1)
        return true;
    error_set(error, ERROR_USAGE, "started %s times by mpirun, but built without MPI", started);
    error_hint(error, "make MPI=1 builds it with MPI");
    return false;
}

void ranks_end(void) {}

size_t ranks_count(void) {
    return 1;
}

size_t ranks_own(void) {
    return 0;
}

size_t ranks_beside(void) {
    return 1;
}

bool ranks_agree(bool good, struct error *error) {
    (void)error;
    return good;
}

bool ranks_warned(void) {
    return false;
}

void ranks_gather(double *values, const size_t *first, size_t count, const size_t *owners) {
    (void)values, (void)first, (void)count, (void)owners;
}
