/* What reading and writing of the authors' YAML share. */
#ifndef R2M_MERGE_EXCHANGE_AUTHORS_PARTS_H
#define R2M_MERGE_EXCHANGE_AUTHORS_PARTS_H

#include "merge/exchange/authors.h"

/* A method by its name there, and our fields behind `prior` and `initial_rank_ratio`. */
struct authors_method {
    const char *name;
    enum method method;
    const char *prior; /* "alpha" for CORE: where eta_norm_alpha is not given; NULL: none */
    const char *ratio; /* NULL: residual.rank for CORE, else none */
};

/* NULL: it has none. */
const struct authors_method *authors_method(enum method method);

/* "CORE, CART, ..."; free() it. */
char *authors_method_names(void);

#endif
