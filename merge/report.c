#include "merge/report.h"

#include "merge/match_report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What every part of the report reads. */
struct source {
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

/* A path as valid UTF-8. */
static void write_path(struct document *json, const char *key, const char *path) {
    char *quoted = error_quote(path, strlen(path));
    document_string(json, key, quoted);
    free(quoted);
}

static void write_real(struct document *json, const struct source *of) {
    const struct real_core *core = of->analysis->core;
    document_open(json, "real", '{', DOCUMENT_LINES);
    document_number(json, "rank", core->settings.rank);
    document_bool(json, "center", core->settings.center);
    document_numbers(json, "eigenvalues", core->eigenvalues, of->n);
    document_numbers(json, "weights", core->weights, of->n);
    document_number(json, "core_norm", core->core_norm);
    document_number(json, "mean_norm", core->mean_norm);
    document_number(json, "cos_core_mean", core->cos_core_mean);
    document_numbers(json, "parts", core->parts, of->n);
    document_close(json);
}

/* ||tau_i|| of the raw task vectors, as everywhere in the report. */
static double task_norm(const double *gram, size_t n, size_t specialist) {
    return sqrt(gram[specialist * n + specialist]);
}

static void write_specialists(struct document *json, const struct source *of, const double *sum) {
    bool complete = of->preview->complete;
    document_open(json, "specialists", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < of->n; i++) {
        const struct preview_specialist *one = &of->preview->specialists[i];
        document_open(json, NULL, '{', DOCUMENT_ROW);
        document_string(json, "name", of->table->specialists[i].name);
        write_path(json, "path", of->table->specialists[i].path);
        document_number(json, "norm", task_norm(sum, of->n, i));
        document_number(json, "real_share",
                        energy_real_share(of->table, of->analysis->core, of->analysis->gram, i));
        document_number(json, "residual_norm", known(complete, one->residual_norm));
        document_number(json, "scale", known(complete, one->scale));
        document_number(json, "share_before", known(complete, one->share_before));
        document_number(json, "share_after", known(complete, one->share_after));
        document_close(json);
    }
    document_close(json);
}

static void write_cosines(struct document *json, const struct source *of, const double *sum) {
    double *cosines = memory_array(of->n * of->n, sizeof *cosines);
    energy_cosines(sum, of->n, NULL, cosines);
    document_open(json, "cos_task_vectors", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < of->n; i++)
        document_numbers(json, NULL, cosines + i * of->n, of->n);
    document_close(json);
    free(cosines);
}

static void write_spectrum(struct document *json, const struct source *of, size_t l, size_t i) {
    const struct spectra *spectra = of->analysis->spectra;
    const struct spectrum *spectrum = spectra != NULL ? spectra_get(spectra, l, i) : NULL;
    bool is_known = spectrum != NULL;
    document_number(json, "stable_rank", is_known ? spectrum_stable_rank(spectrum) : NAN);
    document_number(json, "effective_rank", is_known ? spectrum_effective_rank(spectrum) : NAN);
    if (of->with_spectra && is_known)
        document_numbers(json, "sigma", spectrum->sigma, spectrum->count);
    else if (of->with_spectra)
        document_null(json, "sigma");
}

static void write_cell(struct document *json, const struct source *of, size_t l, size_t i) {
    const struct preview_cell *cell = preview_cell_at(of->preview, l, i);
    const double *gram = analysis_gram(of->analysis, l);
    struct energy_split split = energy_split_layer(of->analysis->core, gram, i);
    bool complete = of->preview->complete;
    document_open(json, NULL, '{', DOCUMENT_ROW);
    document_string(json, "name", of->table->specialists[i].name);
    document_number(json, "norm", task_norm(gram, of->n, i));
    document_number(json, "real", split.real);
    document_number(json, "fake", split.fake);
    document_number(json, "cross", split.cross);
    document_number(json, "rank", known(cell->ready, (double)cell->rank));
    document_number(json, "max_rank", (double)cell->max_rank);
    document_number(json, "kept", known(cell->ready, cell->kept));
    document_number(json, "residual_norm", known(cell->ready, cell->residual_norm));
    document_number(json, "contribution", known(complete, cell->contribution));
    document_number(json, "share", known(complete, cell->share_after));
    write_spectrum(json, of, l, i);
    document_close(json);
}

static void write_layer(struct document *json, const struct source *of, size_t l) {
    const struct layer *layer = &of->table->layers[l];
    bool shared = layer_is_shared(layer);
    document_open(json, NULL, '{', DOCUMENT_LINES);
    document_string(json, "name", layer->name);
    document_string(json, "role", role_name(layer->role));
    document_open(json, "shape", '[', DOCUMENT_ROW);
    for (size_t d = 0; d < layer->like->rank; d++)
        document_number(json, NULL, (double)layer->like->shape[d]);
    document_close(json);
    document_number(json, "rows", (double)layer->rows);
    document_number(json, "cols", (double)layer->cols);
    document_number(json, "dominance",
                    known(shared && of->preview->complete, of->preview->dominance[l]));
    document_open(json, "specialists", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < of->n && shared; i++)
        write_cell(json, of, l, i);
    document_close(json);
    document_close(json);
}

static void write_layers(struct document *json, const struct source *of) {
    document_open(json, "layers", '[', DOCUMENT_LINES);
    for (size_t l = 0; l < of->table->layer_count; l++)
        write_layer(json, of, l);
    document_close(json);
}

static void write_warnings(struct document *json, const struct source *of) {
    const struct string_list lists[] = {of->table->warnings, of->preview->warnings};
    document_open(json, "warnings", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < 2; i++)
        for (size_t w = 0; w < lists[i].count; w++)
            document_string(json, NULL, lists[i].items[w]);
    document_close(json);
}

/* What follows from the Gram matrices. */
static void write_figures(struct document *json, const struct source *of) {
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
    struct source of = {.table = plan->table,
                        .analysis = analysis,
                        .preview = preview,
                        .with_spectra = with_spectra,
                        .n = plan->table->specialist_count};
    struct document json;
    document_begin(&json);
    document_open(&json, NULL, '{', DOCUMENT_LINES);
    document_number(&json, "r2m", 1);
    write_path(&json, "base", plan->config.base);
    match_report_write(&json, of.table);
    if (analysis->core != NULL)
        write_figures(&json, &of);
    document_number(&json, "eta", known(preview->complete, preview->eta));
    document_number(&json, "residual_scale_nbar", known(preview->complete, preview->nbar));
    write_warnings(&json, &of);
    document_close(&json);
    return document_end(&json);
}

static void write_sentences(struct document *json, const char *key,
                            const struct string_list *sentences) {
    document_open(json, key, '[', DOCUMENT_LINES);
    for (size_t i = 0; i < sentences->count; i++)
        document_string(json, NULL, sentences->items[i]);
    document_close(json);
}

static void write_metrics(struct document *json, const struct metrics *metrics) {
    document_open(json, "metrics", '{', DOCUMENT_LINES);
    for (size_t i = 0; i < metrics->count; i++)
        document_number(json, metrics->items[i].name, metrics->items[i].value);
    document_close(json);
}

char *report_merge_json(const char *output, const struct merge_result *result,
                        const struct string_list *notes, const struct string_list *warnings,
                        const struct metrics *metrics) {
    struct document json;
    document_begin(&json);
    document_open(&json, NULL, '{', DOCUMENT_LINES);
    write_path(&json, "output", output);
    document_number(&json, "tensors", (double)result->tensors);
    document_number(&json, "bytes", (double)result->bytes);
    document_number(&json, "core_norm", result->core_norm);
    document_number(&json, "residual_norm", result->residual_norm);
    document_number(&json, "eta", result->eta);
    document_number(&json, "seconds", result->seconds);
    document_string(&json, "sha256", result->sha256);
    write_sentences(&json, "notes", notes);
    write_sentences(&json, "warnings", warnings);
    if (metrics != NULL)
        write_metrics(&json, metrics);
    document_close(&json);
    return document_end(&json);
}
