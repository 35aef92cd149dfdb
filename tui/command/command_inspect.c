/* The tensors of checkpoints. */
#include "analysis/checkpoint/checkpoint.h"
#include "analysis/support/digest.h"
#include "analysis/support/pool.h"
#include "merge/config/document.h"
#include "tui/command/adapter_table.h"
#include "tui/command/command.h"
#include "tui/command/complain.h"
#include "tui/command/interrupt.h"
#include "tui/command/match_table.h"
#include "tui/command/progress_line.h"
#include "tui/command/text_table.h"
#include "tui/terminal/surface.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TICK_MILLISECONDS = 100 };

struct file {
    struct checkpoint *checkpoint;
    char (*hashes)[SHA256_TEXT]; /* of its tensors; NULL without --hash */
};

struct inspection {
    const struct options *options;
    struct file *files;
    size_t count;
};

/* Opens all; every problem is listed. */
static bool open_files(struct inspection *inspection, struct error *error) {
    for (size_t i = 0; i < inspection->count; i++) {
        struct error own = {0};
        if (checkpoint_open_at(inspection->options->operands[i], inspection->options->state_dict,
                               &inspection->files[i].checkpoint, &own))
            continue;
        error_add(error, own.kind, "%s", own.message);
        if (own.hint != NULL)
            error_hint(error, "%s", own.hint);
        error_free(&own);
    }
    return error->kind == ERROR_NONE;
}

static void close_files(struct inspection *inspection) {
    for (size_t i = 0; i < inspection->count; i++) {
        checkpoint_close(inspection->files[i].checkpoint);
        free(inspection->files[i].hashes);
    }
    free(inspection->files);
}

/* The items are the tensors, then the parts of the file that have a checksum. */
struct hashing {
    struct file *file;
    struct progress progress;
    struct error *problems; /* [parts] */
};

static void hash_item(void *context, size_t item) {
    struct hashing *hashing = context;
    const struct checkpoint *checkpoint = hashing->file->checkpoint;
    size_t count = checkpoint_count(checkpoint), part = item - count;
    if (atomic_load(&hashing->progress.cancel))
        return;
    if (item < count) {
        const struct tensor *tensor = checkpoint_tensor(checkpoint, item);
        tensor_digest(tensor, hashing->file->hashes[item]);
        atomic_fetch_add(&hashing->progress.done, tensor->bytes);
    } else {
        checkpoint_seal_check(checkpoint, part, &hashing->problems[part]);
        atomic_fetch_add(&hashing->progress.done, checkpoint_seal_bytes(checkpoint, part));
    }
}

/* Every problem, in the order of the parts. */
static bool collect(struct error *problems, size_t count, struct error *error) {
    for (size_t i = 0; i < count; i++) {
        if (problems[i].kind != ERROR_NONE)
            error_add(error, problems[i].kind, "%s", problems[i].message);
        error_free(&problems[i]);
    }
    free(problems);
    return error->kind == ERROR_NONE;
}

static bool hash_file(struct file *file, struct pool *pool, struct progress_line *line,
                      struct error *error) {
    struct notifier nobody = {0};
    size_t count = checkpoint_count(file->checkpoint);
    size_t parts = checkpoint_seal_count(file->checkpoint);
    struct hashing hashing = {.file = file,
                              .problems = memory_array(parts, sizeof *hashing.problems)};
    file->hashes = memory_array(count, sizeof *file->hashes);
    for (size_t i = 0; i < count; i++)
        hashing.progress.total += checkpoint_tensor(file->checkpoint, i)->bytes;
    for (size_t i = 0; i < parts; i++)
        hashing.progress.total += checkpoint_seal_bytes(file->checkpoint, i);
    interrupt_stops(&hashing.progress);
    struct batch *batch = batch_start(pool, count + parts, hash_item, &hashing, nobody);
    while (!batch_wait(batch, TICK_MILLISECONDS / 1000.0)) {
        interrupt_check();
        progress_line_show(line, "hashing", UNIT_BYTES, &hashing.progress);
    }
    batch_free(batch);
    interrupt_stops(NULL);
    progress_line_end(line);
    bool good = collect(hashing.problems, parts, error);
    return !atomic_load(&hashing.progress.cancel)
               ? good
               : error_set(error, ERROR_CANCELLED, "interrupted");
}

static bool hash_files(struct inspection *inspection, struct error *error) {
    struct progress_line line = progress_line_begin(inspection->options->quiet);
    struct pool *pool = pool_create(inspection->options->threads);
    bool good = true;
    for (size_t i = 0; i < inspection->count && good; i++)
        good = hash_file(&inspection->files[i], pool, &line, error);
    pool_free(pool);
    return good;
}

static void write_tensor(struct document *json, const struct file *file, size_t index) {
    const struct tensor *tensor = checkpoint_tensor(file->checkpoint, index);
    document_open(json, NULL, '{', DOCUMENT_ROW);
    document_text(json, "name", tensor->name, tensor->name_length);
    document_string(json, "dtype", dtype_name(tensor->dtype));
    tensor_shape_write(json, tensor);
    document_number(json, "bytes", (double)tensor->bytes);
    if (file->hashes != NULL)
        document_string(json, "sha256", file->hashes[index]);
    document_close(json);
}

static void write_skipped(struct document *json, const struct checkpoint *checkpoint) {
    size_t count;
    const struct skipped *skipped = checkpoint_skipped(checkpoint, &count);
    document_open(json, "skipped", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < count; i++) {
        document_open(json, NULL, '{', DOCUMENT_ROW);
        document_string(json, "what", skipped[i].what);
        document_number(json, "count", (double)skipped[i].count);
        document_close(json);
    }
    document_close(json);
}

static void write_file(struct document *json, const struct file *file) {
    const struct string_list *warnings = checkpoint_warnings(file->checkpoint);
    const char *path = checkpoint_path(file->checkpoint);
    char *quoted = error_quote(path, strlen(path));
    document_open(json, NULL, '{', DOCUMENT_LINES);
    document_string(json, "file", quoted);
    document_string(json, "format", checkpoint_format(file->checkpoint));
    document_string(json, "state_dict", checkpoint_state_dict(file->checkpoint));
    document_open(json, "tensors", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < checkpoint_count(file->checkpoint); i++)
        write_tensor(json, file, i);
    document_close(json);
    if (checkpoint_is_adapter(file->checkpoint))
        adapter_write(json, file->checkpoint);
    write_skipped(json, file->checkpoint);
    document_open(json, "warnings", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < warnings->count; i++)
        document_string(json, NULL, warnings->items[i]);
    document_close(json);
    document_close(json);
    free(quoted);
}

/* One file is an object, several are a list of them. */
static void print_json(const struct inspection *inspection) {
    struct document json;
    bool several = inspection->count > 1;
    document_begin(&json);
    if (several)
        document_open(&json, NULL, '[', DOCUMENT_LINES);
    for (size_t i = 0; i < inspection->count; i++)
        write_file(&json, &inspection->files[i]);
    if (several)
        document_close(&json);
    char *text = document_end(&json);
    fputs(text, stdout);
    free(text);
}

static void add_row(struct text_table *table, const struct file *file, size_t index) {
    const struct tensor *tensor = checkpoint_tensor(file->checkpoint, index);
    char *name = error_quote(tensor->name, tensor->name_length);
    char shape[TENSOR_RANK_LIMIT * 24];
    text_table_add(table, name);
    text_table_add(table, dtype_name(tensor->dtype));
    text_table_add(table, tensor_shape_text(tensor, shape, sizeof shape));
    text_table_bytes(table, (double)tensor->bytes);
    if (file->hashes != NULL)
        text_table_add(table, file->hashes[index]);
    free(name);
}

/* ", state dict model" where it is not the whole file; free() it. */
static char *state_dict_text(const struct checkpoint *checkpoint) {
    const char *path = checkpoint_state_dict(checkpoint);
    char *quoted = error_quote(path, strlen(path));
    char *text = memory_format("%s%s", *path != '\0' ? ", state dict " : "", quoted);
    free(quoted);
    return text;
}

/* "fs.pth: torch, state dict model, 62 tensors, 1.9 MB" */
static void print_heading(const struct file *file, struct text_style style) {
    const char *path = checkpoint_path(file->checkpoint);
    char *quoted = error_quote(path, strlen(path)), *place = state_dict_text(file->checkpoint);
    char shown[TEXT_ROOM], text[32];
    double bytes = 0;
    for (size_t i = 0; i < checkpoint_count(file->checkpoint); i++)
        bytes += (double)checkpoint_tensor(file->checkpoint, i)->bytes;
    if (style.aligned)
        printf("%s: %s%s, %zu tensors, %s\n", text_shown(quoted, shown),
               checkpoint_format(file->checkpoint), place, checkpoint_count(file->checkpoint),
               bytes_text(bytes, text));
    else
        printf("%s\n", quoted);
    free(quoted);
    free(place);
}

static void print_tables(const struct inspection *inspection) {
    static const struct text_column columns[] = {{"name", true, 0},
                                                 {"dtype", true, 0},
                                                 {"shape", true, 0},
                                                 {"bytes", false, 0},
                                                 {"sha256", true, 0}};
    struct text_style style = text_style_choose(inspection->options);
    for (size_t i = 0; i < inspection->count; i++) {
        const struct file *file = &inspection->files[i];
        size_t column_count = file->hashes != NULL ? 5 : 4;
        if (i > 0)
            putchar('\n');
        if (style.aligned || inspection->count > 1)
            print_heading(file, style);
        struct text_table *table = text_table_create(style, columns, column_count);
        for (size_t t = 0; t < checkpoint_count(file->checkpoint); t++)
            add_row(table, file, t);
        text_table_print(table, stdout);
        if (checkpoint_is_adapter(file->checkpoint)) {
            putchar('\n');
            adapter_table_print(file->checkpoint, style, stdout);
        }
        if (!inspection->options->quiet)
            complain_warnings(checkpoint_warnings(file->checkpoint));
    }
}

int command_inspect(const struct options *options) {
    if (options->base != NULL)
        return match_inspect(options);
    struct inspection inspection = {.options = options, .count = options->operand_count};
    struct error error = {0};
    inspection.files = memory_array(inspection.count, sizeof *inspection.files);
    bool good =
        open_files(&inspection, &error) && (!options->hash || hash_files(&inspection, &error));
    if (good)
        (options->json ? print_json : print_tables)(&inspection);
    close_files(&inspection);
    return good ? EXIT_DONE : complain(&error);
}
