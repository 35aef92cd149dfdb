/* How many singular values of a residual are kept (method.md section 3). A table of rules; each
 * turns a spectrum into a rank. */
#ifndef R2M_MERGE_RANK_RULE_H
#define R2M_MERGE_RANK_RULE_H

#include "analysis/spectrum.h"

enum rank_kind {
    RANK_RATIO,  /* value rho in [0, 1]: floor(rho * n), at least 1 when rho > 0 */
    RANK_RANK,   /* value r, a whole number; more than n counts as n */
    RANK_ENERGY, /* value q in [0, 1]: smallest r that keeps q of the energy */
    RANK_GD,     /* Gavish-Donoho threshold */
    RANK_MP,     /* Marchenko-Pastur edge */
    RANK_AUTO,   /* directions above the noise (analysis/auto_rank.h) */
    RANK_FULL,
    RANK_ZERO,
    RANK_KIND_COUNT
};

struct rank_rule {
    enum rank_kind kind;
    double value; /* 0 for rules without one */
};

/* "ratio", ..., and the line that explains it. */
const char *rank_kind_name(enum rank_kind kind);
const char *rank_kind_text(enum rank_kind kind);

/* Whether the rule carries a number (else it is written as true). */
bool rank_kind_has_value(enum rank_kind kind);

/* Whether the rank follows from the shape alone, without the spectrum. */
bool rank_rule_is_shape_only(struct rank_rule rule);

bool rank_rule_equal(struct rank_rule one, struct rank_rule other);

/* Builds a rule from a config field's name and value; ERROR_USAGE (unknown rule, value out of
 * range) begins with field, the path of the config field. */
bool rank_rule_make(const char *field, const char *name, double value, struct rank_rule *rule,
                    struct error *error);

/* What a person types: "64" (rank), "10%" or "0.1" (ratio), "e90" or "e0.9" (energy), "gd", "mp",
 * "auto", "full", "zero". ERROR_USAGE lists the forms. */
bool rank_rule_parse(const char *text, struct rank_rule *rule, struct error *error);

/* The same form back, such that rank_rule_parse gives the rule again. Returns buffer. */
char *rank_rule_format(struct rank_rule rule, char *buffer, size_t size);

/* The rank in 0..max_rank. spectrum may be NULL when rank_rule_is_shape_only. */
size_t rank_rule_resolve(struct rank_rule rule, size_t max_rank, const struct spectrum *spectrum);

#endif
