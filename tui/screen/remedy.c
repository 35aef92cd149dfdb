/* What may be amiss with a plan, in words, and the setting that mends it. */
#include "tui/screen/specialists.h"

#include <string.h>

#define NEARLY_MEAN 0.995 /* cosine of core and mean */

/* What the core is, in words. */
void core_verdict(const struct app *app, char text[TEXT_ROOM]) {
    const struct real_core *core = app->analysis->core;
    size_t most = 0;
    for (size_t i = 1; i < core->n; i++)
        most = core->parts[i] > core->parts[most] ? i : most;
    const char *name = app->table->specialists[most].name;
    if (core->n == 1)
        snprintf(text, TEXT_ROOM, "One specialist: the core is its whole task vector.");
    else if (real_core_vanishes(core))
        snprintf(text, TEXT_ROOM,
                 "The core almost vanishes: nearly all of the change is in the "
                 "residuals.");
    else if (real_core_owner(core) == most)
        snprintf(text, TEXT_ROOM, "The core is mostly %s (%.0f%%), hardly shared.", name,
                 100 * core->parts[most]);
    else if (core->cos_core_mean > NEARLY_MEAN)
        snprintf(text, TEXT_ROOM, "The core is nearly the plain mean of the task vectors.");
    else
        snprintf(text, TEXT_ROOM, "The core leans towards %s (%.0f%% of it).", name,
                 100 * core->parts[most]);
}

const struct remedy *remedy_find(const struct app *app) {
    return findings_remedy(app->plan, app->analysis, app->preview);
}

const char *mend_disabled(const struct app *app) {
    return remedy_find(app) == NULL ? "nothing to mend is known" : NULL;
}
