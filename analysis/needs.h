/* What work on weights needs of the machine, told from shapes alone, before it begins: memory of
 * the tensors in flight, one a worker; operations; time. Within a bound of memory, fewer workers
 * run; results do not depend on how many. */
#ifndef R2M_ANALYSIS_NEEDS_H
#define R2M_ANALYSIS_NEEDS_H

#include "analysis/tensor_table.h"

/* What work may use. */
struct work_limits {
    unsigned threads;
    uint64_t memory;    /* bytes beside mapped files; 0: whatever all threads take */
    bool drops_vectors; /* the analysis keeps no singular vectors for a merge: it finds them anew */
};

/* What an analysis needs; all are upper estimates. */
struct analysis_needs {
    unsigned threads;      /* as many as fit the memory */
    uint64_t memory_bytes; /* peak of our own buffers, beside mapped files */
    unsigned passes;       /* over the weights: Gram matrices, spectra */
    uint64_t read_bytes;   /* weights read, all passes */
    double operations;     /* floating point operations of the spectra */
};

/* Of Gram matrices, core and all spectra. Fails when one thread is too much for the memory, and
 * names the largest tensor. */
bool analysis_needs(const struct tensor_table *table, const struct work_limits *limits,
                    struct analysis_needs *needs, struct error *error);

/* ---- what that, and the needs of a merge, are made of ---- */

/* The square of a residual and its reduction to tridiagonal form: m n^2 + 4/3 n^3 operations, n the
 * shorter side of the layer's matrix. */
double reduction_operations(const struct layer *layer);

/* Bytes in its worker: the square, a strip of the residual, LAPACK's workspace, and so many
 * singular vectors before they are kept. */
uint64_t reduction_memory(const struct layer *layer, size_t vectors);

/* Bytes of the layer in the base and in the specialists that differ from it. */
uint64_t layer_bytes(const struct layer *layer, size_t specialist_count);

/* Bytes of the results: Gram matrices and singular values. */
uint64_t analysis_result_bytes(const struct tensor_table *table);

/* Bytes of that many workers, each with one of the largest of count tasks, and of the program
 * itself; bytes: of each task, the largest first (memory_sort). */
uint64_t memory_in_flight(const uint64_t *bytes, size_t count, unsigned workers);
void memory_sort(uint64_t *bytes, size_t count);

/* ERROR_INPUT: who needs at least so much, less is allowed. */
bool memory_refuse(const char *who, uint64_t needed, uint64_t allowed, struct error *error);

/* About how long it takes on this machine to read bytes and do operations, whose speed is measured
 * for some milliseconds. */
double work_seconds(uint64_t read_bytes, double operations, unsigned threads);

#endif
