#include "merge/report.h"

#include "merge/json.h"

#include <math.h>
#include <stdlib.h>

/* What every part of the report reads. */
struct source {
    const struct plan *plan;
    const struct tensor_table *table;
    const struct analysis *analysis;
    const struct preview *preview;
    bool with_spectra;
    size_t n; /* N */
};

/* NaN (written as null) where the value is not known yet. */
static double known(bool is_known, double value) {
    return is_known ? value : NAN;
}

static void write_real(struct json *json, const struct source *of) {
    const struct real_core *core = of->analysis->core;
    json_open(json, "real", '{', JSON_LINES);
    json_number(json, "rank", core->settings.rank);
    json_bool(json, "center", core->settings.center);
    json_numbers(json, "eigenvalues", core->eigenvalues, of->n);
    json_numbers(json, "weights", core->weights, of->n);
    json_number(json, "core_norm", core->core_norm);
    json_number(json, "mean_norm", core->mean_norm);
    json_number(json, "cos_core_mean", core->cos_core_mean);
    json_numbers(json, "parts", core->parts, of->n);
    json_close(json);
}

/* ||tau_i|| of the raw task vectors, as everywhere in the report. */
static double task_norm(const double *gram, size_t n, size_t specialist) {
    return sqrt(gram[specialist * n + specialist]);
}

static void write_specialists(struct json *json, const struct source *of, const double *sum) {
    bool complete = of->preview->complete;
    json_open(json, "specialists", '[', JSON_LINES);
    for (size_t i = 0; i < of->n; i++) {
        const struct preview_specialist *one = &of->preview->specialists[i];
        json_open(json, NULL, '{', JSON_ROW);
        json_string(json, "name", of->table->specialists[i].name);
        json_string(json, "path", of->table->specialists[i].path);
        json_number(json, "norm", task_norm(sum, of->n, i));
        json_number(json, "real_share",
                    energy_real_share(of->table, of->analysis->core, of->analysis->gram, i));
        json_number(json, "residual_norm", known(complete, one->residual_norm));
        json_number(json, "scale", known(complete, one->scale));
        json_number(json, "share_before", known(complete, one->share_before));
        json_number(json, "share_after", known(complete, one->share_after));
        json_close(json);
    }
    json_close(json);
}

static void write_cosines(struct json *json, const struct source *of, const double *sum) {
    double *cosines = memory_array(of->n * of->n, sizeof *cosines);
    energy_cosines(sum, of->n, NULL, cosines);
    json_open(json, "cos_task_vectors", '[', JSON_LINES);
    for (size_t i = 0; i < of->n; i++)
        json_numbers(json, NULL, cosines + i * of->n, of->n);
    json_close(json);
    free(cosines);
}

static void write_spectrum(struct json *json, const struct source *of, size_t l, size_t i) {
    const struct spectra *spectra = of->analysis->spectra;
    const struct spectrum *spectrum = spectra != NULL ? spectra_get(spectra, l, i) : NULL;
    bool is_known = spectrum != NULL;
    json_number(json, "stable_rank", is_known ? spectrum_stable_rank(spectrum) : NAN);
    json_number(json, "effective_rank", is_known ? spectrum_effective_rank(spectrum) : NAN);
    if (of->with_spectra && is_known)
        json_numbers(json, "sigma", spectrum->sigma, spectrum->count);
    else if (of->with_spectra)
        json_null(json, "sigma");
}

static void write_cell(struct json *json, const struct source *of, size_t l, size_t i) {
    const struct preview_cell *cell = preview_cell_at(of->preview, l, i);
    const double *gram = analysis_gram(of->analysis, l);
    struct energy_split split = energy_split_layer(of->analysis->core, gram, i);
    bool complete = of->preview->complete;
    json_open(json, NULL, '{', JSON_ROW);
    json_string(json, "name", of->table->specialists[i].name);
    json_number(json, "norm", task_norm(gram, of->n, i));
    json_number(json, "real", split.real);
    json_number(json, "fake", split.fake);
    json_number(json, "cross", split.cross);
    json_number(json, "rank", known(cell->ready, (double)cell->rank));
    json_number(json, "max_rank", (double)cell->max_rank);
    json_number(json, "kept", known(cell->ready, cell->kept));
    json_number(json, "residual_norm", known(cell->ready, cell->residual_norm));
    json_number(json, "contribution", known(complete, cell->contribution));
    json_number(json, "share", known(complete, cell->share_after));
    write_spectrum(json, of, l, i);
    json_close(json);
}

static void write_layer(struct json *json, const struct source *of, size_t l) {
    const struct layer *layer = &of->table->layers[l];
    bool shared = layer_is_shared(layer);
    json_open(json, NULL, '{', JSON_LINES);
    json_string(json, "name", layer->name);
    json_string(json, "role", role_name(layer->role));
    json_open(json, "shape", '[', JSON_ROW);
    for (size_t d = 0; d < layer->like->rank; d++)
        json_number(json, NULL, (double)layer->like->shape[d]);
    json_close(json);
    json_number(json, "rows", (double)layer->rows);
    json_number(json, "cols", (double)layer->cols);
    json_number(json, "dominance",
                known(shared && of->preview->complete, of->preview->dominance[l]));
    json_open(json, "specialists", '[', JSON_LINES);
    for (size_t i = 0; i < of->n && shared; i++)
        write_cell(json, of, l, i);
    json_close(json);
    json_close(json);
}

static void write_layers(struct json *json, const struct source *of) {
    json_open(json, "layers", '[', JSON_LINES);
    for (size_t l = 0; l < of->table->layer_count; l++)
        write_layer(json, of, l);
    json_close(json);
}

static void write_warnings(struct json *json, const struct source *of) {
    const struct string_list *lists[] = {&of->table->warnings, &of->preview->warnings};
    json_open(json, "warnings", '[', JSON_LINES);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        for (size_t w = 0; w < lists[i]->count; w++)
            json_string(json, NULL, lists[i]->items[w]);
    json_close(json);
}

/* What follows from the Gram matrices. */
static void write_figures(struct json *json, const struct source *of) {
    double *sum = memory_array(of->n * of->n, sizeof *sum);
    energy_gram_sum(of->table, of->analysis->gram, false, sum);
    write_real(json, of);
    write_specialists(json, of, sum);
    write_cosines(json, of, sum);
    write_layers(json, of);
    free(sum);
}

char *report_json(const struct plan *plan, const struct analysis *analysis,
                  const struct preview *preview, bool with_spectra) {
    struct source of = {.plan = plan,
                        .table = plan->table,
                        .analysis = analysis,
                        .preview = preview,
                        .with_spectra = with_spectra,
                        .n = plan->table->specialist_count};
    struct json json;
    json_begin(&json);
    json_open(&json, NULL, '{', JSON_LINES);
    json_number(&json, "r2m", 1);
    json_string(&json, "base", plan->config.base);
    if (analysis->core != NULL)
        write_figures(&json, &of);
    json_number(&json, "eta", known(preview->complete, preview->eta));
    json_number(&json, "residual_scale_nbar", known(preview->complete, preview->nbar));
    write_warnings(&json, &of);
    json_close(&json);
    return json_end(&json);
}

char *report_merge_json(const char *output, const struct merge_result *result) {
    struct json json;
    json_begin(&json);
    json_open(&json, NULL, '{', JSON_LINES);
    json_string(&json, "output", output);
    json_number(&json, "tensors", (double)result->tensors);
    json_number(&json, "bytes", (double)result->bytes);
    json_number(&json, "core_norm", result->core_norm);
    json_number(&json, "residual_norm", result->residual_norm);
    json_number(&json, "eta", result->eta);
    json_number(&json, "seconds", result->seconds);
    json_string(&json, "sha256", result->sha256);
    json_close(&json);
    return json_end(&json);
}
