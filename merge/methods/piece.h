/* Task vectors read in pieces, for the methods that look at every element. */
#ifndef R2M_MERGE_METHODS_PIECE_H
#define R2M_MERGE_METHODS_PIECE_H

#include "analysis/task_vector.h"
#include "merge/methods/method.h"

enum { PIECE = 1 << 15 }; /* elements */

/* The elements of tau_specialist from first on, at most PIECE of them; returns how many. */
size_t piece_read(const struct method_input *input, size_t specialist, uint64_t first,
                  double *values);

/* tau_specialist whole, layer->elements values. */
void piece_read_all(const struct method_input *input, size_t specialist, double *values);

/* Their mean by weight, layer->elements values. */
void piece_average(const struct method_input *input, double *values);

/* Sets the error and returns false. */
bool piece_no_memory(struct error *error);

#endif
