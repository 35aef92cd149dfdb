/* DARE (Yu et al. 2023, arXiv 2311.03099): drop elements of each task vector by chance, let the
 * others grow by 1 / (1 - drop), add up.
 *
 * The chance is drawn from seed, tensor, specialist and element alone (splitmix64, Steele et al.
 * 2014), so the same seed gives the same merge on any number of threads. */
#include "merge/methods/piece.h"

#include "analysis/support/digest.h"

#include <stdlib.h>
#include <string.h>

static const uint64_t golden = 0x9E3779B97F4A7C15U;

static uint64_t mix(uint64_t z) {
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

/* The stream of one task vector: of seed, the first 16 digits of the name's sha256, and i. */
static uint64_t stream(const struct method_input *input, size_t specialist) {
    char sha256[SHA256_TEXT];
    const char *name = input->layer->name;
    digest_memory(name, strlen(name), sha256);
    sha256[16] = '\0';
    return mix(mix(input->settings->dare.seed) ^ strtoull(sha256, NULL, 16)) +
           mix((uint64_t)specialist + 1);
}

/* From 0 to below 1. */
static double chance(uint64_t key, uint64_t element) {
    return (double)(mix(key + (element + 1) * golden) >> 11) * 0x1p-53;
}

struct method_cost dare_price(const struct layer *layer, size_t specialist_count) {
    (void)layer;
    (void)specialist_count;
    return (struct method_cost){PIECE * sizeof(double), 1, 0};
}

bool dare_combine(const struct method_input *input, double *delta, struct error *error) {
    double drop = input->settings->dare.drop, lambda = input->settings->dare.lambda;
    uint64_t elements = input->layer->elements;
    double *piece = malloc(PIECE * sizeof *piece);
    if (piece == NULL)
        return piece_no_memory(error);
    memset(delta, 0, (size_t)elements * sizeof *delta);
    for (size_t i = 0; i < input->specialist_count; i++) {
        double factor = lambda * input->weights[i] / (1 - drop);
        uint64_t key = stream(input, i);
        for (uint64_t first = 0; first < elements; first += PIECE) {
            size_t count = piece_read(input, i, first, piece);
            for (size_t e = 0; e < count; e++)
                if (chance(key, first + e) >= drop)
                    delta[first + e] += factor * piece[e];
        }
    }
    free(piece);
    return true;
}
