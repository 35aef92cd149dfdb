/* The output of a merge while it is written, by one rank or by several together (ranks.h). Private
 * to the room. */
#ifndef R2M_MERGE_MERGE_OUTPUT_H
#define R2M_MERGE_MERGE_OUTPUT_H

#include "merge/merge.h"
#include "merge/output_layout.h"

/* The rank that writes tensor index of the output. */
size_t merge_output_owner(const struct tensor_table *table, const struct output_layout *layout,
                          size_t index);

/* Together: begins the output. *writer is set in every case, to NULL where there is none. */
bool merge_output_begin(const struct plan *plan, const struct analysis *analysis,
                        const struct merge_output *output, const struct output_layout *layout,
                        struct writer **writer, struct error *error);

/* Together: ends it, once each rank has put what it owns, or could not: good and, where not, the
 * error. Frees the writer; on failure everything is removed but, after an interruption, what
 * another merge can go on with. */
bool merge_output_end(const struct tensor_table *table, const struct output_layout *layout,
                      struct writer *writer, bool good, char sha256[SHA256_TEXT],
                      struct error *error);

#endif
