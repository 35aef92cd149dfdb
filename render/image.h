/* Charts as picture files: drawn by cairo with the embedded DejaVu face, encoded by libpng.
 * The same chart and version give the same bytes; nothing depends on installed fonts or a
 * display. */
#ifndef R2M_RENDER_IMAGE_H
#define R2M_RENDER_IMAGE_H

#include "analysis/support/error.h"
#include "render/chart.h"

struct image_options {
    double width_inches, height_inches; /* default 6.4 x 4 */
    double dpi;                         /* default 300; written as pHYs */
    const char *const *text;            /* tEXt or iTXt chunks: key, value, ..., NULL */
};

/* Defaults. */
struct image_options image_options_default(void);

/* The chart as PNG bytes in memory (sRGB, pHYs, tEXt Software). free(*bytes). Sizes outside
 * 64..20000 pixels a side are an ERROR_USAGE. */
bool image_png(const struct chart *chart, const struct image_options *options,
               unsigned char **bytes, size_t *size, struct error *error);

/* The same into a file, atomically. */
bool image_write_png(const struct chart *chart, const struct image_options *options,
                     const char *path, bool overwrite, struct error *error);

#endif
