/* Zip archives as torch's own writer makes them, but with every size and checksum where a reader
 * looks first (formats.md B8): stored entries whose data begin at multiples of 64, zip64 records
 * always at the end, zip64 fields where a size or offset needs them. Private to the room. */
#ifndef R2M_ANALYSIS_CHECKPOINT_TORCH_ZIP_OUTPUT_H
#define R2M_ANALYSIS_CHECKPOINT_TORCH_ZIP_OUTPUT_H

#include "analysis/checkpoint/output_text.h"

/* An entry of the archive to write. */
struct zip_record {
    char name[80];
    uint64_t size;
    uint32_t checksum;
    uint64_t header; /* offset of the local header */
};

/* Length of the local header: behind it the data are aligned. */
size_t zip_local_length(const struct zip_record *record);

void zip_add_local(struct text *text, const struct zip_record *record);
void zip_add_central(struct text *text, const struct zip_record *record);

/* The end records behind a central directory of length bytes at offset. */
void zip_add_end(struct text *text, uint64_t count, uint64_t offset, uint64_t length);

#endif
