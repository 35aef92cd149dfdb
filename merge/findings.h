/* What may be amiss with a plan, in words, and what to do about it (method.md sections 2 to 4). */
#ifndef R2M_MERGE_FINDINGS_H
#define R2M_MERGE_FINDINGS_H

#include "merge/preview.h"

/* A setting that mends what is amiss. */
struct remedy {
    const char *assignment; /* as for --set */
    const char *does;
};

struct finding {
    char *what;                  /* "The Real core almost vanishes" */
    char *text;                  /* sentences: the numbers, and what follows from them */
    char *advice;                /* sentences: what to do */
    const struct remedy *remedy; /* NULL where no setting mends it */
};

struct finding_list {
    struct finding *items;
    size_t count;
};

/* All that is found, the gravest first; none before the Real core is known, and what rests on
 * spectra once all of them are there. */
struct finding_list findings_make(const struct plan *plan, const struct analysis *analysis,
                                  const struct preview *preview);
void findings_free(struct finding_list *list);

/* The first remedy among them that is fit for a key, or NULL: those about ranks are left out, which
 * are the user's to choose. */
const struct remedy *findings_remedy(const struct plan *plan, const struct analysis *analysis,
                                     const struct preview *preview);

#endif
