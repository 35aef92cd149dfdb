/* What the files of the config share; nobody else includes this. */
#ifndef R2M_MERGE_CONFIG_CONFIG_PARTS_H
#define R2M_MERGE_CONFIG_CONFIG_PARTS_H

#include "merge/config/config.h"

#define WEIGHT_LIMIT 1e9 /* largest weight of a specialist */

/* residual.rank where nothing else is said. */
extern const struct rank_rule config_default_rank;

/* The folder part of a path, "." where it has none; free() it. */
char *path_folder(const char *path);

/* path as it opens from the current folder, when it was given relative to folder (may be NULL). */
char *path_from(const char *folder, const char *path);

/* path as it opens from folder: relative where it lies below folder or folder's parent, else
 * absolute. */
char *path_to(const char *folder, const char *path);

/* The name a specialist has by default: the file's stem, the folder's name for a model folder or
 * an adapter. */
char *path_default_name(const char *path);

/* What rank_rule_make takes for a rule given as true or as a number (NaN: as something else);
 * NaN where the rule takes the other. */
double config_rule_value(const char *name, bool is_true, double number);

/* Sets the field shown ("eval.command", "eval.timeout", "eval.metric") from text; ERROR_USAGE
 * begins with its name. */
bool config_eval_set(struct config_eval *eval, const char *shown, const char *text,
                     struct error *error);

/* Forgets all overrides. */
void config_drop_overrides(struct config *config);

/* Gives specialists without a name their default one, made unique. */
void config_name_specialists(struct config *config);

/* The list behind "keys.strip_prefix", "keys.rename", "keys.exclude", "keys.head", or NULL. */
struct string_list *config_key_list(struct config *config, const char *field);

/* Checks one entry of such a list; ERROR_USAGE begins with shown. */
bool config_key_check(const char *field, const char *shown, const char *text, struct error *error);

/* Checks a specialist's weight; ERROR_USAGE begins with shown. */
bool config_weight_check(const char *shown, double weight, struct error *error);

#endif
