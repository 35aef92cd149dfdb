/* Lines up the names of two files by a vote. Every name of a specialist looks for the longest part
 * after a dot that some names of the base end in; what stands before it on either side is a
 * candidate: "module.backbone." in place of "vision_model.". The candidate that gives most tensors
 * a partner of the same shape wins. n log n in the number of names. */
#ifndef R2M_ANALYSIS_PREFIX_VOTE_H
#define R2M_ANALYSIS_PREFIX_VOTE_H

#include "analysis/table_parts.h"

/* Names that start with `from` start with `to` in the base; both empty: as they are. */
struct prefix_pair {
    char *from, *to; /* NUL-terminated, may hold NUL bytes themselves */
    size_t from_length, to_length;
    size_t named; /* tensors with a partner of that name */
    size_t same;  /* of the same shape, too */
};

bool prefix_is_identity(const struct prefix_pair *pair);

/* Fills in named and same of all pairs. */
void prefix_count(const struct names *base, const struct names *specialist,
                  struct prefix_pair *pairs, size_t count);

/* Finds the pair for the names of one specialist. Errors, with the best candidates and their
 * counts: none lines up, two do it equally well, the one that gives most names a partner is not
 * the one that fits the shapes. Names as they are win a tie. path: of the specialist,
 * for messages. */
bool prefix_vote(const struct names *base, const struct names *specialist, const char *path,
                 struct prefix_pair *winner, struct error *error);

/* Gives the specialist's aliases the names of the base. What has no partner follows where its
 * module does (the first name after `from`); else it only loses what all names start with. */
void prefix_apply(const struct names *base, struct names *specialist,
                  const struct prefix_pair *pair);

void prefix_pair_free(struct prefix_pair *pair);

#endif
