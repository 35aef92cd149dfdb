/* The figure of a view, or one by its name, as a picture over the whole terminal. */
#ifndef R2M_TUI_SCREEN_PICTURES_H
#define R2M_TUI_SCREEN_PICTURES_H

#include "tui/screen/app.h"

/* The figure of that name (figures.h), of the layer, its kind or the specialist that is selected,
 * as a page to be freed; NULL while it is not computed or where the selection has none. */
struct page *pictures_page(struct app *app, const char *name);

/* Shows app->picture, or what the view has (term_start was called); false, and the reason said,
 * where there is no figure or the terminal shows no pictures. */
bool pictures_show(struct app *app);

#endif
