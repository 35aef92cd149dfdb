/* The frame of the report: its sections in order, the figures in short, what deserves a look. */
#include "render/report/report_parts.h"

#include "merge/methods/method.h"
#include "merge/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char *report_name(const struct report *report, size_t specialist) {
    return report->table->specialists[specialist].name;
}

void report_cell_number(struct report *report, double value) {
    article_cell(report->article);
    if (isfinite(value))
        article_say(report->article, "%.4g", value);
}

void report_cell_percent(struct report *report, double share) {
    article_cell(report->article);
    if (isfinite(share))
        article_say(report->article, "%.1f %%", 100 * share);
}

void report_cell_count(struct report *report, size_t count) {
    article_cell(report->article);
    article_say(report->article, "%zu", count);
}

void report_cell_code(struct report *report, const char *text) {
    article_cell(report->article);
    article_code(report->article, "%s", text);
}

/* "fs, fr and efs" */
static char *specialists_text(const struct report *report) {
    char *text = memory_string("");
    for (size_t i = 0; i < report->n; i++) {
        const char *before = i == 0 ? "" : i + 1 == report->n ? " and " : ", ";
        char *longer = memory_format("%s%s%s", text, before, report_name(report, i));
        free(text);
        text = longer;
    }
    return text;
}

static void write_title(struct report *report) {
    char *names = specialists_text(report);
    char *title =
        memory_format("Merge of %s by %s", names, method_row(report->settings->method)->title);
    article_heading(report->article, 1, title);
    free(title);
    free(names);
}

/* What the ranks keep of all residuals. */
static void say_residuals(struct report *report) {
    double kept = 0, all = 0;
    size_t ranks = 0, full = 0;
    for (size_t l = 0; l < report->table->layer_count; l++)
        for (size_t i = 0; i < report->n; i++) {
            const struct spectrum *spectrum = spectra_get(report->source->analysis->spectra, l, i);
            size_t rank = preview_cell_at(report->preview, l, i)->rank;
            ranks += rank;
            full += spectrum != NULL ? spectrum->count : 0;
            kept += spectrum != NULL ? spectrum->cumulative[rank] : 0;
            all += spectrum != NULL ? spectrum_total(spectrum) : 0;
        }
    article_item(report->article);
    article_say(
        report->article,
        "Kept of the residuals: %zu of %zu singular values (%.1f %%), %.1f %% of the energy.",
        ranks, full, full > 0 ? 100 * (double)ranks / (double)full : 0,
        all > 0 ? 100 * kept / all : 0);
}

/* "a 33 %, b 67 %" */
static void list_shares(struct report *report, bool after) {
    for (size_t i = 0; i < report->n; i++) {
        const struct preview_specialist *one = &report->preview->specialists[i];
        article_say(report->article, "%s %s %.0f %%", i > 0 ? "," : "", report_name(report, i),
                    100 * (after ? one->share_after : one->share_before));
    }
}

static void say_shares(struct report *report) {
    article_item(report->article);
    article_say(report->article, "Shares of the residual term:");
    list_shares(report, true);
    article_say(report->article, ". Before norm matching:");
    list_shares(report, false);
    article_say(report->article, ".");
}

static void say_core(struct report *report) {
    const struct real_core *core = report->source->analysis->core;
    article_item(report->article);
    article_say(report->article,
                "The Real core has %.3f of the mean task vector's norm and cosine %.3f with it.",
                core->core_mean_ratio, core->cos_core_mean);
    article_item(report->article);
    article_say(report->article,
                "eta is %.4g: the residual term is at most %.2f of the core's norm.",
                report->preview->eta,
                core->core_norm > 0 ? report->preview->residual_term / core->core_norm : 0);
}

/* The merge in some numbers. */
static void write_summary(struct report *report) {
    struct article *article = report->article;
    size_t shared = 0, found = report->findings.count;
    for (size_t l = 0; l < report->table->layer_count; l++)
        shared += layer_is_shared(&report->table->layers[l]);
    article_item(article);
    article_say(article,
                "Specialists of one base: %zu. Tensors that all share: %zu, of them matrices: %zu.",
                report->n, shared, report->table->matrix_count);
    if (report->is_r2m) {
        say_core(report);
        say_residuals(report);
        say_shares(report);
    }
    article_item(article);
    if (found > 0)
        article_stress(article, "%zu thing%s a look:", found,
                       found == 1 ? " deserves" : "s deserve");
    else
        article_say(article, "Nothing looks amiss.");
    for (size_t f = 0; f < found; f++)
        article_say(article, " %s.", report->findings.items[f].what);
    report_figures(report, REPORT_OVERVIEW, false);
}

void report_findings(struct report *report) {
    struct article *article = report->article;
    article_heading(article, 2, "What deserves a look");
    if (report->findings.count == 0) {
        article_paragraph(article);
        article_say(article, "Nothing: the core has not collapsed, no specialist dominates, no "
                             "rank cuts into signal or keeps much noise, and every layer carries "
                             "something.");
    }
    for (size_t f = 0; f < report->findings.count; f++) {
        const struct finding *finding = &report->findings.items[f];
        article_heading(article, 3, finding->what);
        article_paragraph(article);
        article_say(article, "%s", finding->text);
        article_paragraph(article);
        article_stress(article, "What to do:");
        article_say(article, " %s", finding->advice);
        if (finding->remedy != NULL) {
            article_say(article, " ");
            article_code(article, "--set %s", finding->remedy->assignment);
            article_say(article, " (%s).", finding->remedy->does);
        }
    }
}

bool report_article(const struct report_source *source, struct article *article,
                    struct progress *progress, struct error *error) {
    static report_section *const sections[] = {
        write_title,   write_summary, report_findings, report_specialists,
        report_layers, report_method, report_inputs,   report_reproduction};
    struct report report = {.source = source,
                            .table = source->plan->table,
                            .preview = source->preview,
                            .settings = &source->plan->config.settings,
                            .n = source->plan->table->specialist_count,
                            .article = article,
                            .progress = progress,
                            .error = error};
    report.is_r2m = report.settings->method == METHOD_R2M;
    report.kinds = layer_kinds_with_depth(report.table);
    if (progress != NULL) {
        atomic_store(&progress->done, 0);
        atomic_store(&progress->total, report_figure_count(&report) + REPORT_SPECTRA);
    }
    report.findings = findings_make(source->plan, source->analysis, source->preview);
    for (size_t s = 0; s < sizeof sections / sizeof *sections && error->kind == ERROR_NONE; s++)
        sections[s](&report);
    layer_kinds_free(report.kinds);
    findings_free(&report.findings);
    return error->kind == ERROR_NONE;
}
