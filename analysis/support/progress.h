/* How far a long job is, and the wish to stop it; shared between threads. */
#ifndef R2M_ANALYSIS_SUPPORT_PROGRESS_H
#define R2M_ANALYSIS_SUPPORT_PROGRESS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct progress {
    _Atomic uint64_t done;  /* units of work finished (bytes, or arithmetic operations) */
    _Atomic uint64_t total; /* units of work in all; 0 while unknown */
    _Atomic bool cancel;    /* set by anybody, a signal handler too: the job ends soon */
};

#endif
