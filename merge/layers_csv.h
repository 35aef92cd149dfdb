/* The figures of every layer as a table for pandas, R or a spreadsheet. */
#ifndef R2M_MERGE_LAYERS_CSV_H
#define R2M_MERGE_LAYERS_CSV_H

#include "merge/preview.h"

/* RFC 4180, lines ended by \n: a title row, then a row for every shared layer and specialist, in
 * the order of the table. The columns mean what the same keys of report_json mean, share_before the
 * share without norm matching; an empty field is what is null there. free() it. */
char *layers_csv(const struct analysis *analysis, const struct preview *preview);

#endif
