/* The embedded DejaVu faces: measured and drawn glyph by glyph with FreeType's kerning, so that
 * nothing depends on installed fonts. */
#ifndef R2M_RENDER_FONT_H
#define R2M_RENDER_FONT_H

#include <cairo.h>
#include <stdbool.h>

struct font;

/* NULL when FreeType cannot read the face. */
struct font *font_create(bool bold);
void font_free(struct font *font);

/* Width of UTF-8 text at that size, in the unit of size. */
double font_width(const struct font *font, double size, const char *text);

/* Draws text with its baseline starting at (x, y), in cairo's current colour. A character without a
 * glyph is drawn as a white square. */
void font_show(const struct font *font, cairo_t *cairo, double x, double y, double size,
               const char *text);

#endif
