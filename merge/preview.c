#include "merge/preview.h"

#include "merge/norm_match.h"

#include <math.h>
#include <stdlib.h>

#define DOMINATING_SHARE 0.5   /* of the residual energy, before matching (method.md section 4) */
enum { DOMINATION_NEEDS = 3 }; /* specialists; of two, one always has half */

struct preview *preview_create(const struct tensor_table *table) {
    struct preview *preview = memory_array(1, sizeof *preview);
    preview->layer_count = table->layer_count;
    preview->specialist_count = table->specialist_count;
    size_t cells = table->layer_count * table->specialist_count;
    preview->cells = memory_array(cells, sizeof *preview->cells);
    preview->dominance = memory_array(table->layer_count, sizeof *preview->dominance);
    preview->specialists = memory_array(table->specialist_count, sizeof *preview->specialists);
    return preview;
}

void preview_free(struct preview *preview) {
    if (preview == NULL)
        return;
    free(preview->cells);
    free(preview->dominance);
    free(preview->specialists);
    string_list_free(&preview->warnings);
    free(preview);
}

static struct preview_cell *layer_cells(const struct preview *preview, size_t layer) {
    return preview->cells + layer * preview->specialist_count;
}

const struct preview_cell *preview_cell_at(const struct preview *preview, size_t layer,
                                           size_t specialist) {
    return layer_cells(preview, layer) + specialist;
}

static void clear(struct preview *preview) {
    for (size_t c = 0; c < preview->layer_count * preview->specialist_count; c++)
        preview->cells[c] = (struct preview_cell){.scale = 1};
    for (size_t l = 0; l < preview->layer_count; l++)
        preview->dominance[l] = 0;
    for (size_t i = 0; i < preview->specialist_count; i++)
        preview->specialists[i] = (struct preview_specialist){.scale = 1};
    string_list_free(&preview->warnings);
    preview->warnings = (struct string_list){0};
    preview->complete = false;
    preview->nbar = preview->eta = preview->core_norm = preview->mean_norm = 0;
    preview->residual_term = 0;
}

/* (Rounding may leave it just below 0.) */
double preview_residual_energy(const struct analysis *analysis, size_t layer, size_t specialist) {
    double a[SPECIALIST_LIMIT];
    residual_coefficients(analysis->core, layer, specialist, a);
    double energy = gram_form(analysis_gram(analysis, layer), analysis->core->n, a, a);
    return energy > 0 ? energy : 0;
}

/* ||tau_i,l||^2, raw. */
static double task_energy(const struct analysis *analysis, size_t layer, size_t specialist) {
    return analysis_gram(analysis, layer)[specialist * (analysis->core->n + 1)];
}

/* Rank and truncated norm. At rank 0 and at full rank the spectrum is not asked, even when it is
 * there: the figures must not depend on how far the analysis is. */
static void fill_matrix_cell(struct preview_cell *cell, struct rank_rule rule,
                             const struct spectrum *spectrum, double energy) {
    if (spectrum == NULL && !rank_rule_is_shape_only(rule))
        return;
    cell->rank = rank_rule_resolve(rule, cell->max_rank, spectrum);
    cell->ready = true;
    if (cell->rank == 0) {
        cell->kept = energy > 0 ? 0 : 1;
    } else if (cell->rank == cell->max_rank) {
        cell->kept = 1;
        cell->residual_norm = sqrt(energy);
    } else if (spectrum != NULL) {
        cell->kept = spectrum_kept(spectrum, cell->rank);
        cell->residual_norm = sqrt(spectrum->cumulative[cell->rank]);
    } else {
        cell->ready = false;
    }
}

static void fill_cell(struct preview_cell *cell, const struct plan *plan,
                      const struct analysis *analysis, size_t l, size_t i) {
    const struct layer *layer = &plan->table->layers[l];
    double energy = preview_residual_energy(analysis, l, i);
    if (layer->role == ROLE_MATRIX) {
        const struct spectrum *spectrum =
            analysis->spectra != NULL ? spectra_get(analysis->spectra, l, i) : NULL;
        cell->max_rank = layer_max_rank(layer);
        fill_matrix_cell(cell, plan_rule(plan, l, i), spectrum, energy);
    } else {
        cell->ready = true;
        cell->kept = 1;
        cell->residual_norm = sqrt(energy);
    }
}

/* Energies per specialist over all shared layers: task vectors and truncated residuals. Returns
 * whether every cell is ready. */
static bool fill_cells(struct preview *preview, const struct plan *plan,
                       const struct analysis *analysis, double *task, double *residual) {
    bool complete = true;
    for (size_t l = 0; l < preview->layer_count; l++) {
        if (!layer_is_shared(&plan->table->layers[l]))
            continue;
        for (size_t i = 0; i < preview->specialist_count; i++) {
            struct preview_cell *cell = layer_cells(preview, l) + i;
            fill_cell(cell, plan, analysis, l, i);
            complete &= cell->ready;
            task[i] += task_energy(analysis, l, i);
            residual[i] += cell->residual_norm * cell->residual_norm;
        }
    }
    return complete;
}

/* norm_match layer: the same rule, tensor by tensor. */
static void match_layer(struct preview *preview, const struct analysis *analysis, size_t layer) {
    double task[SPECIALIST_LIMIT], residual[SPECIALIST_LIMIT], scales[SPECIALIST_LIMIT];
    size_t n = preview->specialist_count;
    struct preview_cell *cells = layer_cells(preview, layer);
    for (size_t i = 0; i < n; i++) {
        task[i] = analysis->core->scale[i] * sqrt(task_energy(analysis, layer, i));
        residual[i] = cells[i].residual_norm;
    }
    norm_match_scales(NORM_MATCH_LAYER, residual, task, n, scales);
    for (size_t i = 0; i < n; i++)
        cells[i].scale = scales[i];
}

/* s_i of the whole model; per cell with norm_match layer. */
static void match(struct preview *preview, const struct plan *plan,
                  const struct analysis *analysis) {
    const struct settings *settings = &plan->effective;
    double task[SPECIALIST_LIMIT], residual[SPECIALIST_LIMIT], scales[SPECIALIST_LIMIT];
    size_t n = preview->specialist_count;
    for (size_t i = 0; i < n; i++) {
        task[i] = analysis->core->scale[i] * preview->specialists[i].task_norm;
        residual[i] = preview->specialists[i].residual_norm;
        preview->specialists[i].vanished = norm_match_vanished(residual[i], task[i]);
    }
    preview->nbar = norm_match_scales(settings->norm_match, residual, task, n, scales);
    preview->eta =
        norm_match_eta(settings->eta, settings->alpha, preview->core_norm, preview->nbar);
    if (settings->norm_match == NORM_MATCH_LAYER) {
        for (size_t l = 0; l < preview->layer_count; l++)
            if (layer_is_shared(&plan->table->layers[l]))
                match_layer(preview, analysis, l);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        preview->specialists[i].scale = scales[i];
        for (size_t l = 0; l < preview->layer_count; l++)
            layer_cells(preview, l)[i].scale = scales[i];
    }
}

/* Makes energies[n] sum to 1 (all 0 when nothing contributes). */
static void to_shares(double *energies, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += energies[i];
    for (size_t i = 0; i < n; i++)
        energies[i] = sum > 0 ? energies[i] / sum : 0;
}

/* Contributions and shares of one layer; where a cell is not ready there are none. */
static void share_layer(struct preview *preview, const double *weights, size_t layer) {
    double before[SPECIALIST_LIMIT], after[SPECIALIST_LIMIT];
    size_t n = preview->specialist_count;
    struct preview_cell *cells = layer_cells(preview, layer);
    for (size_t i = 0; i < n; i++) {
        double part = weights[i] * cells[i].residual_norm;
        if (!cells[i].ready)
            return;
        before[i] = part * part;
        after[i] = before[i] * cells[i].scale * cells[i].scale;
        cells[i].contribution = after[i];
    }
    to_shares(before, n);
    to_shares(after, n);
    for (size_t i = 0; i < n; i++) {
        cells[i].share_before = before[i];
        cells[i].share_after = after[i];
    }
    preview->dominance[layer] = energy_dominance(after, n);
}

/* Shares over the whole model, and the bound on ||eta tau_res||. */
static void share_model(struct preview *preview, const double *weights) {
    double before[SPECIALIST_LIMIT], after[SPECIALIST_LIMIT], bound = 0;
    size_t n = preview->specialist_count;
    for (size_t i = 0; i < n; i++) {
        double part = weights[i] * preview->specialists[i].residual_norm;
        before[i] = part * part;
        after[i] = 0;
        for (size_t l = 0; l < preview->layer_count; l++)
            after[i] += layer_cells(preview, l)[i].contribution;
        bound += sqrt(after[i]);
    }
    preview->residual_term = preview->eta * bound;
    to_shares(before, n);
    to_shares(after, n);
    for (size_t i = 0; i < n; i++) {
        preview->specialists[i].share_before = before[i];
        preview->specialists[i].share_after = after[i];
    }
}

static void warn(struct preview *preview, char *text) {
    string_list_add(&preview->warnings, text);
    free(text);
}

bool preview_dominates(const struct preview *preview, size_t specialist) {
    return preview->complete && preview->specialist_count >= DOMINATION_NEEDS &&
           preview->specialists[specialist].share_before > DOMINATING_SHARE;
}

/* What to do about a dominating specialist depends on whether matching is on already. */
static void warn_of_specialist(struct preview *preview, const struct plan *plan, size_t i) {
    const char *name = plan->config.specialists[i].name;
    const struct preview_specialist *one = &preview->specialists[i];
    bool matched = plan->effective.norm_match != NORM_MATCH_NONE;
    if (one->vanished)
        warn(preview, memory_format("%s has no residual beyond rounding: it adds nothing to the "
                                    "residual term",
                                    name));
    if (!preview_dominates(preview, i))
        return;
    if (matched)
        warn(preview, memory_format(
                          "%s makes %.0f %% of the residual energy before matching, %.0f %% after: "
                          "norm matching holds it down; keep it on, or lower its rank",
                          name, 100 * one->share_before, 100 * one->share_after));
    else
        warn(preview, memory_format("%s makes %.0f %% of the residual energy; norm_match global "
                                    "evens it out, or lower its rank",
                                    name, 100 * one->share_before));
}

static void fill_warnings(struct preview *preview, const struct plan *plan,
                          const struct analysis *analysis) {
    for (size_t w = 0; w < analysis->core->warnings.count; w++)
        string_list_add(&preview->warnings, analysis->core->warnings.items[w]);
    for (size_t i = 0; i < preview->specialist_count; i++) {
        char *note = plan_weight_note(plan, i);
        if (note != NULL)
            warn(preview, memory_format("%s: leave it out to merge without it", note));
        free(note);
    }
    for (size_t i = 0; i < preview->specialist_count && preview->complete; i++)
        warn_of_specialist(preview, plan, i);
}

void preview_compute(struct preview *preview, const struct plan *plan,
                     const struct analysis *analysis) {
    double task[SPECIALIST_LIMIT] = {0}, residual[SPECIALIST_LIMIT] = {0};
    clear(preview);
    if (analysis->gram == NULL || analysis->core == NULL)
        return;
    preview->core_norm = analysis->core->core_norm;
    preview->mean_norm = analysis->core->mean_norm;
    preview->complete = fill_cells(preview, plan, analysis, task, residual);
    for (size_t i = 0; i < preview->specialist_count; i++) {
        preview->specialists[i].task_norm = sqrt(task[i]);
        preview->specialists[i].residual_norm = sqrt(residual[i]);
    }
    if (preview->complete)
        match(preview, plan, analysis);
    for (size_t l = 0; l < preview->layer_count; l++)
        if (layer_is_shared(&plan->table->layers[l]))
            share_layer(preview, plan->shares, l);
    if (preview->complete)
        share_model(preview, plan->shares);
    fill_warnings(preview, plan, analysis);
}
