/* Which specialists take part: added, taken out, switched off and on while the program runs. Each
 * is a change of the plan that undo takes back; the files are opened anew (headers only), and what
 * is known of the specialists that stay is kept. */
#ifndef R2M_TUI_SCREEN_ROSTER_H
#define R2M_TUI_SCREEN_ROSTER_H

#include "merge/config/config.h"

struct app;

/* An override of one specialist, its place, and how many overrides of all specialists stand before
 * it: as later ones win, its order among these matters. */
struct own_override {
    char *layer;
    struct rank_rule rule;
    size_t place, general_before;
};

/* A specialist that is switched off: not in the config, remembered until the program ends. */
struct off_specialist {
    struct config_specialist specialist;
    struct own_override *overrides;
    size_t override_count;
};

struct roster {
    struct off_specialist *off;
    size_t count;
    struct string_list order; /* paths of all that were on when one was switched off */
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
