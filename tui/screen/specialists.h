/* The parts of the Specialists view. */
#ifndef R2M_TUI_SCREEN_SPECIALISTS_H
#define R2M_TUI_SCREEN_SPECIALISTS_H

#include "merge/findings.h"
#include "tui/screen/layers.h"

/* What stands first below the table. */
enum specialists_page { PAGE_SUMMARY, PAGE_TASK_VECTORS, PAGE_RESIDUALS, PAGE_COUNT };

/* The core has to be known. */
void specialists_draw_detail(struct app *app, struct surface *surface, struct rect detail,
                             enum specialists_page page);

/* What the core is, in words. */
void core_verdict(const struct app *app, char text[TEXT_ROOM]);

/* The first that applies, or NULL. */
const struct remedy *remedy_find(const struct app *app);

#endif
