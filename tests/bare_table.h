/* A table of tensors that are names and roles alone, with no file behind them. */
#ifndef R2M_TESTS_BARE_TABLE_H
#define R2M_TESTS_BARE_TABLE_H

#include "analysis/tensor_table.h"

/* Matrices of these names, and vectors where "bias" is in the name. */
struct tensor_table *bare_table(const char *const *names, size_t count);
void bare_table_free(struct tensor_table *table);

#endif
