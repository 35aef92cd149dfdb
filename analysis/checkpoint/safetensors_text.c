#include "analysis/checkpoint/safetensors_text.h"

#include "analysis/support/memory.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int compare_names(const void *one, size_t one_length, const void *other,
                         size_t other_length) {
    size_t shorter = one_length < other_length ? one_length : other_length;
    int order = memcmp(one, other, shorter);
    return order != 0 ? order : (one_length > other_length) - (one_length < other_length);
}

static int compare_places(const void *one, const void *other) {
    const struct tensor_spec *a = ((const struct place *)one)->spec;
    const struct tensor_spec *b = ((const struct place *)other)->spec;
    if (a->dtype != b->dtype)
        return a->dtype > b->dtype ? -1 : 1;
    return compare_names(a->name, a->name_length, b->name, b->name_length);
}

uint64_t safetensors_place(struct place *places, size_t count) {
    uint64_t end = 0;
    qsort(places, count, sizeof *places, compare_places);
    for (size_t i = 0; i < count; i++) {
        places[i].offset = end;
        if (__builtin_add_overflow(end, places[i].bytes, &end))
            return UINT64_MAX;
    }
    return end;
}

static void append(struct text *text, const char *bytes, size_t length) {
    if (text->capacity - text->length < length) {
        text->capacity = 2 * text->capacity + length + 256;
        text->bytes = memory_resize(text->bytes, text->capacity, 1);
    }
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
}

static void append_word(struct text *text, const char *word) {
    append(text, word, strlen(word));
}

static void append_number(struct text *text, uint64_t number) {
    char digits[24];
    append(text, digits, (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number));
}

/* A byte of a string; only quotes, backslashes and control characters are escaped. */
static void append_character(struct text *text, char c) {
    static const char escaped[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    char escape[8];
    const char *found = c != '\0' ? strchr(escaped, c) : NULL;
    if (found != NULL)
        append(text, (char[]){'\\', letters[found - escaped]}, 2);
    else if ((unsigned char)c < 0x20)
        append(text, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", (unsigned)c));
    else
        append(text, &c, 1);
}

static void append_string(struct text *text, const char *string, size_t length) {
    append_word(text, "\"");
    for (size_t i = 0; i < length; i++)
        append_character(text, string[i]);
    append_word(text, "\"");
}

static int compare_keys(const void *one, const void *other) {
    return strcmp(((const struct metadata_entry *)one)->key,
                  ((const struct metadata_entry *)other)->key);
}

/* "__metadata__":{...} with sorted keys, so that the same input gives the same bytes. */
static void append_metadata(struct text *text, const struct metadata_entry *metadata,
                            size_t count) {
    struct metadata_entry *sorted = memory_array(count, sizeof *sorted);
    memcpy(sorted, metadata, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_keys);
    append_word(text, "\"__metadata__\":{");
    for (size_t i = 0; i < count; i++) {
        append_word(text, i > 0 ? "," : "");
        append_string(text, sorted[i].key, strlen(sorted[i].key));
        append_word(text, ":");
        append_string(text, sorted[i].value, strlen(sorted[i].value));
    }
    append_word(text, "}");
    free(sorted);
}

static void append_place(struct text *text, const struct place *place) {
    const struct tensor_spec *spec = place->spec;
    append_string(text, spec->name, spec->name_length);
    append_word(text, ":{\"dtype\":\"");
    append_word(text, dtype_name(spec->dtype));
    append_word(text, "\",\"shape\":[");
    for (size_t d = 0; d < spec->rank; d++) {
        append_word(text, d > 0 ? "," : "");
        append_number(text, spec->shape[d]);
    }
    append_word(text, "],\"data_offsets\":[");
    append_number(text, place->offset);
    append_word(text, ",");
    append_number(text, place->offset + place->bytes);
    append_word(text, "]}");
}

struct text safetensors_write_header(const struct place *places, size_t count,
                                     const struct metadata_entry *metadata, size_t metadata_count) {
    struct text text = {0};
    uint64_t length = 0;
    append(&text, (const char *)&length, sizeof length); /* known at the end */
    append_word(&text, "{");
    if (metadata_count > 0)
        append_metadata(&text, metadata, metadata_count);
    for (size_t i = 0; i < count; i++) {
        append_word(&text, i > 0 || metadata_count > 0 ? "," : "");
        append_place(&text, &places[i]);
    }
    append_word(&text, "}");
    while (text.length % 8 != 0)
        append_word(&text, " ");
    length = text.length - sizeof length;
    memcpy(text.bytes, &length, sizeof length);
    return text;
}
