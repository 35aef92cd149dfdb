/* A whole study on a tiny model: files, config, table, analysis to its end, plan, preview.
 *
 *     struct model_recipe recipe = model_recipe_default(3);
 *     static const char *const settings[] = {"alpha=0.3", NULL};
 *     struct study study = study_make(&recipe, settings, 2);
 *     ...
 *     study_end(&study); */
#ifndef R2M_TESTS_STUDY_H
#define R2M_TESTS_STUDY_H

#include "merge/merge.h"
#include "tests/model_fixture.h"

struct study {
    struct model model;
    struct config config;
    struct tensor_table *table;
    struct pool *pool;
    struct analysis *analysis;
    struct plan *plan;
    struct preview *preview;
};

/* settings: --set assignments, NULL-ended, or NULL. Fails the test on any error. */
struct study study_make(const struct model_recipe *recipe, const char *const *settings,
                        unsigned threads);

/* The same on files that are there already; the study owns the model from here. */
struct study study_of(struct model model, const char *const *settings, unsigned threads);

void study_end(struct study *study);

/* Merges to a name in the model's folder and opens the result; close it. */
struct checkpoint *study_merge(const struct study *study, const char *name);

/* Elements of one layer of the merge in float64, before rounding; free() it. */
double *study_layer(const struct study *study, size_t layer);

/* All elements of a floating tensor of an open checkpoint; free() it. */
double *tensor_values(const struct checkpoint *checkpoint, const char *name);

#endif
