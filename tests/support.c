#include "analysis/support/memory.h"

#include <stdio.h>
#include <stdlib.h>

void memory_exhausted(size_t bytes) {
    fprintf(stderr, "test: out of memory (%zu bytes)\n", bytes);
    abort();
}
