/* Records put in order, for tables and charts. */
#ifndef R2M_MERGE_SWEEP_RESULTS_H
#define R2M_MERGE_SWEEP_RESULTS_H

#include "merge/sweep/sweep.h"

/* One setting that occurs in the records, and its values: numbers in their order, then words in
 * that of their first record. */
struct sweep_axis {
    char *key;
    struct string_list values;
    bool is_numeric; /* all values are numbers */
};

struct sweep_results {
    const struct sweep_record **rows; /* newest of each point, and before one that failed the newest
                                         that was measured (sweep_records_superseded), ordered by
                                         their settings; those of a search by layers as tried */
    size_t row_count;
    struct sweep_axis *axes; /* in the order of the settings */
    size_t axis_count;
    struct string_list metrics; /* in the order in which they first appear */
    bool is_search;             /* by layers (sweep_greedy) */
};

/* records must outlive it and not change. */
struct sweep_results sweep_results_make(const struct sweep_records *records);
void sweep_results_free(struct sweep_results *results);

/* Index of the record's value on that axis; the number of values where it has none. */
size_t sweep_axis_place(const struct sweep_axis *axis, const struct sweep_record *record);

/* A row a point: settings, metrics, seconds, error. free() it. */
char *sweep_results_csv(const struct sweep_results *results);

/* "alpha=0.4 method=ties"; free() it. */
char *sweep_settings_text(const struct string_list *settings);

#endif
