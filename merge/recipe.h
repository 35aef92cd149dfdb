/* What one merged tensor is made of, in numbers, and the arithmetic that makes it
 * (method.md section 5). Only merge.c and merge_estimate.c include this.
 *
 * theta = theta_0 + sum_j linear[j] tau_j + sum_t factor_t T_{rank_t}(R_t)
 *
 * linear holds the core and every residual that is not truncated; a truncation is one specialist's
 * residual with a rank between 0 and the full one. Where the method combines task vectors in its
 * own way, that function makes the change instead. */
#ifndef R2M_MERGE_RECIPE_H
#define R2M_MERGE_RECIPE_H

#include "merge/methods/method.h"
#include "merge/preview.h"

struct truncation {
    size_t rank;
    double factor;               /* eta a_i s_i */
    double *coefficients;        /* [N] of R_i */
    const struct low_rank *kept; /* found on the way to the spectrum, or NULL; of the analysis */
};

struct recipe {
    const struct layer *layer;
    size_t specialist_count; /* N */
    double *linear;          /* [N]; all 0 where the layer is not shared */
    struct truncation *truncations;
    size_t truncation_count;
    method_combine *combine;         /* NULL but where the method has one */
    const struct settings *settings; /* for combine; borrowed from the plan */
    double *weights;                 /* [N] N a_i, for combine */
};

/* The preview must be complete. */
struct recipe recipe_make(const struct plan *plan, const struct analysis *analysis,
                          const struct preview *preview, size_t layer);
void recipe_free(struct recipe *recipe);

/* Whether the tensor is a file's bytes, unchanged. */
bool recipe_is_copy(const struct recipe *recipe);

/* Receives count merged values from element first on, in order; false ends the walk. */
typedef bool recipe_sink(void *context, uint64_t first, const double *values, size_t count,
                         struct error *error);

/* Computes the tensor in float64 and hands it out piece by piece. Memory: two pieces, and the
 * whole delta where something is truncated. cancel (may be NULL) is looked at between pieces.
 * Errors name the tensor. */
bool recipe_run(const struct recipe *recipe, const _Atomic bool *cancel, recipe_sink *sink,
                void *context, struct error *error);

enum { RECIPE_PIECE = 1 << 16 }; /* elements */

#endif
