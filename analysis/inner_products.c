#include "analysis/inner_products.h"

#include "analysis/support/vector.h"

/* Rows are taken three at a time: the sums of all their pairs stay in registers, and every loaded
 * value serves several of them. */
enum { TILE = 3 };

/* Half of the lanes, wherever it stands; compilers make one or two registers of it. */
enum { HALF = INNER_LANES / 2 };
typedef double half __attribute__((vector_size(HALF * sizeof(double)), aligned(8), may_alias));

/* Rows of a tile, up to three; the last one stands in for those that are not there. */
struct side {
    const double *rows[TILE];
    size_t count;
};

static inline struct side side_of(const double *rows, size_t first, size_t n, size_t stride) {
    struct side side = {.count = n - first < TILE ? n - first : TILE};
    for (size_t i = 0; i < TILE; i++)
        side.rows[i] = rows + (first + (i < side.count ? i : side.count - 1)) * stride;
    return side;
}

/* One half of the lanes of all pairs, or, where y is x, of those from the diagonal on, added to
 * sums[i * n + j]. */
static inline __attribute__((always_inline)) void add_half(const struct side *x,
                                                           const struct side *y, bool is_diagonal,
                                                           size_t offset, size_t count,
                                                           struct inner_sum *sums, size_t n) {
    half products[TILE][TILE] = {0};
    for (size_t k = offset; k < count; k += INNER_LANES) {
#pragma GCC unroll 3
        for (size_t i = 0; i < TILE; i++)
#pragma GCC unroll 3
            for (size_t j = is_diagonal ? i : 0; j < TILE; j++)
                products[i][j] += *(const half *)(x->rows[i] + k) * *(const half *)(y->rows[j] + k);
    }
#pragma GCC unroll 3
    for (size_t i = 0; i < TILE; i++)
#pragma GCC unroll 3
        for (size_t j = is_diagonal ? i : 0; j < TILE; j++)
            if (i < x->count && j < y->count)
                *(half *)(sums[i * n + j].lane + offset) += products[i][j];
}

VECTOR_LOOP static void add_diagonal(const struct side *x, size_t count, struct inner_sum *sums,
                                     size_t n) {
    add_half(x, x, true, 0, count, sums, n);
    add_half(x, x, true, HALF, count, sums, n);
}

VECTOR_LOOP static void add_square(const struct side *x, const struct side *y, size_t count,
                                   struct inner_sum *sums, size_t n) {
    add_half(x, y, false, 0, count, sums, n);
    add_half(x, y, false, HALF, count, sums, n);
}

void inner_products_add(const double *rows, size_t n, size_t first, size_t stride, size_t count,
                        struct inner_sum *sums) {
    for (size_t i = 0; i < n; i += TILE) {
        struct side x = side_of(rows, i, n, stride);
        if (i + TILE > first)
            add_diagonal(&x, count, &sums[i * n + i], n);
        for (size_t j = i + TILE; j < n; j += TILE) {
            struct side y = side_of(rows, j, n, stride);
            if (j + TILE > first)
                add_square(&x, &y, count, &sums[i * n + j], n);
        }
    }
}

double inner_sum_total(const struct inner_sum *sum) {
    double total = 0;
    for (size_t k = 0; k < INNER_LANES; k++)
        total += sum->lane[k];
    return total;
}
