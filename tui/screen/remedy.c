/* What may be amiss with a plan, in words, and the setting that mends it. */
#include "tui/screen/specialists.h"

#include <string.h>

#define CORE_VANISHED 0.05 /* core over mean, method.md section 2 */
#define NEARLY_MEAN 0.995  /* cosine of core and mean */
#define MOSTLY_ONE 0.6     /* a specialist's part in the core */
#define DOMINATES 0.5      /* its share before matching, method.md section 4 */
#define UNEVEN 0.5         /* dominance of a layer */

/* What the core is, in words. */
void core_verdict(const struct app *app, char text[TEXT_ROOM]) {
    const struct real_core *core = app->analysis->core;
    size_t most = 0;
    for (size_t i = 1; i < core->n; i++)
        most = core->parts[i] > core->parts[most] ? i : most;
    const char *name = app->table->specialists[most].name;
    if (core->n == 1)
        snprintf(text, TEXT_ROOM, "One specialist: the core is its whole task vector.");
    else if (core->core_mean_ratio < CORE_VANISHED)
        snprintf(text, TEXT_ROOM,
                 "The core almost vanishes: nearly all of the change is in the "
                 "residuals.");
    else if (core->parts[most] > MOSTLY_ONE && core->n > 2)
        snprintf(text, TEXT_ROOM, "The core is mostly %s (%.0f%%), hardly shared.", name,
                 100 * core->parts[most]);
    else if (core->cos_core_mean > NEARLY_MEAN)
        snprintf(text, TEXT_ROOM, "The core is nearly the plain mean of the task vectors.");
    else
        snprintf(text, TEXT_ROOM, "The core leans towards %s (%.0f%% of it).", name,
                 100 * core->parts[most]);
}

static bool core_vanishes(const struct app *app) {
    const struct real_core *core = app->analysis->core;
    return core->n > 1 && core->core_mean_ratio < CORE_VANISHED && core->settings.center;
}

static bool core_is_one(const struct app *app) {
    const struct real_core *core = app->analysis->core;
    for (size_t i = 0; i < core->n; i++)
        if (core->n > 2 && core->parts[i] > MOSTLY_ONE && !core->settings.normalize)
            return true;
    return false;
}

static bool one_dominates(const struct app *app) {
    for (size_t i = 0; i < app->table->specialist_count; i++)
        if (app->preview->complete && app->table->specialist_count > 2 &&
            app->preview->specialists[i].share_before > DOMINATES &&
            app->plan->config.settings.norm_match == NORM_MATCH_NONE)
            return true;
    return false;
}

static bool layers_are_uneven(const struct app *app) {
    for (size_t l = 0; l < app->table->layer_count; l++)
        if (app->preview->complete && app->table->layers[l].role == ROLE_MATRIX &&
            app->preview->dominance[l] > UNEVEN &&
            app->plan->config.settings.norm_match != NORM_MATCH_LAYER)
            return true;
    return false;
}

const struct remedy *remedy_find(const struct app *app) {
    static const struct {
        bool (*applies)(const struct app *app);
        struct remedy remedy;
    } remedies[] = {
        {core_vanishes, {"real.center=false", "the core is no longer what differs from the mean"}},
        {core_is_one, {"real.normalize=true", "all task vectors count alike in the core"}},
        {one_dominates, {"norm_match=global", "all residuals get the same norm"}},
        {layers_are_uneven, {"norm_match=layer", "the residuals get the same norm in every layer"}},
    };
    for (size_t i = 0; app->analysis->core != NULL && i < sizeof remedies / sizeof *remedies; i++)
        if (remedies[i].applies(app))
            return &remedies[i].remedy;
    return NULL;
}

const char *mend_disabled(const struct app *app) {
    return remedy_find(app) == NULL ? "nothing to mend is known" : NULL;
}
