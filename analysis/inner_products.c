#include "analysis/inner_products.h"

#include "analysis/support/vector.h"

/* Half of the lanes, wherever it stands; compilers make one or two registers of it. */
enum { HALF = INNER_LANES / 2 };
typedef double half __attribute__((vector_size(HALF * sizeof(double)), aligned(8), may_alias));

/* Row x with rows y and z at a time: each loaded value of x serves two products. */
VECTOR_LOOP static void add_two(const double *x, const double *y, const double *z, size_t count,
                                double *y_sum, double *z_sum) {
    half *to_y = (half *)y_sum, *to_z = (half *)z_sum;
    half y_low = to_y[0], y_high = to_y[1], z_low = to_z[0], z_high = to_z[1];
    for (size_t k = 0; k < count; k += INNER_LANES) {
        half low = *(const half *)(x + k), high = *(const half *)(x + k + HALF);
        y_low += low * *(const half *)(y + k);
        y_high += high * *(const half *)(y + k + HALF);
        z_low += low * *(const half *)(z + k);
        z_high += high * *(const half *)(z + k + HALF);
    }
    to_y[0] = y_low;
    to_y[1] = y_high;
    to_z[0] = z_low;
    to_z[1] = z_high;
}

void inner_products_add(const double *rows, size_t n, size_t first, size_t stride, size_t count,
                        struct inner_sum *sums) {
    struct inner_sum unused = {{0}};
    for (size_t i = 0; i < n; i++)
        for (size_t j = i > first ? i : first; j < n; j += 2) {
            size_t next = j + 1 < n ? j + 1 : j;
            add_two(rows + i * stride, rows + j * stride, rows + next * stride, count,
                    sums[i * n + j].lane, next > j ? sums[i * n + next].lane : unused.lane);
        }
}

double inner_sum_total(const struct inner_sum *sum) {
    double total = 0;
    for (size_t k = 0; k < INNER_LANES; k++)
        total += sum->lane[k];
    return total;
}
