#include "analysis/checkpoint/torch/zip_output.h"

#include <stdbool.h>
#include <string.h>

enum {
    ALIGNMENT = 64,
    LOCAL_BYTES = 30,
    FIELD_BYTES = 4,     /* id and length of an extra field */
    ZIP64_ID = 0x0001,   /* sizes and offsets of 64 bits */
    PADDING_ID = 0x4246, /* "FB", torch's own */
    VERSION = 20,
    VERSION_ZIP64 = 45,
    FLAG_UTF8 = 0x0800,
    DATE_1980 = 0x0021 /* January 1st: no time of writing in the file */
};

static const uint32_t saturated = 0xFFFFFFFF; /* the number stands in the zip64 field */

static bool is_large(uint64_t number) {
    return number >= saturated;
}

static uint64_t low(uint64_t number) {
    return is_large(number) ? saturated : number;
}

/* The local zip64 field holds both sizes, or is not there. */
static size_t local_zip64_length(const struct zip_record *record) {
    return is_large(record->size) ? FIELD_BYTES + 16 : 0;
}

static size_t padding_length(const struct zip_record *record) {
    uint64_t start = record->header + LOCAL_BYTES + strlen(record->name) +
                     local_zip64_length(record) + FIELD_BYTES;
    return (size_t)(-start % ALIGNMENT);
}

size_t zip_local_length(const struct zip_record *record) {
    return LOCAL_BYTES + strlen(record->name) + local_zip64_length(record) + FIELD_BYTES +
           padding_length(record);
}

/* What both kinds of header share: from the version needed to the length of the name. */
static void add_common(struct text *text, const struct zip_record *record, bool zip64) {
    text_add_bytes(text, zip64 ? VERSION_ZIP64 : VERSION, 2);
    text_add_bytes(text, FLAG_UTF8, 2);
    text_add_bytes(text, 0, 2); /* stored */
    text_add_bytes(text, 0, 2); /* midnight */
    text_add_bytes(text, DATE_1980, 2);
    text_add_bytes(text, record->checksum, 4);
    text_add_bytes(text, low(record->size), 4); /* in the file */
    text_add_bytes(text, low(record->size), 4);
    text_add_bytes(text, strlen(record->name), 2);
}

void zip_add_local(struct text *text, const struct zip_record *record) {
    static const char zeros[ALIGNMENT];
    size_t zip64 = local_zip64_length(record), padding = padding_length(record);
    text_add_word(text, "PK\3\4");
    add_common(text, record, zip64 > 0);
    text_add_bytes(text, zip64 + FIELD_BYTES + padding, 2);
    text_add_word(text, record->name);
    if (zip64 > 0) {
        text_add_bytes(text, ZIP64_ID, 2);
        text_add_bytes(text, zip64 - FIELD_BYTES, 2);
        text_add_bytes(text, record->size, 8);
        text_add_bytes(text, record->size, 8);
    }
    text_add_bytes(text, PADDING_ID, 2);
    text_add_bytes(text, padding, 2);
    text_add(text, zeros, padding);
}

/* The central zip64 field holds only what does not fit its 32 bits. */
void zip_add_central(struct text *text, const struct zip_record *record) {
    size_t sizes = is_large(record->size) ? 2 : 0, numbers = sizes + is_large(record->header);
    text_add_word(text, "PK\1\2");
    text_add_bytes(text, numbers > 0 ? VERSION_ZIP64 : VERSION, 2); /* made by */
    add_common(text, record, numbers > 0);
    text_add_bytes(text, numbers > 0 ? FIELD_BYTES + 8 * numbers : 0, 2);
    text_add_bytes(text, 0, 2); /* no comment */
    text_add_bytes(text, 0, 2); /* disk */
    text_add_bytes(text, 0, 6); /* attributes */
    text_add_bytes(text, low(record->header), 4);
    text_add_word(text, record->name);
    if (numbers == 0)
        return;
    text_add_bytes(text, ZIP64_ID, 2);
    text_add_bytes(text, 8 * numbers, 2);
    for (size_t i = 0; i < numbers; i++)
        text_add_bytes(text, i < sizes ? record->size : record->header, 8);
}

void zip_add_end(struct text *text, uint64_t count, uint64_t offset, uint64_t length) {
    uint64_t short_count = count < 0xFFFF ? count : 0xFFFF;
    text_add_word(text, "PK\6\6"); /* the zip64 record */
    text_add_bytes(text, 44, 8);   /* bytes of it that follow */
    text_add_bytes(text, VERSION_ZIP64, 2);
    text_add_bytes(text, VERSION_ZIP64, 2);
    text_add_bytes(text, 0, 8); /* disks */
    text_add_bytes(text, count, 8);
    text_add_bytes(text, count, 8);
    text_add_bytes(text, length, 8);
    text_add_bytes(text, offset, 8);
    text_add_word(text, "PK\6\7"); /* its locator */
    text_add_bytes(text, 0, 4);
    text_add_bytes(text, offset + length, 8);
    text_add_bytes(text, 1, 4);
    text_add_word(text, "PK\5\6");
    text_add_bytes(text, 0, 4); /* disks */
    text_add_bytes(text, short_count, 2);
    text_add_bytes(text, short_count, 2);
    text_add_bytes(text, low(length), 4);
    text_add_bytes(text, low(offset), 4);
    text_add_bytes(text, 0, 2); /* no comment */
}
