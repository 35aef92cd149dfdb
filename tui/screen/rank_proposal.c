#include "tui/screen/rank_proposal.h"

#include "analysis/auto_rank.h"

const char *rank_proposal_text(const struct spectrum *spectrum, char buffer[TEXT_ROOM]) {
    struct auto_rank found = auto_rank(spectrum);
    if (found.above == 0)
        snprintf(buffer, TEXT_ROOM, "0: none of %zu above noise %.2g", spectrum->count, found.edge);
    else
        snprintf(buffer, TEXT_ROOM,
                 "%zu: %zu of %zu above noise %.2g, like %.1f of equal energy; keeps %.0f%%",
                 found.rank, found.above, spectrum->count, found.edge, found.directions,
                 100 * spectrum_kept(spectrum, found.rank));
    return buffer;
}

unsigned rank_propose(struct app *app, const struct rank_selection *selection) {
    unsigned result = rank_set(app, selection, "auto");
    const struct spectrum *spectrum =
        app->analysis->spectra != NULL
            ? spectra_get(app->analysis->spectra, app->layer, app->specialist)
            : NULL;
    char why[TEXT_ROOM];
    if ((result & DIRTY_PLAN) && spectrum != NULL)
        app_say(app, STATUS_INFO, "auto %s", rank_proposal_text(spectrum, why));
    return result;
}
