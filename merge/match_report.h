/* How the names of the specialists met the base's, as JSON. */
#ifndef R2M_MERGE_MATCH_REPORT_H
#define R2M_MERGE_MATCH_REPORT_H

#include "analysis/tensor_table.h"
#include "merge/config/document.h"

/* The list under "match": of every specialist what matched and what did not, the prefix that takes
 * the place of one of the base, and the mapping used. */
void match_report_write(struct document *json, const struct tensor_table *table);

/* What inspect --base prints: base, match and warnings. free() it. */
char *match_report_json(const struct tensor_table *table);

#endif
