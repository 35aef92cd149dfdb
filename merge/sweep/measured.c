#include "merge/sweep/measured.h"

#include "analysis/support/atomic_file.h"
#include "merge/config/document.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

enum { FILE_LIMIT = 1 << 24 }; /* bytes */

/* ---- a line ---- */

static void digest_path(struct digest *digest, const char *path) {
    char *real = realpath(path, NULL);
    const char *text = real != NULL ? real : path;
    digest_add(digest, text, strlen(text) + 1);
    free(real);
}

static void digest_files(const struct config *config, char key[SHA256_TEXT]) {
    struct digest *digest = digest_begin();
    digest_path(digest, config->base);
    for (size_t i = 0; i < config->specialist_count; i++) {
        const struct config_specialist *one = &config->specialists[i];
        digest_add(digest, one->name, strlen(one->name) + 1);
        digest_path(digest, one->path);
    }
    digest_end(digest, key);
}

static void make_whole(char **path) {
    char *real = realpath(*path, NULL);
    if (real == NULL)
        return;
    free(*path);
    *path = real;
}

/* The config in a form that opens from everywhere. */
static char *whole_config(const struct config *config) {
    struct config copy;
    config_copy(&copy, config);
    make_whole(&copy.base);
    for (size_t i = 0; i < copy.specialist_count; i++)
        make_whole(&copy.specialists[i].path);
    char *text = config_text(&copy, NULL);
    config_free(&copy);
    return text;
}

static char *line_of(const struct measured_plan *plan, const char *files) {
    struct document json;
    document_begin(&json);
    document_open(&json, NULL, '{', DOCUMENT_ROW);
    document_number(&json, "r2m", 1);
    document_string(&json, "files", files);
    document_number(&json, "when", (double)plan->when);
    document_string(&json, "config", plan->config);
    sweep_result_write(&json, &plan->record);
    document_close(&json);
    char *text = document_end(&json);
    text[strcspn(text, "\n")] = '\0';
    return text;
}

static const char *text_member(const cJSON *object, const char *name) {
    return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

static double number_member(const cJSON *object, const char *name) {
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsNumber(member) ? member->valuedouble : 0;
}

/* The settings of a config that reads without fault. */
static bool take_config(const char *text, struct measured_plan *plan) {
    struct config config = {0};
    struct error error = {0};
    bool good = text != NULL && config_parse(text, "", NULL, &config, &error);
    if (good) {
        plan->config = memory_string(text);
        config_assignments(&config, &plan->record.settings);
        config_free(&config);
    }
    error_free(&error);
    return good;
}

static void plan_release(struct measured_plan *plan) {
    sweep_record_free(&plan->record);
    free(plan->config);
    free(plan->line);
}

static void append(struct measured_plans *plans, const struct measured_plan *plan) {
    plans->items = memory_resize(plans->items, plans->count + 1, sizeof *plans->items);
    plans->items[plans->count++] = *plan;
}

/* Appends what the line tells, if it is about these files; false for what is no line. */
static bool take_line(struct measured_plans *plans, const char *line, size_t length) {
    struct measured_plan plan = {0};
    cJSON *object = cJSON_ParseWithLength(line, length);
    const char *files = text_member(object, "files");
    bool good = files != NULL && number_member(object, "r2m") == 1;
    if (good && strcmp(files, plans->files) == 0) {
        good = take_config(text_member(object, "config"), &plan);
        if (good) {
            double when = number_member(object, "when");
            plan.when = when >= 0 && when < 1e15 ? (int64_t)when : 0;
            sweep_result_read(object, &plan.record);
            plan.line = memory_text(line, length);
            append(plans, &plan);
        }
    }
    cJSON_Delete(object);
    return good;
}

/* ---- the file ---- */

/* The whole file; "" where there is none, or it is too large to be one of ours. free() it. */
static char *read_text(const char *path) {
    FILE *file = path != NULL ? fopen(path, "r") : NULL;
    char *text = memory_array(1, 1);
    size_t length = 0, now = 1;
    while (file != NULL && now > 0 && length < FILE_LIMIT) {
        text = memory_resize(text, length + BUFSIZ + 1, 1);
        now = fread(text + length, 1, BUFSIZ, file);
        length += now;
    }
    if (file != NULL)
        fclose(file);
    text[length < FILE_LIMIT ? length : 0] = '\0';
    return text;
}

size_t measured_read(const char *path, const struct config *config, struct measured_plans *plans) {
    *plans = (struct measured_plans){.path = memory_string(path)};
    digest_files(config, plans->files);
    char *text = read_text(path);
    size_t ignored = 0;
    for (const char *at = text; *at != '\0';) {
        size_t length = strcspn(at, "\n");
        ignored += length > 0 && !take_line(plans, at, length);
        at += length + (at[length] == '\n');
    }
    free(text);
    return ignored;
}

void measured_free(struct measured_plans *plans) {
    for (size_t i = 0; i < plans->count; i++)
        plan_release(&plans->items[i]);
    free(plans->items);
    free(plans->path);
    *plans = (struct measured_plans){0};
}

static size_t count_lines(const char *text) {
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

/* The text without one line (NULL: none), with another (NULL: none) behind it, and without its
 * first lines where there are too many. */
static char *changed_text(const char *text, const char *without, const char *with) {
    size_t lines = count_lines(text) + (with != NULL), length, size;
    size_t room = FILE_LIMIT / 2, bytes = strlen(text) + (with != NULL ? strlen(with) + 1 : 0);
    char *result;
    FILE *stream = memory_stream(&result, &size);
    for (; *text != '\0'; text += length + (text[length] == '\n')) {
        length = strcspn(text, "\n");
        bool is_old = lines > MEASURED_LIMIT || bytes > room;
        bool is_out =
            without != NULL && strlen(without) == length && memcmp(without, text, length) == 0;
        if (!is_old && !is_out && length > 0)
            fprintf(stream, "%.*s\n", (int)length, text);
        lines -= is_old;
        bytes -= is_old ? length + 1 : 0;
    }
    if (with != NULL)
        fprintf(stream, "%s\n", with);
    memory_stream_end(stream);
    return result;
}

/* Alone among all processes; -1 with the reason. */
static int lock(const char *path, struct error *error) {
    char *name = memory_format("%s.lock", path);
    int file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0 && flock(file, LOCK_EX) != 0) {
        close(file);
        file = -1;
    }
    if (file < 0)
        error_set(error, ERROR_INPUT, "%s: %s", name, strerror(errno));
    free(name);
    return file;
}

static bool change_file(const char *path, const char *without, const char *with,
                        struct error *error) {
    if (path == NULL)
        return true;
    int guard = lock(path, error);
    if (guard < 0)
        return false;
    char *before = read_text(path), *after = changed_text(before, without, with);
    bool good = atomic_file_write(path, after, strlen(after), true, error);
    close(guard);
    free(before);
    free(after);
    return good;
}

bool measured_add(struct measured_plans *plans, const struct config *config,
                  const struct sweep_record *result, struct error *error) {
    struct measured_plan plan = {.when = (int64_t)time(NULL)};
    sweep_record_copy(&plan.record, result);
    string_list_free(&plan.record.settings);
    plan.record.settings = (struct string_list){0};
    config_assignments(config, &plan.record.settings);
    plan.config = whole_config(config);
    plan.line = line_of(&plan, plans->files);
    append(plans, &plan);
    return change_file(plans->path, NULL, plan.line, error);
}

bool measured_remove(struct measured_plans *plans, size_t index, struct error *error) {
    struct measured_plan plan = plans->items[index];
    memmove(plans->items + index, plans->items + index + 1,
            (plans->count - index - 1) * sizeof plan);
    plans->count--;
    bool good = change_file(plans->path, plan.line, NULL, error);
    plan_release(&plan);
    return good;
}
