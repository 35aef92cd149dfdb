#include "analysis/checkpoint/torch/zip_directory.h"

#include "analysis/support/utf8.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    END_BYTES = 22,
    LOCATOR_BYTES = 20,
    END64_BYTES = 56,
    CENTRAL_BYTES = 46,
    LOCAL_BYTES = 30,
    DESCRIPTOR_BYTES = 24, /* the longest data descriptor after an entry */
    ENTRY_LIMIT = 1000000
};

static const uint64_t DIRECTORY_LIMIT = 256 << 20;
static const uint32_t SATURATED = 0xFFFFFFFF; /* the number stands in the zip64 field */

/* General purpose bits: encrypted, patched, strongly encrypted and masked entries are refused; a
 * local header agrees with the directory on these and on where the sizes stand. */
static const unsigned REFUSED_FLAGS = 0x2061, SIZES_FOLLOW = 0x0008;

/* The end records, in one. */
struct end {
    uint64_t count, size, offset; /* of the central directory */
    uint64_t begin;               /* where the end records begin */
};

struct reader {
    struct checkpoint *checkpoint;
    struct error *error;
    const unsigned char *bytes;
    uint64_t size;
    struct end end;
};

static unsigned get16(const unsigned char *bytes) {
    return (unsigned)bytes[0] | (unsigned)bytes[1] << 8;
}

static uint32_t get32(const unsigned char *bytes) {
    return (uint32_t)get16(bytes) | (uint32_t)get16(bytes + 2) << 16;
}

static uint64_t get64(const unsigned char *bytes) {
    return (uint64_t)get32(bytes) | (uint64_t)get32(bytes + 4) << 32;
}

static bool refuse(const struct reader *reader, const char *reason) {
    return checkpoint_fail(reader->checkpoint, reader->error, "damaged zip archive: %s", reason);
}

bool zip_entry_fail(const struct checkpoint *checkpoint, const struct zip_entry *entry,
                    struct error *error, const char *reason) {
    bool long_name = entry->name_length > 100;
    char *name = error_quote(entry->name, long_name ? 100 : entry->name_length);
    checkpoint_fail(checkpoint, error, "zip entry %s%s: %s", name, long_name ? "..." : "", reason);
    free(name);
    return false;
}

static bool refuse_entry(const struct reader *reader, const struct zip_entry *entry,
                         const char *reason) {
    return zip_entry_fail(reader->checkpoint, entry, reader->error, reason);
}

/* The zip64 end record, if a locator stands before the end record; it must say the same. */
static bool read_end64(struct reader *reader) {
    struct end *end = &reader->end;
    if (end->begin < LOCATOR_BYTES + END64_BYTES ||
        memcmp(reader->bytes + end->begin - LOCATOR_BYTES, "PK\6\7", 4) != 0)
        return true;
    const unsigned char *locator = reader->bytes + end->begin - LOCATOR_BYTES;
    uint64_t begin = end->begin - LOCATOR_BYTES - END64_BYTES;
    const unsigned char *record = reader->bytes + begin;
    if (get32(locator + 4) != 0 || get64(locator + 8) != begin || get32(locator + 16) > 1)
        return refuse(reader, "the zip64 locator points elsewhere");
    if (memcmp(record, "PK\6\6", 4) != 0 || get64(record + 4) != END64_BYTES - 12)
        return refuse(reader, "the zip64 end record is not where it belongs");
    if (get32(record + 16) != 0 || get32(record + 20) != 0 ||
        get64(record + 24) != get64(record + 32))
        return refuse(reader, "an archive of several parts");
    struct end wide = {get64(record + 32), get64(record + 40), get64(record + 48), begin};
    if ((end->count != 0xFFFF && end->count != wide.count) ||
        (end->size != SATURATED && end->size != wide.size) ||
        (end->offset != SATURATED && end->offset != wide.offset))
        return refuse(reader, "its two end records differ");
    *end = wide;
    return true;
}

/* Rule 1: the end record is the last 22 bytes; a comment could hide another one. */
static bool read_end(struct reader *reader) {
    if (reader->size < END_BYTES)
        return refuse(reader, "cut short (an interrupted download?)");
    const unsigned char *record = reader->bytes + reader->size - END_BYTES;
    if (memcmp(record, "PK\5\6", 4) != 0)
        return refuse(reader, "no directory at the end of the file: truncated (an interrupted "
                              "download?), or something is appended");
    if (get16(record + 20) != 0)
        return refuse(reader, "a comment at its end");
    if (get16(record + 4) != 0 || get16(record + 6) != 0 || get16(record + 8) != get16(record + 10))
        return refuse(reader, "an archive of several parts");
    reader->end = (struct end){get16(record + 10), get32(record + 12), get32(record + 16),
                               reader->size - END_BYTES};
    return read_end64(reader);
}

/* Rule 2: the directory fills the space to the end records. */
static bool check_end(const struct reader *reader) {
    const struct end *end = &reader->end;
    if (end->offset > end->begin || end->size != end->begin - end->offset)
        return refuse(reader, "its directory does not end where the end record begins");
    if (end->count == 0)
        return refuse(reader, "it is empty");
    if (end->count > ENTRY_LIMIT || end->size > DIRECTORY_LIMIT)
        return refuse(reader, "more than 1000000 entries or 256 MiB of directory");
    return end->size >= end->count * CENTRAL_BYTES || refuse(reader, "its directory is too short");
}

/* The zip64 field among the extra ones, or NULL. False when the fields are malformed. */
static bool find_zip64(const unsigned char *extra, size_t length, const unsigned char **field,
                       size_t *field_length) {
    *field = NULL;
    *field_length = 0;
    while (length > 0) {
        if (length < 4 || length - 4 < get16(extra + 2))
            return false;
        size_t size = get16(extra + 2);
        if (get16(extra) == 1) {
            if (*field != NULL)
                return false;
            *field = extra + 4;
            *field_length = size;
        }
        extra += 4 + size;
        length -= 4 + size;
    }
    return true;
}

/* Replaces the saturated ones among size, compressed and header by those of the zip64 field. */
static bool widen(struct zip_entry *entry, const unsigned char *extra, size_t length) {
    uint64_t *numbers[] = {&entry->size, &entry->compressed, &entry->header};
    const unsigned char *field;
    size_t left, used = 0;
    if (!find_zip64(extra, length, &field, &left))
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (*numbers[i] != SATURATED)
            continue;
        if (left - used < 8)
            return false;
        *numbers[i] = get64(field + used);
        used += 8;
    }
    return (field != NULL) == (used > 0);
}

/* Empty names, absolute ones and ones that leave the folder. */
static bool is_plain_name(const char *name, size_t length) {
    if (length == 0 || name[0] == '/' || utf8_check(name, length) < length ||
        memchr(name, '\0', length) != NULL || memchr(name, '\\', length) != NULL)
        return false;
    for (size_t part = 0; part < length;) {
        const char *slash = memchr(name + part, '/', length - part);
        size_t end = slash != NULL ? (size_t)(slash - name) : length;
        if (end - part == 2 && memcmp(name + part, "..", 2) == 0)
            return false;
        part = end + 1;
    }
    return true;
}

/* Rule 3. */
static bool check_entry(const struct reader *reader, const struct zip_entry *entry,
                        const unsigned char *central) {
    unsigned method = get16(central + 10);
    if (!is_plain_name(entry->name, entry->name_length))
        return refuse_entry(reader, entry, "not a plain relative name");
    if (entry->flags & REFUSED_FLAGS)
        return refuse_entry(reader, entry, "encrypted or patched");
    if (method != 0 && method != 8)
        return refuse_entry(reader, entry, "an unknown kind of compression");
    if (get16(central + 34) != 0)
        return refuse_entry(reader, entry, "in another part of the archive");
    if (!entry->deflated && entry->compressed != entry->size)
        return refuse_entry(reader, entry, "stored, but its two sizes differ");
    return true;
}

/* Sizes in the local header, where it has any; a saturated one stands in the zip64 field. */
static bool sizes_agree(const struct zip_entry *entry, const unsigned char *local) {
    uint32_t compressed = get32(local + 18), size = get32(local + 22);
    return (entry->flags & SIZES_FOLLOW) ||
           (get32(local + 14) == entry->checksum &&
            (compressed == SATURATED || compressed == entry->compressed) &&
            (size == SATURATED || size == entry->size));
}

/* Rule 4: the local header agrees, and header and data lie before the directory. */
static bool locate(const struct reader *reader, struct zip_entry *entry) {
    uint64_t limit = reader->end.offset;
    if (limit < LOCAL_BYTES || entry->header > limit - LOCAL_BYTES)
        return refuse_entry(reader, entry, "begins behind the archive's data");
    const unsigned char *local = reader->bytes + entry->header;
    uint64_t data = entry->header + LOCAL_BYTES + get16(local + 26) + get16(local + 28);
    if (memcmp(local, "PK\3\4", 4) != 0)
        return refuse_entry(reader, entry, "its local header is not where the directory says");
    if (data > limit || entry->compressed > limit - data)
        return refuse_entry(reader, entry, "reaches into the archive's directory");
    unsigned compared = REFUSED_FLAGS | SIZES_FOLLOW;
    if (get16(local + 26) != entry->name_length ||
        memcmp(local + LOCAL_BYTES, entry->name, entry->name_length) != 0 ||
        get16(local + 8) != (entry->deflated ? 8 : 0) ||
        (get16(local + 6) & compared) != (entry->flags & compared) || !sizes_agree(entry, local))
        return refuse_entry(reader, entry, "its local header differs from the directory");
    entry->data = reader->bytes + data;
    return true;
}

/* The entry at `at` in the directory; moves on. */
static bool read_entry(const struct reader *reader, uint64_t *at, struct zip_entry *entry) {
    const unsigned char *central = reader->bytes + *at;
    uint64_t left = reader->end.begin - *at;
    if (left < CENTRAL_BYTES || memcmp(central, "PK\1\2", 4) != 0)
        return refuse(reader, "fewer entries than its end record says");
    size_t name = get16(central + 28), extra = get16(central + 30), comment = get16(central + 32);
    if (left - CENTRAL_BYTES < name + extra + comment)
        return refuse(reader, "an entry reaches behind the directory");
    *entry = (struct zip_entry){.name = (const char *)central + CENTRAL_BYTES,
                                .name_length = name,
                                .flags = get16(central + 8),
                                .deflated = get16(central + 10) == 8,
                                .checksum = get32(central + 16),
                                .compressed = get32(central + 20),
                                .size = get32(central + 24),
                                .header = get32(central + 42)};
    *at += CENTRAL_BYTES + name + extra + comment;
    if (!widen(entry, central + CENTRAL_BYTES + name, extra))
        return refuse_entry(reader, entry, "its zip64 sizes are malformed");
    return check_entry(reader, entry, central) && locate(reader, entry);
}

static bool read_entries(const struct reader *reader, struct zip_directory *directory) {
    uint64_t at = reader->end.offset;
    directory->count = (size_t)reader->end.count;
    directory->entries = memory_array(directory->count, sizeof *directory->entries);
    for (size_t i = 0; i < directory->count; i++)
        if (!read_entry(reader, &at, &directory->entries[i]))
            return false;
    return at == reader->end.begin || refuse(reader, "more entries than its end record says");
}

static int compare_places(const void *one, const void *other) {
    const struct zip_entry *a = one, *b = other;
    return (a->header > b->header) - (a->header < b->header);
}

/* Rule 5: from byte 0 on, entry after entry. */
static bool check_places(const struct reader *reader, struct zip_directory *directory) {
    uint64_t end = 0;
    size_t gaps = 0;
    qsort(directory->entries, directory->count, sizeof *directory->entries, compare_places);
    for (size_t i = 0; i < directory->count; i++) {
        const struct zip_entry *entry = &directory->entries[i];
        if (i == 0 && entry->header > 0)
            return refuse(reader, "something before its first entry");
        if (entry->header < end)
            return refuse_entry(reader, entry, "overlaps the entry before it");
        gaps += i > 0 && entry->header - end > DESCRIPTOR_BYTES;
        end = (uint64_t)(entry->data - reader->bytes) + entry->compressed;
    }
    gaps += reader->end.offset - end > DESCRIPTOR_BYTES;
    if (gaps > 0)
        checkpoint_warn(reader->checkpoint,
                        "%zu gap%s between the entries of the zip archive (deleted entries?)", gaps,
                        gaps > 1 ? "s" : "");
    return true;
}

/* By name, ASCII case ignored, as some readers look names up. */
static int compare_texts(const char *one, size_t one_length, const char *other,
                         size_t other_length) {
    int order = strncasecmp(one, other, one_length < other_length ? one_length : other_length);
    return order != 0 ? order : (one_length > other_length) - (one_length < other_length);
}

static int compare_names(const void *one, const void *other) {
    const struct zip_entry *a = one, *b = other;
    return compare_texts(a->name, a->name_length, b->name, b->name_length);
}

static bool check_names(const struct reader *reader, struct zip_directory *directory) {
    qsort(directory->entries, directory->count, sizeof *directory->entries, compare_names);
    for (size_t i = 1; i < directory->count; i++)
        if (compare_names(&directory->entries[i - 1], &directory->entries[i]) == 0)
            return refuse_entry(reader, &directory->entries[i],
                                "occurs twice (names are compared without case)");
    return true;
}

bool zip_directory_read(struct zip_directory *directory, struct checkpoint *checkpoint,
                        struct error *error) {
    struct reader reader = {checkpoint, error, checkpoint->file.bytes, checkpoint->file.size, {0}};
    *directory = (struct zip_directory){0};
    return read_end(&reader) && check_end(&reader) && read_entries(&reader, directory) &&
           check_places(&reader, directory) && check_names(&reader, directory);
}

void zip_directory_free(struct zip_directory *directory) {
    free(directory->entries);
    *directory = (struct zip_directory){0};
}

const struct zip_entry *zip_directory_find(const struct zip_directory *directory, const char *name,
                                           size_t length) {
    const struct zip_entry key = {.name = name, .name_length = length};
    const struct zip_entry *found = bsearch(&key, directory->entries, directory->count,
                                            sizeof *directory->entries, compare_names);
    return found != NULL && memcmp(found->name, name, length) == 0 ? found : NULL;
}
