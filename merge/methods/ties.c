/* TIES (Yadav et al. 2023, arXiv 2306.01708): trim each task vector to its largest elements, elect
 * a sign per element, average what agrees with it. Trimmed tensor by tensor, so that no model has
 * to be held whole. */
#include "merge/methods/piece.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DIGIT_BITS = 16, DIGITS = 1 << DIGIT_BITS };

static uint64_t magnitude_bits(double value) {
    double magnitude = fabs(value);
    uint64_t bits;
    memcpy(&bits, &magnitude, sizeof bits);
    return bits; /* ordered like the magnitudes */
}

/* Counts, by the digit at shift, the magnitudes whose higher digits are those of prefix. */
static void count_digits(const struct method_input *input, size_t specialist, unsigned shift,
                         uint64_t prefix, uint64_t *counts, double *piece) {
    uint64_t elements = input->layer->elements;
    memset(counts, 0, DIGITS * sizeof *counts);
    for (uint64_t first = 0; first < elements; first += PIECE) {
        size_t count = piece_read(input, specialist, first, piece);
        for (size_t e = 0; e < count; e++) {
            uint64_t bits = magnitude_bits(piece[e]);
            if (shift + DIGIT_BITS == 64 || bits >> (shift + DIGIT_BITS) == prefix)
                counts[bits >> shift & (DIGITS - 1)]++;
        }
    }
}

/* Bits of the kept-th largest magnitude of tau_i, found digit by digit, the highest first. */
static uint64_t threshold_bits(const struct method_input *input, size_t specialist, uint64_t kept,
                               uint64_t *counts, double *piece) {
    uint64_t prefix = 0;
    for (unsigned shift = 64; shift > 0;) {
        shift -= DIGIT_BITS;
        count_digits(input, specialist, shift, prefix, counts, piece);
        uint64_t digit = DIGITS - 1;
        for (; counts[digit] < kept; digit--)
            kept -= counts[digit];
        prefix = prefix << DIGIT_BITS | digit;
    }
    return prefix;
}

/* Mean over the trimmed values that have the sign of their sum; a sum of 0 elects plus. */
static double elect(const double *values, const double *weights, size_t n) {
    double sum = 0, agreeing = 0, weight = 0;
    for (size_t i = 0; i < n; i++)
        sum += weights[i] * values[i];
    for (size_t i = 0; i < n; i++)
        if (sum >= 0 ? values[i] > 0 : values[i] < 0) {
            agreeing += weights[i] * values[i];
            weight += weights[i];
        }
    return weight > 0 ? agreeing / weight : 0;
}

static void merge_piece(const struct method_input *input, const uint64_t *thresholds,
                        uint64_t first, double *pieces, double *delta) {
    size_t n = input->specialist_count, count = 0;
    for (size_t i = 0; i < n; i++)
        count = piece_read(input, i, first, pieces + i * PIECE);
    for (size_t e = 0; e < count; e++) {
        double values[SPECIALIST_LIMIT];
        for (size_t i = 0; i < n; i++) {
            double value = pieces[i * PIECE + e];
            values[i] = magnitude_bits(value) >= thresholds[i] ? value : 0;
        }
        delta[first + e] = input->settings->ties.lambda * elect(values, input->weights, n);
    }
}

struct method_cost ties_price(const struct layer *layer, size_t specialist_count) {
    (void)layer;
    return (struct method_cost){(DIGITS + specialist_count * PIECE) * sizeof(double),
                                64 / DIGIT_BITS + 1, 0};
}

bool ties_combine(const struct method_input *input, double *delta, struct error *error) {
    uint64_t thresholds[SPECIALIST_LIMIT], elements = input->layer->elements;
    uint64_t kept = (uint64_t)(input->settings->ties.density * (double)elements);
    size_t n = input->specialist_count;
    uint64_t *counts = malloc(DIGITS * sizeof *counts);
    double *pieces = malloc(n * PIECE * sizeof *pieces);
    bool good = counts != NULL && pieces != NULL;
    if (kept == 0 && input->settings->ties.density > 0)
        kept = 1; /* a head of two biases is not trimmed away */
    for (size_t i = 0; good && i < n; i++)
        thresholds[i] = kept == 0 ? UINT64_MAX : threshold_bits(input, i, kept, counts, pieces);
    for (uint64_t first = 0; good && first < elements; first += PIECE)
        merge_piece(input, thresholds, first, pieces, delta);
    free(counts);
    free(pieces);
    return good || piece_no_memory(error);
}
