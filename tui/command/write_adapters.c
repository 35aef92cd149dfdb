#include "tui/command/write_adapters.h"

#include "analysis/support/ranks.h"
#include "merge/adapters/adapter_export.h"
#include "merge/config/document.h"
#include "tui/command/complain.h"
#include "tui/command/needs.h"
#include "tui/terminal/surface.h"

#include <stdlib.h>
#include <string.h>

struct writing {
    const struct session *session;
    const struct options *options;
    struct adapter_result results[SPECIALIST_LIMIT];
};

static bool write_all(void *context, struct progress *progress, struct error *error) {
    struct writing *writing = context;
    const struct session *session = writing->session;
    return adapters_write(session->plan, session->analysis, session->pool, writing->options->output,
                          writing->options->force, progress, writing->results, error);
}

static void print_text(const struct writing *writing) {
    const struct tensor_table *table = writing->session->table;
    for (size_t i = 0; i < table->specialist_count; i++) {
        const struct adapter_result *one = &writing->results[i];
        char size[32];
        if (one->modules > 0)
            printf("%s: adapter of %zu modules, rank %zu, %s\n", table->specialists[i].name,
                   one->modules, one->rank, bytes_text((double)one->bytes, size));
    }
}

static void print_json(const struct writing *writing) {
    const struct tensor_table *table = writing->session->table;
    const char *output = writing->options->output;
    char *quoted = error_quote(output, strlen(output));
    struct document json;
    document_begin(&json);
    document_open(&json, NULL, '{', DOCUMENT_LINES);
    document_string(&json, "output", quoted);
    document_open(&json, "adapters", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < table->specialist_count; i++) {
        const struct adapter_result *one = &writing->results[i];
        document_open(&json, NULL, '{', DOCUMENT_ROW);
        document_string(&json, "name", table->specialists[i].name);
        document_number(&json, "modules", (double)one->modules);
        document_number(&json, "rank", (double)one->rank);
        document_number(&json, "bytes", (double)one->bytes);
        document_number(&json, "left_out", (double)one->left_out);
        document_number(&json, "left_out_share", one->left_out_share);
        document_close(&json);
    }
    document_close(&json);
    document_close(&json);
    char *text = document_end(&json);
    fputs(text, stdout);
    free(text);
    free(quoted);
}

static void print_result(const struct writing *writing) {
    struct string_list notes = {0};
    if (writing->options->json)
        print_json(writing);
    else if (!writing->options->quiet)
        print_text(writing);
    if (!writing->options->quiet) {
        adapters_notes(writing->session->plan, writing->results, &notes);
        complain_warnings(&notes);
        session_warn(writing->session);
    }
    string_list_free(&notes);
}

/* Only what merges knows. (An eval.command in a config is there for other days.) */
static bool check_options(const struct options *options, struct error *error) {
    bool evaluates = false;
    for (size_t i = 0; i < options->set.count; i++)
        evaluates |= strncmp(options->set.items[i], "eval.", strlen("eval.")) == 0;
    if (options->dry_run || options->resume || evaluates)
        return error_set(error, ERROR_USAGE,
                         "--adapters takes neither --dry-run nor --resume nor --eval");
    return true;
}

bool write_adapters(struct session *session, const struct options *options, struct error *error) {
    struct writing writing = {.session = session, .options = options};
    const struct progress_job job = {write_all, &writing, "adapters", UNIT_BYTES};
    struct analysis_needs needs;
    if (!check_options(options, error) || !session_open(session, options, error) ||
        !ranks_agree(adapters_check(session->plan, options->output, options->force, error),
                     error) ||
        !session_needs(session, options, &needs, error))
        return false;
    const uint64_t room = needs_limits(options).memory - needs.memory_bytes;
    const struct vector_wish wish = merge_wish(session->plan, room / 2);
    session_start(session, needs.threads);
    analysis_wish(session->analysis, &wish);
    if (!session_analyze(session, merge_needs_spectra(session->plan), error))
        return false;
    bool first = ranks_own() == 0; /* the first rank writes */
    if (!ranks_agree(!first || progress_run(&session->line, &job, error), error))
        return false;
    if (first)
        print_result(&writing);
    return true;
}
