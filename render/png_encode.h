/* Pixels to PNG bytes, by libpng. */
#ifndef R2M_RENDER_PNG_ENCODE_H
#define R2M_RENDER_PNG_ENCODE_H

#include "analysis/support/error.h"

#include <stddef.h>

/* pixels: height rows of stride bytes, each pixel 4 bytes blue, green, red, unused. text: key,
 * value (UTF-8), ..., NULL (may be NULL). Writes sRGB, pHYs and tEXt chunks, iTXt for a value that
 * is not ASCII. free(*bytes). */
bool png_encode(const unsigned char *pixels, size_t width, size_t height, size_t stride, double dpi,
                const char *const *text, unsigned char **bytes, size_t *size, struct error *error);

#endif
