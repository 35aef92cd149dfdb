/* What the files behind tensor_table.h share; nobody else includes this. */
#ifndef R2M_ANALYSIS_TABLE_PARTS_H
#define R2M_ANALYSIS_TABLE_PARTS_H

#include "analysis/tensor_table.h"

/* A tensor under the name by which files are lined up: stripped and renamed. */
struct alias {
    char *name;
    size_t length;
    size_t file; /* 0: the base, i + 1: specialist i */
    const struct tensor *tensor;
};

/* ERROR_USAGE for a rename that is not FROM=TO. */
bool table_keys_check(const struct table_keys *keys, struct error *error);

/* Sets the alias's name from its tensor's. */
void table_keys_apply(const struct table_keys *keys, struct alias *alias);

/* Whether one of the globs matches. */
bool globs_match(const struct string_list *globs, const char *name);

/* Names of tensors that take no part, for the warnings. */
struct left_out {
    struct string_list base_only;        /* carried */
    struct string_list some_specialists; /* not in the merged checkpoint */
};

/* Gives the layer its role and matrix view; alias is its name as it was lined up. false: it has no
 * place in the table. Problems are added to error. */
bool layer_take_role(struct tensor_table *table, const struct table_keys *keys, const char *alias,
                     struct layer *layer, struct left_out *left_out, struct error *error);

/* Path of the base (file 0) or of specialist file - 1. */
const char *table_path(const struct tensor_table *table, size_t file);

#endif
