#include "tui/command/needs.h"

#include "analysis/support/limits.h"
#include "analysis/support/ranks.h"
#include "merge/config/document.h"
#include "tui/command/text_table.h"

#include <stdlib.h>
#include <string.h>

struct work_limits needs_limits(const struct options *options) {
    struct work_limits limits = {.threads = options->threads, .memory = options->memory};
    if (limits.threads == 0)
        limits.threads = limits_processors("");
    if (limits.memory == 0)
        limits.memory = limits_memory("") / 4 * 3 / ranks_beside();
    return limits;
}

bool needs_refuse(const struct options *options, struct error *error) {
    if (error->kind == ERROR_INPUT && options->memory == 0)
        error_hint(error, "--memory SIZE says how much it may take");
    return false;
}

/* The output's name, quoted; NULL: there is none. free() it. */
static char *output_name(const struct options *options) {
    return options->output != NULL ? error_quote(options->output, strlen(options->output)) : NULL;
}

static void print_table(const struct options *options, const struct need *needs, size_t count) {
    static const struct text_column columns[] = {{NULL, true, 0}, {NULL, true, 0}};
    struct text_style style = text_style_choose(options);
    struct text_table *table = text_table_create(style, columns, 2);
    char *quoted = output_name(options);
    if (quoted != NULL) {
        text_table_add(table, "output");
        text_table_add(table, quoted);
    }
    for (size_t i = 0; i < count; i++) {
        text_table_add(table, needs[i].text);
        if (needs[i].is_bytes)
            text_table_bytes(table, needs[i].value);
        else
            text_table_count(table, needs[i].value);
    }
    text_table_print(table, stdout);
    free(quoted);
}

static void print_json(const struct options *options, const struct need *needs, size_t count) {
    struct document json;
    char *quoted = output_name(options);
    document_begin(&json);
    document_open(&json, NULL, '{', DOCUMENT_LINES);
    if (quoted != NULL)
        document_string(&json, "output", quoted);
    for (size_t i = 0; i < count; i++)
        document_number(&json, needs[i].key, needs[i].value);
    document_close(&json);
    char *text = document_end(&json);
    fputs(text, stdout);
    free(text);
    free(quoted);
}

void needs_print(const struct options *options, const struct need *needs, size_t count) {
    (options->json ? print_json : print_table)(options, needs, count);
}
