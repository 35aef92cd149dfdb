/* The cairo back end of canvas.h. */
#ifndef R2M_RENDER_CAIRO_CANVAS_H
#define R2M_RENDER_CAIRO_CANVAS_H

#include "render/canvas.h"

#include <cairo.h>

/* Draws on a surface of width x height points, at scale device units (pixels) a point. NULL when
 * the embedded faces cannot be read. The surface stays the caller's. */
struct canvas *cairo_canvas_create(cairo_surface_t *surface, double width, double height,
                                   double scale);
void cairo_canvas_free(struct canvas *canvas);

#endif
