/* Zip archives as torch writes them, over the mapped file (formats.md B2, B3).
 *
 *     | local header, data | local header, data | ... | central directory | end records |
 *
 * What an entry is and where, the central directory alone decides; the local headers are held
 * against it. Refused is whatever two readers could understand differently: data before the first
 * entry or after the end, entries that overlap, two of one name (also in other case), encrypted
 * or otherwise compressed ones, an end record in a comment. Private to the room. */
#ifndef R2M_ANALYSIS_CHECKPOINT_TORCH_ZIP_DIRECTORY_H
#define R2M_ANALYSIS_CHECKPOINT_TORCH_ZIP_DIRECTORY_H

#include "analysis/checkpoint/format.h"

struct zip_entry {
    const char *name; /* valid UTF-8 in the mapped file, without a NUL behind */
    size_t name_length;
    unsigned flags;
    bool deflated;
    uint32_t checksum;         /* CRC-32 of the unpacked bytes; 0 is often "not computed" */
    uint64_t compressed, size; /* bytes in the file and unpacked */
    uint64_t header;           /* offset of the local header */
    const unsigned char *data;
};

struct zip_directory {
    struct zip_entry *entries; /* by name, case ignored */
    size_t count;
    uint64_t unpacked;           /* bytes inflated so far */
    uint64_t checked;            /* bytes whose checksum was computed so far */
    const struct zip_entry *bad; /* the first entry of a wrong checksum, or NULL */
    size_t bad_count, unset_count;
};

/* Reads and checks the directory; warns of gaps between entries. Release it in any case. */
bool zip_directory_read(struct zip_directory *directory, struct checkpoint *checkpoint,
                        struct error *error);

void zip_directory_free(struct zip_directory *directory);

/* The entry of exactly that name, or NULL. */
const struct zip_entry *zip_directory_find(const struct zip_directory *directory, const char *name,
                                           size_t length);

/* The unpacked bytes: in the mapped file, or in a buffer that lives as long as the checkpoint. At
 * most twice the file and 32 MiB are unpacked in all. Checksums are compared as far as that takes
 * no time (4 MiB of the file, all that is inflated); wrong ones are counted. NULL on failure. */
const unsigned char *zip_entry_bytes(struct zip_directory *directory, struct checkpoint *checkpoint,
                                     const struct zip_entry *entry, struct error *error);

/* Warns of the wrong checksums met by zip_entry_bytes. */
void zip_directory_warn(const struct zip_directory *directory, struct checkpoint *checkpoint);

/* Error `FILE: zip entry NAME: reason`. Returns false. */
bool zip_entry_fail(const struct checkpoint *checkpoint, const struct zip_entry *entry,
                    struct error *error, const char *reason);

#endif
