/* A YAML file as a tree, read by libyaml and strictly: one document of mappings, lists and texts.
 * Aliases, tags, mappings as keys and a key given twice are errors, so what is read is what a
 * person sees, and no file grows in memory. */
#ifndef R2M_MERGE_EXCHANGE_YAML_TREE_H
#define R2M_MERGE_EXCHANGE_YAML_TREE_H

#include "analysis/support/error.h"

#include <stdbool.h>
#include <stddef.h>

enum { YAML_DEPTH = 16, YAML_VALUES = 4000 }; /* more is no recipe of a merge */

enum yaml_kind { YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_value {
    enum yaml_kind kind;
    char *key;                /* in a mapping, else NULL */
    size_t line;              /* from 1 on; of the key where there is one */
    char *text;               /* YAML_TEXT: UTF-8 without NUL, else NULL */
    bool plain;               /* written without quotes: may be a number or a truth value */
    struct yaml_value *items; /* [count] */
    size_t count;
};

/* text: a NUL-ended file. Errors: `NAME: line N: reason`, ERROR_USAGE. An empty file is an empty
 * mapping. */
bool yaml_tree_parse(const char *text, const char *name, struct yaml_value *root,
                     struct error *error);
void yaml_tree_free(struct yaml_value *value);

/* A plain finite decimal number; a plain true, yes, on, false, no, off in any of YAML's cases. */
bool yaml_tree_number(const struct yaml_value *value, double *number);
bool yaml_tree_truth(const struct yaml_value *value, bool *truth);

/* The member of a mapping, or NULL. */
const struct yaml_value *yaml_tree_member(const struct yaml_value *map, const char *key);

#endif
