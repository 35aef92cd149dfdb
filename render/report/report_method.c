/* What the method does, in formulas with the numbers of now, and every setting it looks at. */
#include "render/report/report_parts.h"

#include "merge/methods/method.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A line of the formula. */
static void say_line(struct report *report, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say_line(struct report *report, const char *format, ...) {
    char *line = NULL;
    va_list arguments;
    va_start(arguments, format);
    if (vasprintf(&line, format, arguments) < 0)
        memory_exhausted(0);
    va_end(arguments);
    article_listing(report->article, line);
    free(line);
}

static void say_core(struct report *report) {
    const struct real_core *core = report->source->analysis->core;
    say_line(report, "merged    = base + core_scale · core + eta · residuals");
    say_line(report, "            core_scale = %g   ‖core‖ = %.4g   ‖mean τ‖ = %.4g",
             report->settings->core_scale, core->core_norm, core->mean_norm);
    say_line(report, "%s", "");
    say_line(report, "core      = Σ w τ          (on vectors: the mean τ)");
    for (size_t i = 0; i < report->n; i++)
        say_line(report, "            w = %7.4f   ‖τ‖ = %-9.4g part %5.1f %%   %s",
                 core->weights[i], report->preview->specialists[i].task_norm, 100 * core->parts[i],
                 report_name(report, i));
    say_line(report, "            ‖core‖ / ‖mean τ‖ = %.4f, cosine %.4f, on the layers of the core",
             core->core_mean_ratio, core->cos_core_mean);
    say_line(report, "%s", "");
}

static void say_residuals(struct report *report) {
    static const char *const left_out[] = {[AGAINST_CORE] = "R = τ - core",
                                           [AGAINST_PROJECTION] = "R = τ - projection of τ",
                                           [AGAINST_NOTHING] = "R = τ"};
    static const char *const matching[] = {
        [NORM_MATCH_GLOBAL] = "s = nbar / ‖T(R)‖, nbar the mean of the ‖T(R)‖",
        [NORM_MATCH_LAYER] = "s = nbar / ‖T(R)‖ in every tensor on its own",
        [NORM_MATCH_NONE] = "s = 1"};
    bool layerwise = report->settings->norm_match == NORM_MATCH_LAYER;
    say_line(report, "residuals = Σ a s T(R)     %s, T keeps the first ranks",
             left_out[report->settings->real.against]);
    say_line(report, "            %s", matching[report->settings->norm_match]);
    for (size_t i = 0; i < report->n; i++) {
        const struct preview_specialist *one = &report->preview->specialists[i];
        char scale[32] = "by tensor";
        if (!layerwise)
            snprintf(scale, sizeof scale, "%.4f", one->scale);
        say_line(report, "            a = %7.4f   ‖T(R)‖ = %-9.4g s = %-9s   %s",
                 report->source->plan->shares[i], one->residual_norm, scale,
                 report_name(report, i));
    }
    say_line(report, "%s", "");
}

static void say_eta(struct report *report) {
    double alpha = report->settings->alpha;
    const struct preview *preview = report->preview;
    if (report->settings->eta == ETA_UNIT)
        say_line(report, "eta       = alpha ‖core‖ / nbar = %g × %.4g / %.4g = %.4g", alpha,
                 preview->core_norm, preview->nbar, preview->eta);
    else if (report->settings->eta == ETA_SCRIPT)
        say_line(report, "eta       = alpha ‖core‖ = %g × %.4g = %.4g", alpha, preview->core_norm,
                 preview->eta);
    else
        say_line(report, "eta       = alpha = %.4g", preview->eta);
    say_line(report, "            ‖eta · residuals‖ is at most %.4g", preview->residual_term);
}

static void write_formula(struct report *report) {
    const struct method_row *row = method_row(report->settings->method);
    article_paragraph(report->article);
    if (!report->is_r2m) {
        article_say(report->article, "%s; tau is a specialist minus the base.", row->title);
        say_line(report, "merged = base + %s", row->formula);
        return;
    }
    article_say(report->article,
                "Real-aware residual model merging. τ is a specialist minus the base, ‖x‖ the "
                "norm over all tensors, w what the Real subspace makes of equal parts, a the "
                "share of a specialist's weight.");
    say_core(report);
    say_residuals(report);
    say_eta(report);
}

/* Every field that the method looks at; those that differ from the defaults stand out. */
static void write_settings(struct report *report) {
    static const struct article_column columns[] = {
        {"setting", false}, {"value", false}, {"default", false}, {"meaning", false}};
    size_t count;
    const struct settings_field *fields = settings_fields(&count);
    struct settings defaults;
    char value[FIELD_TEXT], usual[FIELD_TEXT];
    settings_defaults(&defaults);
    article_paragraph(report->article);
    article_say(report->article, "What differs from the default is set in bold.");
    article_table(report->article, columns, sizeof columns / sizeof *columns);
    for (size_t f = 0; f < count; f++) {
        if (!settings_field_applies(report->settings, &fields[f]))
            continue;
        settings_field_text(report->settings, &fields[f], value, sizeof value);
        settings_field_text(&defaults, &fields[f], usual, sizeof usual);
        report_cell_code(report, fields[f].path);
        article_cell(report->article);
        if (strcmp(value, usual) != 0)
            article_stress(report->article, "%s", value);
        else
            article_say(report->article, "%s", value);
        article_cell(report->article);
        article_say(report->article, "%s", usual);
        article_cell(report->article);
        article_say(report->article, "%s", fields[f].text);
    }
}

static void write_rule(struct report *report, struct rank_rule rule) {
    char text[FIELD_TEXT];
    article_code(report->article, "%s", rank_rule_format(rule, text, sizeof text));
    article_say(report->article, " (%s: %s)", rank_kind_name(rule.kind), rank_kind_text(rule.kind));
}

/* Where no rule of its own is given the default holds; later overrides win. */
static void write_ranks(struct report *report) {
    static const struct article_column columns[] = {
        {"layers", false}, {"specialist", false}, {"ranks", false}};
    const struct config *config = &report->source->plan->config;
    article_heading(report->article, 3, "Ranks");
    article_paragraph(report->article);
    article_say(report->article, "Kept of every residual: ");
    write_rule(report, config->rank);
    article_say(report->article, config->override_count > 0
                                     ? ". Where one of these matches, it holds instead, the last "
                                       "one that does:"
                                     : ", everywhere.");
    if (config->override_count == 0)
        return;
    article_table(report->article, columns, sizeof columns / sizeof *columns);
    for (size_t o = 0; o < config->override_count; o++) {
        const struct rank_override *override = &config->overrides[o];
        report_cell_code(report, override->layer);
        article_cell(report->article);
        article_say(report->article, "%s",
                    override->specialist != NULL ? override->specialist : "all");
        article_cell(report->article);
        write_rule(report, override->rule);
    }
}

void report_method(struct report *report) {
    article_heading(report->article, 2, "Method");
    write_formula(report);
    article_heading(report->article, 3, "Settings");
    write_settings(report);
    if (report->is_r2m)
        write_ranks(report);
}
