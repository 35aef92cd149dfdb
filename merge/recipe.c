#include "merge/recipe.h"

#include "analysis/low_rank.h"
#include "analysis/support/vector.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static void add_scaled(double *target, double factor, const double *source, size_t n) {
    for (size_t j = 0; j < n; j++)
        target[j] += factor * source[j];
}

/* Adds eta a_i s_i T(R_i,l): to the linear part where nothing is cut off. */
static void add_residual(struct recipe *recipe, const struct preview_cell *cell, double factor,
                         const double *coefficients, const struct low_rank *kept) {
    size_t n = recipe->specialist_count;
    bool is_matrix = recipe->layer->role == ROLE_MATRIX;
    if (factor == 0 || (is_matrix && cell->rank == 0))
        return;
    if (!is_matrix || cell->rank == cell->max_rank) {
        add_scaled(recipe->linear, factor, coefficients, n);
        return;
    }
    struct truncation *truncation = &recipe->truncations[recipe->truncation_count++];
    *truncation = (struct truncation){cell->rank, factor,
                                      memory_array(n, sizeof *truncation->coefficients), kept};
    add_scaled(truncation->coefficients, 1, coefficients, n);
}

struct recipe recipe_make(const struct plan *plan, const struct analysis *analysis,
                          const struct preview *preview, size_t layer) {
    double coefficients[SPECIALIST_LIMIT];
    size_t n = plan->table->specialist_count;
    struct recipe recipe = {.layer = &plan->table->layers[layer],
                            .specialist_count = n,
                            .linear = memory_array(n, sizeof(double)),
                            .truncations = memory_array(n, sizeof(struct truncation))};
    if (!layer_is_shared(recipe.layer))
        return recipe;
    recipe.settings = &plan->config.settings;
    recipe.combine = method_for_layer(recipe.settings, recipe.layer);
    recipe.weights = memory_array(n, sizeof(double));
    add_scaled(recipe.weights, (double)n, plan->shares, n);
    if (recipe.combine != NULL)
        return recipe;
    real_core_coefficients(analysis->core, layer, coefficients);
    add_scaled(recipe.linear, plan->effective.core_scale, coefficients, n);
    for (size_t i = 0; i < n; i++) {
        const struct preview_cell *cell = preview_cell_at(preview, layer, i);
        residual_coefficients(analysis->core, layer, i, coefficients);
        add_residual(&recipe, cell, preview->eta * plan->shares[i] * cell->scale, coefficients,
                     spectra_vectors(analysis->spectra, layer, i, cell->rank));
    }
    return recipe;
}

void recipe_free(struct recipe *recipe) {
    for (size_t t = 0; t < recipe->truncation_count; t++)
        free(recipe->truncations[t].coefficients);
    free(recipe->truncations);
    free(recipe->linear);
    free(recipe->weights);
    *recipe = (struct recipe){0};
}

static bool has_linear(const struct recipe *recipe) {
    for (size_t j = 0; j < recipe->specialist_count; j++)
        if (recipe->linear[j] != 0)
            return true;
    return false;
}

/* Whether the change is made of the whole tensor at once. */
static bool needs_whole(const struct recipe *recipe) {
    return recipe->truncation_count > 0 || recipe->combine != NULL;
}

bool recipe_is_copy(const struct recipe *recipe) {
    if (recipe->layer->role == ROLE_HEAD)
        return false;
    return !needs_whole(recipe) && !has_linear(recipe);
}

static bool out_of_memory(const struct recipe *recipe, struct error *error) {
    return error_set(error, ERROR_INPUT, "tensor %s: not enough memory to merge it",
                     recipe->layer->name);
}

/* delta by the method's own function. */
static bool combined_delta(const struct recipe *recipe, double *delta, struct error *error) {
    struct method_input input = {recipe->layer, recipe->specialist_count, recipe->weights,
                                 recipe->settings};
    struct error reason = {0};
    if (recipe->combine(&input, delta, &reason))
        return true;
    error_set(error, reason.kind, "tensor %s: %s", recipe->layer->name, reason.message);
    error_free(&reason);
    return false;
}

static bool add_truncation(const struct recipe *recipe, const struct truncation *one, double *delta,
                           struct error *error) {
    size_t n = recipe->specialist_count;
    const struct low_rank *low_rank = one->kept;
    struct low_rank made = {0};
    if (low_rank == NULL) {
        if (!low_rank_prepare(recipe->layer, n, one->coefficients, one->rank, &made, error))
            return false;
        low_rank = &made;
    }
    bool added = low_rank_add(low_rank, recipe->layer, n, one->coefficients, one->factor, delta);
    low_rank_free(&made);
    return added || out_of_memory(recipe, error);
}

/* delta (rows x cols) = all of the layer's change. */
static bool whole_delta(const struct recipe *recipe, double *delta, struct error *error) {
    const struct layer *layer = recipe->layer;
    size_t n = recipe->specialist_count;
    if (recipe->combine != NULL)
        return combined_delta(recipe, delta, error);
    task_vector_combine(layer, n, recipe->linear, 0, (size_t)layer->elements, delta);
    for (size_t t = 0; t < recipe->truncation_count; t++)
        if (!add_truncation(recipe, &recipe->truncations[t], delta, error))
            return false;
    return true;
}

/* Mean over the specialists; one that lacks the tensor (a bias) counts as 0. */
static void head_piece(const struct recipe *recipe, uint64_t first, size_t count, double *values,
                       double *scratch) {
    memset(values, 0, count * sizeof *values);
    for (size_t i = 0; i < recipe->specialist_count; i++)
        if (recipe->layer->specialists[i] != NULL) {
            specialist_read(recipe->layer, i, first, count, scratch);
            add_scaled(values, 1, scratch, count);
        }
    for (size_t e = 0; e < count; e++)
        values[e] /= (double)recipe->specialist_count;
}

/* Where nothing changes the base's value stays as it is, a negative zero too. */
VECTOR_LOOP static void add_changes(double *restrict values, const double *restrict delta,
                                    size_t count) {
    for (size_t e = 0; e < count; e++) {
        double sum = values[e] + delta[e];
        values[e] = delta[e] != 0 ? sum : values[e];
    }
}

/* theta_0 + delta. delta: of the whole tensor, or NULL to combine the piece here. */
static void sum_piece(const struct recipe *recipe, const double *delta, uint64_t first,
                      size_t count, double *values, double *scratch) {
    const struct layer *layer = recipe->layer;
    tensor_read(layer->like, first, count, values);
    if (delta == NULL && !has_linear(recipe))
        return;
    if (delta == NULL) {
        task_vector_combine(layer, recipe->specialist_count, recipe->linear, first, count, scratch);
        delta = scratch;
    } else {
        delta += first;
    }
    add_changes(values, delta, count);
}

static bool run_pieces(const struct recipe *recipe, const double *delta, double *buffer,
                       const _Atomic bool *cancel, recipe_sink *sink, void *context,
                       struct error *error) {
    uint64_t elements = recipe->layer->elements;
    double *values = buffer, *scratch = buffer + RECIPE_PIECE;
    for (uint64_t first = 0; first < elements; first += RECIPE_PIECE) {
        uint64_t left = elements - first;
        size_t count = left < RECIPE_PIECE ? (size_t)left : RECIPE_PIECE;
        if (cancel != NULL && atomic_load(cancel))
            return error_set(error, ERROR_CANCELLED, "stopped");
        if (recipe->layer->role == ROLE_HEAD)
            head_piece(recipe, first, count, values, scratch);
        else
            sum_piece(recipe, delta, first, count, values, scratch);
        if (!sink(context, first, values, count, error))
            return false;
    }
    return true;
}

bool recipe_run(const struct recipe *recipe, const _Atomic bool *cancel, recipe_sink *sink,
                void *context, struct error *error) {
    bool whole = needs_whole(recipe), good;
    size_t bytes = (size_t)recipe->layer->elements * sizeof(double);
    double *buffer = malloc(2 * RECIPE_PIECE * sizeof *buffer);
    double *delta = whole ? malloc(bytes) : NULL;
    if (buffer == NULL || (whole && delta == NULL))
        good = out_of_memory(recipe, error);
    else
        good = (!whole || whole_delta(recipe, delta, error)) &&
               run_pieces(recipe, delta, buffer, cancel, sink, context, error);
    free(buffer);
    free(delta);
    return good;
}
