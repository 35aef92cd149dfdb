#include "tui/command/sweep_request.h"

#include "merge/methods/method.h"
#include "merge/text.h"

#include <stdlib.h>
#include <string.h>

static const char *wrong_options(const struct options *options, bool evaluates) {
    bool greedy = options->greedy > 0;
    if (!greedy && options->vary.count == 0)
        return "nothing is varied: --vary KEY=VALUES, or --greedy BUDGET";
    if (greedy && options->vary.count > 0)
        return "--greedy searches ranks alone; --vary is for a grid";
    if (greedy && options->random > 0)
        return "--random draws from a grid, --greedy has none";
    if (greedy && !evaluates)
        return "--greedy needs an evaluation: --eval 'CMD {}'";
    if (!greedy && options->factors != NULL)
        return "--factors belongs to --greedy";
    if (options->random == 0 && options->seed > 0)
        return "--seed belongs to --random";
    return NULL;
}

static bool read_factors(const char *given, struct sweep_request *request, struct error *error) {
    char *copy = memory_string(given != NULL ? given : "0.5,2"), *rest = copy;
    struct greedy *greedy = &request->greedy;
    bool good = true;
    for (char *item = strsep(&rest, ","); good && item != NULL; item = strsep(&rest, ",")) {
        double *factor = &request->factors[greedy->factor_count];
        good = greedy->factor_count < SWEEP_FACTOR_LIMIT && number_parse(item, factor) &&
               *factor > 0 && *factor != 1;
        greedy->factor_count += good;
    }
    free(copy);
    greedy->factors = request->factors;
    return good ||
           error_set(error, ERROR_USAGE,
                     "--factors: allowed are up to %d numbers above 0 beside 1, such as 0.5,2",
                     SWEEP_FACTOR_LIMIT);
}

static bool read_points(const struct options *options, const struct config *config,
                        struct sweep_request *request, struct error *error) {
    for (size_t i = 0; i < options->vary.count; i++) {
        struct error own = {0};
        if (!vary_add(&request->vary, options->vary.items[i], config, &own))
            error_add(error, own.kind, "%s", own.message);
        error_free(&own);
    }
    if (error->kind != ERROR_NONE)
        return false;
    if (options->random == 0)
        return sweep_points_grid(&request->vary, &request->points, error);
    sweep_points_random(&request->vary, options->random, options->seed > 0 ? options->seed : 1,
                        &request->points);
    return true;
}

static bool has_ranks(const struct plan *plan, struct error *error) {
    return plan->config.settings.method == METHOD_R2M ||
           error_set(error, ERROR_USAGE, "--greedy: %s has no ranks to search",
                     method_row(plan->config.settings.method)->title);
}

bool sweep_request_read(const struct options *options, const struct plan *plan,
                        struct sweep_request *request, struct error *error) {
    const char *wrong = wrong_options(options, plan->config.eval.command != NULL);
    *request = (struct sweep_request){.jobs = options->jobs > 0 ? options->jobs : 1};
    if (wrong != NULL)
        return error_set(error, ERROR_USAGE, "%s", wrong);
    request->goal = sweep_goal_parse(plan->config.eval.metric);
    request->greedy.budget = options->greedy;
    return options->greedy > 0
               ? read_factors(options->factors, request, error) && has_ranks(plan, error)
               : read_points(options, &plan->config, request, error);
}

void sweep_request_free(struct sweep_request *request) {
    vary_free(&request->vary);
    sweep_points_free(&request->points);
    free(request->goal.metric);
}
