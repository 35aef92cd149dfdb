/* Who shares what: Real/Fake energy, cosines, dominance (method.md sections 4 and 6). All of it
 * from the Gram matrices. */
#ifndef R2M_ANALYSIS_ENERGY_H
#define R2M_ANALYSIS_ENERGY_H

#include "analysis/real_core.h"

/* Energy of tau_i in one layer, or summed over layers:
 * real + fake + cross = ||tau_i||^2, raw task vectors. */
struct energy_split {
    double real;  /* c^T G c, c the projection's coefficients */
    double fake;  /* f^T G f, f = e_i - c */
    double cross; /* 2 c^T G f: 0 over the whole model, not in a layer */
};

/* gram: N x N of one layer. */
struct energy_split energy_split_layer(const struct real_core *core, const double *gram,
                                       size_t specialist);

/* Real share of a specialist over the core's layers, ||Pi tau_i||^2 / ||tau_i||^2, in the
 * gamma-weighted inner product when a block norm is set. gram: all layers. */
double energy_real_share(const struct tensor_table *table, const struct real_core *core,
                         const double *gram, size_t specialist);

/* cosines[N x N] between sum_j a[i][j] tau_j for the rows of coefficients[N x N]; NULL: the task
 * vectors themselves. gram: N x N. A vanishing vector has cosine 0 with everything. */
void energy_cosines(const double *gram, size_t n, const double *coefficients, double *cosines);

/* cosines[N x N] between the residuals over all matrices, sum over layers of <R_i,l , R_j,l>. */
void energy_residual_cosines(const struct tensor_table *table, const struct real_core *core,
                             const double *gram, double *cosines);

/* Sum of the layers' Gram matrices, N x N: over matrices only, or over all shared tensors. */
void energy_gram_sum(const struct tensor_table *table, const double *gram, bool matrices_only,
                     double *sum);

/* (max share - 1/N) / (1 - 1/N), in [0, 1]; 0 for N = 1 or when nothing contributes. */
double energy_dominance(const double *shares, size_t n);

#endif
