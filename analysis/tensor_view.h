/* Tensors made of elements of another tensor, where they lie: nothing is copied, and whatever reads
 * tensors reads them. A view has the name of the tensor it shows and lives in the arena. */
#ifndef R2M_ANALYSIS_TENSOR_VIEW_H
#define R2M_ANALYSIS_TENSOR_VIEW_H

#include "analysis/checkpoint/checkpoint.h"
#include "analysis/support/arena.h"

/* Rows [first, first + rows) of the first dimension. The tensor has whole bytes as elements. */
const struct tensor *tensor_view_rows(struct arena *arena, const struct tensor *whole,
                                      uint64_t first, uint64_t rows);

/* Columns as rows, of a tensor with two dimensions. */
const struct tensor *tensor_view_transposed(struct arena *arena, const struct tensor *whole);

#endif
