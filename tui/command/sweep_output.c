#include "tui/command/sweep_output.h"

#include "analysis/support/atomic_file.h"
#include "merge/config/document.h"
#include "merge/text.h"
#include "render/figures/sweep_chart.h"
#include "render/image.h"
#include "tui/command/text_table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHOWN_POINTS = 10, SHOWN_ERRORS = 3, SHOWN_METRICS = 6, METRIC_DIGITS = 5 };

char *sweep_path(const struct options *options, const char *name) {
    return memory_format("%s/%s", options->output, name);
}

/* ---- files ---- */

static bool write_csv(const struct sweep_report *report, const struct sweep_results *results,
                      struct error *error) {
    char *path = sweep_path(report->options, "sweep.csv"), *text = sweep_results_csv(results);
    bool good = atomic_file_write(path, text, strlen(text), true, error);
    free(path);
    free(text);
    return good;
}

static bool write_chart(const struct sweep_report *report, const struct sweep_results *results,
                        struct error *error) {
    struct image_options image = image_options_default();
    const char *const *names = image_format_names();
    const char *format = report->options->format;
    for (size_t i = 0; format != NULL && names[i] != NULL; i++)
        if (strcmp(names[i], format) == 0)
            image.format = (enum image_format)i;
    char *name = memory_format("sweep.%s", names[image.format]);
    char *path = sweep_path(report->options, name);
    struct chart *chart = figure_sweep(results, report->goal);
    bool good = image_write(chart, &image, path, true, error);
    chart_free(chart);
    free(name);
    free(path);
    return good;
}

void sweep_forget_best(const struct options *options) {
    char *path = sweep_path(options, "best.json");
    unlink(path);
    free(path);
}

static bool write_best(const struct sweep_report *report, struct error *error) {
    const struct sweep_record *best = sweep_best(report->records, report->goal);
    struct config config;
    if (best == NULL)
        return true;
    if (!sweep_config(report->plan, report->preview, &best->settings, &config, error))
        return false;
    char *path = sweep_path(report->options, "best.json");
    bool good = config_write(&config, path, true, error);
    config_free(&config);
    free(path);
    return good;
}

bool sweep_write(const struct sweep_report *report, struct error *error) {
    struct sweep_results results = sweep_results_make(report->records);
    bool measured = report->goal->metric != NULL;
    bool good = write_csv(report, &results, error) &&
                (!measured || write_chart(report, &results, error)) &&
                (!report->keeps_best || write_best(report, error));
    sweep_results_free(&results);
    return good;
}

/* ---- standard output ---- */

static size_t failed_count(const struct sweep_results *results) {
    size_t count = 0;
    for (size_t r = 0; r < results->row_count; r++)
        count += results->rows[r]->error != NULL;
    return count;
}

static void print_json(const struct sweep_report *report, const struct sweep_results *results) {
    const struct sweep_record *best = sweep_best(report->records, report->goal);
    struct document json;
    document_begin(&json);
    document_open(&json, NULL, '{', DOCUMENT_LINES);
    document_string(&json, "output", report->options->output);
    document_number(&json, "points", (double)results->row_count);
    document_number(&json, "failed", (double)failed_count(results));
    document_string(&json, "metric", report->goal->metric);
    document_bool(&json, "lower_is_better", report->goal->lower);
    if (best != NULL) {
        document_open(&json, "best", '{', DOCUMENT_LINES);
        sweep_record_write(&json, best);
        document_close(&json);
    } else {
        document_null(&json, "best");
    }
    document_open(&json, "results", '[', DOCUMENT_LINES);
    for (size_t r = 0; r < results->row_count; r++) {
        document_open(&json, NULL, '{', DOCUMENT_ROW);
        sweep_record_write(&json, results->rows[r]);
        document_close(&json);
    }
    document_close(&json);
    document_close(&json);
    char *text = document_end(&json);
    fputs(text, stdout);
    free(text);
}

/* The measured rows, best first. free() it. */
static const struct sweep_record **ranking(const struct sweep_report *report,
                                           const struct sweep_results *results, size_t *count) {
    const struct sweep_goal *goal = report->goal;
    const struct sweep_record **rows =
        memory_array(results->row_count, sizeof(const struct sweep_record *));
    *count = 0;
    for (size_t r = 0; r < results->row_count; r++) {
        double value = sweep_record_value(results->rows[r], goal->metric);
        size_t at = *count;
        if (isnan(value))
            continue;
        for (; at > 0 &&
               sweep_goal_better(goal, value, sweep_record_value(rows[at - 1], goal->metric));
             at--)
            rows[at] = rows[at - 1];
        rows[at] = results->rows[r];
        ++*count;
    }
    return rows;
}

/* More digits than other tables have: plans differ in the fourth. */
static void add_number(struct text_table *table, struct text_style style, double value) {
    char text[32];
    if (style.aligned)
        text_table_add(table, chart_number(value, METRIC_DIGITS, text, sizeof text));
    else
        text_table_number(table, value);
}

static void add_row(struct text_table *table, struct text_style style,
                    const struct sweep_results *results, const struct sweep_record *record,
                    const char *metric) {
    char *settings = sweep_settings_text(&record->settings);
    char *quoted = error_quote(settings, strlen(settings));
    text_table_add(table, quoted);
    add_number(table, style, sweep_record_value(record, metric));
    for (size_t m = 0, shown = 0; m < results->metrics.count && shown < SHOWN_METRICS; m++) {
        if (strcmp(results->metrics.items[m], metric) == 0)
            continue;
        add_number(table, style, sweep_record_value(record, results->metrics.items[m]));
        shown++;
    }
    text_table_number(table, record->seconds);
    free(settings);
    free(quoted);
}

static void print_summary(const struct sweep_report *report, const struct sweep_results *results,
                          size_t measured) {
    const struct sweep_goal *goal = report->goal;
    char *folder = error_quote(report->options->output, strlen(report->options->output));
    char *metric = error_quote(goal->metric, strlen(goal->metric));
    printf("%zu of %zu points measured; best is the %s %s", measured, results->row_count,
           goal->lower ? "lowest" : "highest", metric);
    if (report->keeps_best && measured > 0)
        printf(": %s/best.json", folder);
    putchar('\n');
    free(folder);
    free(metric);
}

static void print_table(const struct sweep_report *report, const struct sweep_results *results) {
    const char *metric = report->goal->metric;
    struct text_column columns[SHOWN_METRICS + 3] = {{"settings", true, 0}, {metric, false, 0}};
    size_t count = 2, rows;
    for (size_t m = 0; m < results->metrics.count && count < SHOWN_METRICS + 2; m++)
        if (strcmp(results->metrics.items[m], metric) != 0) {
            columns[count] = (struct text_column){results->metrics.items[m], false, (int)count};
            count++;
        }
    columns[count++] = (struct text_column){"seconds", false, SHOWN_METRICS + 2};
    const struct sweep_record **best = ranking(report, results, &rows);
    struct text_style style = text_style_choose(report->options);
    struct text_table *table = text_table_create(style, columns, count);
    for (size_t r = 0; r < rows && (r < SHOWN_POINTS || !style.aligned); r++)
        add_row(table, style, results, best[r], metric);
    text_table_print(table, stdout);
    if (style.aligned)
        print_summary(report, results, rows);
    free(best);
}

static void print_failures(const struct sweep_results *results) {
    size_t count = failed_count(results), shown = 0;
    for (size_t r = 0; r < results->row_count && shown < SHOWN_ERRORS; r++) {
        if (results->rows[r]->error == NULL)
            continue;
        char *settings = sweep_settings_text(&results->rows[r]->settings);
        char *quoted = error_quote(settings, strlen(settings));
        char *reason = error_quote(results->rows[r]->error, strlen(results->rows[r]->error));
        fprintf(stderr, "r2m: %s: %s\n", quoted, reason);
        free(settings);
        free(quoted);
        free(reason);
        shown++;
    }
    if (count > shown)
        fprintf(stderr, "r2m: and %zu more points failed; sweep.csv has all\n", count - shown);
}

void sweep_print(const struct sweep_report *report) {
    struct sweep_results results = sweep_results_make(report->records);
    const struct options *options = report->options;
    if (options->json)
        print_json(report, &results);
    else if (!options->quiet && sweep_best(report->records, report->goal) != NULL)
        print_table(report, &results);
    if (!options->quiet)
        print_failures(&results);
    sweep_results_free(&results);
}
