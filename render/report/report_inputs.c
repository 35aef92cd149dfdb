/* The files that went in, how their names lined up, and how to do it again. */
#include "render/report/report_parts.h"

#include "merge/text.h"
#include "merge/version.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void write_files(struct report *report) {
    static const struct article_column columns[] = {
        {"what", false}, {"file", false}, {"format", false}, {"bytes", true}, {"sha256", false}};
    const struct input_files *files = report->source->files;
    article_table(report->article, columns, sizeof columns / sizeof *columns);
    for (size_t f = 0; f < files->count; f++) {
        const struct input_file *file = &files->items[f];
        article_cell(report->article);
        article_say(report->article, "%s",
                    file->source == 0 ? "base" : report_name(report, file->source - 1));
        report_cell_code(report, path_file_name(file->path));
        article_cell(report->article);
        article_say(report->article, "%s",
                    checkpoint_format(tensor_table_file(report->table, file->source)));
        article_cell(report->article);
        article_say(report->article, "%llu", (unsigned long long)file->bytes);
        report_cell_code(report, file->sha256);
    }
}

static void write_matches(struct report *report) {
    static const struct article_column columns[] = {{"specialist", false},
                                                    {"matched", true},
                                                    {"other shape", true},
                                                    {"only in the base", true},
                                                    {"only in the specialist", true},
                                                    {"names", false}};
    article_table(report->article, columns, sizeof columns / sizeof *columns);
    for (size_t i = 0; i < report->n; i++) {
        const struct match *match = &report->table->specialists[i].match;
        char *way = match_way(match);
        article_cell(report->article);
        article_say(report->article, "%s", report_name(report, i));
        report_cell_count(report, match->matched.count);
        report_cell_count(report, match->other_shape.count);
        report_cell_count(report, match->base_only.count);
        report_cell_count(report, match->specialist_only.count);
        article_cell(report->article);
        article_say(report->article, "%s", way);
        free(way);
    }
}

/* What the tensors are to the merge, and what of the files is left out. */
static void write_roles(struct report *report) {
    static const char *const meanings[ROLE_COUNT] = {
        [ROLE_MATRIX] = "truncated, matched and merged",
        [ROLE_VECTOR] = "merged without truncation",
        [ROLE_HEAD] = "averaged over the specialists",
        [ROLE_BUFFER] = "copied",
        [ROLE_CARRIED] = "in no specialist, copied from the base",
        [ROLE_TIED] = "other names of tensors, counted once and written like them"};
    size_t counts[ROLE_COUNT] = {0};
    for (size_t l = 0; l < report->table->layer_count; l++)
        counts[report->table->layers[l].role]++;
    for (size_t role = 0; role < ROLE_COUNT; role++) {
        if (counts[role] == 0)
            continue;
        article_item(report->article);
        article_say(report->article, "%zu of role %s: %s", counts[role], role_name((enum role)role),
                    meanings[role]);
    }
    for (size_t source = 0; source <= report->n; source++) {
        size_t count;
        const struct skipped *skipped =
            checkpoint_skipped(tensor_table_file(report->table, source), &count);
        for (size_t s = 0; s < count; s++) {
            article_item(report->article);
            article_say(report->article, "skipped in %s: %zu %s",
                        source == 0 ? "the base" : report_name(report, source - 1),
                        skipped[s].count, skipped[s].what);
        }
    }
    for (size_t w = 0; w < report->table->warnings.count; w++) {
        article_item(report->article);
        article_say(report->article, "%s", report->table->warnings.items[w]);
    }
}

void report_inputs(struct report *report) {
    article_heading(report->article, 2, "Inputs");
    write_files(report);
    article_heading(report->article, 3, "How the names met");
    write_matches(report);
    write_roles(report);
}

void report_reproduction(struct report *report) {
    struct article *article = report->article;
    article_heading(article, 2, "How to do it again");
    article_paragraph(article);
    article_say(article, "With r2m " R2M_VERSION " and the files above where ");
    article_code(article, "config.json");
    article_say(article, " names them, in the folder of this report:");
    article_listing(article, "r2m merge config.json -o merged.safetensors");
    article_listing(article, "r2m report config.json -o again");
    article_listing(article, "r2m config.json");
    article_paragraph(article);
    article_say(article, "The first writes the merged checkpoint, the second this report again, "
                         "the last opens the plan on the screen. Beside this text stand ");
    article_code(article, "analysis.json");
    article_say(article, " (every number), ");
    article_code(article, "layers.csv");
    article_say(article, " (a row for each layer and specialist), ");
    article_code(article, "config.json");
    article_say(article, " (the plan) and ");
    article_code(article, "figures/");
    article_say(article, "; ");
    article_code(article, "sha256sum -c files.sha256");
    article_say(article, " checks them.");
}
