/* The processes of one run, ranks 0 to ranks_count() - 1, on one machine or several with a shared
 * file system. Built on MPI (make MPI=1) or, else, as one process alone: ranks_serial.c.
 *
 * Every rank runs the same program on the same files and goes the same way. What is called
 * "together" is called by all ranks in the same order; between two such calls each works on what it
 * owns. Work is shared out so that a number is made by one rank and copied to the others: the
 * results have the same bytes for any number of ranks.
 *
 *     ... each rank works on what it owns ...
 *     if (!ranks_agree(good, &error))    together: one failed, all have its error and go home
 *         return false;
 *     ranks_gather(values, first, count, owners);
 *
 * One thread at a time may call these functions. */
#ifndef R2M_ANALYSIS_SUPPORT_RANKS_H
#define R2M_ANALYSIS_SUPPORT_RANKS_H

#include "analysis/support/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "+mpi" or "-mpi". */
const char *ranks_feature(void);

/* Joins the others, before anything else here; together. Errors: started by mpirun, but built
 * without MPI; an MPI library that knows no threads. */
bool ranks_begin(struct error *error);

/* The end, for a process that has begun; together. */
void ranks_end(void);

/* Number of ranks, and this one's number. */
size_t ranks_count(void);
size_t ranks_own(void);

/* Together: how many ranks run on this machine. */
size_t ranks_beside(void);

/* The size of each share decides: the largest first, each to the rank that has least so far. The
 * same for every rank. owners[count] */
void ranks_share_out(const double *sizes, size_t count, size_t ranks, size_t *owners);

/* Together: true when all are good. Else every rank gets the errors of all that are not, in their
 * order (an interruption only if there is nothing else), and nothing more is done together. A rank
 * that is not good calls it at once; the others learn of it by ranks_warned. */
bool ranks_agree(bool good, struct error *error);

/* True when some rank has failed: work may end early, with ranks_agree. For waiting loops. */
bool ranks_warned(void);

/* Together: item i, values[first[i]] to values[first[i + 1]], goes from owners[i] to all others.
 * first has count + 1 entries, the same in every rank. */
void ranks_gather(double *values, const size_t *first, size_t count, const size_t *owners);

/* Together: the sum of every rank's number, for whole ones. */
double ranks_sum(double number);

#endif
