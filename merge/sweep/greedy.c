#include "analysis/layer_kinds.h"
#include "merge/sweep/sweep.h"
#include "merge/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char key[] = "ranks=", unchanged[] = "plan";

/* Layers whose ranks change together: a kind of layers, or one. */
struct unit {
    size_t *layers;
    size_t count;
    double lost; /* sum_i (a_i s_i)^2 (||R_i||^2 - ||T(R_i)||^2) over its layers */
};

/* Where the search stands. */
struct search {
    const struct sweep *sweep;
    const struct greedy *greedy;
    struct trials *trials;
    const struct preview *preview; /* of the plan as it was: its ranks are what is multiplied */
    struct unit *units;            /* in the order of the search */
    size_t unit_count;
    double *factors;          /* [table layers] of the best plan so far */
    double best;              /* its metric; NaN: none */
    struct string_list tried; /* settings */
};

static size_t scaled_rank(const struct preview_cell *cell, double factor) {
    double rank = round((double)cell->rank * factor);
    if (cell->rank > 0 && rank < 1)
        rank = 1;
    return rank < (double)cell->max_rank ? (size_t)rank : cell->max_rank;
}

/* Whether a factor gives other ranks than another one. */
static bool differs(const struct preview *preview, size_t layer, double one, double other) {
    for (size_t i = 0; i < preview->specialist_count; i++) {
        const struct preview_cell *cell = preview_cell_at(preview, layer, i);
        if (scaled_rank(cell, one) != scaled_rank(cell, other))
            return true;
    }
    return false;
}

/* "ranks=blocks.0.w*2 blocks.3.w*0.5"; free() it. */
static char *settings_text(const struct tensor_table *table, const double *factors) {
    char *text = memory_string(key);
    for (size_t l = 0; l < table->layer_count; l++) {
        char number[NUMBER_TEXT], *longer;
        if (factors[l] == 1)
            continue;
        longer = memory_format("%s%s%s*%s", text, strlen(text) >= sizeof key ? " " : "",
                               table->layers[l].name, number_text(factors[l], number));
        free(text);
        text = longer;
    }
    if (strlen(text) >= sizeof key)
        return text;
    free(text);
    return memory_format("%s%s", key, unchanged);
}

/* The layer whose name stands at the start of text, before "*"; the longest one, or none. */
static size_t named_layer(const struct tensor_table *table, const char *text) {
    size_t found = table->layer_count, longest = 0;
    for (size_t l = 0; l < table->layer_count; l++) {
        size_t length = strlen(table->layers[l].name);
        if (length > longest && strncmp(text, table->layers[l].name, length) == 0 &&
            text[length] == '*') {
            found = l;
            longest = length;
        }
    }
    return found;
}

static bool factors_parse(const struct tensor_table *table, const char *text, double *factors) {
    for (size_t l = 0; l < table->layer_count; l++)
        factors[l] = 1;
    if (strcmp(text, unchanged) == 0)
        return true;
    while (*text != '\0') {
        size_t layer = named_layer(table, text);
        if (layer == table->layer_count)
            return false;
        text += strlen(table->layers[layer].name) + 1;
        char *number = memory_text(text, strcspn(text, " "));
        bool good = number_parse(number, &factors[layer]);
        text += strlen(number);
        text += *text == ' ';
        free(number);
        if (!good)
            return false;
    }
    return true;
}

/* The plan's config with the ranks of each layer times its factor. */
static bool scaled_config(const struct plan *plan, const struct preview *preview,
                          const double *factors, struct config *config, struct error *error) {
    struct plan *copy = NULL;
    size_t n = preview->specialist_count;
    if (!plan_create(&plan->config, plan->table, &copy, error))
        return false;
    size_t *ranks = memory_array(n, sizeof *ranks);
    for (size_t l = 0; l < preview->layer_count; l++) {
        if (factors[l] == 1)
            continue;
        for (size_t i = 0; i < n; i++)
            ranks[i] = scaled_rank(preview_cell_at(preview, l, i), factors[l]);
        plan_set_ranks(copy, (struct plan_scope){&l, 1, PLAN_ALL}, ranks, "ranks");
    }
    config_copy(config, &copy->config);
    plan_free(copy);
    free(ranks);
    return true;
}

bool sweep_config(const struct plan *plan, const struct preview *preview,
                  const struct string_list *settings, struct config *config, struct error *error) {
    if (settings->count == 1 && strncmp(settings->items[0], key, sizeof key - 1) == 0) {
        double *factors = memory_array(plan->table->layer_count, sizeof *factors);
        const char *text = settings->items[0] + sizeof key - 1;
        bool good = factors_parse(plan->table, text, factors)
                        ? scaled_config(plan, preview, factors, config, error)
                        : error_set(error, ERROR_INPUT, "%s: no such layer", text);
        free(factors);
        return good;
    }
    config_copy(config, &plan->config);
    for (size_t i = 0; i < settings->count; i++)
        if (!config_set(config, settings->items[i], error)) {
            config_free(config);
            return false;
        }
    return true;
}

/* ---- the order of the search ---- */

/* Kinds before single layers; then those that lose most. */
static int by_loss(const void *one, const void *other) {
    const struct unit *a = one, *b = other;
    if ((a->count > 1) != (b->count > 1))
        return a->count > 1 ? -1 : 1;
    if (a->lost != b->lost)
        return a->lost > b->lost ? -1 : 1;
    return a->layers[0] < b->layers[0] ? -1 : 1;
}

static double lost_energy(const struct search *search, size_t layer) {
    const struct plan *plan = search->sweep->plan;
    double lost = 0;
    for (size_t i = 0; i < search->preview->specialist_count; i++) {
        const struct preview_cell *cell = preview_cell_at(search->preview, layer, i);
        double all = preview_residual_energy(search->sweep->trials.analysis, layer, i);
        double left = all - cell->residual_norm * cell->residual_norm;
        double weight = plan->shares[i] * cell->scale;
        lost += weight * weight * (left > 0 ? left : 0);
    }
    return lost;
}

static void add_unit(struct search *search, const size_t *layers, size_t count) {
    struct unit *unit = &search->units[search->unit_count++];
    *unit = (struct unit){memory_array(count, sizeof *layers), count, 0};
    for (size_t k = 0; k < count; k++) {
        unit->layers[k] = layers[k];
        unit->lost += lost_energy(search, layers[k]);
    }
}

static void order_units(struct search *search) {
    const struct tensor_table *table = search->sweep->plan->table;
    struct layer_kinds *kinds = layer_kinds_create(table);
    search->units = memory_array(kinds->count + table->matrix_count, sizeof *search->units);
    search->factors = memory_array(table->layer_count, sizeof *search->factors);
    for (size_t k = 0; k < kinds->count; k++)
        if (kinds->kinds[k].count > 1)
            add_unit(search, kinds->kinds[k].layers, kinds->kinds[k].count);
    for (size_t l = 0; l < table->layer_count; l++) {
        search->factors[l] = 1;
        if (table->layers[l].role == ROLE_MATRIX)
            add_unit(search, &l, 1);
    }
    layer_kinds_free(kinds);
    qsort(search->units, search->unit_count, sizeof *search->units, by_loss);
}

/* ---- the search ---- */

static bool was_tried(const struct search *search, const char *text) {
    for (size_t i = 0; i < search->tried.count; i++)
        if (strcmp(search->tried.items[i], text) == 0)
            return true;
    return false;
}

/* Whether there is nothing to be done for these settings. */
static bool is_known(struct search *search, const struct string_list *settings) {
    struct sweep_record record;
    if (!trials_find(search->trials, settings, &record))
        return false;
    bool known = record.error == NULL || !search->sweep->retry;
    sweep_record_free(&record);
    return known;
}

static bool begin_new(struct search *search, const double *factors,
                      const struct string_list *settings, struct error *error) {
    const struct sweep *sweep = search->sweep;
    struct config config;
    if (is_known(search, settings)) {
        atomic_fetch_sub(&sweep->trials.progress->total, 1);
        return true;
    }
    if (!scaled_config(sweep->plan, search->preview, factors, &config, error))
        return false;
    bool good = trials_add(search->trials, &config, settings, error);
    config_free(&config);
    return good;
}

/* Begins the trial of the factors. *index: its place in tried, or SIZE_MAX where nothing new is to
 * be learnt. */
static bool begin(struct search *search, const double *factors, size_t *index,
                  struct error *error) {
    char *text = settings_text(search->sweep->plan->table, factors);
    bool good = true;
    *index = SIZE_MAX;
    if (!was_tried(search, text) && search->tried.count < search->greedy->budget) {
        struct string_list settings = {&text, 1};
        *index = search->tried.count;
        string_list_add(&search->tried, text);
        good = begin_new(search, factors, &settings, error);
    }
    free(text);
    return good;
}

/* The metric of a trial that has ended. */
static double value_of(struct search *search, size_t index) {
    struct sweep_goal *goal = search->sweep->goal;
    struct string_list settings = {&search->tried.items[index], 1};
    struct sweep_record record;
    double value = NAN;
    if (trials_find(search->trials, &settings, &record)) {
        if (sweep_goal_choose(goal, search->sweep->trials.records))
            value = sweep_record_value(&record, goal->metric);
        sweep_record_free(&record);
    }
    return value;
}

static bool try_plan(struct search *search, struct error *error) {
    size_t index;
    if (!begin(search, search->factors, &index, error) || !trials_wait(search->trials, error))
        return false;
    search->best = index != SIZE_MAX ? value_of(search, index) : NAN;
    return true;
}

/* The unit's factors become those of before times factor where that gives other ranks, so that
 * equal ranks have equal factors; whether it does anywhere. */
static bool scale_unit(struct search *search, const struct unit *unit, const double *before,
                       double factor) {
    bool other = false;
    for (size_t k = 0; k < unit->count; k++) {
        size_t layer = unit->layers[k];
        double scaled = before[layer] * factor;
        bool is_other = differs(search->preview, layer, before[layer], scaled);
        search->factors[layer] = is_other ? scaled : before[layer];
        other = other || is_other;
    }
    return other;
}

/* Tries all factors on one unit, keeps the best if it is better. */
static bool try_unit(struct search *search, const struct unit *unit, bool *improved,
                     struct error *error) {
    const struct greedy *greedy = search->greedy;
    size_t layers = search->sweep->plan->table->layer_count;
    size_t *begun = memory_array(greedy->factor_count, sizeof *begun);
    double *before = memory_array(layers, sizeof *before), best = 1;
    bool good = true;
    memcpy(before, search->factors, layers * sizeof *before);
    for (size_t f = 0; f < greedy->factor_count && good; f++) {
        begun[f] = SIZE_MAX;
        if (scale_unit(search, unit, before, greedy->factors[f]))
            good = begin(search, search->factors, &begun[f], error);
    }
    good = good && trials_wait(search->trials, error);
    for (size_t f = 0; f < greedy->factor_count && good; f++) {
        double value = begun[f] != SIZE_MAX ? value_of(search, begun[f]) : NAN;
        if (sweep_goal_better(search->sweep->goal, value, search->best)) {
            search->best = value;
            best = greedy->factors[f];
            *improved = true;
        }
    }
    scale_unit(search, unit, before, best);
    free(before);
    free(begun);
    return good;
}

static bool run(struct search *search, struct error *error) {
    bool improved = true, good = try_plan(search, error);
    while (good && improved && search->tried.count < search->greedy->budget) {
        improved = false;
        for (size_t u = 0; u < search->unit_count && good; u++)
            good = try_unit(search, &search->units[u], &improved, error);
    }
    return good;
}

bool sweep_greedy(const struct sweep *sweep, const struct preview *preview,
                  const struct greedy *greedy, struct error *error) {
    struct search search = {.sweep = sweep, .greedy = greedy, .preview = preview};
    atomic_store(&sweep->trials.progress->total, greedy->budget);
    order_units(&search);
    search.trials = trials_begin(&sweep->trials);
    bool good = run(&search, error);
    trials_end(search.trials);
    string_list_free(&search.tried);
    for (size_t u = 0; u < search.unit_count; u++)
        free(search.units[u].layers);
    free(search.units);
    free(search.factors);
    return good;
}
