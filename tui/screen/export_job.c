#include "tui/screen/export_job.h"

#include "merge/adapters/adapter_export.h"
#include "render/figures/figures.h"
#include "render/report/report.h"
#include "tui/screen/app.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { METRICS_ROOM = 200 }; /* characters of metrics in a sentence */

/* Keeps a sentence for the Export view and says it. */
static void keep_result(struct app *app, bool good, const char *text) {
    struct export_result *result = &app->job.results[app->job.kind];
    free(result->text);
    result->good = good;
    result->text = memory_string(text);
    result->sha256[0] = '\0';
}

/* The thread's work; it reads the analysis, which stands still while a job runs. */
static bool write_figures(struct app *app) {
    struct export_job *job = &app->job;
    struct preview *preview = preview_create(app->table);
    preview_compute(preview, job->plan, app->analysis);
    char *config = config_text(&job->plan->config, NULL);
    struct figure_source source = {app->analysis, preview, job->plan};
    struct figure_files files = {.folder = job->path,
                                 .image = image_options_default(),
                                 .config = config,
                                 .overwrite = job->overwrite};
    bool good = figures_write(&source, &files, &job->progress, &job->files, &job->error);
    free(config);
    preview_free(preview);
    return good;
}

static bool write_report(struct app *app) {
    struct export_job *job = &app->job;
    struct preview *preview = preview_create(app->table);
    struct input_files files = {0};
    preview_compute(preview, job->plan, app->analysis);
    const struct report_source source = {job->plan, app->analysis, preview, &files};
    bool good = report_check_folder(job->path, job->overwrite, &job->error) &&
                input_files_read(app->table, app->pool, &files, &job->progress, &job->error) &&
                report_write(&source, job->path, job->overwrite, &job->progress, &job->error);
    input_files_free(&files);
    preview_free(preview);
    return good;
}

/* Within the memory: fewer workers at a time where a tensor to write takes more than a spectrum. */
static bool merge(struct app *app, const struct plan *plan) {
    struct export_job *job = &app->job;
    struct merge_estimate estimate;
    if (!merge_estimate(plan, &app->options->limits, job->path, &estimate, &job->error))
        return false;
    pool_limit(app->pool, estimate.threads);
    bool good = merge_write(plan, app->analysis, app->pool, job->path, job->overwrite,
                            &job->progress, &job->merge, &job->error);
    pool_limit(app->pool, 0);
    return good;
}

static bool write_merged(struct app *app) {
    return merge(app, app->job.plan);
}

static bool write_adapters(struct app *app) {
    struct export_job *job = &app->job;
    struct adapter_result results[SPECIALIST_LIMIT];
    bool good = adapters_write(job->plan, app->analysis, app->pool, job->path, job->overwrite,
                               &job->progress, results, &job->error);
    job->files = 0;
    for (size_t i = 0; good && i < app->table->specialist_count; i++)
        job->files += results[i].modules > 0;
    return good;
}

/* The merged file is there for the command only. */
static bool evaluate(struct app *app) {
    struct export_job *job = &app->job;
    const struct config_eval *eval = &job->plan->config.eval;
    struct plan *single = NULL;
    bool good = plan_create_single(&job->plan->config, job->plan->table, &single, &job->error) &&
                merge(app, single);
    plan_free(single);
    if (!good)
        return false;
    good = evaluation_run(eval->command, job->path, eval->timeout, &job->progress.cancel,
                          &job->evaluation, &job->error);
    unlink(job->path);
    return good;
}

const struct export_what *export_what(enum export_kind kind) {
    static const struct export_what kinds[EXPORT_KINDS] = {
        [EXPORT_CONFIG] =
            {"config", NULL, "FILE.json",
             "The plan: base, specialists, every hyperparameter and override. r2m and "
             "r2m merge read it; the merged bytes follow from it.",
             NULL},
        [EXPORT_MERGED] = {"merged checkpoint", "-merged.safetensors",
                           "FILE.safetensors, FILE.pth, FILE.pt, or a folder (shards)",
                           "The merged weights. Written under another name, read back, compared, "
                           "and only then given this name.",
                           write_merged},
        [EXPORT_ADAPTERS] = {"adapters", "-adapters", "a folder",
                             "Each truncated residual as a LoRA adapter that PEFT loads, in a "
                             "folder of the specialist's name. The core with alpha 0 and all of "
                             "them together are the merge.",
                             write_adapters},
        [EXPORT_FIGURES] = {"figures", "-figures", "a folder",
                            "Spectra with their cuts, Real and Fake energy, contributions.",
                            write_figures},
        [EXPORT_REPORT] = {"report", "-report", "a folder",
                           "A page to read and pass on: figures, tables, what deserves a look, "
                           "inputs with their hashes; beside it every number as JSON and CSV.",
                           write_report},
        [EXPORT_EVALUATION] = {"evaluation", "-evaluated.safetensors",
                               "FILE.safetensors or FILE.pth, which is removed afterwards",
                               "Measures the plan: merges it to a temporary file, runs "
                               "eval.command of the config on it, and shows the metrics here and "
                               "in the History view (6).",
                               evaluate},
    };
    return &kinds[kind];
}

static void *run(void *context) {
    struct app *app = context;
    struct export_job *job = &app->job;
    if (!export_what(job->kind)->write(app) && job->error.kind == ERROR_NONE)
        error_set(&job->error, ERROR_INPUT, "%s: failed", job->path);
    atomic_store(&job->finished, true);
    app_wake(app);
    return NULL;
}

static void forget_job(struct export_job *job) {
    plan_free(job->plan);
    free(job->path);
    error_free(&job->error);
    evaluation_free(&job->evaluation);
    job->plan = NULL;
    job->path = NULL;
    job->state = EXPORT_NONE;
}

static void begin(struct app *app) {
    struct export_job *job = &app->job;
    job->state = EXPORT_RUNNING;
    job->started = app->now;
    atomic_store(&job->finished, false);
    job->progress = (struct progress){0};
    if (!thread_start(&job->thread, run, app)) {
        app_say(app, STATUS_ERROR, "%s: no thread can be started", job->path);
        forget_job(job);
    }
}

static unsigned write_config(struct app *app, const char *path, bool overwrite) {
    struct error error = {0};
    struct export_job *job = &app->job;
    job->kind = EXPORT_CONFIG;
    if (!config_write(&app->plan->config, path, overwrite, &error)) {
        keep_result(app, false, error.message);
        status_fail(&app->status, app->now, &error);
        return DIRTY_SCREEN;
    }
    char *name = memory_string(path);
    free(app->config_path);
    app->config_path = name;
    app->config_known = true;
    plan_mark_saved(app->plan);
    keep_result(app, true, "written");
    app_say(app, STATUS_INFO, "%s written", app->config_path);
    return DIRTY_SCREEN;
}

unsigned export_start(struct app *app, enum export_kind kind, const char *path, bool overwrite) {
    struct export_job *job = &app->job;
    struct error error = {0};
    if (job->state != EXPORT_NONE) {
        app_say(app, STATUS_WARNING, "an export is running; C-c stops it");
        return DIRTY_SCREEN;
    }
    if (kind == EXPORT_CONFIG)
        return write_config(app, path, overwrite);
    if (kind == EXPORT_EVALUATION && app->plan->config.eval.command == NULL) {
        app_say(app, STATUS_WARNING, "no command to evaluate: :set eval.command=CMD {}");
        return DIRTY_SCREEN;
    }
    if (!plan_create(&app->plan->config, app->table, &job->plan, &error)) {
        status_fail(&app->status, app->now, &error);
        return DIRTY_SCREEN;
    }
    job->kind = kind;
    job->ticket = plan_ticket(app->plan);
    job->path = memory_string(path);
    job->overwrite = overwrite;
    job->state = EXPORT_WAITING;
    if (app->analysis->stage != ANALYSIS_DONE)
        app_say(app, STATUS_INFO, "%s: will be written when the analysis has ended", path);
    export_advance(app);
    return DIRTY_SCREEN;
}

/* What a question needs to know about an existing output. */
static bool existing_text(const char *path, char *text, size_t size) {
    struct stat about;
    size_t files = 0;
    if (stat(path, &about) != 0)
        return false;
    if (!S_ISDIR(about.st_mode)) {
        char bytes[32];
        snprintf(text, size, "%s", bytes_text((double)about.st_size, bytes));
        return true;
    }
    DIR *folder = opendir(path);
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;)
        files += entry->d_name[0] != '.';
    if (folder != NULL)
        closedir(folder);
    snprintf(text, size, "a folder with %zu files", files);
    return files > 0;
}

static unsigned overwrite(struct app *app) {
    return export_start(app, app->job.asked_kind, app->job.asked_path, true);
}

unsigned export_ask(struct app *app, enum export_kind kind, const char *path) {
    char text[64];
    bool own = kind == EXPORT_CONFIG && app->config_known && strcmp(path, app->config_path) == 0;
    if (own || app->options->force || !existing_text(path, text, sizeof text))
        return export_start(app, kind, path, own || app->options->force);
    app->job.asked_kind = kind;
    free(app->job.asked_path);
    app->job.asked_path = memory_string(path);
    char *quoted = error_quote(path, strlen(path));
    question_open(&app->question, overwrite, "Overwrite %s (%s)? y/N", quoted, text);
    free(quoted);
    return DIRTY_SCREEN;
}

/* "auc 0.93, eer 0.1", as much as there is room for. */
static char *metrics_text(const struct metrics *metrics) {
    char *text = memory_string("");
    for (size_t i = 0; i < metrics->count && strlen(text) < METRICS_ROOM; i++) {
        char *name = error_quote(metrics->items[i].name, strlen(metrics->items[i].name));
        char *longer =
            memory_format("%s%s%s %.4g", text, i > 0 ? ", " : "", name, metrics->items[i].value);
        free(name);
        free(text);
        text = longer;
    }
    return text;
}

/* "204 MB, 162 tensors in 1.3 s, read back and verified" */
static void tell_success(struct app *app) {
    struct export_job *job = &app->job;
    char bytes[32], *text = NULL;
    if (job->kind == EXPORT_MERGED)
        text = memory_format("%s, %zu tensors, read back and verified",
                             bytes_text((double)job->merge.bytes, bytes), job->merge.tensors);
    else if (job->kind == EXPORT_ADAPTERS)
        text = memory_format("%zu adapters written", job->files);
    else if (job->kind == EXPORT_FIGURES)
        text = memory_format("%zu figures written", job->files);
    else if (job->kind == EXPORT_EVALUATION)
        text = metrics_text(&job->evaluation.metrics);
    else
        text = memory_string("report.html and report.md written");
    if (job->kind == EXPORT_EVALUATION)
        plan_note(app->plan, job->ticket, text);
    keep_result(app, true, text);
    if (job->kind == EXPORT_MERGED)
        snprintf(job->results[job->kind].sha256, SHA256_TEXT, "%s", job->merge.sha256);
    double seconds = app->now - job->started;
    if (seconds >= 1)
        app_say(app, STATUS_INFO, "%s: %s, done in %.0f s", job->path, text, seconds);
    else
        app_say(app, STATUS_INFO, "%s: %s", job->path, text);
    free(text);
}

/* What an evaluation found, or why it found nothing; one that was stopped says neither. */
static void keep_measured(struct app *app) {
    const struct export_job *job = &app->job;
    if (job->kind != EXPORT_EVALUATION || job->error.kind == ERROR_CANCELLED)
        return;
    view_history_add(app, job, job->error.kind != ERROR_NONE ? job->error.message : NULL);
}

bool export_advance(struct app *app) {
    struct export_job *job = &app->job;
    enum analysis_stage stage = app->analysis->stage;
    if (job->state == EXPORT_WAITING && stage == ANALYSIS_DONE) {
        begin(app);
        return true;
    }
    if (job->state == EXPORT_WAITING && stage == ANALYSIS_FAILED) {
        app_say(app, STATUS_ERROR, "nothing is written: the analysis failed (:messages)");
        forget_job(job);
        return true;
    }
    if (job->state != EXPORT_RUNNING || !atomic_load(&job->finished))
        return false;
    pthread_join(job->thread, NULL);
    keep_measured(app);
    if (job->error.kind == ERROR_NONE) {
        tell_success(app);
    } else {
        keep_result(app, false, job->error.message);
        status_fail(&app->status, app->now, &job->error);
    }
    forget_job(job);
    return true;
}

bool export_cancel(struct app *app) {
    struct export_job *job = &app->job;
    if (job->state == EXPORT_WAITING) {
        app_say(app, STATUS_INFO, "%s: no longer waiting", job->path);
        forget_job(job);
        return true;
    }
    if (job->state == EXPORT_NONE)
        return false;
    atomic_store(&job->progress.cancel, true);
    app_say(app, STATUS_INFO, "stopping ...");
    return true;
}

void export_free(struct app *app) {
    struct export_job *job = &app->job;
    if (job->state == EXPORT_RUNNING) {
        atomic_store(&job->progress.cancel, true);
        pthread_join(job->thread, NULL);
    }
    forget_job(job);
    free(job->asked_path);
    for (int kind = 0; kind < EXPORT_KINDS; kind++)
        free(job->results[kind].text);
}
