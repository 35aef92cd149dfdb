/* Cells of comma-separated tables (RFC 4180, lines ended by \n). */
#ifndef R2M_MERGE_CSV_H
#define R2M_MERGE_CSV_H

#include <stdio.h>

/* In quotes where a comma, a quote or a line end would break the row. */
void csv_text(FILE *csv, const char *text);

/* The number in full; nothing for NaN and infinity. */
void csv_number(FILE *csv, double value);

#endif
