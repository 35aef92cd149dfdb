/* The specialists against each other: norms, shares, cosines. */
#include "render/report/report_parts.h"

#include <math.h>
#include <stdlib.h>

static void write_table(struct report *report) {
    static const struct article_column columns[] = {
        {"specialist", false}, {"weight", true},       {"norm", true},
        {"Real share", true},  {"in core", true},      {"norm of T(R)", true},
        {"scale", true},       {"share before", true}, {"share after", true}};
    const struct analysis *analysis = report->source->analysis;
    bool layerwise = report->source->plan->effective.norm_match == NORM_MATCH_LAYER;
    article_table(report->article, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < report->n; i++) {
        const struct preview_specialist *one = &report->preview->specialists[i];
        article_cell(report->article);
        article_say(report->article, "%s", report_name(report, i));
        report_cell_number(report, report->source->plan->config.specialists[i].weight);
        report_cell_number(report, one->task_norm);
        report_cell_percent(report,
                            energy_real_share(report->table, analysis->core, analysis->gram, i));
        report_cell_percent(report, analysis->core->parts[i]);
        report_cell_number(report, one->residual_norm);
        report_cell_number(report, layerwise ? NAN : one->scale);
        report_cell_percent(report, one->share_before);
        report_cell_percent(report, one->share_after);
    }
    article_paragraph(report->article);
    article_say(report->article,
                "Norm: of the task vector, specialist minus base. Real share: the part of its "
                "energy in the subspace that all share. In core: its part in the Real core. T(R): "
                "its residual with the ranks kept. Scale: the factor of norm matching%s. Shares: "
                "its part of the residual energy, before and after that.",
                layerwise ? ", here another one in each tensor" : "");
}

static void write_cosines(struct report *report) {
    size_t n = report->n;
    struct article_column *columns = memory_array(n + 1, sizeof *columns);
    double *sum = memory_array(n * n, sizeof *sum), *cosines = memory_array(n * n, sizeof *sum);
    energy_gram_sum(report->table, report->source->analysis->gram, false, sum);
    energy_cosines(sum, n, NULL, cosines);
    columns[0] = (struct article_column){"cosine", false};
    for (size_t i = 0; i < n; i++)
        columns[i + 1] = (struct article_column){report_name(report, i), true};
    article_table(report->article, columns, n + 1);
    for (size_t i = 0; i < n; i++) {
        article_cell(report->article);
        article_say(report->article, "%s", report_name(report, i));
        for (size_t j = 0; j < n; j++)
            report_cell_number(report, cosines[i * n + j]);
    }
    free(cosines);
    free(sum);
    free(columns);
}

void report_specialists(struct report *report) {
    article_heading(report->article, 2, "Specialists");
    write_table(report);
    if (report->n > 1) {
        article_heading(report->article, 3, "How alike the task vectors are");
        write_cosines(report);
    }
    report_figures(report, REPORT_OF_SPECIALISTS, false);
}
