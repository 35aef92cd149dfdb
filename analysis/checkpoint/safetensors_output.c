/* The header of a safetensors file as the official writer would write it (formats.md A4). */
#include "analysis/checkpoint/output_format.h"
#include "analysis/checkpoint/safetensors.h"

#include <stdlib.h>
#include <string.h>

enum { LENGTH_BYTES = 8, ALIGNMENT = 8 }; /* of the header's length before it; of its end */

static int compare_names(const void *one, size_t one_length, const void *other,
                         size_t other_length) {
    size_t shorter = one_length < other_length ? one_length : other_length;
    int order = memcmp(one, other, shorter);
    return order != 0 ? order : (one_length > other_length) - (one_length < other_length);
}

/* By descending dtype, then name. */
static int compare_places(const void *one, const void *other) {
    const struct tensor_spec *a = ((const struct place *)one)->spec;
    const struct tensor_spec *b = ((const struct place *)other)->spec;
    if (a->dtype != b->dtype)
        return a->dtype > b->dtype ? -1 : 1;
    return compare_names(a->name, a->name_length, b->name, b->name_length);
}

/* Gives sorted places their offsets. Returns the bytes of the data area. */
static uint64_t place_tensors(struct place *sorted, size_t count) {
    uint64_t end = 0;
    for (size_t i = 0; i < count; i++) {
        sorted[i].offset = end;
        if (__builtin_add_overflow(end, sorted[i].bytes, &end))
            return UINT64_MAX;
    }
    return end;
}

static int compare_keys(const void *one, const void *other) {
    return strcmp(((const struct metadata_entry *)one)->key,
                  ((const struct metadata_entry *)other)->key);
}

/* "__metadata__":{...} with sorted keys, so that the same input gives the same bytes. */
static void add_metadata(struct text *text, const struct metadata_entry *metadata, size_t count) {
    struct metadata_entry *sorted = memory_array(count, sizeof *sorted);
    memcpy(sorted, metadata, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_keys);
    text_add_word(text, "\"__metadata__\":{");
    for (size_t i = 0; i < count; i++) {
        text_add_word(text, i > 0 ? "," : "");
        text_add_string(text, sorted[i].key, strlen(sorted[i].key));
        text_add_word(text, ":");
        text_add_string(text, sorted[i].value, strlen(sorted[i].value));
    }
    text_add_word(text, "}");
    free(sorted);
}

static void add_place(struct text *text, const struct place *place) {
    const struct tensor_spec *spec = place->spec;
    text_add_string(text, spec->name, spec->name_length);
    text_add_word(text, ":{\"dtype\":\"");
    text_add_word(text, dtype_name(spec->dtype));
    text_add_word(text, "\",\"shape\":[");
    for (size_t d = 0; d < spec->rank; d++) {
        text_add_word(text, d > 0 ? "," : "");
        text_add_number(text, spec->shape[d]);
    }
    text_add_word(text, "],\"data_offsets\":[");
    text_add_number(text, place->offset);
    text_add_word(text, ",");
    text_add_number(text, place->offset + place->bytes);
    text_add_word(text, "]}");
}

static struct text make_header(const struct layout *layout, const struct place *sorted) {
    struct text text = {0};
    text_add_bytes(&text, 0, LENGTH_BYTES); /* known at the end */
    text_add_word(&text, "{");
    if (layout->metadata_count > 0)
        add_metadata(&text, layout->metadata, layout->metadata_count);
    for (size_t i = 0; i < layout->count; i++) {
        text_add_word(&text, i > 0 || layout->metadata_count > 0 ? "," : "");
        add_place(&text, &sorted[i]);
    }
    text_add_word(&text, "}");
    while (text.length % ALIGNMENT != 0)
        text_add_word(&text, " ");
    uint64_t length = text.length - LENGTH_BYTES;
    memcpy(text.bytes, &length, LENGTH_BYTES);
    return text;
}

/* Reads the header as a reader will: two tensors of one name, a name that is not UTF-8 and so on
 * come to light before the work, by the same rules. */
static bool check_header(const struct layout *layout, uint64_t data_bytes, struct error *error) {
    size_t length = layout->head.length - LENGTH_BYTES;
    if (length > SAFETENSORS_HEADER_LIMIT)
        return checkpoint_fail(layout->draft, error,
                               "its header would take %zu bytes; at most %d are allowed", length,
                               SAFETENSORS_HEADER_LIMIT);
    struct checkpoint *reread = memory_array(1, sizeof *reread);
    reread->path = memory_string(layout->draft->path);
    struct span *spans = safetensors_read_header(reread, layout->head.bytes + LENGTH_BYTES, length,
                                                 data_bytes, error);
    checkpoint_close(reread);
    free(spans);
    return spans != NULL;
}

static bool lay_out(struct layout *layout, struct error *error) {
    size_t count = layout->count;
    struct place *sorted = memory_array(count, sizeof *sorted);
    memcpy(sorted, layout->places, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, compare_places);
    uint64_t data_bytes = place_tensors(sorted, count);
    layout->head = make_header(layout, sorted);
    const struct tensor_spec *first = count > 0 ? layout->places[0].spec : NULL;
    for (size_t i = 0; i < count; i++) /* back into the order of the specs */
        layout->places[sorted[i].spec - first].offset = sorted[i].offset;
    free(sorted);
    if (__builtin_add_overflow(data_bytes, layout->head.length, &layout->bytes))
        layout->bytes = UINT64_MAX; /* there will be no space for it */
    return check_header(layout, data_bytes, error);
}

static const char *const endings[] = {".safetensors", NULL};

const struct output_format safetensors_output = {endings, lay_out, NULL, NULL};
