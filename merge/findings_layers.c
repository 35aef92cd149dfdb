/* What is amiss in single layers: one dominates, ranks and noise edges, nothing carried. */
#include "merge/findings_parts.h"
#include "merge/layer_order.h"

#include <math.h>
#include <stdlib.h>

#define UNEVEN 0.5    /* dominance of a layer */
#define NOTABLE 0.05  /* of a residual's energy on the wrong side of a cut */
#define ROUNDING 1e-6 /* of sigma_1: what spectra are exact to (method.md section 7) */
enum { WORST_SHOWN = 3 };

static const struct remedy layer_norms = {"norm_match=layer",
                                          "the residuals get the same norm in every layer"};
static const struct remedy ranks_by_gd = {"residual.rank.gd=true",
                                          "the Gavish-Donoho threshold chooses the ranks"};
static const struct remedy ranks_by_mp = {"residual.rank.mp=true",
                                          "the Marchenko-Pastur edge chooses the ranks"};

static bool is_matrix(const struct findings_source *of, size_t layer) {
    return of->table->layers[layer].role == ROLE_MATRIX;
}

void find_uneven_layers(const struct findings_source *of, struct finding_list *list) {
    size_t worst[WORST_SHOWN], count = 0;
    size_t shown = layers_most_dominated(of->table, of->preview, worst, WORST_SHOWN);
    bool matched = of->plan->config.settings.norm_match == NORM_MATCH_LAYER;
    for (size_t l = 0; l < of->table->layer_count; l++)
        count += is_matrix(of, l) && of->preview->dominance[l] > UNEVEN;
    if (count == 0)
        return;
    struct string_list examples = {0};
    for (size_t k = 0; k < shown && of->preview->dominance[worst[k]] > UNEVEN; k++) {
        size_t leader = layer_leader(of->preview, worst[k]);
        char *example =
            memory_format("%s (%s %.0f %%)", of->table->layers[worst[k]].name,
                          of->table->specialists[leader].name,
                          100 * preview_cell_at(of->preview, worst[k], leader)->share_after);
        string_list_add(&examples, example);
        free(example);
    }
    char *names = names_text(&examples);
    findings_add(list, matched ? NULL : &layer_norms,
                 memory_format("One specialist dominates in %zu of %zu matrix layers", count,
                               of->table->matrix_count),
                 memory_format("Its share of the residual term is far above the others' after "
                               "norm matching (dominance above %.1f): %s.",
                               UNEVEN, names),
                 memory_string(matched
                                   ? "Elsewhere nothing is left of the others' residuals: "
                                     "raise their ranks there."
                                   : "Match the norms layer by layer, or lower its rank there."));
    free(names);
    string_list_free(&examples);
}

/* How many singular values lie above an edge and above rounding. */
static size_t count_signal(const struct spectrum *spectrum, double edge) {
    double rounding = spectrum->count > 0 ? ROUNDING * spectrum->sigma[0] : 0;
    return spectrum_count_above(spectrum, fmax(edge, rounding));
}

/* Share of a residual's energy between two ranks, 0 where from is not below to. */
static double energy_between(const struct spectrum *spectrum, size_t from, size_t to) {
    double total = spectrum_total(spectrum);
    return from < to && total > 0 ? (spectrum->cumulative[to] - spectrum->cumulative[from]) / total
                                  : 0;
}

/* A cell in which a cut misses an edge. */
struct miss {
    size_t rank, edge; /* what is kept, and the singular values above the noise edge */
    double energy;     /* share of the residual's between the two */
};

typedef struct miss measure_miss(const struct spectrum *spectrum, size_t rank);

/* Signal below the cut, by the stricter of the two edges. */
static struct miss miss_signal(const struct spectrum *spectrum, size_t rank) {
    double edge = fmax(spectrum_gavish_donoho(spectrum), spectrum_marchenko_pastur(spectrum));
    size_t signal = count_signal(spectrum, edge);
    return (struct miss){rank, signal, energy_between(spectrum, rank, signal)};
}

/* Noise above the cut, by the looser of the two. */
static struct miss miss_noise(const struct spectrum *spectrum, size_t rank) {
    double edge = fmin(spectrum_gavish_donoho(spectrum), spectrum_marchenko_pastur(spectrum));
    size_t signal = count_signal(spectrum, edge);
    return (struct miss){rank, signal, energy_between(spectrum, signal, rank)};
}

/* Cells with a notable miss, the worst of them, and the number of all cells. */
struct misses {
    size_t count, cells, layer, specialist;
    struct miss worst;
};

static struct misses count_misses(const struct findings_source *of, measure_miss *measure) {
    struct misses misses = {0};
    for (size_t l = 0; l < of->table->layer_count && of->analysis->spectra != NULL; l++)
        for (size_t i = 0; is_matrix(of, l) && i < of->table->specialist_count; i++) {
            const struct spectrum *spectrum = spectra_get(of->analysis->spectra, l, i);
            if (spectrum == NULL)
                continue;
            struct miss miss = measure(spectrum, preview_cell_at(of->preview, l, i)->rank);
            misses.cells++;
            misses.count += miss.energy > NOTABLE;
            if (miss.energy > misses.worst.energy) {
                misses.worst = miss;
                misses.layer = l;
                misses.specialist = i;
            }
        }
    return misses;
}

void find_cut_signal(const struct findings_source *of, struct finding_list *list) {
    const struct misses misses = count_misses(of, miss_signal);
    if (misses.count == 0)
        return;
    findings_add(
        list, &ranks_by_gd,
        memory_format("Ranks cut into signal in %zu of %zu residuals", misses.count, misses.cells),
        memory_format("More than %.0f %% of their energy stands above both noise edges "
                      "(Gavish-Donoho, Marchenko-Pastur) and is dropped. The worst: %s of %s keeps "
                      "rank %zu, %zu singular values stand above the edges, and %.0f %% of its "
                      "energy is lost between them.",
                      100 * NOTABLE, of->table->layers[misses.layer].name,
                      of->table->specialists[misses.specialist].name, misses.worst.rank,
                      misses.worst.edge, 100 * misses.worst.energy),
        memory_string("Raise the ranks there, or let the noise edge choose them."));
}

void find_kept_noise(const struct findings_source *of, struct finding_list *list) {
    const struct misses misses = count_misses(of, miss_noise);
    if (misses.count == 0)
        return;
    findings_add(
        list, &ranks_by_mp,
        memory_format("Noise is kept in %zu of %zu residuals", misses.count, misses.cells),
        memory_format("More than %.0f %% of their energy is kept from below both noise edges. The "
                      "worst: %s of %s keeps rank %zu, %zu singular values stand above the "
                      "lower edge, and %.0f %% of its energy lies between them.",
                      100 * NOTABLE, of->table->layers[misses.layer].name,
                      of->table->specialists[misses.specialist].name, misses.worst.rank,
                      misses.worst.edge, 100 * misses.worst.energy),
        memory_string("Lower the ranks there, or let the noise edge choose them."));
}

/* Whether no specialist changed the layer. */
static bool is_unchanged(const struct findings_source *of, size_t layer) {
    const double *gram = analysis_gram(of->analysis, layer);
    size_t n = of->table->specialist_count, i = 0;
    while (i < n && !(gram[i * n + i] > 0))
        i++;
    return i == n;
}

static bool is_dropped(const struct findings_source *of, size_t layer) {
    size_t n = of->table->specialist_count, i = 0;
    while (i < n && !(preview_cell_at(of->preview, layer, i)->contribution > 0))
        i++;
    return i == n;
}

void find_dropped_layers(const struct findings_source *of, struct finding_list *list) {
    struct string_list names = {0};
    for (size_t l = 0; l < of->table->layer_count; l++)
        if (is_matrix(of, l) && !is_unchanged(of, l) && is_dropped(of, l))
            string_list_add(&names, of->table->layers[l].name);
    if (names.count > 0) {
        char *text = names_text(&names);
        findings_add(
            list, NULL,
            memory_format("Only the Real core acts in %zu matrix layer%s", names.count,
                          names.count == 1 ? "" : "s"),
            memory_format("The specialists changed more there, but no rank keeps it: %s.", text),
            memory_string("Raise the ranks there if that is not meant."));
        free(text);
    }
    string_list_free(&names);
}

void find_unchanged(const struct findings_source *of, struct finding_list *list) {
    struct string_list names = {0};
    for (size_t l = 0; l < of->table->layer_count; l++)
        if (layer_is_shared(&of->table->layers[l]) && is_unchanged(of, l))
            string_list_add(&names, of->table->layers[l].name);
    if (names.count > 0) {
        char *text = names_text(&names);
        findings_add(list, NULL,
                     memory_format("%zu layer%s unchanged in every specialist", names.count,
                                   names.count == 1 ? " is" : "s are"),
                     memory_format("They carry nothing into the merge: %s.", text),
                     memory_string("Nothing to do when they were frozen during fine-tuning; else "
                                   "see whether the right files are given."));
        free(text);
    }
    string_list_free(&names);
}
