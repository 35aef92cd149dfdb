/* What a writer has finished, told in a file beside its output, so that another run can go on after
 * an interruption. Private to the room.
 *
 *     PATH.journal.r2m-part:   "r2m journal 1\n", the key, "\n", then a record for each tensor
 *
 * The key stands for all that the tensors are made of; under another key nothing is taken over.
 * Records and data may reach the disk in any order, so nothing has to be synced before the end: a
 * tensor counts as finished when its bytes still give the checksum in its record.
 *
 * While the journal is open it is locked: two writers of one output do not meet. Where several
 * processes work on one output, member 0 has this journal, every other one a file of its own,
 * PATH.journal-MEMBER.r2m-part, which the next run of member 0 takes over into its own. */
#ifndef R2M_ANALYSIS_CHECKPOINT_JOURNAL_H
#define R2M_ANALYSIS_CHECKPOINT_JOURNAL_H

#include "analysis/support/digest.h"
#include "analysis/support/error.h"

#include <stdint.h>

struct journal;

/* Opens the journal beside path, or makes it. resume: what it tells under that key is kept, else it
 * begins empty. Errors: somebody else writes path, the journal has another key (the hint says what
 * to do). NULL on failure. */
struct journal *journal_open(const char *path, const char *key, bool resume, struct error *error);

/* The journal of another member, after member 0 has opened its own: finds what that one found. */
struct journal *journal_join(const char *path, const char *key, size_t member, struct error *error);

/* Whether tensor index is told of; then its CRC-32. */
bool journal_find(const struct journal *journal, size_t index, uint32_t *checksum);

/* Number of records. */
size_t journal_count(const struct journal *journal);

/* Adds a record. Thread-safe. */
bool journal_add(struct journal *journal, size_t index, uint32_t checksum, struct error *error);

/* Closes and removes it; NULL is accepted. */
void journal_remove(struct journal *journal);

/* Closes it, for another run; NULL is accepted. */
void journal_leave(struct journal *journal);

#endif
