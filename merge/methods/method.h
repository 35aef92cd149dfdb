/* The merging methods, one row each.
 *
 * R2M, the average, task arithmetic and CART are sums of task vectors and truncated residuals; the
 * last three are R2M with certain settings, so that preview, spectra and merge serve them as they
 * are. The others combine the task vectors of one tensor in their own way.
 *
 * Weights: where a formula sums over the specialists, each counts N a_i times, a_i its share of
 * the weights, so equal weights give the published formula; a mean is that by weight. */
#ifndef R2M_MERGE_METHODS_METHOD_H
#define R2M_MERGE_METHODS_METHOD_H

#include "analysis/tensor_table.h"
#include "merge/config/settings.h"
#include "merge/rank_rule.h"

/* One shared tensor and what a method needs to merge it. */
struct method_input {
    const struct layer *layer;
    size_t specialist_count; /* N */
    const double *weights;   /* [N] N a_i */
    const struct settings *settings;
};

/* Writes the merged change of the whole tensor, layer->elements values in row-major order. Errors
 * give the reason, the caller names the tensor. */
typedef bool method_combine(const struct method_input *input, double *delta, struct error *error);

/* What combine takes for a layer: bytes beside delta, readings of all task vectors, operations of
 * its decompositions. */
struct method_cost {
    uint64_t memory, readings;
    double operations;
};
typedef struct method_cost method_price(const struct layer *layer, size_t specialist_count);

struct method_row {
    const char *title;       /* "TIES" */
    const char *formula;     /* of the change of a matrix, for the eye */
    method_combine *combine; /* NULL: the effective settings say it all */
    method_price *price;     /* of combine */
    bool matrices_only;      /* combine serves matrices; vectors are averaged */
    const char *unweighted;  /* what all specialists form alike, weight 0 included; NULL: nothing */
};

const struct method_row *method_row(enum method method);

/* Puts the method as settings of R2M, and its rank rule: exactly where it has no combine function,
 * else as the average, which is also what vectors get. shares: a_i of the config's specialists.
 * Returns whether the plan's own ranks hold, that is, whether the method is R2M and nothing was
 * changed. */
bool method_effective(struct settings *settings, const double *shares, size_t specialist_count,
                      struct rank_rule *rank);

/* The function that merges this layer under these settings, or NULL: the linear recipe. */
method_combine *method_for_layer(const struct settings *settings, const struct layer *layer);

method_combine ties_combine, dare_combine, tsv_m_combine, iso_c_combine;
method_price ties_price, dare_price, tsv_m_price, iso_c_price;

#endif
