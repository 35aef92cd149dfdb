/* Torch files built in memory, to be damaged by tests.
 *
 *     struct zip zip = zip_make(records, count, false);
 *     put16(zip.bytes.data + zip.central[1] + 8, 1);
 *     zip_free(&zip); */
#ifndef R2M_TESTS_TORCH_ARCHIVE_H
#define R2M_TESTS_TORCH_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that grow. */
struct bytes {
    unsigned char *data;
    size_t length, capacity;
};

void bytes_add(struct bytes *bytes, const void *data, size_t length);
void bytes_add_text(struct bytes *bytes, const char *text);
void bytes_repeat(struct bytes *bytes, const void *data, size_t length, size_t times);
void bytes_free(struct bytes *bytes);

/* Little-endian numbers at a place. */
void put16(unsigned char *at, unsigned number);
void put32(unsigned char *at, uint32_t number);
void put64(unsigned char *at, uint64_t number);

/* A record of an archive; its length is that of the data as stored. */
struct record {
    const char *name;
    const void *data;
    size_t length;
    size_t name_length; /* 0: strlen(name) */
    bool deflate;
    bool folder;  /* under "a/" */
    size_t extra; /* bytes of extra field in the local header */
};

struct zip {
    struct bytes bytes;
    size_t *local, *central;      /* offsets of the headers of every record */
    size_t directory, end64, end; /* offsets; end64 0 without one */
};

/* Stored or deflated records with right sizes and checksums, a directory, and the end record; with
 * zip64, also the zip64 end record and its locator. */
struct zip zip_make(const struct record *records, size_t count, bool zip64);
void zip_free(struct zip *zip);

/* Pickles, as text for the compiler. Numbers in three octal digits, since a digit may follow. */
#define PICKLE(body) "\200\002" body "."
#define PICKLE_DICT(body) PICKLE("}" body)
#define KEY(letter) "X\001\000\000\000" letter
#define INT1(digits) "K" digits
#define STORAGE_OF(class, key, elements)                                                           \
    "(X\007\000\000\000storagec" class "\n" key "X\003\000\000\000cpu" elements "tQ"
#define FLOATS(elements) STORAGE_OF("torch\nFloatStorage", KEY("0"), elements)
#define HOOKS "\211ccollections\nOrderedDict\n)R"
#define REBUILD(arguments) "ctorch._utils\n_rebuild_tensor_v2\n(" arguments HOOKS "tR"
#define OF_FOUR FLOATS(INT1("\004"))
#define LAYOUT4 INT1("\000") INT1("\004") "\205" INT1("\001") "\205"
/* 4 floats, the whole storage 0. */
#define TENSOR4 REBUILD(OF_FOUR LAYOUT4)
#define GOOD KEY("w") TENSOR4 "s"
#define GOOD_PICKLE PICKLE_DICT(GOOD)

#endif
