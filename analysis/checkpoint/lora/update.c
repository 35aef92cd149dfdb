#include "analysis/checkpoint/lora/update.h"

#include <cblas.h>

enum { PIECE = 512, ROWS = 64, COLS = 256, RANKS = 32 /* of a block: its factors fit the stack */ };

/* The place of a matrix in memory: steps between its rows and between its columns. */
struct steps {
    size_t row, col;
};

/* Block of a tensor that is a matrix of so many columns. */
static void read_block(const struct tensor *tensor, size_t width, size_t row, size_t rows,
                       size_t col, size_t cols, double *target, struct steps steps) {
    double values[PIECE];
    if (steps.col == 1 && steps.row == cols && cols == width) {
        tensor_read(tensor, (uint64_t)row * width, rows * cols, target);
        return;
    }
    for (size_t r = 0; r < rows; r++)
        for (size_t done = 0, count; done < cols; done += count) {
            count = cols - done < PIECE ? cols - done : PIECE;
            tensor_read(tensor, (uint64_t)(row + r) * width + col + done, count, values);
            for (size_t c = 0; c < count; c++)
                target[r * steps.row + (done + c) * steps.col] = values[c];
        }
}

/* Columns of A as a matrix. */
static size_t a_width(const struct update *update) {
    return (size_t)(update->a->elements / update->rank);
}

/* left[row.., k..]: rows x ranks, without the scale. */
static void read_left(const struct update *update, size_t row, size_t rows, size_t k, size_t ranks,
                      double *target) {
    row += update->first_row;
    if (update->transposed)
        read_block(update->a, a_width(update), k, ranks, row, rows, target,
                   (struct steps){1, ranks});
    else
        read_block(update->b, update->rank, row, rows, k, ranks, target, (struct steps){ranks, 1});
}

/* right[k.., col..]: ranks x cols. */
static void read_right(const struct update *update, size_t k, size_t ranks, size_t col, size_t cols,
                       double *target) {
    col += update->first_col;
    if (update->a == NULL)
        target[0] = 1;
    else if (update->transposed)
        read_block(update->b, update->rank, col, cols, k, ranks, target, (struct steps){1, cols});
    else
        read_block(update->a, a_width(update), k, ranks, col, cols, target,
                   (struct steps){cols, 1});
}

void update_left(const struct update *update, size_t row, size_t rows, double *target) {
    read_left(update, row, rows, 0, update->rank, target);
    for (size_t i = 0; i < rows * update->rank; i++)
        target[i] *= update->scale;
}

void update_right(const struct update *update, size_t col, size_t cols, double *target) {
    read_right(update, 0, update->rank, col, cols, target);
}

static size_t least(size_t one, size_t other) {
    return one < other ? one : other;
}

/* The part of a block that the components k.. of some columns make. */
static void add_columns(const struct update *update, double factor, size_t row, size_t rows,
                        size_t k, size_t col, size_t cols, double *target, size_t stride) {
    double left[ROWS * RANKS], right[RANKS * COLS];
    size_t ranks = least(RANKS, update->rank - k);
    read_right(update, k, ranks, col, cols, right);
    for (size_t r = 0; r < rows; r += ROWS) {
        size_t count = least(ROWS, rows - r);
        read_left(update, row + r, count, k, ranks, left);
        cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)count, (int)cols, (int)ranks,
                    factor * update->scale, left, (int)ranks, right, (int)cols, 1,
                    target + r * stride, (int)stride);
    }
}

void update_add_block(const struct update *update, double factor, size_t row, size_t rows,
                      size_t col, size_t cols, double *target, size_t stride) {
    for (size_t done = 0; done < cols; done += COLS)
        for (size_t k = 0; k < update->rank; k += RANKS)
            add_columns(update, factor, row, rows, k, col + done, least(COLS, cols - done),
                        target + done, stride);
}

/* At most three blocks: the rest of a row, whole rows, the start of a row. */
void update_add(const struct update *update, double factor, uint64_t first, size_t count,
                double *target) {
    size_t width = update->cols;
    for (size_t done = 0, now; done < count; done += now) {
        size_t row = (size_t)((first + done) / width), col = (size_t)((first + done) % width);
        size_t rows = col == 0 ? (count - done) / width : 0;
        now = rows > 0 ? rows * width : least(width - col, count - done);
        update_add_block(update, factor, row, rows > 0 ? rows : 1, col, rows > 0 ? width : now,
                         target + done, width);
    }
}
