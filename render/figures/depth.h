/* Charts along depth: a curve for each specialist over the numbers of the blocks, of one kind of
 * matrix (so that no line jumps between kinds) or of whole blocks; private to render/figures.
 *
 * Blocks are the matrices whose names are the same up to their first number; where there are fewer
 * than two, the matrices themselves stand in their place. */
#ifndef R2M_RENDER_FIGURES_DEPTH_H
#define R2M_RENDER_FIGURES_DEPTH_H

#include "analysis/layer_kinds.h"
#include "render/figures/figures.h"

/* part / whole; a block's is the quotient of the sums over its matrices. */
struct depth_amount {
    double part, whole;
};

/* What is followed along depth. */
typedef struct depth_amount depth_measure(const struct figure_source *source, size_t layer,
                                          size_t specialist);
depth_measure depth_real;         /* energy of the Real part, of the task vector */
depth_measure depth_contribution; /* of the specialist after norm matching, of all */
depth_measure depth_rank;         /* the rank kept, the largest rank */

/* Whole blocks; the quotients. */
struct chart *depth_block_chart(const struct figure_source *source, depth_measure *measured,
                                const char *title);

/* The layers of one kind; the quotients or, with parts, their parts. */
struct chart *depth_kind_chart(const struct figure_source *source, const struct layer_kind *kind,
                               depth_measure *measured, bool parts);

/* Fits the axes: blocks with half a block of room at both ends, shares from 0 to 1 at least. */
void depth_fit(struct chart *chart);
void depth_fit_shares(struct chart *chart);

#endif
