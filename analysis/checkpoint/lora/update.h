/* What a LoRA adapter adds to a weight of the base: scale * B A, a matrix of low rank that is never
 * held whole.
 *
 * A is rank x inputs, B is outputs x rank, as PEFT stores them (the kernel of a convolution
 * follows the inputs). Where the model holds its weight the other way round (embeddings, Conv1D)
 * the update is (B A)^T = A^T B^T. In both cases it is left times right, rows x rank and rank x
 * cols; rows x cols is the weight as a matrix, shape[0] x the product of the rest. */
#ifndef R2M_ANALYSIS_CHECKPOINT_UPDATE_H
#define R2M_ANALYSIS_CHECKPOINT_UPDATE_H

#include "analysis/checkpoint/checkpoint.h"

struct update {
    const struct tensor *a; /* [rank, inputs...]; NULL: the number 1 (B is then a vector) */
    const struct tensor *b; /* [outputs, rank...] */
    double scale;
    bool transposed;
    size_t rank, rows, cols;
    size_t first_row, first_col; /* where it begins in left and right: it may be a part */
};

/* Rows [row, row + rows) of scale * left; target: rows x rank, row-major. */
void update_left(const struct update *update, size_t row, size_t rows, double *target);

/* Columns [col, col + cols) of right; target: rank x cols, row-major. */
void update_right(const struct update *update, size_t col, size_t cols, double *target);

/* target (rows x cols, row-major, leading dimension stride) += factor * the block of the update
 * that starts at row and col. */
void update_add_block(const struct update *update, double factor, size_t row, size_t rows,
                      size_t col, size_t cols, double *target, size_t stride);

/* target[count] += factor * elements [first, first + count) of the update, row-major. */
void update_add(const struct update *update, double factor, uint64_t first, size_t count,
                double *target);

#endif
