#include "merge/methods/method.h"
#include "merge/sweep/trials.h"

#include <math.h>
#include <stdlib.h>

/* Energy of all residuals' matrices, and what is left of it below the cuts. */
static double kept_energy(const struct analysis *analysis, const struct preview *preview) {
    const struct tensor_table *table = analysis->table;
    double kept = 0, all = 0;
    for (size_t l = 0; l < table->layer_count; l++)
        for (size_t i = 0; i < table->specialist_count && table->layers[l].role == ROLE_MATRIX;
             i++) {
            double energy = preview_residual_energy(analysis, l, i);
            kept += energy * preview_cell_at(preview, l, i)->kept;
            all += energy;
        }
    return all > 0 ? kept / all : 1;
}

static double mean_dominance(const struct tensor_table *table, const struct preview *preview) {
    double sum = 0;
    size_t count = 0;
    for (size_t l = 0; l < table->layer_count; l++)
        if (table->layers[l].role == ROLE_MATRIX) {
            sum += preview->dominance[l];
            count++;
        }
    return count > 0 ? sum / (double)count : 0;
}

bool trial_spectral_metrics(const struct plan *plan, const struct analysis *analysis,
                            const struct preview *preview, struct sweep_record *record,
                            struct error *error) {
    const struct method_row *method = method_row(plan->config.settings.method);
    if (method->combine != NULL)
        return error_set(error, ERROR_INPUT,
                         "%s says nothing before it merges; --eval measures what it gives",
                         method->title);
    metrics_set(&record->metrics, "kept", kept_energy(analysis, preview));
    metrics_set(&record->metrics, "dominance", mean_dominance(plan->table, preview));
    metrics_set(&record->metrics, "core_norm", preview->core_norm);
    metrics_set(&record->metrics, "residual_norm", preview->nbar);
    metrics_set(&record->metrics, "eta", preview->eta);
    for (size_t i = 0; i < preview->specialist_count; i++) {
        char *name = memory_format("share.%s", plan->table->specialists[i].name);
        metrics_set(&record->metrics, name, preview->specialists[i].share_before);
        free(name);
    }
    return true;
}
