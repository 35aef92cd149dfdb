/* Walking a config's JSON by a table of members: which fields an object may hold, which it must
 * hold, and what reads them. Only config_read.c uses this; it knows nothing of the config but the
 * settings table. */
#ifndef R2M_MERGE_CONFIG_CONFIG_READER_H
#define R2M_MERGE_CONFIG_CONFIG_READER_H

#include "merge/config/config.h"

#include <cjson/cJSON.h>

struct reader;

/* One member of an object: item is its value; pattern ("specialists[].path") finds the row that
 * reads it, shown ("specialists[2].path") stands in messages. */
struct member {
    const cJSON *item;
    const char *pattern, *shown;
};

typedef void read_member(struct reader *reader, struct member member);

/* What an object may hold beside the rows of settings_fields(). */
struct row {
    const char *pattern;
    read_member *read;
    bool required;
};

/* Where reading stands. Problems are collected, reading goes on. */
struct reader {
    const char *name;   /* of the file, for messages */
    const char *folder; /* relative paths start there; may be NULL */
    const struct row *rows;
    size_t row_count;
    struct config *config;
    struct error *problems;
};

/* Notes a problem: `FILE: FIELD: reason`. */
void reader_problem(struct reader *reader, const char *shown, const char *reason);

/* Takes over what another room found wrong; its message begins with the field. */
void reader_adopt(struct reader *reader, struct error *found);

/* All members of an object: at the top (pattern ""), a named one or an element of a list. */
read_member reader_object;

/* A list of objects; begin makes room for the next one. */
void reader_list(struct reader *reader, struct member list, void (*begin)(struct config *));

/* A new string, or NULL with a problem noted. */
char *reader_string(struct reader *reader, struct member member);

#endif
