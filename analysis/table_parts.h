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
    struct origin origin; /* of the tensor in its file */
    bool foreign;         /* as of the layer */
};

/* All of one file, in its order. */
struct names {
    struct alias *items;
    size_t count;
};

/* Orders by bytes, then by length, like strcmp. */
int names_compare(const char *one, size_t length, const char *other, size_t other_length);

/* Where the part after the dot starts that follows `at`, or the name's length. */
size_t name_next_part(const struct alias *alias, size_t at);

/* ERROR_USAGE for a rename that is not FROM=TO. */
bool table_keys_check(const struct table_keys *keys, struct error *error);

/* Sets the alias's name from its tensor's; returns whether a rule of the keys changed it. */
bool table_keys_apply(const struct table_keys *keys, struct alias *alias);

/* Opened files to layers: lines the names up, each specialist's on its own, gives roles and fills
 * the match reports. Problems are added to error. */
void line_up(struct tensor_table *table, const struct table_keys *keys, struct error *error);
void layer_release(struct layer *layer);

/* Notes in the reports of all specialists what they have of the layer. */
void match_add(struct tensor_table *table, const struct layer *layer);
/* Warns of specialists that share less than half of what they could with the base. */
void match_warn(struct tensor_table *table);
void match_release(struct match *match);

/* What an adapter says nothing of is as in the base. */
void layer_complete(const struct tensor_table *table, struct layer *layer);

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

/* Gives their twins to layers (sorted) that every file which has them ties to another shared layer.
 */
void tie_layers(struct tensor_table *table);

/* Shows a name of the base and one of the specialist, and what can line them up. */
void hint_at_names(const struct tensor_table *table, size_t specialist, struct error *error);

/* Path of the base (file 0) or of specialist file - 1. */
const char *table_path(const struct tensor_table *table, size_t file);

#endif
