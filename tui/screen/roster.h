/* Which specialists take part: added, taken out, switched off and on while the program runs. Each
 * is a change of the plan that undo takes back; the files are opened anew (headers only), and what
 * is known of the specialists that stay is kept. */
#ifndef R2M_TUI_SCREEN_ROSTER_H
#define R2M_TUI_SCREEN_ROSTER_H

#include "merge/config/config.h"

struct app;

/* Specialists that are switched off: not in the config, remembered until the program ends. */
struct roster {
    struct config_specialist *off;
    size_t count;
};

/* Prompts for a path, with completion, and adds it. */
unsigned roster_ask_add(struct app *app);

/* row: of the Specialists view, those that take part first. */
unsigned roster_remove(struct app *app, size_t row);
unsigned roster_switch(struct app *app, size_t row);

/* Opens the table that the plan names where it is another one. False with the reason when it cannot
 * be; then the plan has to be taken back. */
bool roster_follow(struct app *app, struct error *error);

void roster_free(struct roster *roster);

#endif
