#include "analysis/auto_rank.h"

#include <math.h>

/* eta^2 in the unit of sigma; noise is sigma / y, 0 where there is none. */
static double shrunk_energy(double sigma, double noise, double beta) {
    double energy = sigma * sigma, variance = noise * noise;
    double inner = energy - (beta + 1) * variance;
    double square = inner * inner - 4 * beta * variance * variance;
    return square > 0 ? square / energy : 0;
}

/* exp of the entropy of e_j / sum e, as ln(sum e) - (sum e ln e) / sum e: one walk. Values count
 * relative to the first, so that their size does not matter. */
static double count_directions(const struct spectrum *spectrum, double edge, size_t above) {
    double rows = (double)spectrum->rows, cols = (double)spectrum->cols;
    double beta = fmin(rows, cols) / fmax(rows, cols), first = spectrum->sigma[0];
    double noise = edge / first / (1 + sqrt(beta)), sum = 0, weighted = 0;
    for (size_t j = 0; j < above; j++) {
        double energy = shrunk_energy(spectrum->sigma[j] / first, noise, beta);
        sum += energy;
        weighted += energy > 0 ? energy * log(energy) : 0;
    }
    return sum > 0 ? exp(log(sum) - weighted / sum) : 0;
}

struct auto_rank auto_rank(const struct spectrum *spectrum) {
    struct auto_rank found = {.edge = spectrum_marchenko_pastur(spectrum)};
    found.above = spectrum_count_above(spectrum, found.edge);
    if (found.above > 0)
        found.directions = count_directions(spectrum, found.edge, found.above);
    found.rank = (size_t)(found.directions + 0.5);
    if (found.rank > found.above)
        found.rank = found.above;
    return found;
}
