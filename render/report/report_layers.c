/* The layers: figures of all, tables of those that stand out, and their spectra. */
#include "render/report/report_parts.h"

#include "merge/layer_order.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    ALL_SHOWN = 16,                     /* so few layers stand in one table */
    STANDING_OUT = 8,                   /* else so many of each kind */
    SPECTRA_SHOWN = REPORT_SPECTRA / 2, /* of each kind */
    RANKS_SHOWN = 6                     /* specialists whose ranks are listed one by one */
};

/* "102 / 96 / 12", or the range where the specialists are many. */
static void say_ranks(struct report *report, size_t layer) {
    size_t least = SIZE_MAX, most = 0;
    article_cell(report->article);
    for (size_t i = 0; i < report->n; i++) {
        size_t rank = preview_cell_at(report->preview, layer, i)->rank;
        least = rank < least ? rank : least;
        most = rank > most ? rank : most;
        if (report->n <= RANKS_SHOWN)
            article_say(report->article, "%s%zu", i > 0 ? " / " : "", rank);
    }
    if (report->n > RANKS_SHOWN)
        article_say(report->article, "%zu to %zu", least, most);
}

static void write_table(struct report *report, const size_t *layers, size_t count) {
    static const struct article_column columns[] = {
        {"layer", false}, {"shape", true},     {"ranks", true},  {"of", true},
        {"kept", true},   {"dominance", true}, {"leads", false}, {"share", true}};
    if (count == 0) {
        article_paragraph(report->article);
        article_say(report->article, "None.");
        return;
    }
    article_table(report->article, columns, sizeof columns / sizeof *columns);
    for (size_t k = 0; k < count; k++) {
        const struct layer *layer = &report->table->layers[layers[k]];
        size_t leader = layer_leader(report->preview, layers[k]);
        report_cell_code(report, layer->name);
        article_cell(report->article);
        article_say(report->article, "%zu × %zu", layer->rows, layer->cols);
        say_ranks(report, layers[k]);
        report_cell_count(report, layer_max_rank(layer));
        report_cell_percent(report, layer_kept(report->preview, layers[k]));
        article_cell(report->article);
        article_say(report->article, "%.3f", report->preview->dominance[layers[k]]);
        article_cell(report->article);
        article_say(report->article, "%s", report_name(report, leader));
        report_cell_percent(report,
                            preview_cell_at(report->preview, layers[k], leader)->share_after);
    }
}

/* Layers that deserve a spectrum of their own. */
struct choice {
    size_t dominated[STANDING_OUT], dropped[STANDING_OUT];
    size_t dominated_count, dropped_count;
};

static struct choice choose(const struct report *report) {
    struct choice choice = {0};
    choice.dominated_count =
        layers_most_dominated(report->table, report->preview, choice.dominated, STANDING_OUT);
    choice.dropped_count =
        layers_least_kept(report->table, report->preview, choice.dropped, STANDING_OUT);
    return choice;
}

static void write_all_layers(struct report *report) {
    size_t layers[ALL_SHOWN], count = 0;
    for (size_t l = 0; l < report->table->layer_count; l++)
        if (report->table->layers[l].role == ROLE_MATRIX)
            layers[count++] = l;
    write_table(report, layers, count);
}

static void write_tables(struct report *report, const struct choice *choice) {
    if (report->table->matrix_count <= ALL_SHOWN) {
        article_heading(report->article, 3, "All matrix layers");
        write_all_layers(report);
    } else {
        article_heading(report->article, 3, "Most dominated");
        write_table(report, choice->dominated, choice->dominated_count);
        article_heading(report->article, 3, "Least kept");
        write_table(report, choice->dropped, choice->dropped_count);
    }
    article_paragraph(report->article);
    article_say(report->article,
                "Ranks: kept of each residual, in the order of the specialists; of: the full rank. "
                "Kept: of the residuals' energy, the mean over the specialists. Dominance: 0 when "
                "all contribute alike, 1 when one does everything; that one leads, with its share. "
                "Every layer stands in ");
    article_code(report->article, "layers.csv");
    article_say(report->article, ".");
}

static bool has(const size_t *layers, size_t count, size_t layer) {
    while (count > 0 && layers[count - 1] != layer)
        count--;
    return count > 0;
}

static void write_spectrum(struct report *report, size_t layer, size_t number, const char *why) {
    static const struct figure spectrum = {.name = "spectrum", .build = figure_layer_spectrum};
    report_figure(report, &spectrum, layer, number);
    article_code(report->article, "%s", report->table->layers[layer].name);
    article_say(report->article, ": %s.", why);
}

static void write_spectra(struct report *report, const struct choice *choice) {
    size_t number = 0, first = choice->dominated_count < SPECTRA_SHOWN ? choice->dominated_count
                                                                       : SPECTRA_SHOWN;
    if (first + choice->dropped_count == 0)
        return;
    article_heading(report->article, 3, "Their spectra");
    article_paragraph(report->article);
    article_say(report->article, "Of the first layers of both kinds; ");
    article_code(report->article, "r2m plot config.json -o figures");
    article_say(report->article, " draws all %zu.", report->table->matrix_count);
    for (size_t k = 0; k < first; k++)
        write_spectrum(report, choice->dominated[k], ++number,
                       has(choice->dropped, SPECTRA_SHOWN, choice->dominated[k])
                           ? "among the most dominated and the least kept"
                           : "among the most dominated");
    for (size_t k = 0; k < choice->dropped_count && k < SPECTRA_SHOWN; k++)
        if (!has(choice->dominated, first, choice->dropped[k]))
            write_spectrum(report, choice->dropped[k], ++number, "among the least kept");
}

void report_layers(struct report *report) {
    const struct choice choice = choose(report);
    if (report->table->matrix_count == 0)
        return;
    article_heading(report->article, 2, "Layers");
    report_figures(report, REPORT_OVERVIEW "," REPORT_OF_SPECIALISTS, true);
    article_heading(report->article, 2, "Layers that stand out");
    write_tables(report, &choice);
    write_spectra(report, &choice);
}
