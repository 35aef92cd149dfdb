/* The hyperparameters of a merge, and the one table that describes them.
 *
 * Each row of settings_fields() is one config field that holds a single value: from it come the
 * config reader and writer, --set, the Plan view, help and the man page. A new hyperparameter is
 * one member of struct settings and one row. */
#ifndef R2M_MERGE_CONFIG_SETTINGS_H
#define R2M_MERGE_CONFIG_SETTINGS_H

#include "analysis/real_core.h"

enum norm_match { NORM_MATCH_GLOBAL, NORM_MATCH_LAYER, NORM_MATCH_NONE };
enum eta_rule { ETA_UNIT, ETA_SCRIPT, ETA_ABSOLUTE };
enum method {
    METHOD_R2M,
    METHOD_AVERAGE,
    METHOD_TASK_ARITHMETIC,
    METHOD_TIES,
    METHOD_DARE,
    METHOD_CART,
    METHOD_TSV_M,
    METHOD_ISO_C,
    METHOD_COUNT
};
enum output_dtype { OUTPUT_BASE, OUTPUT_F32, OUTPUT_F16, OUTPUT_BF16 };
enum output_names { NAMES_AUTO, NAMES_BASE, NAMES_SPECIALISTS };

struct settings {
    enum method method;
    struct real_settings real; /* real.* and residual.against */
    enum norm_match norm_match;
    enum eta_rule eta;
    double alpha;
    double core_scale;
    struct {
        double lambda;
    } task_arithmetic;
    struct {
        double density, lambda;
    } ties;
    struct {
        double drop, lambda;
        uint64_t seed;
    } dare;
    struct {
        double ratio, lambda;
    } cart;
    struct {
        double alpha;
    } tsv_m, iso_c;
    enum output_dtype output_dtype;
    enum output_names output_names;
    uint64_t shard_bytes; /* 0: one file */
};

enum field_type { FIELD_BOOL, FIELD_INTEGER, FIELD_NUMBER, FIELD_CHOICE };

/* What has to be computed anew when the field changes. */
enum field_effect { EFFECT_CORE, EFFECT_PREVIEW, EFFECT_OUTPUT };

struct settings_field {
    const char *path; /* "real.rank" */
    enum field_type type;
    size_t offset;              /* in struct settings */
    size_t size;                /* of that member */
    double minimum, maximum;    /* inclusive; numbers and integers */
    const char *const *choices; /* NULL-ended names in the order of the enum; FIELD_CHOICE */
    enum field_effect effect;
    unsigned methods; /* bit 1 << enum method of those that look at it */
    const char *text; /* one line: what it means */
};

/* Whether the method that the settings choose looks at the field. */
bool settings_field_applies(const struct settings *settings, const struct settings_field *field);

/* All rows, in the order of the config file; *count of them. */
const struct settings_field *settings_fields(size_t *count);

/* The row of that path, or NULL. */
const struct settings_field *settings_field_find(const char *path);

/* method.md's defaults (preset r2m without ranks). */
void settings_defaults(struct settings *settings);

enum { FIELD_TEXT = 160 }; /* room for any text about one field */

/* What the field may hold: "one of unit, script, absolute", "a number from 0 to 10". Returns
 * buffer. */
char *settings_field_allowed(const struct settings_field *field, char *buffer, size_t size);

/* Value as text: "0.6", "true", "unit". Returns buffer. */
char *settings_field_text(const struct settings *settings, const struct settings_field *field,
                          char *buffer, size_t size);

/* Numeric value of a field: 0/1 for booleans, the index for choices. */
double settings_field_value(const struct settings *settings, const struct settings_field *field);

/* Sets a field from a number; range and wholeness are checked. ERROR_USAGE names the field and
 * what is allowed. */
bool settings_field_set_number(struct settings *settings, const struct settings_field *field,
                               double value, struct error *error);

/* Sets a field from text as in --set; independent of the locale. */
bool settings_field_set_text(struct settings *settings, const struct settings_field *field,
                             const char *text, struct error *error);

#endif
