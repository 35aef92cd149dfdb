/* Plans that differ in some settings, each evaluated: the best of them. */
#include "merge/evaluation/evaluation.h"
#include "render/chart.h"
#include "tui/command/command.h"
#include "tui/command/complain.h"
#include "tui/command/needs.h"
#include "tui/command/session.h"
#include "tui/command/sweep_output.h"
#include "tui/command/sweep_request.h"
#include "tui/terminal/surface.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENDING ".safetensors" /* of the merged files */

struct sweeping {
    const struct options *options;
    struct session session;
    struct sweep_request request;
    struct sweep_records records;
    char *folder; /* of the merged files; NULL until it is there */
    struct work_limits limits;
    pthread_mutex_t mutex; /* of note */
    char note[PROGRESS_NOTE];
};

/* ---- the folders ---- */

static bool make_folder(const char *path, struct error *error) {
    struct stat status;
    if (mkdir(path, 0777) == 0 ||
        (errno == EEXIST && stat(path, &status) == 0 && S_ISDIR(status.st_mode)))
        return true;
    char *quoted = error_quote(path, strlen(path));
    error_set(error, ERROR_INPUT, "%s: the folder cannot be made: %s", quoted, strerror(errno));
    free(quoted);
    return false;
}

/* What a killed sweep left there. Its lock on the records is ours now. */
static void empty_folder(const char *path) {
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        if (strncmp(entry->d_name, "point-", 6) == 0)
            unlinkat(dirfd(folder), entry->d_name, 0);
    if (folder != NULL)
        closedir(folder);
}

/* A folder for the merged files whose name follows from that of the results. */
static bool make_temporary(struct sweeping *sweeping, struct error *error) {
    const struct options *options = sweeping->options;
    char *output = realpath(options->output, NULL), sha256[SHA256_TEXT];
    const char *name = output != NULL ? output : options->output;
    digest_memory(name, strlen(name), sha256);
    char *path = memory_format("%s/r2m-sweep-%.8s",
                               options->temp != NULL ? options->temp : options->output, sha256);
    free(output);
    bool good = make_folder(path, error);
    if (good)
        empty_folder(path);
    sweeping->folder = good ? path : NULL;
    if (!good)
        free(path);
    return good;
}

/* Where plans are merged: memory, and room on the disk for as many files as there are at a time. */
static bool check_room(struct sweeping *sweeping, struct error *error) {
    const struct options *options = sweeping->options;
    struct merge_estimate estimate;
    struct plan *plan = NULL;
    if (sweeping->session.config.eval.command == NULL)
        return true;
    char needed[32], left[32];
    char *path = memory_format("%s/point-1" ENDING, sweeping->folder);
    const struct session *session = &sweeping->session;
    bool good = plan_create_single(&session->config, session->table, &plan, error) &&
                (merge_estimate(plan, &sweeping->limits, path, &estimate, error) ||
                 needs_refuse(options, error));
    double bytes = good ? (double)estimate.output_bytes * sweeping->request.jobs : 0;
    if (good && estimate.free_bytes > 0 && (double)estimate.free_bytes < bytes) {
        good = error_set(error, ERROR_INPUT,
                         "%s: the merged files need %s of disk space, %s are "
                         "free",
                         sweeping->folder, bytes_text(bytes, needed),
                         bytes_text((double)estimate.free_bytes, left));
        error_hint(error, "--temp DIR takes another disk");
    }
    plan_free(plan);
    free(path);
    return good;
}

/* ---- the run ---- */

/* For the line of progress. */
static void note_best(struct sweeping *sweeping, const struct sweep_records *records) {
    const struct sweep_goal *goal = &sweeping->request.goal;
    const struct sweep_record *best = sweep_best(records, goal);
    char number[32];
    if (best == NULL)
        return;
    char *settings = sweep_settings_text(&best->settings);
    char *quoted = error_quote(settings, strlen(settings));
    chart_number(sweep_record_value(best, goal->metric), 4, number, sizeof number);
    pthread_mutex_lock(&sweeping->mutex);
    snprintf(sweeping->note, sizeof sweeping->note, "best %s: %s", number, quoted);
    pthread_mutex_unlock(&sweeping->mutex);
    free(quoted);
    free(settings);
}

/* One thread at a time. A metric that the first point lacks is a typing mistake: no other point is
 * worth its time. */
static bool recorded(void *context, const struct sweep_records *records, struct error *error) {
    struct sweeping *sweeping = context;
    struct sweep_goal *goal = &sweeping->request.goal;
    if (!sweep_goal_check(goal, records, error))
        return false;
    if (sweep_goal_choose(goal, records))
        note_best(sweeping, records);
    return true;
}

static void show_note(void *context, char text[PROGRESS_NOTE]) {
    struct sweeping *sweeping = context;
    pthread_mutex_lock(&sweeping->mutex);
    memcpy(text, sweeping->note, PROGRESS_NOTE);
    pthread_mutex_unlock(&sweeping->mutex);
}

static bool evaluate(void *context, const char *checkpoint, const _Atomic bool *cancel,
                     struct sweep_record *record, struct error *error) {
    const struct sweeping *sweeping = context;
    const struct config_eval *eval = &sweeping->session.config.eval;
    struct evaluation evaluation = {0};
    bool good =
        evaluation_run(eval->command, checkpoint, eval->timeout, cancel, &evaluation, error);
    for (size_t i = 0; i < evaluation.metrics.count; i++)
        metrics_set(&record->metrics, evaluation.metrics.items[i].name,
                    evaluation.metrics.items[i].value);
    if (!good)
        record->output = memory_string(evaluation.output);
    evaluation_free(&evaluation);
    return good;
}

static struct sweep sweep_of(struct sweeping *sweeping, struct progress *progress) {
    const struct session *session = &sweeping->session;
    return (struct sweep){
        .plan = session->plan,
        .trials = {.table = session->table,
                   .analysis = session->analysis,
                   .pool = session->pool,
                   .records = &sweeping->records,
                   .evaluate = sweeping->session.config.eval.command != NULL ? evaluate : NULL,
                   .recorded = recorded,
                   .context = sweeping,
                   .limits = sweeping->limits,
                   .jobs = sweeping->request.jobs,
                   .folder = sweeping->folder,
                   .ending = ENDING,
                   .progress = progress},
        .goal = &sweeping->request.goal,
        .retry = sweeping->options->retry};
}

static bool run(void *context, struct progress *progress, struct error *error) {
    struct sweeping *sweeping = context;
    const struct sweep_request *request = &sweeping->request;
    const struct sweep sweep = sweep_of(sweeping, progress);
    if (request->greedy.budget > 0)
        return sweep_greedy(&sweep, sweeping->session.preview, &request->greedy, error);
    return sweep_run(&sweep, &request->vary, &request->points, error);
}

/* What all points have in common: config, inputs, the evaluation's command; but not how long it may
 * take, nor what of it is looked at. */
static bool make_key(const struct sweeping *sweeping, char key[SHA256_TEXT], struct error *error) {
    struct config config;
    struct plan *plan = NULL;
    config_copy(&config, &sweeping->session.config);
    free(config.eval.metric);
    config.eval.metric = NULL;
    config.eval.timeout = 0;
    bool good = plan_create(&config, sweeping->session.table, &plan, error);
    if (good)
        merge_digest(plan, key);
    plan_free(plan);
    config_free(&config);
    return good;
}

static bool open_records(struct sweeping *sweeping, struct error *error) {
    const struct options *options = sweeping->options;
    char key[SHA256_TEXT];
    char *path = sweep_path(options, "sweep.jsonl");
    bool good = make_key(sweeping, key, error) && make_folder(options->output, error) &&
                sweep_records_open(path, key, options->force, &sweeping->records, error);
    free(path);
    if (good && !options->quiet && sweeping->records.was_torn)
        fputs("r2m: the last line of sweep.jsonl was half written; its point is tried again\n",
              stderr);
    size_t count = sweeping->records.count;
    if (good && !options->quiet && count > 0)
        fprintf(stderr, "r2m: %zu %s recorded already\n", count,
                count == 1 ? "point is" : "points are");
    return good;
}

/* Files and words about what is recorded, also after an interruption. */
static bool conclude(struct sweeping *sweeping, struct error *error) {
    struct sweep_goal *goal = &sweeping->request.goal;
    bool measured = sweep_goal_choose(goal, &sweeping->records);
    const struct sweep_report report = {.options = sweeping->options,
                                        .plan = sweeping->session.plan,
                                        .preview = sweeping->session.preview,
                                        .records = &sweeping->records,
                                        .goal = goal,
                                        .keeps_best =
                                            sweeping->session.config.eval.command != NULL ||
                                            sweeping->session.config.eval.metric != NULL};
    if (!sweep_write(&report, error))
        return false;
    sweep_print(&report);
    if (measured && sweep_best(&sweeping->records, goal) != NULL)
        return true;
    return sweep_goal_check(goal, &sweeping->records, error) &&
           error_set(error, ERROR_INPUT, "no point has a metric");
}

static bool sweep(struct sweeping *sweeping, struct error *error) {
    struct session *session = &sweeping->session;
    const struct options *options = sweeping->options;
    const struct progress_job job = {run, sweeping, "sweep", UNIT_ITEMS};
    struct analysis_needs needs;
    struct error failure = {0};
    if (!session_open(session, options, error) ||
        !sweep_request_read(options, session->plan, &sweeping->request, error) ||
        !session_needs(session, options, &needs, error) || !open_records(sweeping, error) ||
        !make_temporary(sweeping, error) || !check_room(sweeping, error))
        return false;
    sweep_forget_best(options);
    session_start(session, needs.threads);
    bool good = sweep_goal_check(&sweeping->request.goal, &sweeping->records, error) &&
                session_analyze(session, sweeping->request.greedy.budget > 0, error) &&
                progress_run_noted(&session->line, &job, show_note, error);
    if (!conclude(sweeping, &failure) && good)
        good = error_move(error, &failure);
    error_free(&failure);
    return good;
}

int command_sweep(const struct options *options) {
    struct sweeping sweeping = {.options = options, .records = {.descriptor = -1}};
    struct error error = {0};
    sweeping.limits = needs_limits(options);
    pthread_mutex_init(&sweeping.mutex, NULL);
    int code = sweep(&sweeping, &error) ? EXIT_DONE : complain(&error);
    if (sweeping.folder != NULL)
        rmdir(sweeping.folder);
    free(sweeping.folder);
    sweep_records_close(&sweeping.records);
    sweep_request_free(&sweeping.request);
    session_close(&sweeping.session);
    pthread_mutex_destroy(&sweeping.mutex);
    return code;
}
