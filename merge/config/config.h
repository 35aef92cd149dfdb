/* The config file: everything a merge depends on, as JSON in and out (interface.md, "Config").
 *
 * A config is a plain document: it knows paths and numbers, not what is in the files. Reading is
 * strict: an unknown field, a wrong type or a value out of range is an ERROR_USAGE that names the
 * field and lists what is allowed. A config written and read back gives the same merged bytes
 * (numbers are written with 17 digits where needed). The text is UTF-8; a path that is not cannot
 * be written. */
#ifndef R2M_MERGE_CONFIG_CONFIG_H
#define R2M_MERGE_CONFIG_CONFIG_H

#include "merge/config/settings.h"
#include "merge/rank_rule.h"

/* A rank for the layers whose name the glob matches, for one specialist or (NULL) for all. */
struct rank_override {
    char *layer;
    char *specialist;
    struct rank_rule rule;
};

struct config_specialist {
    char *name;
    char *path;
    double weight; /* >= 0, not all 0; a_i = weight / sum */
};

/* How a merged checkpoint is measured. */
struct config_eval {
    char *command;  /* with {} for the checkpoint's path; NULL: not at all */
    double timeout; /* seconds */
    char *metric;   /* what best means: "auc", or "-loss" where lower is better; NULL: the first */
};

struct config {
    char *base;
    struct config_specialist *specialists;
    size_t specialist_count;
    struct table_keys keys;
    struct settings settings;
    struct rank_rule rank;           /* residual.rank: the rule where no override applies */
    struct rank_override *overrides; /* later ones win */
    size_t override_count;
    struct config_eval eval;
    bool foreign; /* read from a file of another program, which is never written over */
};

/* Defaults (preset r2m), no files. */
void config_init(struct config *config);
void config_forget_eval(struct config *config); /* no evaluation */
void config_copy(struct config *target, const struct config *source);
void config_free(struct config *config);

/* Sets base and specialists from the command line: each a PATH or NAME=PATH. */
bool config_set_files(struct config *config, const char *base, const char *const *specialists,
                      size_t count, struct error *error);

/* Reads a file, ours or the YAML of the authors (merge/exchange/authors.h); relative paths in it
 * are taken from its folder and stored so that they open from the current one. */
bool config_read(const char *path, struct config *config, struct error *error);

/* Parses JSON text; folder (may be NULL) is where relative paths start; name stands in messages. */
bool config_parse(const char *json, const char *name, const char *folder, struct config *config,
                  struct error *error);

/* The document with every field written out, two spaces of indent, final newline; folder (may be
 * NULL): paths are written relative to it where they lie below it or beside it. free() it. */
char *config_text(const struct config *config, const char *folder);

/* Writes config_text atomically, paths relative to the new file's folder. */
bool config_write(const struct config *config, const char *path, bool overwrite,
                  struct error *error);

/* "KEY=VALUE" of --set: any field of the settings table by its dotted path,
 * eval.command, eval.timeout, eval.metric, residual.rank.RULE=VALUE, residual.rank=TEXT as a person
 * types a rule (rank_rule_parse), specialists.NAME.weight=VALUE, and the lists keys.strip_prefix,
 * keys.rename, keys.exclude, keys.head (appended to). */
bool config_set(struct config *config, const char *assignment, struct error *error);

/* Appends what config_set would be told to come here from anywhere, files and keys left alone: what
 * the method looks at of the fields, weights, the default rank, and the overrides, which it does
 * not take, as "overrides=COUNT (DIGEST)". */
void config_assignments(const struct config *config, struct string_list *list);

/* "r2m", "paper", "script": sets the hyperparameters, leaves files, keys and weights alone. */
bool config_preset(struct config *config, const char *name, struct error *error);
const char *const *config_preset_names(void); /* NULL-ended */

/* [specialist_count] a_i = weight_i / sum of weights. */
void config_shares(const struct config *config, double *shares);

/* Appends a specialist (PATH or NAME=PATH; the name is made unique), or takes one out with the
 * overrides that name it. */
void config_add_specialist(struct config *config, const char *text, double weight);
void config_remove_specialist(struct config *config, size_t index);

/* Takes it from its place to another one; those between move up or down. */
void config_move_specialist(struct config *config, size_t from, size_t to);
void config_move_override(struct config *config, size_t from, size_t to);

/* Appends an override; specialist NULL means all. */
void config_add_override(struct config *config, const char *layer, const char *specialist,
                         struct rank_rule rule);

/* Checks what depends on several fields: files present, weights not all zero, unique names. */
bool config_check(const struct config *config, struct error *error);

/* Opens the files the config names. */
bool config_open_table(const struct config *config, struct tensor_table **table,
                       struct error *error);

#endif
