#include "analysis/checkpoint/safetensors.h"

#include "analysis/checkpoint/header_json.h"
#include "analysis/support/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8 }; /* of N */

struct parser {
    struct checkpoint *checkpoint;
    struct json json;
    struct span *spans; /* one a tensor */
    size_t capacity;    /* of tensors and spans */
    bool metadata_seen; /* also when it is empty or null */
    size_t metadata_capacity;
    size_t unknown_fields;
    char *unknown; /* the first of them, for the warning */
    struct error *error;
};

static struct tensor *current_tensor(const struct parser *parser) {
    return &parser->checkpoint->tensors[parser->checkpoint->count];
}

/* The string's characters with a NUL, in the checkpoint's arena. */
static const char *keep_text(struct parser *parser, const struct json_text *text, size_t *length) {
    char *copy = arena_take(&parser->checkpoint->arena, text->length + 1);
    *length = json_decode(text, copy);
    copy[*length] = '\0';
    return copy;
}

static bool read_dtype(struct parser *parser) {
    struct json_text text;
    struct tensor *tensor = current_tensor(parser);
    size_t start = parser->json.at;
    if (!json_string(&parser->json, &text))
        return false;
    if (!text.escaped && dtype_parse(text.start, text.length, &tensor->dtype))
        return true;
    char *name = error_quote(text.start, text.length < 40 ? text.length : 40);
    tensor_fail(parser->checkpoint, tensor, parser->error, "unknown dtype \"%s\" (header byte %zu)",
                name, start);
    free(name);
    return false;
}

static bool read_shape(struct parser *parser) {
    struct json *json = &parser->json;
    struct tensor *tensor = current_tensor(parser);
    uint64_t shape[TENSOR_RANK_LIMIT];
    size_t rank = 0;
    json_open(json, '[');
    for (bool first = true; json_next(json, ']', &first); rank++) {
        if (rank == TENSOR_RANK_LIMIT)
            return json_fail(json, "more than 64 dimensions");
        json_unsigned(json, &shape[rank]);
    }
    if (json->problem != NULL)
        return false;
    uint64_t *kept = arena_take(&parser->checkpoint->arena, rank * sizeof *kept);
    memcpy(kept, shape, rank * sizeof *kept);
    tensor->rank = rank;
    tensor->shape = kept;
    return true;
}

static bool read_offsets(struct parser *parser) {
    struct json *json = &parser->json;
    uint64_t offsets[2];
    size_t count = 0;
    json_open(json, '[');
    for (bool first = true; json_next(json, ']', &first); count++) {
        if (count == 2)
            return json_fail(json, "data_offsets has more than two numbers");
        json_unsigned(json, &offsets[count]);
    }
    if (json->problem != NULL)
        return false;
    if (count < 2)
        return json_fail(json, "data_offsets has less than two numbers");
    size_t index = parser->checkpoint->count;
    parser->spans[index] = (struct span){offsets[0], offsets[1], index};
    return true;
}

static const struct {
    const char *name;
    bool (*read)(struct parser *parser);
} fields[] = {{"dtype", read_dtype}, {"shape", read_shape}, {"data_offsets", read_offsets}};

enum { FIELDS = sizeof fields / sizeof fields[0] };

static bool skip_unknown(struct parser *parser, const struct json_text *key) {
    if (parser->unknown_fields++ == 0) {
        const struct tensor *tensor = current_tensor(parser);
        char *name = error_quote(tensor->name, tensor->name_length);
        char *field = error_quote(key->start, key->length);
        parser->unknown = memory_format("tensor %s has an unknown field \"%s\"", name, field);
        free(field);
        free(name);
    }
    return json_skip(&parser->json);
}

/* One member of a tensor's object; seen has a bit for every field met. */
static bool read_field(struct parser *parser, unsigned *seen) {
    struct json_text key;
    size_t field = 0;
    if (!json_key(&parser->json, &key))
        return false;
    while (field < FIELDS && !json_equals(&key, fields[field].name))
        field++;
    if (field == FIELDS)
        return skip_unknown(parser, &key);
    if (*seen & 1u << field)
        return json_fail(&parser->json, "a field occurs twice");
    *seen |= 1u << field;
    return fields[field].read(parser);
}

static bool read_fields(struct parser *parser) {
    unsigned seen = 0;
    json_open(&parser->json, '{');
    for (bool first = true; json_next(&parser->json, '}', &first);)
        if (!read_field(parser, &seen))
            return false;
    if (parser->json.problem != NULL)
        return false;
    for (size_t field = 0; field < FIELDS; field++)
        if (!(seen & 1u << field))
            return tensor_fail(parser->checkpoint, current_tensor(parser), parser->error,
                               "has no %s (header byte %zu)", fields[field].name, parser->json.at);
    return true;
}

static void make_room(struct parser *parser) {
    struct checkpoint *checkpoint = parser->checkpoint;
    if (checkpoint->count < parser->capacity)
        return;
    parser->capacity = parser->capacity > 0 ? 2 * parser->capacity : 64;
    checkpoint->tensors =
        memory_resize(checkpoint->tensors, parser->capacity, sizeof *checkpoint->tensors);
    parser->spans = memory_resize(parser->spans, parser->capacity, sizeof *parser->spans);
}

static bool read_tensor(struct parser *parser, const struct json_text *key) {
    make_room(parser);
    struct tensor *tensor = current_tensor(parser);
    *tensor = (struct tensor){0};
    tensor->name = keep_text(parser, key, &tensor->name_length);
    if (tensor->name_length > TENSOR_NAME_LIMIT) {
        tensor->name_length = 40; /* enough for the message */
        return tensor_fail(parser->checkpoint, tensor, parser->error,
                           "... is a name of more than %d bytes", TENSOR_NAME_LIMIT);
    }
    if (!read_fields(parser)) {
        if (parser->error->kind == ERROR_NONE)
            tensor_fail(parser->checkpoint, tensor, parser->error, "%s (header byte %zu)",
                        parser->json.problem, parser->json.at);
        return false;
    }
    parser->checkpoint->count++;
    return true;
}

static void read_metadata_entry(struct parser *parser) {
    struct checkpoint *checkpoint = parser->checkpoint;
    struct json_text key, value;
    size_t length;
    if (!json_key(&parser->json, &key) || !json_string(&parser->json, &value))
        return;
    if (checkpoint->metadata_count == parser->metadata_capacity) {
        parser->metadata_capacity = 2 * parser->metadata_capacity + 4;
        checkpoint->metadata = memory_resize(checkpoint->metadata, parser->metadata_capacity,
                                             sizeof *checkpoint->metadata);
    }
    struct metadata *entry = &checkpoint->metadata[checkpoint->metadata_count++];
    entry->key = keep_text(parser, &key, &length);
    entry->value = keep_text(parser, &value, &length);
}

static bool read_metadata_entries(struct parser *parser) {
    struct json *json = &parser->json;
    if (parser->metadata_seen)
        return json_fail(json, "occurs twice");
    parser->metadata_seen = true;
    if (json_word(json, "null"))
        return true;
    json_open(json, '{');
    for (bool first = true; json_next(json, '}', &first);)
        read_metadata_entry(parser);
    return json->problem == NULL;
}

static bool read_metadata(struct parser *parser) {
    return read_metadata_entries(parser) ||
           checkpoint_fail(parser->checkpoint, parser->error, "__metadata__: %s (header byte %zu)",
                           parser->json.problem, parser->json.at);
}

/* Rules 5 and 6: the whole header as JSON. */
static bool parse(struct parser *parser) {
    struct json *json = &parser->json;
    struct json_text key;
    json_open(json, '{');
    for (bool first = true; json_next(json, '}', &first);) {
        if (!json_key(json, &key))
            break;
        bool is_metadata = json_equals(&key, "__metadata__");
        if (!(is_metadata ? read_metadata(parser) : read_tensor(parser, &key)))
            break;
    }
    if (parser->error->kind == ERROR_NONE && !json_end(json))
        checkpoint_fail(parser->checkpoint, parser->error, "%s (header byte %zu)", json->problem,
                        json->at);
    return parser->error->kind == ERROR_NONE;
}

static bool check_names(struct checkpoint *checkpoint, struct error *error) {
    size_t twice = name_index_build(&checkpoint->index, checkpoint->tensors, checkpoint->count);
    return twice == checkpoint->count ||
           tensor_fail(checkpoint, &checkpoint->tensors[twice], error, "occurs twice");
}

static void warn_unknown(const struct parser *parser) {
    if (parser->unknown_fields == 1)
        checkpoint_warn(parser->checkpoint, "%s; ignored", parser->unknown);
    else if (parser->unknown_fields > 1)
        checkpoint_warn(parser->checkpoint, "%s, and %zu more of the kind; ignored",
                        parser->unknown, parser->unknown_fields - 1);
}

struct span *safetensors_read_header(struct checkpoint *checkpoint, const char *text, size_t length,
                                     uint64_t data_bytes, struct error *error) {
    struct parser parser = {
        .checkpoint = checkpoint, .json = {.text = text, .length = length}, .error = error};
    bool good = false;
    size_t valid = utf8_check(text, length);
    if (valid < length) {
        checkpoint_fail(checkpoint, error, "header byte %zu is not UTF-8", valid);
        goto done;
    }
    make_room(&parser); /* an empty header has an empty list too */
    good = parse(&parser) && check_names(checkpoint, error) &&
           safetensors_check_layout(checkpoint, parser.spans, data_bytes, error);
    warn_unknown(&parser);
done:
    free(parser.unknown);
    if (good)
        return parser.spans;
    free(parser.spans);
    return NULL;
}

static uint64_t header_length(const struct mapping *file) {
    uint64_t length = 0;
    if (file->size >= LENGTH_BYTES)
        memcpy(&length, file->bytes, LENGTH_BYTES);
    return length;
}

/* A plausible length, then an object. The length is not held against the file's size, so that a
 * truncated file is called truncated and not unknown. */
static bool recognise(const struct mapping *file) {
    uint64_t length = header_length(file);
    if (length < 2 || length >> 40 != 0)
        return false;
    struct json json = {.text = (const char *)file->bytes + LENGTH_BYTES,
                        .length = file->size - LENGTH_BYTES};
    if (json.length > SAFETENSORS_HEADER_LIMIT)
        json.length = SAFETENSORS_HEADER_LIMIT;
    return json_peek(&json) == '{';
}

/* Rules 1 to 3. */
static bool check_length(const struct checkpoint *checkpoint, struct error *error) {
    const struct mapping *file = &checkpoint->file;
    uint64_t length = header_length(file);
    if (file->size < LENGTH_BYTES)
        return checkpoint_fail(checkpoint, error, "%zu bytes are too short for a checkpoint",
                               file->size);
    if (length > SAFETENSORS_HEADER_LIMIT)
        return checkpoint_fail(checkpoint, error,
                               "a header of %" PRIu64 " bytes; at most %d are allowed", length,
                               SAFETENSORS_HEADER_LIMIT);
    if (length > file->size - LENGTH_BYTES)
        return checkpoint_fail(checkpoint, error,
                               "truncated: a header of %" PRIu64 " bytes in a file of %zu", length,
                               file->size);
    return true;
}

static bool open_safetensors(struct checkpoint *checkpoint, struct error *error) {
    if (checkpoint->wanted != NULL && checkpoint->wanted[0] != '\0')
        return checkpoint_fail(checkpoint, error,
                               "a safetensors file has no state dicts to choose from");
    if (!check_length(checkpoint, error))
        return false;
    const struct mapping *file = &checkpoint->file;
    size_t length = (size_t)header_length(file);
    const unsigned char *data = file->bytes + LENGTH_BYTES + length;
    struct span *spans =
        safetensors_read_header(checkpoint, (const char *)file->bytes + LENGTH_BYTES, length,
                                file->size - LENGTH_BYTES - length, error);
    if (spans == NULL)
        return false;
    for (size_t i = 0; i < checkpoint->count; i++)
        checkpoint->tensors[i].data = data + spans[i].begin;
    free(spans);
    return true;
}

static const char *const endings[] = {".safetensors", NULL};

const struct format safetensors_format = {"safetensors", endings, recognise, open_safetensors};
