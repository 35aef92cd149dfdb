/* What a sweep is asked to do, from the command line. */
#ifndef R2M_TUI_COMMAND_SWEEP_REQUEST_H
#define R2M_TUI_COMMAND_SWEEP_REQUEST_H

#include "merge/sweep/sweep.h"
#include "tui/command/options.h"

enum { SWEEP_FACTOR_LIMIT = 16 };

struct sweep_request {
    struct vary_list vary; /* and its points; of a greedy search: none */
    struct sweep_points points;
    struct greedy greedy; /* budget 0: no search */
    double factors[SWEEP_FACTOR_LIMIT];
    struct sweep_goal goal;
    unsigned jobs;
};

/* Values are tried on the plan's config; every problem
 * of a --vary is listed. ERROR_USAGE. */
bool sweep_request_read(const struct options *options, const struct plan *plan,
                        struct sweep_request *request, struct error *error);
void sweep_request_free(struct sweep_request *request);

#endif
