/* The SVG back end of canvas.h, written directly: text stays text, lines stay lines. Texts are
 * measured with the embedded faces and set in DejaVu Sans, or the reader's sans-serif. */
#ifndef R2M_RENDER_SVG_CANVAS_H
#define R2M_RENDER_SVG_CANVAS_H

#include "render/canvas.h"

/* A drawing of width x height points. text: key, value, ..., NULL, kept as its metadata; may be
 * NULL. NULL when the embedded faces cannot be read or memory is short. */
struct canvas *svg_canvas_create(double width, double height, const char *const *text);

/* Ends the document and releases the canvas; its bytes, which are also NUL-ended. free() it; NULL
 * when memory was short. */
char *svg_canvas_end(struct canvas *canvas, size_t *size);

#endif
