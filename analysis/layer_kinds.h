/* Matrix layers by kind: the same matrix of every block, as attn.q of blocks.0, blocks.1, ... */
#ifndef R2M_ANALYSIS_LAYER_KINDS_H
#define R2M_ANALYSIS_LAYER_KINDS_H

#include "analysis/tensor_table.h"

struct layer_kind {
    char *name;     /* "attn.q"; with numbers as * where another kind would be called the same */
    size_t *layers; /* [count] indexes in the table, in order of depth */
    double *depths; /* [count] the number of each one's block; where names differ in no number or
                       in several, 0, 1, 2, ... */
    size_t count;
    bool numbered; /* depths are numbers of blocks */
};

struct layer_kinds {
    struct layer_kind *kinds; /* in order of their first layer */
    size_t count;
    size_t lone; /* layers left out: each the only one of its kind */
};

/* All matrix layers of the table, each in one kind: names that differ only in numbers. */
struct layer_kinds *layer_kinds_create(const struct tensor_table *table);

/* Only the kinds of several layers; one of all matrices where no kind has several. */
struct layer_kinds *layer_kinds_with_depth(const struct tensor_table *table);

void layer_kinds_free(struct layer_kinds *kinds);

#endif
