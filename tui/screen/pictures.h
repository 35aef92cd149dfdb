/* The figure of a view as a picture over the whole terminal. */
#ifndef R2M_TUI_SCREEN_PICTURES_H
#define R2M_TUI_SCREEN_PICTURES_H

#include "tui/screen/app.h"

/* Shows it (term_start was called); false, and the reason said, where there is no figure or the
 * terminal shows no pictures. */
bool pictures_show(struct app *app);

#endif
