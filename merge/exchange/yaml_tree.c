#include "merge/exchange/yaml_tree.h"

#include "analysis/support/memory.h"
#include "merge/text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <yaml.h>

struct walk {
    yaml_parser_t parser;
    const char *name;
    size_t values;
    struct error *error;
};

static bool fail(struct walk *walk, size_t line, const char *reason) {
    return error_set(walk->error, ERROR_USAGE, "%s: line %zu: %s", walk->name, line, reason);
}

static size_t line_of(const yaml_event_t *event) {
    return event->start_mark.line + 1;
}

/* The next event; yaml_event_delete it when true. */
static bool next(struct walk *walk, yaml_event_t *event) {
    if (yaml_parser_parse(&walk->parser, event))
        return true;
    const char *reason = walk->parser.problem != NULL ? walk->parser.problem : "not valid YAML";
    char *quoted = error_quote(reason, strlen(reason));
    bool marked =
        walk->parser.error == YAML_SCANNER_ERROR || walk->parser.error == YAML_PARSER_ERROR;
    if (marked)
        fail(walk, walk->parser.problem_mark.line + 1, quoted);
    else
        error_set(walk->error, ERROR_USAGE, "%s: byte %zu: %s", walk->name,
                  walk->parser.problem_offset, quoted);
    free(quoted);
    return false;
}

static bool holds_null(const yaml_event_t *event) {
    return memchr(event->data.scalar.value, '\0', event->data.scalar.length) != NULL;
}

/* What no recipe of a merge needs and a reader would have to guess about. */
static const char *refusal(const struct walk *walk, const yaml_event_t *event, size_t depth) {
    bool tagged = (event->type == YAML_SCALAR_EVENT && event->data.scalar.tag != NULL) ||
                  (event->type == YAML_SEQUENCE_START_EVENT && event->data.sequence_start.tag) ||
                  (event->type == YAML_MAPPING_START_EVENT && event->data.mapping_start.tag);
    if (event->type == YAML_ALIAS_EVENT)
        return "an alias (*NAME) is not allowed; write the value out";
    if (tagged)
        return "a tag (!NAME) is not allowed";
    if (event->type == YAML_SCALAR_EVENT && holds_null(event))
        return "a text holds the NUL character";
    if (depth > YAML_DEPTH)
        return "nested too deeply";
    return walk->values > YAML_VALUES ? "too many values for a merge's file" : NULL;
}

static struct yaml_value *append(struct yaml_value *value) {
    if ((value->count & (value->count - 1)) == 0) /* room doubles at powers of two */
        value->items = memory_resize(value->items, value->count > 0 ? 2 * value->count : 1,
                                     sizeof *value->items);
    value->items[value->count] = (struct yaml_value){0};
    return &value->items[value->count++];
}

static bool read_value(struct walk *walk, const yaml_event_t *event, size_t depth,
                       struct yaml_value *value);

/* The key of the next member, from its event. */
static bool read_key(struct walk *walk, const yaml_event_t *event, struct yaml_value *map,
                     struct yaml_value *member) {
    if (event->type != YAML_SCALAR_EVENT)
        return fail(walk, line_of(event), "a key has to be a text");
    const char *key = (const char *)event->data.scalar.value;
    const struct yaml_value *other = yaml_tree_member(map, key);
    char *quoted = error_quote(key, strlen(key));
    if (other != NULL)
        error_set(walk->error, ERROR_USAGE, "%s: line %zu: %s: given on line %zu already",
                  walk->name, line_of(event), quoted, other->line);
    free(quoted);
    member->key = memory_string(key);
    member->line = line_of(event);
    return other == NULL;
}

/* One item of a list or member of a mapping; first is its first event. */
static bool read_item(struct walk *walk, const yaml_event_t *first, size_t depth,
                      struct yaml_value *value) {
    if (value->kind == YAML_LIST)
        return read_value(walk, first, depth, append(value));
    struct yaml_value member = {0};
    yaml_event_t event;
    const char *reason = refusal(walk, first, depth);
    if (reason != NULL)
        return fail(walk, line_of(first), reason);
    bool good = read_key(walk, first, value, &member);
    *append(value) = member;
    if (!good || !next(walk, &event))
        return false;
    good = read_value(walk, &event, depth, &value->items[value->count - 1]);
    yaml_event_delete(&event);
    return good;
}

/* Up to the end of a list or mapping. */
static bool read_items(struct walk *walk, size_t depth, struct yaml_value *value) {
    bool good = true, ended = false;
    while (good && !ended) {
        yaml_event_t event;
        if (!next(walk, &event))
            return false;
        ended = event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT;
        good = ended || read_item(walk, &event, depth, value);
        yaml_event_delete(&event);
    }
    return good;
}

static bool read_value(struct walk *walk, const yaml_event_t *event, size_t depth,
                       struct yaml_value *value) {
    walk->values++;
    const char *reason = refusal(walk, event, depth);
    if (reason != NULL)
        return fail(walk, line_of(event), reason);
    if (value->key == NULL)
        value->line = line_of(event);
    value->kind = event->type == YAML_SEQUENCE_START_EVENT  ? YAML_LIST
                  : event->type == YAML_MAPPING_START_EVENT ? YAML_MAP
                                                            : YAML_TEXT;
    if (value->kind != YAML_TEXT)
        return read_items(walk, depth + 1, value);
    value->text = memory_string((const char *)event->data.scalar.value);
    value->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return true;
}

/* Start of the stream, at most one document, end of the stream. */
static bool read_stream(struct walk *walk, struct yaml_value *root) {
    bool good = true, seen = false, ended = false;
    while (good && !ended) {
        yaml_event_t event;
        if (!next(walk, &event))
            return false;
        ended = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT && seen)
            good = fail(walk, line_of(&event), "a second document is not allowed");
        else if (event.type != YAML_STREAM_START_EVENT && event.type != YAML_DOCUMENT_START_EVENT &&
                 event.type != YAML_DOCUMENT_END_EVENT && !ended)
            good = read_value(walk, &event, 0, root);
        seen |= event.type == YAML_DOCUMENT_START_EVENT;
        yaml_event_delete(&event);
    }
    return good;
}

bool yaml_tree_parse(const char *text, const char *name, struct yaml_value *root,
                     struct error *error) {
    struct walk walk = {.name = name, .error = error};
    *root = (struct yaml_value){.kind = YAML_MAP, .line = 1};
    if (!yaml_parser_initialize(&walk.parser))
        memory_exhausted(sizeof walk.parser);
    yaml_parser_set_encoding(&walk.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&walk.parser, (const unsigned char *)text, strlen(text));
    bool good = read_stream(&walk, root);
    yaml_parser_delete(&walk.parser);
    if (!good)
        yaml_tree_free(root);
    return good;
}

void yaml_tree_free(struct yaml_value *value) {
    for (size_t i = 0; i < value->count; i++)
        yaml_tree_free(&value->items[i]);
    free(value->items);
    free(value->key);
    free(value->text);
    *value = (struct yaml_value){0};
}

bool yaml_tree_number(const struct yaml_value *value, double *number) {
    return value->kind == YAML_TEXT && value->plain && number_parse(value->text, number);
}

bool yaml_tree_truth(const struct yaml_value *value, bool *truth) {
    static const char *const names[] = {"false", "true", "no", "yes", "off", "on"};
    for (size_t i = 0; value->kind == YAML_TEXT && value->plain && i < 6; i++)
        if (strcasecmp(value->text, names[i]) == 0) {
            *truth = i % 2;
            return true;
        }
    return false;
}

const struct yaml_value *yaml_tree_member(const struct yaml_value *map, const char *key) {
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->items[i].key, key) == 0)
            return &map->items[i];
    return NULL;
}
