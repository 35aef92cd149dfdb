#include "merge/sweep/records.h"

#include "merge/config/document.h"
#include "merge/text.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

double sweep_record_value(const struct sweep_record *record, const char *metric) {
    const struct metric *found = metrics_find(&record->metrics, metric);
    return found != NULL ? found->value : NAN;
}

void sweep_record_copy(struct sweep_record *target, const struct sweep_record *source) {
    *target = (struct sweep_record){.seconds = source->seconds,
                                    .error = memory_string(source->error),
                                    .output = memory_string(source->output)};
    string_list_copy(&target->settings, &source->settings);
    for (size_t i = 0; i < source->metrics.count; i++)
        metrics_set(&target->metrics, source->metrics.items[i].name,
                    source->metrics.items[i].value);
}

void sweep_record_free(struct sweep_record *record) {
    string_list_free(&record->settings);
    metrics_free(&record->metrics);
    free(record->error);
    free(record->output);
    *record = (struct sweep_record){0};
}

/* ---- a line ---- */

/* One of the settings as a member of an object. */
static void write_setting(struct document *json, const char *assignment) {
    const char *equals = strchr(assignment, '='), *text = equals + 1;
    char *key = memory_text(assignment, (size_t)(equals - assignment));
    double number;
    if (number_parse(text, &number))
        document_number(json, key, number);
    else if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
        document_bool(json, key, *text == 't');
    else
        document_string(json, key, text);
    free(key);
}

void sweep_result_write(struct document *json, const struct sweep_record *record) {
    document_open(json, "metrics", '{', DOCUMENT_ROW);
    for (size_t i = 0; i < record->metrics.count; i++)
        document_number(json, record->metrics.items[i].name, record->metrics.items[i].value);
    document_close(json);
    document_number(json, "seconds", record->seconds);
    document_string(json, "error", record->error);
    if (record->output != NULL)
        document_string(json, "output", record->output);
}

void sweep_result_read(const cJSON *object, struct sweep_record *record) {
    const cJSON *member, *metrics = cJSON_GetObjectItemCaseSensitive(object, "metrics");
    const cJSON *seconds = cJSON_GetObjectItemCaseSensitive(object, "seconds");
    cJSON_ArrayForEach(member, metrics) if (cJSON_IsNumber(member))
        metrics_set(&record->metrics, member->string, member->valuedouble);
    record->seconds = cJSON_IsNumber(seconds) ? seconds->valuedouble : 0;
    record->error =
        memory_string(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "error")));
    record->output =
        memory_string(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, "output")));
}

void sweep_record_write(struct document *json, const struct sweep_record *record) {
    document_open(json, "settings", '{', DOCUMENT_ROW);
    for (size_t i = 0; i < record->settings.count; i++)
        write_setting(json, record->settings.items[i]);
    document_close(json);
    sweep_result_write(json, record);
}

static char *line_of(const struct sweep_record *record, const char *key) {
    struct document json;
    document_begin(&json);
    document_open(&json, NULL, '{', DOCUMENT_ROW);
    document_string(&json, "sweep", key);
    sweep_record_write(&json, record);
    document_close(&json);
    return document_end(&json);
}

/* "alpha=0.4" of the member, or NULL. */
static char *assignment_of(const cJSON *member) {
    char number[NUMBER_TEXT];
    const char *text = NULL;
    if (cJSON_IsNumber(member))
        text = number_text(member->valuedouble, number);
    else if (cJSON_IsBool(member))
        text = cJSON_IsTrue(member) ? "true" : "false";
    else if (cJSON_IsString(member))
        text = member->valuestring;
    return text != NULL ? memory_format("%s=%s", member->string, text) : NULL;
}

static bool read_members(const cJSON *line, struct sweep_record *record) {
    const cJSON *settings = cJSON_GetObjectItemCaseSensitive(line, "settings"), *member;
    const cJSON *metrics = cJSON_GetObjectItemCaseSensitive(line, "metrics");
    if (!cJSON_IsObject(settings) || !cJSON_IsObject(metrics))
        return false;
    cJSON_ArrayForEach(member, settings) {
        char *assignment = assignment_of(member);
        if (assignment == NULL)
            return false;
        string_list_add(&record->settings, assignment);
        free(assignment);
    }
    sweep_result_read(line, record);
    return true;
}

enum line_state { LINE_GOOD, LINE_FOREIGN, LINE_BROKEN };

static enum line_state read_line(const char *text, size_t length, const char *key,
                                 struct sweep_record *record) {
    cJSON *line = cJSON_ParseWithLength(text, length);
    const char *own = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(line, "sweep"));
    enum line_state state = LINE_BROKEN;
    if (own != NULL && read_members(line, record))
        state = strcmp(own, key) == 0 ? LINE_GOOD : LINE_FOREIGN;
    cJSON_Delete(line);
    return state;
}

/* ---- the file ---- */

static bool fail(const struct sweep_records *records, struct error *error, const char *reason) {
    char *quoted = error_quote(records->path, strlen(records->path));
    error_set(error, ERROR_INPUT, "%s: %s", quoted, reason);
    free(quoted);
    return false;
}

static void append(struct sweep_records *records, struct sweep_record *record) {
    records->items = memory_resize(records->items, records->count + 1, sizeof *records->items);
    records->items[records->count++] = *record;
    *record = (struct sweep_record){0};
}

static bool refuse_line(const struct sweep_records *records, size_t line, enum line_state state,
                        struct error *error) {
    char *reason =
        state == LINE_FOREIGN
            ? memory_string("its points belong to other inputs, settings or another evaluation")
            : memory_format("line %zu is no point of a sweep", line);
    fail(records, error, reason);
    error_hint(error, "--force begins anew; another -o keeps both");
    free(reason);
    return false;
}

/* text: all of the file, ended by NUL. */
static bool read_lines(struct sweep_records *records, const char *text, struct error *error) {
    size_t line = 1;
    for (const char *end; (end = strchr(text, '\n')) != NULL; text = end + 1, line++) {
        struct sweep_record record = {0};
        enum line_state state = read_line(text, (size_t)(end - text), records->key, &record);
        if (state == LINE_GOOD)
            append(records, &record);
        sweep_record_free(&record);
        if (state != LINE_GOOD)
            return refuse_line(records, line, state, error);
    }
    return true;
}

static bool read_file(struct sweep_records *records, struct error *error) {
    struct stat status;
    if (fstat(records->descriptor, &status) != 0)
        return fail(records, error, strerror(errno));
    if (!S_ISREG(status.st_mode))
        return fail(records, error, "is no regular file");
    char *text = malloc((size_t)status.st_size + 1);
    ssize_t length =
        text != NULL ? pread(records->descriptor, text, (size_t)status.st_size, 0) : -1;
    bool good = length == status.st_size || fail(records, error, "cannot be read");
    if (good) {
        text[length] = '\0';
        const char *last = memrchr(text, '\n', (size_t)length);
        off_t whole = last != NULL ? last + 1 - text : 0;
        records->was_torn = whole < length;
        good = read_lines(records, text, error);
        if (good && records->was_torn && ftruncate(records->descriptor, whole) != 0)
            good = fail(records, error, strerror(errno));
    }
    free(text);
    return good;
}

static bool open_file(struct sweep_records *records, bool anew, struct error *error) {
    records->descriptor = open(records->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (records->descriptor < 0)
        return fail(records, error, strerror(errno));
    if (flock(records->descriptor, LOCK_EX | LOCK_NB) != 0)
        return fail(records, error, "another sweep is writing it");
    if (anew && ftruncate(records->descriptor, 0) != 0)
        return fail(records, error, strerror(errno));
    return read_file(records, error);
}

bool sweep_records_open(const char *path, const char key[SHA256_TEXT], bool anew,
                        struct sweep_records *records, struct error *error) {
    *records = (struct sweep_records){.path = memory_string(path), .descriptor = -1};
    snprintf(records->key, sizeof records->key, "%s", key);
    if (open_file(records, anew, error))
        return true;
    sweep_records_close(records);
    return false;
}

void sweep_records_close(struct sweep_records *records) {
    if (records->path != NULL && records->descriptor >= 0)
        close(records->descriptor);
    for (size_t i = 0; i < records->count; i++)
        sweep_record_free(&records->items[i]);
    free(records->items);
    free(records->path);
    *records = (struct sweep_records){.descriptor = -1};
}

bool sweep_records_add(struct sweep_records *records, struct sweep_record *record,
                       struct error *error) {
    char *line = line_of(record, records->key);
    size_t length = strlen(line);
    off_t before = lseek(records->descriptor, 0, SEEK_END);
    bool good = write(records->descriptor, line, length) == (ssize_t)length &&
                fdatasync(records->descriptor) == 0;
    if (!good) {
        fail(records, error, strerror(errno));
        if (ftruncate(records->descriptor, before) != 0)
            error_hint(error, "its last line is torn");
    }
    append(records, record);
    free(line);
    return good;
}

static bool has(const struct string_list *list, const char *text) {
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true;
    return false;
}

static bool same(const struct string_list *one, const struct string_list *other) {
    bool alike = one->count == other->count;
    for (size_t i = 0; i < one->count && alike; i++)
        alike = has(one, other->items[i]);
    return alike;
}

bool sweep_records_superseded(const struct sweep_records *records, size_t index) {
    const struct sweep_record *record = &records->items[index];
    for (size_t r = index + 1; r < records->count; r++)
        if ((records->items[r].error == NULL || record->error != NULL) &&
            same(&records->items[r].settings, &record->settings))
            return true;
    return false;
}

const struct sweep_record *sweep_records_find(const struct sweep_records *records,
                                              const struct string_list *settings) {
    for (size_t r = records->count; r-- > 0;)
        if (same(&records->items[r].settings, settings))
            return &records->items[r];
    return NULL;
}
