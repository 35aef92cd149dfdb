/* Charts and pages of charts as picture files: PNG drawn by cairo with the embedded DejaVu face and
 * encoded by libpng, PDF by cairo, SVG written directly; in the last two lines are lines and text
 * is text. The same chart and version give the same bytes; nothing depends on installed fonts or a
 * display. */
#ifndef R2M_RENDER_IMAGE_H
#define R2M_RENDER_IMAGE_H

#include "analysis/support/error.h"
#include "render/page.h"

enum image_format { IMAGE_PNG, IMAGE_SVG, IMAGE_PDF, IMAGE_FORMAT_COUNT };

/* "png", "svg", "pdf", which are file endings too; NULL-ended. */
const char *const *image_format_names(void);

struct image_options {
    enum image_format format;
    double width_inches, height_inches; /* default 6.4 x 4 */
    double dpi;                         /* of a PNG, default 300; written as pHYs */
    const char *const *text;            /* what the file tells of itself: key, value, ..., NULL */
};

/* Defaults. */
struct image_options image_options_default(void);

/* ERROR_USAGE where a side is outside 64 to 20000 pixels (of a PNG) or 0.5 to 200 inches. */
bool image_check_size(const struct image_options *options, struct error *error);

/* The page as bytes in memory (a PNG with sRGB, pHYs, tEXt). free(*bytes). Sizes are checked as
 * above. */
bool image_page_bytes(const struct page *page, const struct image_options *options,
                      unsigned char **bytes, size_t *size, struct error *error);

/* The page as pixels of 3 bytes, red, green and blue, row by row; free() them. NULL with an error
 * as above. */
unsigned char *image_page_pixels(const struct page *page, const struct image_options *options,
                                 int *width, int *height, struct error *error);

/* The same as image_page_bytes into a file, atomically. */
bool image_page_write(const struct page *page, const struct image_options *options,
                      const char *path, bool overwrite, struct error *error);

/* All of these for a chart alone. */
bool image_bytes(const struct chart *chart, const struct image_options *options,
                 unsigned char **bytes, size_t *size, struct error *error);
unsigned char *image_pixels(const struct chart *chart, const struct image_options *options,
                            int *width, int *height, struct error *error);
bool image_write(const struct chart *chart, const struct image_options *options, const char *path,
                 bool overwrite, struct error *error);

#endif
