#include "render/image.h"

#include "analysis/support/atomic_file.h"
#include "analysis/support/memory.h"
#include "merge/version.h"
#include "render/cairo_canvas.h"
#include "render/png_encode.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_PIXELS = 64, MOST_PIXELS = 20000, TEXT_LIMIT = 16 };

struct image_options image_options_default(void) {
    return (struct image_options){.width_inches = 6.4, .height_inches = 4, .dpi = 300};
}

static bool fits(double pixels) {
    return pixels >= LEAST_PIXELS && pixels <= MOST_PIXELS;
}

/* Software first, then what the caller gives. */
static void collect_text(const struct image_options *options, const char **text) {
    size_t count = 0;
    text[count++] = "Software";
    text[count++] = "r2m " R2M_VERSION;
    for (const char *const *t = options->text; t != NULL && t[0] != NULL && count < TEXT_LIMIT;
         t += 2) {
        text[count++] = t[0];
        text[count++] = t[1];
    }
    text[count] = NULL;
}

/* The chart's pixels; cairo_surface_destroy the result. */
static cairo_surface_t *paint(const struct chart *chart, const struct image_options *options,
                              int width, int height, struct error *error) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    struct canvas *canvas =
        cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS
            ? cairo_canvas_create(surface, options->width_inches * 72, options->height_inches * 72,
                                  options->dpi / 72)
            : NULL;
    if (canvas != NULL)
        draw_chart(canvas, chart);
    cairo_canvas_free(canvas);
    cairo_surface_flush(surface);
    if (canvas != NULL && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS)
        return surface;
    cairo_surface_destroy(surface);
    error_set(error, ERROR_INPUT, "a picture of %d x %d pixels could not be drawn", width, height);
    return NULL;
}

bool image_png(const struct chart *chart, const struct image_options *options,
               unsigned char **bytes, size_t *size, struct error *error) {
    double width = round(options->width_inches * options->dpi);
    double height = round(options->height_inches * options->dpi);
    const char *text[TEXT_LIMIT + 3];
    if (!fits(width) || !fits(height))
        return error_set(error, ERROR_USAGE,
                         "a picture of %.0f x %.0f pixels: allowed are %d to %d a side", width,
                         height, LEAST_PIXELS, MOST_PIXELS);
    cairo_surface_t *surface = paint(chart, options, (int)width, (int)height, error);
    if (surface == NULL)
        return false;
    collect_text(options, text);
    bool good = png_encode(cairo_image_surface_get_data(surface), (size_t)width, (size_t)height,
                           (size_t)cairo_image_surface_get_stride(surface), options->dpi, text,
                           bytes, size, error);
    cairo_surface_destroy(surface);
    return good;
}

bool image_write_png(const struct chart *chart, const struct image_options *options,
                     const char *path, bool overwrite, struct error *error) {
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (!image_png(chart, options, &bytes, &size, error))
        return false;
    bool good = atomic_file_write(path, bytes, size, overwrite, error);
    free(bytes);
    return good;
}
