/* Edits of the plan's list of overrides, each one step of history. */
#include "merge/plan.h"

#include <stdlib.h>
#include <string.h>

/* A changed copy of the config becomes the plan's, if every pattern of its overrides still meets a
 * matrix. description is freed. */
static bool replace(struct plan *plan, struct config *next, char *description,
                    struct error *error) {
    struct plan *probe;
    bool good = plan_create(next, plan->table, &probe, error);
    if (good) {
        plan_free(probe);
        good = plan_adopt(plan, next, description, error);
    } else {
        config_free(next);
    }
    free(description);
    return good;
}

bool plan_override_set(struct plan *plan, size_t index, struct rank_rule rule,
                       struct error *error) {
    struct config next;
    char form[FIELD_TEXT];
    config_copy(&next, &plan->config);
    next.overrides[index].rule = rule;
    return replace(plan, &next,
                   memory_format("override %s, %s", next.overrides[index].layer,
                                 rank_rule_format(rule, form, sizeof form)),
                   error);
}

bool plan_override_aim(struct plan *plan, size_t index, const char *layers, struct error *error) {
    struct config next;
    config_copy(&next, &plan->config);
    free(next.overrides[index].layer);
    next.overrides[index].layer = memory_string(layers);
    return replace(plan, &next, memory_format("override of %s", layers), error);
}

bool plan_override_drop(struct plan *plan, size_t index, struct error *error) {
    struct config next;
    config_copy(&next, &plan->config);
    struct rank_override *one = &next.overrides[index];
    char *description = memory_format("no override of %s", one->layer);
    free(one->layer);
    free(one->specialist);
    memmove(one, one + 1, (--next.override_count - index) * sizeof *one);
    return replace(plan, &next, description, error);
}

bool plan_override_move(struct plan *plan, size_t index, bool up, struct error *error) {
    struct config next;
    config_copy(&next, &plan->config);
    struct rank_override *one = &next.overrides[index], *other = up ? one - 1 : one + 1;
    struct rank_override kept = *one;
    *one = *other;
    *other = kept;
    return replace(plan, &next,
                   memory_format("override of %s moved %s", kept.layer, up ? "up" : "down"), error);
}
