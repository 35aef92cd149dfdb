/* What an analysis found: tables, or JSON. */
#include "analysis/layer_owners.h"
#include "analysis/support/atomic_file.h"
#include "analysis/support/ranks.h"
#include "merge/report.h"
#include "tui/command/analysis_tables.h"
#include "tui/command/command.h"
#include "tui/command/complain.h"
#include "tui/command/needs.h"
#include "tui/command/session.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The tables as text; free() it. */
static char *tables_text(const struct session *session, struct text_style style) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (stream != NULL)
        analysis_tables_print(session, style, stream);
    if (stream == NULL || fclose(stream) != 0)
        memory_exhausted(size);
    return text;
}

/* That the first rank can write the output, before the work. */
static bool check_output(const struct options *options, struct error *error) {
    bool good = options->output == NULL || ranks_own() > 0 ||
                atomic_file_check(options->output, options->force, error);
    return ranks_agree(good, error);
}

/* Into the file, or to standard output; the first rank does it. */
static bool put(const char *text, const struct options *options, struct error *error) {
    if (ranks_own() > 0)
        return true;
    if (options->output != NULL)
        return atomic_file_write(options->output, text, strlen(text), options->force, error);
    fputs(text, stdout);
    return true;
}

static void print_needs(const struct options *options, const struct analysis_needs *needs) {
    double seconds = work_seconds(needs->read_bytes, needs->operations, needs->threads);
    const struct need rows[] = {
        {"peak memory", "memory_bytes", (double)needs->memory_bytes, true},
        {"threads", "threads", (double)needs->threads, false},
        {"passes over the weights", "passes", (double)needs->passes, false},
        {"weights read in all", "read_bytes", (double)needs->read_bytes, true},
        {"arithmetic operations", "operations", round(needs->operations), false},
        {"seconds, about", "seconds", ceil(seconds), false}};
    needs_print(options, rows, sizeof rows / sizeof *rows);
}

static bool analyze(struct session *session, const struct options *options, struct error *error) {
    struct text_style style = text_style_choose(options);
    struct analysis_needs needs;
    if (!session_open(session, options, error) || !session_needs(session, options, &needs, error))
        return false;
    if (options->dry_run) {
        print_needs(options, &needs);
        return true;
    }
    if (!check_output(options, error))
        return false;
    layer_owners_share(session->table, NULL, 0);
    session_start(session, needs.threads);
    if (!session_analyze(session, true, error))
        return false;
    if (options->output != NULL)
        style = (struct text_style){0};
    char *text = options->json ? report_json(session->plan, session->analysis, session->preview,
                                             options->spectra)
                               : tables_text(session, style);
    bool good = put(text, options, error);
    free(text);
    if (good && !options->json && !options->quiet)
        session_warn(session);
    return good;
}

int command_analyze(const struct options *options) {
    struct session session = {0};
    struct error error = {0};
    int code = analyze(&session, options, &error) ? EXIT_DONE : complain(&error);
    session_close(&session);
    return code;
}
