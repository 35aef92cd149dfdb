/* The Real core in N-space: the part of the weight change that all specialists share
 * (method.md section 2). No weight is touched; everything follows from the Gram matrices.
 *
 * With `normalize`, tau_i means d_i * tau_i in all that follows, residuals and vectors too, d_i
 * the factor that gives every specialist the mean norm over matrices. Coefficient vectors
 * returned by functions apply to the raw task vectors, the d_i are already in them; projection and
 * weights of struct real_core apply to the scaled ones. */
#ifndef R2M_ANALYSIS_REAL_CORE_H
#define R2M_ANALYSIS_REAL_CORE_H

#include "analysis/tensor_table.h"

enum block_norm { BLOCK_NORM_NONE, BLOCK_NORM_FRO, BLOCK_NORM_FRO_SQRTP };
/* What a residual leaves out; nothing: R_i = tau_i, which methods without a core ask for. */
enum against { AGAINST_CORE, AGAINST_PROJECTION, AGAINST_NOTHING };

/* Which layers form the Real core: the matrices, or what the authors' script takes: every shared
 * tensor, 1-D ones too, whose name has neither "ln" nor "bias" in it. */
enum real_tensors { REAL_TENSORS_MATRICES, REAL_TENSORS_SCRIPT };

struct real_settings {
    unsigned rank;  /* k >= 1; at most N, N - 1 when centred */
    bool center;    /* subtract the mean task vector first: the paper's formula */
    bool normalize; /* scale every task vector to the mean norm first */
    enum block_norm block_norm;
    double blend; /* beta in [0, 1]: 0 is the plain mean, 1 the core */
    enum against against;
    enum real_tensors tensors;
    bool gamma_twice; /* the script's quirk: tau_core of layer l times gamma_l once more */
    double mean[SPECIALIST_LIMIT]; /* [N] shares in the mean task vector; all 0: 1/N each */
};

struct real_core {
    struct real_settings settings; /* rank after clamping to the numerical rank */
    size_t n;                      /* N */
    double *eigenvalues;           /* [N] of G, or of H G H when centred, descending */
    double *scale;                 /* [N] d_i of normalize, else 1 */
    double *mean;                  /* [N] shares in the mean, those of the settings or 1/N */
    double *projection;            /* [N x N] C: column i gives Pi tau_i = sum_j C[j][i] tau_j */
    double *weights;               /* [N] w after blending */
    double *parts;          /* [N] p_i = |w_i| ||tau_i|| / sum_j |w_j| ||tau_j|| (scaled tau) */
    double *norms;          /* [N] ||tau_i|| over matrices, raw */
    double *gamma;          /* [layer_count] block norm factors, 1 when none, 0 for a zero layer */
    bool *member;           /* [layer_count] true where the layer forms the core */
    double core_norm;       /* ||tau_core|| over all shared tensors */
    double mean_norm;       /* ||mean tau|| over all shared tensors */
    double cos_core_mean;   /* over the core's layers; 0 when either vanishes */
    double core_mean_ratio; /* ||tau_core|| / ||mean tau|| over the core's layers */
    struct string_list warnings; /* clamped k, vanished core, a part above 0.6 with N >= 3 */
};

bool real_settings_equal(const struct real_settings *one, const struct real_settings *other);

/* ERROR_USAGE when rank is 0, above N or, centred, above N - 1, and when center is asked of a
 * single specialist. */
bool real_settings_check(const struct real_settings *settings, const struct tensor_table *table,
                         struct error *error);

/* gram: result of gram_result(). Settings that do not fit are an error as above; a rank beyond the
 * numerical rank is clamped with a warning (to 0 when every specialist equals the base). */
bool real_core_compute(const struct tensor_table *table, const double *gram,
                       const struct real_settings *settings, struct real_core **core,
                       struct error *error);

void real_core_free(struct real_core *core);

/* Whether nearly nothing of the mean task vector is left in the core (section 2). */
bool real_core_vanishes(const struct real_core *core);

/* The specialist, of three or more, that makes more than 0.6 of the core; else N. */
size_t real_core_owner(const struct real_core *core);

/* [N] coefficients of tau_core in that layer: w (times gamma where gamma_twice) on the core's
 * layers, the mean's elsewhere. */
void real_core_coefficients(const struct real_core *core, size_t layer, double *coefficients);

/* [N] coefficients of R_i in that layer (section 3): e_i minus the core's coefficients, or
 * e_i - C e_i against the projection, which then holds for every shared layer; e_i against nothing.
 */
void residual_coefficients(const struct real_core *core, size_t layer, size_t specialist,
                           double *coefficients);

/* [N] coefficients of Pi tau_i of the raw tau_i, for the energy split (section 6):
 * d_j C[j][i] / d_i. */
void projection_coefficients(const struct real_core *core, size_t specialist, double *coefficients);

#endif
