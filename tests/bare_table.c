#include "tests/bare_table.h"

#include "analysis/support/memory.h"

#include <stdlib.h>
#include <string.h>

struct tensor_table *bare_table(const char *const *names, size_t count) {
    struct tensor_table *table = memory_array(1, sizeof *table);
    table->layers = memory_array(count, sizeof *table->layers);
    table->layer_count = count;
    for (size_t i = 0; i < count; i++)
        table->layers[i] =
            (struct layer){.name = memory_string(names[i]),
                           .role = strstr(names[i], "bias") != NULL ? ROLE_VECTOR : ROLE_MATRIX};
    return table;
}

void bare_table_free(struct tensor_table *table) {
    for (size_t i = 0; i < table->layer_count; i++)
        free(table->layers[i].name);
    free(table->layers);
    free(table);
}
