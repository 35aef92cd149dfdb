/* The merged checkpoint, or what it would need. */
#include "analysis/support/ranks.h"
#include "merge/evaluation/evaluation.h"
#include "merge/report.h"
#include "tui/command/command.h"
#include "tui/command/complain.h"
#include "tui/command/needs.h"
#include "tui/command/session.h"
#include "tui/command/write_adapters.h"
#include "tui/terminal/surface.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* (What is there to go on with has its space already.) */
static bool check_space(const struct options *options, const struct merge_estimate *estimate,
                        struct error *error) {
    char needed[32], free_text[32];
    if (options->resume || estimate->free_bytes == 0 ||
        estimate->free_bytes >= estimate->output_bytes)
        return true;
    return error_set(error, ERROR_INPUT, "%s: the merge needs %s of disk space, %s are free",
                     options->output, bytes_text((double)estimate->output_bytes, needed),
                     bytes_text((double)estimate->free_bytes, free_text));
}

/* Within threads and memory as given, or as the machine has them. Together. */
static bool estimate_merge(const struct session *session, const struct options *options,
                           struct merge_estimate *estimate, struct error *error) {
    const struct work_limits limits = needs_limits(options);
    return merge_estimate(session->plan, &limits, options->output, estimate, error) ||
           needs_refuse(options, error);
}

static void print_estimate(const struct options *options, const struct merge_estimate *estimate) {
    const struct need needs[] = {
        {"tensors", "tensors", (double)estimate->tensors, false},
        {"size of the output", "output_bytes", (double)estimate->output_bytes, true},
        {"free on its disk", "free_bytes", (double)estimate->free_bytes, true},
        {"peak memory", "memory_bytes", (double)estimate->memory_bytes, true},
        {"threads", "threads", (double)estimate->threads, false},
        {"passes over the weights", "passes", (double)estimate->passes, false},
        {"weights read in all", "read_bytes", (double)estimate->read_bytes, true},
        {"arithmetic operations", "operations", round(estimate->operations), false},
        {"seconds, about", "seconds", ceil(merge_expected_seconds(estimate)), false}};
    needs_print(options, needs, sizeof needs / sizeof *needs);
}

struct merging {
    const struct session *session;
    const struct options *options;
    struct merge_result result;
};

static bool write_merged(void *context, struct progress *progress, struct error *error) {
    struct merging *merging = context;
    const struct session *session = merging->session;
    const struct merge_output output = {.path = merging->options->output,
                                        .overwrite = merging->options->force,
                                        .lasting = true,
                                        .resume = merging->options->resume};
    return merge_write_to(session->plan, session->analysis, session->pool, &output, progress,
                          &merging->result, error);
}

/* The evaluation of what was written, where one is asked for; a job with progress. */
struct evaluating {
    const struct config_eval *eval;
    const char *output;
    struct evaluation evaluation;
};

static bool evaluate(void *context, struct progress *progress, struct error *error) {
    struct evaluating *evaluating = context;
    const struct config_eval *eval = evaluating->eval;
    return evaluation_run(eval->command, evaluating->output, eval->timeout, &progress->cancel,
                          &evaluating->evaluation, error);
}

static void print_metrics(const struct metrics *metrics) {
    for (size_t i = 0; i < metrics->count; i++) {
        char *quoted = error_quote(metrics->items[i].name, strlen(metrics->items[i].name));
        printf("%s %.6g\n", quoted, metrics->items[i].value);
        free(quoted);
    }
}

static void print_result(const struct session *session, const struct options *options,
                         const struct merge_result *result, const struct metrics *metrics) {
    char size[32];
    struct string_list notes = merge_notes(session->plan, options->output);
    if (options->json) {
        char *text =
            report_merge_json(options->output, result, &notes, &session->table->warnings, metrics);
        fputs(text, stdout);
        free(text);
    } else if (!options->quiet) {
        char *quoted = error_quote(options->output, strlen(options->output));
        printf("%s: %zu tensors, %s in %.1f s\nsha256 %s\n", quoted, result->tensors,
               bytes_text((double)result->bytes, size), result->seconds, result->sha256);
        if (result->kept > 0)
            printf("note: %zu of the tensors were there from the interrupted merge\n",
                   result->kept);
        for (size_t i = 0; i < notes.count; i++)
            printf("note: %s\n", notes.items[i]);
        if (metrics != NULL)
            print_metrics(metrics);
        free(quoted);
    }
    string_list_free(&notes);
    if (!options->quiet)
        session_warn(session);
}

/* The merge is done and said, whatever becomes of the evaluation. */
static bool evaluate_and_print(struct session *session, const struct options *options,
                               const struct merge_result *result, struct error *error) {
    struct evaluating evaluating = {.eval = &session->config.eval, .output = options->output};
    const struct progress_job job = {evaluate, &evaluating, "evaluating", UNIT_ITEMS};
    bool asked = evaluating.eval->command != NULL && ranks_own() == 0;
    bool good = !asked || progress_run(&session->line, &job, error);
    print_result(session, options, result, asked && good ? &evaluating.evaluation.metrics : NULL);
    evaluation_free(&evaluating.evaluation);
    return good;
}

static bool check_output(const struct session *session, const struct options *options,
                         struct error *error) {
    return merge_check_output(session->plan, options->output, error) &&
           writer_check(options->output, options->force, error);
}

static bool merge(struct session *session, const struct options *options, struct error *error) {
    struct merging merging = {.session = session, .options = options};
    const struct progress_job job = {write_merged, &merging, "merging", UNIT_BYTES};
    struct merge_estimate estimate;
    if (!session_open(session, options, error) ||
        !ranks_agree(check_output(session, options, error), error) ||
        !ranks_agree(estimate_merge(session, options, &estimate, error), error))
        return false;
    if (options->dry_run)
        print_estimate(options, &estimate);
    if (!ranks_agree(check_space(options, &estimate, error), error) || options->dry_run)
        return error->kind == ERROR_NONE;
    if (!ranks_agree(merge_share_out(session->plan, options->output, session->table, error), error))
        return false;
    struct vector_wish wish = merge_wish(session->plan, estimate.vector_bytes);
    wish.late = estimate.late;
    session_start(session, estimate.threads);
    analysis_wish(session->analysis, &wish);
    if (!session_analyze(session, merge_needs_spectra(session->plan), error) ||
        !progress_run(&session->line, &job, error))
        return false;
    return evaluate_and_print(session, options, &merging.result, error);
}

int command_merge(const struct options *options) {
    struct session session = {0};
    struct error error = {0};
    bool good = (options->adapters ? write_adapters : merge)(&session, options, &error);
    int code = good ? EXIT_DONE : complain(&error);
    session_close(&session);
    return code;
}
