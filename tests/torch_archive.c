#include "tests/torch_archive.h"

#include "analysis/support/memory.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void bytes_add(struct bytes *bytes, const void *data, size_t length) {
    if (bytes->capacity - bytes->length < length) {
        bytes->capacity = 2 * bytes->capacity + length;
        bytes->data = memory_resize(bytes->data, bytes->capacity, 1);
    }
    if (length > 0)
        memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

void bytes_add_text(struct bytes *bytes, const char *text) {
    bytes_add(bytes, text, strlen(text));
}

void bytes_repeat(struct bytes *bytes, const void *data, size_t length, size_t times) {
    for (size_t i = 0; i < times; i++)
        bytes_add(bytes, data, length);
}

void bytes_free(struct bytes *bytes) {
    free(bytes->data);
    *bytes = (struct bytes){0};
}

static void put(unsigned char *at, uint64_t number, size_t width) {
    for (size_t i = 0; i < width; i++)
        at[i] = (unsigned char)(number >> (8 * i));
}

void put16(unsigned char *at, unsigned number) {
    put(at, number, 2);
}

void put32(unsigned char *at, uint32_t number) {
    put(at, number, 4);
}

void put64(unsigned char *at, uint64_t number) {
    put(at, number, 8);
}

/* A record as it goes into the archive. */
struct packed {
    unsigned char *data;
    size_t length;
    uint32_t checksum;
    char *name;
    size_t name_length;
};

static struct packed pack(const struct record *record) {
    struct packed packed = {.length = record->length};
    size_t given = record->name_length > 0 ? record->name_length : strlen(record->name);
    size_t folder = record->folder ? 2 : 0;
    packed.checksum = (uint32_t)crc32(crc32(0, NULL, 0), record->data, (uInt)record->length);
    packed.name = memory_array(folder + given + 1, 1);
    memcpy(packed.name, "a/", folder);
    memcpy(packed.name + folder, record->name, given);
    packed.name_length = folder + given;
    packed.data = memory_array(compressBound((uLong)record->length) + 64, 1);
    if (record->deflate) {
        z_stream stream = {.next_in = (Bytef *)record->data,
                           .avail_in = (uInt)record->length,
                           .next_out = packed.data,
                           .avail_out = (uInt)(compressBound((uLong)record->length) + 64)};
        deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY);
        deflate(&stream, Z_FINISH);
        packed.length = stream.total_out;
        deflateEnd(&stream);
    } else if (record->length > 0) {
        memcpy(packed.data, record->data, record->length);
    }
    return packed;
}

/* The fields that local and central headers share, from "version needed" on. */
static void common(unsigned char *at, const struct record *record, const struct packed *packed) {
    put16(at, 20);
    put16(at + 4, record->deflate ? 8 : 0);
    put32(at + 10, packed->checksum);
    put32(at + 14, (uint32_t)packed->length);
    put32(at + 18, (uint32_t)record->length);
    put16(at + 22, (unsigned)packed->name_length);
}

static void add_end64(struct zip *zip, size_t count, size_t size) {
    unsigned char record[76] = "PK\6\6";
    zip->end64 = zip->bytes.length;
    put64(record + 4, 44);
    put64(record + 24, count);
    put64(record + 32, count);
    put64(record + 40, size);
    put64(record + 48, zip->directory);
    memcpy(record + 56, "PK\6\7", 4);
    put64(record + 64, zip->end64);
    put32(record + 72, 1);
    bytes_add(&zip->bytes, record, sizeof record);
}

struct zip zip_make(const struct record *records, size_t count, bool zip64) {
    struct zip zip = {0};
    struct bytes directory = {0};
    unsigned char end[22] = "PK\5\6";
    zip.local = memory_array(count, sizeof *zip.local);
    zip.central = memory_array(count, sizeof *zip.central);
    for (size_t i = 0; i < count; i++) {
        unsigned char local[30] = "PK\3\4", central[46] = "PK\1\2";
        struct packed packed = pack(&records[i]);
        zip.local[i] = zip.bytes.length;
        zip.central[i] = directory.length;
        common(local + 4, &records[i], &packed);
        put16(local + 28, (unsigned)records[i].extra);
        common(central + 6, &records[i], &packed);
        put32(central + 42, (uint32_t)zip.local[i]);
        bytes_add(&zip.bytes, local, sizeof local);
        bytes_add(&zip.bytes, packed.name, packed.name_length);
        bytes_repeat(&zip.bytes, "", 1, records[i].extra);
        bytes_add(&zip.bytes, packed.data, packed.length);
        bytes_add(&directory, central, sizeof central);
        bytes_add(&directory, packed.name, packed.name_length);
        free(packed.name);
        free(packed.data);
    }
    zip.directory = zip.bytes.length;
    for (size_t i = 0; i < count; i++)
        zip.central[i] += zip.directory;
    bytes_add(&zip.bytes, directory.data, directory.length);
    if (zip64)
        add_end64(&zip, count, directory.length);
    zip.end = zip.bytes.length;
    put16(end + 8, (unsigned)count);
    put16(end + 10, (unsigned)count);
    put32(end + 12, (uint32_t)directory.length);
    put32(end + 16, (uint32_t)zip.directory);
    bytes_add(&zip.bytes, end, sizeof end);
    bytes_free(&directory);
    return zip;
}

void zip_free(struct zip *zip) {
    bytes_free(&zip->bytes);
    free(zip->local);
    free(zip->central);
}
