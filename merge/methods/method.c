#include "merge/methods/method.h"

#include <string.h>

static const struct method_row rows[METHOD_COUNT] = {
    [METHOD_R2M] = {"R2M", "core_scale core + eta sum a s T_r(tau - core)", NULL, NULL, false,
                    "the Real core"},
    [METHOD_AVERAGE] = {"weight average", "sum a tau", NULL, NULL, false, NULL},
    [METHOD_TASK_ARITHMETIC] = {"task arithmetic", "lambda sum tau", NULL, NULL, false, NULL},
    [METHOD_TIES] = {"TIES", "lambda mean of trimmed tau that agree in sign", ties_combine,
                     ties_price, false, NULL},
    [METHOD_DARE] = {"DARE", "lambda sum mask tau / (1 - drop)", dare_combine, dare_price, false,
                     NULL},
    [METHOD_CART] = {"CART", "mean + lambda sum T_r(tau - mean)", NULL, NULL, false, NULL},
    [METHOD_TSV_M] = {"TSV-M", "alpha U S V', orthogonal singular vectors", tsv_m_combine,
                      tsv_m_price, true, "the orthogonal directions"},
    [METHOD_ISO_C] = {"Iso-C", "alpha mean(sigma) U V' of sum tau", iso_c_combine, iso_c_price,
                      true, NULL},
};

const struct method_row *method_row(enum method method) {
    return &rows[method];
}

/* sum_i a_i factor tau_i: no core, whole residuals that leave nothing out. */
static void settle_sum(struct settings *settings, double factor, struct rank_rule *rank) {
    settings->real = (struct real_settings){.rank = 1, .blend = 1, .against = AGAINST_NOTHING};
    settings->core_scale = 0;
    settings->norm_match = NORM_MATCH_NONE;
    settings->eta = ETA_ABSOLUTE;
    settings->alpha = factor;
    *rank = (struct rank_rule){.kind = RANK_FULL};
}

/* Mean, and the truncated differences from it, whose weighted sum is 0 where nothing is cut off. */
static void settle_cart(struct settings *settings, const double *shares, size_t n,
                        struct rank_rule *rank) {
    settle_sum(settings, (double)n * settings->cart.lambda, rank);
    memcpy(settings->real.mean, shares, n * sizeof *shares);
    settings->real.blend = 0; /* the core is the mean */
    settings->real.against = AGAINST_CORE;
    settings->core_scale = 1;
    *rank = (struct rank_rule){RANK_RATIO, settings->cart.ratio};
}

bool method_effective(struct settings *settings, const double *shares, size_t specialist_count,
                      struct rank_rule *rank) {
    double n = (double)specialist_count;
    if (settings->method == METHOD_R2M)
        return true;
    if (settings->method == METHOD_CART)
        settle_cart(settings, shares, specialist_count, rank);
    else if (settings->method == METHOD_TASK_ARITHMETIC)
        settle_sum(settings, n * settings->task_arithmetic.lambda, rank);
    else
        settle_sum(settings, 1, rank);
    return false;
}

method_combine *method_for_layer(const struct settings *settings, const struct layer *layer) {
    const struct method_row *row = &rows[settings->method];
    if (!layer_is_shared(layer) || (row->matrices_only && layer->role != ROLE_MATRIX))
        return NULL;
    return row->combine;
}
