#include "merge/norm_match.h"

bool norm_match_vanished(double residual_norm, double task_norm) {
    return residual_norm <= NORM_MATCH_VANISHED * task_norm;
}

double norm_match_scales(enum norm_match rule, const double *residual_norms,
                         const double *task_norms, size_t n, double *scales) {
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        if (!norm_match_vanished(residual_norms[i], task_norms[i]))
            sum += residual_norms[i];
    double nbar = sum / (double)n;
    for (size_t i = 0; i < n; i++) {
        if (rule == NORM_MATCH_NONE)
            scales[i] = 1;
        else if (norm_match_vanished(residual_norms[i], task_norms[i]))
            scales[i] = 0;
        else
            scales[i] = nbar / residual_norms[i];
    }
    return nbar;
}

double norm_match_eta(enum eta_rule rule, double alpha, double core_norm, double nbar) {
    double size = alpha * core_norm;
    if (rule == ETA_UNIT)
        return nbar > 0 ? size / nbar : 0;
    return rule == ETA_SCRIPT ? size : alpha;
}
