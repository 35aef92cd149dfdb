#include "tui/command/session.h"

#include "analysis/support/ranks.h"
#include "merge/exchange/authors.h"
#include "tui/command/cache_choice.h"
#include "tui/command/command.h"
#include "tui/command/complain.h"
#include "tui/command/interrupt.h"
#include "tui/command/needs.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --base beside a config in another program's format says which file its base is. */
static bool names_config(const struct options *options) {
    return options->operand_count == 1 && authors_recognise(options->operands[0], "");
}

/* The authors' YAML names its base as on a hub, where nothing is found by chance. */
static bool base_is_there(const char *path, const struct config *config, struct error *error) {
    if (!config->foreign || (config->base != NULL && access(config->base, F_OK) == 0))
        return true;
    error_set(error, ERROR_INPUT, "%s: model: %s%s", path,
              config->base != NULL ? config->base : "missing",
              config->base != NULL ? ": there is no such file or folder" : "");
    error_hint(error, "--base FILE says where the base is");
    return false;
}

/* Where our config would stand beside one of another program. */
static char *json_beside(const char *path) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    bool ends = dot != NULL && dot > (slash != NULL ? slash + 1 : path);
    return memory_format("%.*s.json", (int)(ends ? (size_t)(dot - path) : strlen(path)), path);
}

static bool read_source(struct session *session, const struct options *options,
                        struct error *error) {
    const char *const *operands = (const char *const *)options->operands;
    if (options->base != NULL && !names_config(options)) {
        config_init(&session->config);
        return config_set_files(&session->config, options->base, operands, options->operand_count,
                                error);
    }
    const char *path = options->operand_count > 0 ? operands[0] : COMMAND_DEFAULT_CONFIG;
    if (!config_read(path, &session->config, error))
        return false;
    session->config_path = path;
    if (session->config.foreign)
        session->config_path = session->beside = json_beside(path);
    if (options->base != NULL) {
        free(session->config.base);
        session->config.base = memory_string(options->base);
    }
    return base_is_there(path, &session->config, error);
}

/* All assignments; every problem is listed. */
static bool apply_settings(struct config *config, const struct options *options,
                           struct error *error) {
    for (size_t i = 0; i < options->set.count; i++) {
        struct error own = {0};
        if (!config_set(config, options->set.items[i], &own))
            error_add(error, own.kind, "%s", own.message);
        error_free(&own);
    }
    return error->kind == ERROR_NONE;
}

/* The option takes the place of what the config names. */
static bool take_state_dict(struct config *config, const struct options *options) {
    if (options->state_dict != NULL) {
        string_list_free(&config->keys.state_dict);
        string_list_add(&config->keys.state_dict, options->state_dict);
    }
    return true;
}

bool session_read(struct session *session, const struct options *options, struct error *error) {
    bool silent = options->quiet || ranks_own() > 0; /* the first rank speaks for all */
    *session = (struct session){.line = progress_line_begin(silent), .options = options};
    return read_source(session, options, error) && take_state_dict(&session->config, options) &&
           (options->preset == NULL || config_preset(&session->config, options->preset, error)) &&
           apply_settings(&session->config, options, error);
}

/* Together: whether all ranks see the same files. */
static bool is_same_everywhere(const struct session *session, struct error *error) {
    char own[SHA256_TEXT];
    double first[SHA256_TEXT];
    const size_t ends[] = {0, SHA256_TEXT}, owner = 0;
    bool same = true;
    merge_digest(session->plan, own);
    for (size_t i = 0; i < SHA256_TEXT; i++)
        first[i] = own[i];
    ranks_gather(first, ends, 1, &owner);
    for (size_t i = 0; i < SHA256_TEXT; i++)
        same = same && first[i] == own[i];
    if (!same)
        error_set(error, ERROR_INPUT,
                  "rank %zu has other inputs than the first rank; all need the same files",
                  ranks_own());
    return ranks_agree(same, error);
}

static bool open_own(struct session *session, const struct options *options, struct error *error) {
    return session_read(session, options, error) &&
           config_open_table(&session->config, &session->table, error) &&
           plan_create(&session->config, session->table, &session->plan, error) &&
           real_settings_check(&session->plan->effective.real, session->table, error);
}

bool session_open(struct session *session, const struct options *options, struct error *error) {
    return ranks_agree(open_own(session, options, error), error) &&
           (ranks_count() == 1 || is_same_everywhere(session, error));
}

bool session_needs(const struct session *session, const struct options *options,
                   struct analysis_needs *needs, struct error *error) {
    const struct work_limits limits = needs_limits(options);
    bool good =
        analysis_needs(session->table, &limits, needs, error) || needs_refuse(options, error);
    return ranks_agree(good, error);
}

void session_start(struct session *session, unsigned threads) {
    struct notifier nobody = {0};
    session->cache = cache_choose(session->options, &session->notes);
    session->pool = pool_create(threads);
    session->analysis = analysis_start(session->table, session->cache, session->pool,
                                       &session->plan->effective.real, nobody);
}

/* About ten times a second, on the main thread. */
static void tick(void *context, const struct analysis *analysis) {
    struct progress_line *line = context;
    bool reading = analysis->stage == ANALYSIS_GRAM;
    interrupt_check();
    if (analysis->stage <= ANALYSIS_SPECTRA)
        progress_line_show(line, reading ? "reading weights" : "spectra",
                           reading ? UNIT_BYTES : UNIT_OPERATIONS, &analysis->progress);
}

bool session_analyze(struct session *session, bool with_spectra, struct error *error) {
    struct analysis *analysis = session->analysis;
    interrupt_stops(&analysis->progress);
    bool good = with_spectra ? analysis_wait(analysis, tick, &session->line, error)
                             : analysis_wait_core(analysis, tick, &session->line, error);
    interrupt_stops(NULL);
    progress_line_end(&session->line);
    cache_flush(session->cache); /* a merge that follows may be killed */
    if (!good || !ranks_agree(tensor_table_unchanged(session->table, error), error))
        return false;
    session->preview = preview_create(session->table);
    preview_compute(session->preview, session->plan, analysis);
    return true;
}

void session_warn(const struct session *session) {
    complain_warnings(&session->table->warnings);
    if (session->preview != NULL)
        complain_warnings(&session->preview->warnings);
}

static void close_cache(struct session *session) {
    cache_flush(session->cache);
    cache_take_notes(session->cache, &session->notes);
    if (session->options != NULL && !session->options->quiet)
        complain_warnings(&session->notes);
    cache_close(session->cache);
    string_list_free(&session->notes);
}

void session_close(struct session *session) {
    preview_free(session->preview);
    analysis_free(session->analysis);
    pool_free(session->pool);
    close_cache(session);
    plan_free(session->plan);
    tensor_table_close(session->table);
    config_free(&session->config);
    free(session->beside);
}
