/* What a sweep found, point by point, and the file that keeps it: sweep.jsonl, a JSON object a
 * line, appended and synced as soon as a point has ended, so that a sweep that was interrupted or
 * killed goes on where it stood.
 *
 *     {"sweep": DIGEST, "settings": {"alpha": 0.4, ...}, "metrics": {"auc": 0.91, ...},
 *      "seconds": 3.2, "error": null}
 *
 * and behind an error "output": what the evaluation printed last. */
#ifndef R2M_MERGE_SWEEP_RECORDS_H
#define R2M_MERGE_SWEEP_RECORDS_H

#include "analysis/support/digest.h"
#include "analysis/support/memory.h"
#include "merge/config/document.h"
#include "merge/evaluation/metrics.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>

struct sweep_record {
    struct string_list settings; /* "KEY=VALUE", as config_set takes them; of a search by layers
                                    "ranks=..." (greedy.h) */
    struct metrics metrics;
    double seconds; /* merge and evaluation */
    char *error;    /* why there is no metric, or NULL */
    char *output; /* the last of what the evaluation printed, where that is of interest; or NULL */
};

/* All of the record as members of an object; then without its settings, and back from one. */
void sweep_record_write(struct document *json, const struct sweep_record *record);
void sweep_result_write(struct document *json, const struct sweep_record *record);
void sweep_result_read(const cJSON *object, struct sweep_record *record);

/* The metric of that name; NaN where there is none. */
double sweep_record_value(const struct sweep_record *record, const char *metric);

void sweep_record_copy(struct sweep_record *target, const struct sweep_record *source);
void sweep_record_free(struct sweep_record *record);

struct sweep_records {
    char *path;
    int descriptor;
    char key[SHA256_TEXT]; /* of what all points have in common */
    struct sweep_record *items;
    size_t count;
    bool was_torn; /* the last line was half written, and is gone */
};

/* Opens the file, or makes it, for this process alone, and reads what is there. key: a digest of
 * all that the points have in common; a point under another key is an ERROR_INPUT, unless anew:
 * then the file is emptied. The end of a line that a killed process left is cut off. */
bool sweep_records_open(const char *path, const char key[SHA256_TEXT], bool anew,
                        struct sweep_records *records, struct error *error);
void sweep_records_close(struct sweep_records *records);

/* Appends to list and file; the record's contents move in. On an error the file is as before. */
bool sweep_records_add(struct sweep_records *records, struct sweep_record *record,
                       struct error *error);

/* Whether a later record with the same settings takes the place of that one. Any does, but one that
 * failed only that of another one that failed: what was measured is not forgotten. */
bool sweep_records_superseded(const struct sweep_records *records, size_t index);

/* The newest record with these settings, in any order, or NULL. */
const struct sweep_record *sweep_records_find(const struct sweep_records *records,
                                              const struct string_list *settings);

#endif
