/* The rank that the automatic rule proposes, and why. */
#ifndef R2M_TUI_SCREEN_RANK_PROPOSAL_H
#define R2M_TUI_SCREEN_RANK_PROPOSAL_H

#include "tui/screen/rank_edit.h"

/* One sentence with its numbers, for the status line of a narrow screen: "12: 27 of 96 above noise
 * 0.0094, like 11.7 of equal energy; keeps 69%". Returns buffer. */
const char *rank_proposal_text(const struct spectrum *spectrum, char buffer[TEXT_ROOM]);

/* Gives the scope the rule auto and says why, for the selected layer and specialist. */
unsigned rank_propose(struct app *app, const struct rank_selection *selection);

#endif
