#include "merge/match_report.h"

#include <stdlib.h>
#include <string.h>

static void write_path(struct document *json, const char *key, const char *path) {
    char *quoted = error_quote(path, strlen(path));
    document_string(json, key, quoted);
    free(quoted);
}

/* {"from": "backbone.", "to": "vision_model."}, or null. */
static void write_pair(struct document *json, const char *key, const char *from, const char *to) {
    if (from == NULL) {
        document_null(json, key);
        return;
    }
    document_open(json, key, '{', DOCUMENT_ROW);
    document_string(json, "from", from);
    document_string(json, "to", to);
    document_close(json);
}

static void write_names(struct document *json, const char *key, const struct string_list *names) {
    document_open(json, key, '[', DOCUMENT_LINES);
    for (size_t i = 0; i < names->count; i++)
        document_string(json, NULL, names->items[i]);
    document_close(json);
}

static void write_match(struct document *json, const struct table_specialist *specialist) {
    const struct match *match = &specialist->match;
    document_open(json, NULL, '{', DOCUMENT_LINES);
    document_string(json, "name", specialist->name);
    write_path(json, "path", specialist->path);
    document_string(json, "format", checkpoint_format(specialist->checkpoint));
    document_string(json, "state_dict", checkpoint_state_dict(specialist->checkpoint));
    write_pair(json, "prefix", match->from, match->to);
    write_pair(json, "head", match->head_from, match->head_to);
    document_string(json, "mapping", match->mapping);
    document_number(json, "matched", (double)match->matched.count);
    write_names(json, "other_shape", &match->other_shape);
    write_names(json, "specialist_only", &match->specialist_only);
    write_names(json, "base_only", &match->base_only);
    document_close(json);
}

void match_report_write(struct document *json, const struct tensor_table *table) {
    document_open(json, "match", '[', DOCUMENT_LINES);
    for (size_t i = 0; i < table->specialist_count; i++)
        write_match(json, &table->specialists[i]);
    document_close(json);
}

char *match_report_json(const struct tensor_table *table) {
    struct document json;
    document_begin(&json);
    document_open(&json, NULL, '{', DOCUMENT_LINES);
    write_path(&json, "base", checkpoint_path(table->base));
    match_report_write(&json, table);
    write_names(&json, "warnings", &table->warnings);
    document_close(&json);
    return document_end(&json);
}
