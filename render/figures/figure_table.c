#include "merge/text.h"
#include "render/figures/figures.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static const struct figure table[] = {
    {"overview", FIGURE_WHOLE, NULL, figure_overview,
     "settings, norms, shares and warnings of the plan beside charts along depth"},
    {"real-depth", FIGURE_WHOLE, NULL, figure_real_depth,
     "Real share of the task vectors along depth, for each kind of matrix"},
    {"ranks", FIGURE_WHOLE, NULL, figure_ranks, "ranks kept along depth, for each kind of matrix"},
    {"multiples", FIGURE_KIND, NULL, figure_multiples,
     "spectra of all layers of one kind, side by side over depth"},
    {"spectrum", FIGURE_LAYER, figure_layer_spectrum, NULL,
     "singular values of a layer's residuals: rank cuts, energy kept, noise edges"},
    {"energy", FIGURE_SPECIALIST, figure_energy, NULL,
     "Real, Fake and cross energy of a specialist's task vector in every layer"},
    {"contributions-before", FIGURE_WHOLE, figure_contributions_before, NULL,
     "share of each specialist in every layer before norm matching"},
    {"contributions-after", FIGURE_WHOLE, figure_contributions_after, NULL,
     "share of each specialist in every layer after norm matching"},
    {"map-share", FIGURE_WHOLE, figure_map_share, NULL,
     "share of each specialist in every layer, as a map"},
    {"map-real", FIGURE_WHOLE, figure_map_real, NULL, "Real share of every layer and specialist"},
    {"map-kept", FIGURE_WHOLE, figure_map_kept, NULL, "energy that the ranks keep"},
    {"map-dominance", FIGURE_WHOLE, figure_map_dominance, NULL,
     "how unequal the shares of a layer are"},
    {"cosines-tasks", FIGURE_WHOLE, figure_cosines_tasks, NULL, "cosines between task vectors"},
    {"cosines-residuals", FIGURE_WHOLE, figure_cosines_residuals, NULL,
     "cosines between residuals"},
    {"eigenvalues", FIGURE_WHOLE, NULL, figure_real_core,
     "eigenvalues behind the Real core and the weights in it"},
};
enum { FIGURE_COUNT = sizeof table / sizeof *table };

const struct figure *figures(size_t *count) {
    *count = FIGURE_COUNT;
    return table;
}

const struct figure *figure_find(const char *name) {
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    return NULL;
}

struct page *figure_page(const struct figure *figure, const struct figure_source *source,
                         size_t subject) {
    return figure->build_page != NULL ? figure->build_page(source, subject)
                                      : page_of_chart(figure->build(source, subject));
}

/* The next of the comma-separated patterns, to be freed; NULL at the end. */
static char *next_pattern(const char **at) {
    size_t length = strcspn(*at, ",");
    if (**at == '\0')
        return NULL;
    char *pattern = memory_text(*at, length);
    *at += length + ((*at)[length] == ',');
    return pattern;
}

static bool matches(const char *pattern, const struct figure *figure, const char *file) {
    return fnmatch(pattern, figure->name, 0) == 0 ||
           (file != NULL && fnmatch(pattern, file, 0) == 0);
}

bool figure_is_chosen(const struct figure *figure, const char *file, const char *patterns) {
    bool chosen = patterns == NULL;
    const char *at = patterns != NULL ? patterns : "";
    for (char *pattern; (pattern = next_pattern(&at)) != NULL; free(pattern))
        chosen |= matches(pattern, figure, file);
    return chosen;
}

static bool matches_some(const char *pattern, const struct figure_list *list) {
    bool found = false;
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        found |= matches(pattern, &table[i], NULL);
    for (size_t i = 0; i < list->count; i++)
        found |= matches(pattern, list->files[i].figure, list->files[i].name);
    return found;
}

/* The nearest figure or file, else all figures. */
static void hint_names(const char *pattern, const struct figure_list *list, struct error *error) {
    size_t count = FIGURE_COUNT + list->count;
    const char **names = memory_array(count, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = i < FIGURE_COUNT ? table[i].name : list->files[i - FIGURE_COUNT].name;
    const char *nearest = nearest_name(pattern, names, count);
    char *all = names_join(names, FIGURE_COUNT);
    if (nearest != NULL)
        error_hint(error, "did you mean %s?", nearest);
    else
        error_hint(error, "there are %s", all);
    free(names);
    free(all);
}

static bool check_pattern(const char *pattern, const struct figure_list *list,
                          struct error *error) {
    if (matches_some(pattern, list))
        return true;
    char *quoted = error_quote(pattern, strlen(pattern));
    error_set(error, ERROR_USAGE, "--figure %s: there is no such figure", quoted);
    hint_names(pattern, list, error);
    free(quoted);
    return false;
}

bool figures_check(const struct tensor_table *tensors, const char *patterns, struct error *error) {
    const char *at = patterns != NULL ? patterns : "";
    struct figure_list list = figure_list_make(tensors);
    bool good = patterns == NULL || *patterns != '\0' || check_pattern("", &list, error);
    for (char *pattern; good && (pattern = next_pattern(&at)) != NULL; free(pattern))
        good = check_pattern(pattern, &list, error);
    figure_list_free(&list);
    return good;
}
