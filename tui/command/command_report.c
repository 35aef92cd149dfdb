/* The analysis as a report in a folder. */
#include "render/report/report.h"
#include "tui/command/command.h"
#include "tui/command/complain.h"
#include "tui/command/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reporting {
    const struct session *session;
    const struct options *options;
    struct input_files files;
};

static bool hash_inputs(void *context, struct progress *progress, struct error *error) {
    struct reporting *reporting = context;
    const struct session *session = reporting->session;
    return input_files_read(session->table, session->pool, &reporting->files, progress, error);
}

static bool write_report(void *context, struct progress *progress, struct error *error) {
    const struct reporting *reporting = context;
    const struct session *session = reporting->session;
    const struct report_source source = {session->plan, session->analysis, session->preview,
                                         &reporting->files};
    return report_write(&source, reporting->options->output, reporting->options->force, progress,
                        error);
}

static bool report(struct session *session, const struct options *options, struct error *error) {
    struct reporting reporting = {.session = session, .options = options};
    const struct progress_job hash = {hash_inputs, &reporting, "hashing inputs", UNIT_BYTES};
    const struct progress_job write = {write_report, &reporting, "figures", UNIT_ITEMS};
    struct analysis_needs needs;
    if (!session_open(session, options, error) ||
        !report_check_folder(options->output, options->force, error) ||
        !session_needs(session, options, &needs, error))
        return false;
    session_start(session, needs.threads);
    bool good = session_analyze(session, true, error) &&
                progress_run(&session->line, &hash, error) &&
                progress_run(&session->line, &write, error);
    if (good && !options->quiet) {
        session_warn(session);
        char *quoted = error_quote(options->output, strlen(options->output));
        printf("%s/report.html\n%s/report.md\n", quoted, quoted);
        free(quoted);
    }
    input_files_free(&reporting.files);
    return good;
}

int command_report(const struct options *options) {
    struct session session = {0};
    struct error error = {0};
    int code = report(&session, options, &error) ? EXIT_DONE : complain(&error);
    session_close(&session);
    return code;
}
