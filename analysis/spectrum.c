#include "analysis/spectrum.h"

#include "analysis/support/memory.h"

#include <lapacke.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INTEGRATION_STEPS = 4096 };

/* Median of the Marchenko-Pastur law of aspect beta in (0, 1] (unit variance), by the midpoint rule
 * in the angle t, x = 1 + beta + 2 sqrt(beta) cos(t): the density's square roots become smooth. */
static double marchenko_pastur_median(double beta) {
    double half = 2 * sqrt(beta), step = M_PI / INTEGRATION_STEPS, mass = 0;
    for (int i = INTEGRATION_STEPS - 1; i >= 0; i--) {
        double t = (i + 0.5) * step, x = 1 + beta + half * cos(t);
        double slice = half * half * sin(t) * sin(t) / (2 * M_PI * beta * x) * step;
        if (mass + slice >= 0.5) {
            double part = (0.5 - mass) / slice;
            return 1 + beta + half * cos((i + 1 - part) * step);
        }
        mass += slice;
    }
    return 1; /* not reached: the whole mass is 1 */
}

static double aspect(const struct spectrum *spectrum) {
    double rows = (double)spectrum->rows, cols = (double)spectrum->cols;
    return fmin(rows, cols) / fmax(rows, cols);
}

static double noise_edge(const struct spectrum *spectrum) {
    double rows = (double)spectrum->rows, cols = (double)spectrum->cols;
    double variance = spectrum->median * spectrum->median /
                      (fmax(rows, cols) * marchenko_pastur_median(aspect(spectrum)));
    return sqrt(variance) * (sqrt(rows) + sqrt(cols));
}

/* Fills everything from sigma, which is there and descending. */
static void finish(struct spectrum *spectrum) {
    size_t n = spectrum->count;
    spectrum->cumulative = memory_array(n + 1, sizeof *spectrum->cumulative);
    for (size_t i = 0; i < n; i++)
        spectrum->cumulative[i + 1] =
            spectrum->cumulative[i] + spectrum->sigma[i] * spectrum->sigma[i];
    if (n == 0)
        return;
    spectrum->median = (spectrum->sigma[(n - 1) / 2] + spectrum->sigma[n / 2]) / 2;
    spectrum->noise_edge = noise_edge(spectrum);
}

static struct spectrum empty(size_t rows, size_t cols) {
    size_t count = rows < cols ? rows : cols;
    return (struct spectrum){
        .rows = rows, .cols = cols, .count = count, .sigma = memory_array(count, sizeof(double))};
}

static bool too_large(size_t rows, size_t cols, struct error *error) {
    if (rows <= INT_MAX && cols <= INT_MAX)
        return false;
    error_set(error, ERROR_INPUT, "a matrix of %zu x %zu is larger than LAPACK takes", rows, cols);
    return true;
}

struct spectrum spectrum_from_eigenvalues(const double *values, size_t rows, size_t cols) {
    struct spectrum spectrum = empty(rows, cols);
    for (size_t i = 0; i < spectrum.count; i++)
        spectrum.sigma[i] = sqrt(fmax(values[spectrum.count - 1 - i], 0));
    finish(&spectrum);
    return spectrum;
}

void spectrum_of_values(const double *values, size_t count, size_t rows, size_t cols,
                        struct spectrum *spectrum) {
    *spectrum = empty(rows, cols);
    if (count > 0)
        memcpy(spectrum->sigma, values, count * sizeof *values);
    finish(spectrum);
}

bool spectrum_reference(double *matrix, size_t rows, size_t cols, struct spectrum *spectrum,
                        struct error *error) {
    if (too_large(rows, cols, error))
        return false;
    *spectrum = empty(rows, cols);
    /* A row-major matrix is its transpose in LAPACK's order: the singular values are the same. */
    lapack_int m = (lapack_int)cols, n = (lapack_int)rows;
    double *copy =
        malloc(rows * cols * sizeof *copy + 1); /* gesdd destroys what gesvd would need */
    double *work = memory_array(spectrum->count, sizeof *work);
    lapack_int status = LAPACK_WORK_MEMORY_ERROR;
    if (copy != NULL) {
        memcpy(copy, matrix, rows * cols * sizeof *copy);
        status = LAPACKE_dgesdd(LAPACK_COL_MAJOR, 'N', m, n, matrix, m, spectrum->sigma, NULL, 1,
                                NULL, 1);
        if (status > 0)
            status = LAPACKE_dgesvd(LAPACK_COL_MAJOR, 'N', 'N', m, n, copy, m, spectrum->sigma,
                                    NULL, 1, NULL, 1, work);
    }
    free(copy);
    free(work);
    if (status != 0) {
        spectrum_free(spectrum);
        return error_set(error, ERROR_INPUT,
                         status > 0 ? "LAPACK gesdd and gesvd did not converge (info %d)"
                                    : "LAPACK gesdd failed, probably out of memory (info %d)",
                         (int)status);
    }
    finish(spectrum);
    return true;
}

void spectrum_free(struct spectrum *spectrum) {
    free(spectrum->sigma);
    free(spectrum->cumulative);
    *spectrum = (struct spectrum){0};
}

double spectrum_total(const struct spectrum *spectrum) {
    return spectrum->cumulative[spectrum->count];
}

double spectrum_kept(const struct spectrum *spectrum, size_t rank) {
    double total = spectrum_total(spectrum);
    size_t r = rank < spectrum->count ? rank : spectrum->count;
    return total > 0 ? spectrum->cumulative[r] / total : 1;
}

size_t spectrum_energy_rank(const struct spectrum *spectrum, double share) {
    double wanted = share * spectrum_total(spectrum);
    size_t low = 0, high = spectrum->count; /* the answer is in [low, high] */
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (spectrum->cumulative[middle] >= wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

double spectrum_stable_rank(const struct spectrum *spectrum) {
    double first = spectrum->count > 0 ? spectrum->sigma[0] : 0;
    return first > 0 ? spectrum_total(spectrum) / (first * first) : 0;
}

double spectrum_effective_rank(const struct spectrum *spectrum) {
    double sum = 0, entropy = 0;
    for (size_t i = 0; i < spectrum->count; i++)
        sum += spectrum->sigma[i];
    if (sum <= 0)
        return 0;
    for (size_t i = 0; i < spectrum->count && spectrum->sigma[i] > 0; i++) {
        double p = spectrum->sigma[i] / sum;
        entropy -= p * log(p);
    }
    return exp(entropy);
}

double spectrum_gavish_donoho(const struct spectrum *spectrum) {
    double b = spectrum->count > 0 ? aspect(spectrum) : 0;
    return (((0.56 * b - 0.95) * b + 1.82) * b + 1.43) * spectrum->median;
}

double spectrum_marchenko_pastur(const struct spectrum *spectrum) {
    return spectrum->noise_edge;
}

size_t spectrum_count_above(const struct spectrum *spectrum, double threshold) {
    size_t low = 0, high = spectrum->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (spectrum->sigma[middle] > threshold)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}
