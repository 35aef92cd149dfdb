/* Torch checkpoints as torch.load(weights_only=True) takes them since 1.13 (formats.md B8): a zip
 * archive with the plain dict of names and tensors, every tensor alone in its storage.
 *
 *     archive/data.pkl  archive/byteorder  archive/extra/KEY...  |  archive/data/0 ...  |
 *     archive/version, central directory
 *
 * The records extra/KEY hold the metadata, as in torch's own files with extra files. */
#include "analysis/checkpoint/name_index.h"
#include "analysis/checkpoint/output_format.h"
#include "analysis/support/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "archive/"
#define VERSION "3\n"

enum { ENTRY_LIMIT = 1000000 }; /* of an archive, as the reader has it */

/* How torch names a dtype: the storage of its elements or, where storages of such never existed, a
 * storage of bytes and the dtype. */
static const struct {
    enum dtype dtype;
    const char *storage, *element;
} types[] = {
    {DTYPE_F64, "DoubleStorage", NULL},
    {DTYPE_F32, "FloatStorage", NULL},
    {DTYPE_F16, "HalfStorage", NULL},
    {DTYPE_BF16, "BFloat16Storage", NULL},
    {DTYPE_I64, "LongStorage", NULL},
    {DTYPE_I32, "IntStorage", NULL},
    {DTYPE_I16, "ShortStorage", NULL},
    {DTYPE_I8, "CharStorage", NULL},
    {DTYPE_U8, "ByteStorage", NULL},
    {DTYPE_BOOL, "BoolStorage", NULL},
    {DTYPE_C64, "ComplexFloatStorage", NULL},
    {DTYPE_U64, NULL, "uint64"},
    {DTYPE_U32, NULL, "uint32"},
    {DTYPE_U16, NULL, "uint16"},
    {DTYPE_F8_E4M3, NULL, "float8_e4m3fn"},
    {DTYPE_F8_E5M2, NULL, "float8_e5m2"},
    {DTYPE_F8_E4M3FNUZ, NULL, "float8_e4m3fnuz"},
    {DTYPE_F8_E5M2FNUZ, NULL, "float8_e5m2fnuz"},
    {DTYPE_F8_E8M0, NULL, "float8_e8m0fnu"},
};

enum { TYPES = sizeof types / sizeof types[0] };

static size_t type_of(enum dtype dtype) {
    size_t i = 0;
    while (i < TYPES && types[i].dtype != dtype)
        i++;
    return i;
}

static void add_global(struct text *pickle, const char *module, const char *name) {
    text_add_word(pickle, "c");
    text_add_word(pickle, module);
    text_add_word(pickle, "\n");
    text_add_word(pickle, name);
    text_add_word(pickle, "\n");
}

static void add_string(struct text *pickle, const char *string, size_t length) {
    text_add_word(pickle, "X"); /* BINUNICODE */
    text_add_bytes(pickle, length, 4);
    text_add(pickle, string, length);
}

/* BININT1, BININT2, BININT or LONG1, whose highest bit is a sign. */
static void add_int(struct text *pickle, uint64_t number) {
    size_t bytes = 0;
    if (number < 1u << 8) {
        text_add_word(pickle, "K");
        text_add_bytes(pickle, number, 1);
    } else if (number < 1u << 16) {
        text_add_word(pickle, "M");
        text_add_bytes(pickle, number, 2);
    } else if (number < 1u << 31) {
        text_add_word(pickle, "J");
        text_add_bytes(pickle, number, 4);
    } else {
        while (bytes < 8 && number >> (8 * bytes) != 0)
            bytes++;
        bytes += number >> (8 * bytes - 1) & 1;
        text_add_word(pickle, "\x8a");
        text_add_bytes(pickle, bytes, 1);
        text_add_bytes(pickle, number, bytes);
    }
}

static void add_tuple(struct text *pickle, const uint64_t *numbers, size_t count) {
    text_add_word(pickle, count > 0 ? "(" : ")");
    for (size_t i = 0; i < count; i++)
        add_int(pickle, numbers[i]);
    text_add_word(pickle, count > 0 ? "t" : "");
}

/* Strides of a contiguous tensor; a size of 0 counts as 1. false when they overflow. */
static bool contiguous_strides(const struct tensor_spec *spec, uint64_t *strides) {
    int64_t step = 1;
    for (size_t d = spec->rank; d-- > 0;) {
        strides[d] = (uint64_t)step;
        if (__builtin_mul_overflow(step, spec->shape[d] > 0 ? spec->shape[d] : 1, &step))
            return false;
    }
    return true;
}

/* ('storage', class, key, 'cpu', elements) as a persistent id. */
static void add_storage(struct text *pickle, const struct place *place, size_t index) {
    size_t type = type_of(place->spec->dtype);
    bool untyped = types[type].storage == NULL;
    char key[24];
    text_add_word(pickle, "(");
    add_string(pickle, "storage", 7);
    add_global(pickle, untyped ? "torch.storage" : "torch",
               untyped ? "UntypedStorage" : types[type].storage);
    add_string(pickle, key, (size_t)snprintf(key, sizeof key, "%zu", index));
    add_string(pickle, "cpu", 3);
    add_int(pickle, untyped ? place->bytes : place->bytes * 8 / dtype_bits(place->spec->dtype));
    text_add_word(pickle, "tQ");
}

static void add_ordered_dict(struct text *pickle) {
    add_global(pickle, "collections", "OrderedDict");
    text_add_word(pickle, ")R");
}

/* name: _rebuild_tensor_v2(storage, 0, sizes, strides, False, OrderedDict()), or _v3, which takes
 * the dtype too. */
static void add_tensor(struct text *pickle, const struct place *place, size_t index) {
    const struct tensor_spec *spec = place->spec;
    const char *element = types[type_of(spec->dtype)].element;
    uint64_t strides[TENSOR_RANK_LIMIT];
    contiguous_strides(spec, strides);
    add_string(pickle, spec->name, spec->name_length);
    add_global(pickle, "torch._utils",
               element != NULL ? "_rebuild_tensor_v3" : "_rebuild_tensor_v2");
    text_add_word(pickle, "(");
    add_storage(pickle, place, index);
    add_int(pickle, 0);
    add_tuple(pickle, spec->shape, spec->rank);
    add_tuple(pickle, strides, spec->rank);
    text_add_word(pickle, "\x89"); /* False */
    add_ordered_dict(pickle);
    if (element != NULL)
        add_global(pickle, "torch", element);
    text_add_word(pickle, "tR");
}

/* The state of the dictionary before it: {'_metadata': OrderedDict(module: {'version': 1}, ...)},
 * which load_state_dict looks at. */
static void add_modules(struct text *pickle, const struct layout *layout) {
    text_add_word(pickle, "}");
    add_string(pickle, "_metadata", 9);
    add_ordered_dict(pickle);
    text_add_word(pickle, "(");
    for (size_t i = 0; i < layout->module_count; i++) {
        const struct module_version *module = &layout->modules[i];
        add_string(pickle, module->module, module->length);
        text_add_word(pickle, "}");
        add_string(pickle, "version", 7);
        add_int(pickle, (uint64_t)module->version);
        text_add_word(pickle, "s");
    }
    text_add_word(pickle, "usb"); /* SETITEMS, SETITEM, BUILD */
}

static struct text make_pickle(const struct layout *layout) {
    struct text pickle = {0};
    text_add_word(&pickle, "\x80\x02"); /* protocol 2 */
    if (layout->module_count > 0)
        add_ordered_dict(&pickle);
    else
        text_add_word(&pickle, "}");
    text_add_word(&pickle, "(");
    for (size_t i = 0; i < layout->count; i++)
        add_tensor(&pickle, &layout->places[i], i);
    text_add_word(&pickle, "u");
    if (layout->module_count > 0)
        add_modules(&pickle, layout);
    text_add_word(&pickle, ".");
    return pickle;
}

/* Adds a record with its data at the end of text, which begins at byte start of the file. */
static void add_record(struct text *text, uint64_t start, struct zip_record *record,
                       const void *data, size_t bytes) {
    record->size = bytes;
    record->checksum = seal_checksum(data, bytes);
    record->header = start + text->length;
    zip_add_local(text, record);
    text_add(text, data, bytes);
}

/* A name as it may stand in an archive: letters, digits, '.', '-' and '_'. */
static void name_extra(struct zip_record *record, const char *key) {
    size_t length = (size_t)snprintf(record->name, sizeof record->name, FOLDER "extra/%s", key);
    for (size_t i = sizeof FOLDER "extra/" - 1; i < length && record->name[i] != '\0'; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_",
                   record->name[i]) == NULL)
            record->name[i] = '_';
}

static void make_head(struct layout *layout) {
    struct text pickle = make_pickle(layout);
    struct zip_record *record = layout->records =
        memory_array(2 + layout->metadata_count, sizeof *record);
    snprintf(record->name, sizeof record->name, FOLDER "data.pkl");
    add_record(&layout->head, 0, record++, pickle.bytes, pickle.length);
    snprintf(record->name, sizeof record->name, FOLDER "byteorder");
    add_record(&layout->head, 0, record++, "little", 6);
    for (size_t i = 0; i < layout->metadata_count; i++) {
        const struct metadata_entry *entry = &layout->metadata[i];
        name_extra(record, entry->key);
        add_record(&layout->head, 0, record++, entry->value, strlen(entry->value));
    }
    layout->record_count = (size_t)(record - layout->records);
    free(pickle.bytes);
}

/* The record of a tensor: its header begins where the one before ended. */
static struct zip_record tensor_record(const struct layout *layout, size_t index) {
    const struct place *place = &layout->places[index];
    struct zip_record record = {
        .size = place->bytes, .checksum = place->checksum, .header = layout->head.length};
    if (index > 0)
        record.header += place[-1].offset + place[-1].bytes;
    snprintf(record.name, sizeof record.name, FOLDER "data/%zu", index);
    return record;
}

/* Sets the offset of every tensor. Returns the end of the last one, from the start of the file. */
static uint64_t place_tensors(struct layout *layout) {
    uint64_t end = layout->head.length;
    for (size_t i = 0; i < layout->count; i++) {
        struct place *place = &layout->places[i];
        struct zip_record record = tensor_record(layout, i);
        place->offset = end + zip_local_length(&record) - layout->head.length;
        end = layout->head.length + place->offset;
        if (__builtin_add_overflow(end, place->bytes, &end) || end > INT64_MAX)
            return UINT64_MAX;
    }
    return end;
}

static uint64_t data_end(const struct layout *layout) {
    if (layout->count == 0)
        return layout->head.length;
    const struct place *last = &layout->places[layout->count - 1];
    return layout->head.length + last->offset + last->bytes;
}

static struct text make_tail(const struct layout *layout) {
    struct text tail = {0};
    struct zip_record version = {.name = FOLDER "version"};
    uint64_t start = data_end(layout);
    add_record(&tail, start, &version, VERSION, sizeof VERSION - 1);
    size_t central = tail.length;
    for (size_t i = 0; i < layout->record_count; i++)
        zip_add_central(&tail, &layout->records[i]);
    for (size_t i = 0; i < layout->count; i++) {
        struct zip_record record = tensor_record(layout, i);
        zip_add_central(&tail, &record);
    }
    zip_add_central(&tail, &version);
    zip_add_end(&tail, layout->record_count + layout->count + 1, start + central,
                tail.length - central);
    return tail;
}

static struct text make_frame(const struct layout *layout, size_t index) {
    struct text frame = {0};
    struct zip_record record = tensor_record(layout, index);
    zip_add_local(&frame, &record);
    return frame;
}

/* What keeps a tensor out of a torch file, or NULL. */
static const char *spec_problem(const struct tensor_spec *spec) {
    uint64_t strides[TENSOR_RANK_LIMIT];
    if (spec->name_length > TENSOR_NAME_LIMIT)
        return "is a name of more than 4096 bytes";
    if (utf8_check(spec->name, spec->name_length) < spec->name_length)
        return "its name is not UTF-8";
    if (type_of(spec->dtype) == TYPES)
        return "a torch file cannot hold its dtype";
    if (spec->rank > TENSOR_RANK_LIMIT)
        return "more than 64 dimensions";
    return contiguous_strides(spec, strides) ? NULL : "its sizes are too large for torch";
}

/* Every tensor fits the format, and no name occurs twice. */
static bool check_specs(const struct layout *layout, struct error *error) {
    struct tensor *tensors = memory_array(layout->count, sizeof *tensors);
    struct name_index index = {0};
    bool good = true;
    for (size_t i = 0; i < layout->count && good; i++) {
        const struct tensor_spec *spec = layout->places[i].spec;
        const char *problem = spec_problem(spec);
        tensors[i] = (struct tensor){.name = spec->name, .name_length = spec->name_length};
        good = problem == NULL || tensor_fail(layout->draft, &tensors[i], error, "%s", problem);
    }
    if (good) {
        size_t twice = name_index_build(&index, tensors, layout->count);
        good = twice == layout->count ||
               tensor_fail(layout->draft, &tensors[twice], error, "occurs twice");
    }
    name_index_free(&index);
    free(tensors);
    return good;
}

static bool lay_out(struct layout *layout, struct error *error) {
    if (layout->count + layout->metadata_count + 3 > ENTRY_LIMIT)
        return checkpoint_fail(layout->draft, error,
                               "%zu tensors are too many for a torch file; at most %d are allowed",
                               layout->count, ENTRY_LIMIT - 3);
    if (!check_specs(layout, error))
        return false;
    make_head(layout);
    layout->bytes = place_tensors(layout);
    if (layout->bytes == UINT64_MAX)
        return true;                      /* there will be no space for it */
    struct text tail = make_tail(layout); /* with its size, but without checksums */
    layout->bytes += tail.length;
    free(tail.bytes);
    return true;
}

static const char *const endings[] = {".pth", ".pt", ".bin", NULL};

const struct output_format torch_output = {endings, lay_out, make_frame, make_tail};
