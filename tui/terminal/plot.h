/* Paints charts made by the render room onto the surface. */
#ifndef R2M_TUI_TERMINAL_PLOT_H
#define R2M_TUI_TERMINAL_PLOT_H

#include "render/chart.h"
#include "tui/terminal/surface.h"

/* Draws the chart over rect with the glyph set in use. */
void plot_draw(struct surface *surface, struct rect rect, const struct chart *chart);

#endif
