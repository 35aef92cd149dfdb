#include "render/image.h"

#include "analysis/support/atomic_file.h"
#include "analysis/support/memory.h"
#include "merge/version.h"
#include "render/cairo_canvas.h"
#include "render/png_encode.h"
#include "render/svg_canvas.h"

#include <cairo-pdf.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_PIXELS = 64, MOST_PIXELS = 20000, TEXT_LIMIT = 16 };
#define LEAST_INCHES 0.5
#define MOST_INCHES 200.0

const char *const *image_format_names(void) {
    static const char *const names[] = {"png", "svg", "pdf", NULL};
    return names;
}

struct image_options image_options_default(void) {
    return (struct image_options){.width_inches = 6.4, .height_inches = 4, .dpi = 300};
}

static bool is_within(double value, double least, double most) {
    return value >= least && value <= most; /* false for NaN */
}

bool image_check_size(const struct image_options *options, struct error *error) {
    double width = options->width_inches, height = options->height_inches, dpi = options->dpi;
    if (options->format == IMAGE_PNG &&
        (!is_within(round(width * dpi), LEAST_PIXELS, MOST_PIXELS) ||
         !is_within(round(height * dpi), LEAST_PIXELS, MOST_PIXELS)))
        return error_set(error, ERROR_USAGE,
                         "a picture of %.0f x %.0f pixels: allowed are %d to %d a side",
                         round(width * dpi), round(height * dpi), LEAST_PIXELS, MOST_PIXELS);
    if (!is_within(width, LEAST_INCHES, MOST_INCHES) ||
        !is_within(height, LEAST_INCHES, MOST_INCHES))
        return error_set(error, ERROR_USAGE, "a picture of %g x %g inches: allowed are %g to %g",
                         width, height, LEAST_INCHES, MOST_INCHES);
    return true;
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

/* The page's pixels; cairo_surface_destroy the result. */
static cairo_surface_t *paint(const struct page *page, const struct image_options *options,
                              int width, int height, struct error *error) {
    cairo_surface_t *surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height);
    struct canvas *canvas =
        cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS
            ? cairo_canvas_create(surface, options->width_inches * 72, options->height_inches * 72,
                                  options->dpi / 72)
            : NULL;
    if (canvas != NULL)
        draw_page(canvas, page);
    cairo_canvas_free(canvas);
    cairo_surface_flush(surface);
    if (canvas != NULL && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS)
        return surface;
    cairo_surface_destroy(surface);
    error_set(error, ERROR_INPUT, "a picture of %d x %d pixels could not be drawn", width, height);
    return NULL;
}

static int pixels_across(double inches, double dpi) {
    return (int)round(inches * dpi);
}

unsigned char *image_page_pixels(const struct page *page, const struct image_options *options,
                                 int *width, int *height, struct error *error) {
    *width = pixels_across(options->width_inches, options->dpi);
    *height = pixels_across(options->height_inches, options->dpi);
    cairo_surface_t *surface =
        image_check_size(options, error) ? paint(page, options, *width, *height, error) : NULL;
    if (surface == NULL)
        return NULL;
    const unsigned char *rows = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    unsigned char *pixels = memory_array((size_t)*width * (size_t)*height, 3), *to = pixels;
    for (int row = 0; row < *height; row++)
        for (int col = 0; col < *width; col++) {
            const unsigned char *from = rows + (size_t)row * stride + 4 * (size_t)col;
            *to++ = from[2]; /* stored as blue, green, red */
            *to++ = from[1];
            *to++ = from[0];
        }
    cairo_surface_destroy(surface);
    return pixels;
}

/* Receives what was encoded; free(bytes). */
struct encoded {
    unsigned char *bytes;
    size_t size;
};

typedef bool encode(const struct page *page, const struct image_options *options,
                    const char *const *text, struct encoded *encoded, struct error *error);

static bool encode_png(const struct page *page, const struct image_options *options,
                       const char *const *text, struct encoded *encoded, struct error *error) {
    int width = pixels_across(options->width_inches, options->dpi);
    int height = pixels_across(options->height_inches, options->dpi);
    cairo_surface_t *surface = paint(page, options, width, height, error);
    if (surface == NULL)
        return false;
    bool good = png_encode(cairo_image_surface_get_data(surface), (size_t)width, (size_t)height,
                           (size_t)cairo_image_surface_get_stride(surface), options->dpi, text,
                           &encoded->bytes, &encoded->size, error);
    cairo_surface_destroy(surface);
    return good;
}

static bool encode_svg(const struct page *page, const struct image_options *options,
                       const char *const *text, struct encoded *encoded, struct error *error) {
    struct canvas *canvas =
        svg_canvas_create(options->width_inches * 72, options->height_inches * 72, text);
    if (canvas != NULL) {
        draw_page(canvas, page);
        encoded->bytes = (unsigned char *)svg_canvas_end(canvas, &encoded->size);
    }
    return encoded->bytes != NULL ||
           error_set(error, ERROR_INPUT, "the picture could not be drawn");
}

static cairo_status_t append(void *context, const unsigned char *bytes, unsigned count) {
    struct encoded *encoded = context;
    encoded->bytes = memory_resize(encoded->bytes, encoded->size + count, 1);
    memcpy(encoded->bytes + encoded->size, bytes, count);
    encoded->size += count;
    return CAIRO_STATUS_SUCCESS;
}

/* text[1] is the program; what follows goes into the subject. The date is always the same one: the
 * same chart gives the same bytes. */
static void describe_pdf(cairo_surface_t *surface, const char *const *text) {
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATOR, text[1]);
    cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_CREATE_DATE, "2000-01-01T00:00:00Z");
    if (text[2] != NULL)
        cairo_pdf_surface_set_metadata(surface, CAIRO_PDF_METADATA_SUBJECT, text[3]);
}

static bool encode_pdf(const struct page *page, const struct image_options *options,
                       const char *const *text, struct encoded *encoded, struct error *error) {
    double width = options->width_inches * 72, height = options->height_inches * 72;
    cairo_surface_t *surface = cairo_pdf_surface_create_for_stream(append, encoded, width, height);
    describe_pdf(surface, text);
    struct canvas *canvas = cairo_canvas_create(surface, width, height, 1);
    if (canvas != NULL)
        draw_page(canvas, page);
    cairo_canvas_free(canvas);
    cairo_surface_finish(surface);
    bool good = canvas != NULL && cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS;
    cairo_surface_destroy(surface);
    return good || error_set(error, ERROR_INPUT, "the picture could not be drawn");
}

bool image_page_bytes(const struct page *page, const struct image_options *options,
                      unsigned char **bytes, size_t *size, struct error *error) {
    static encode *const encoders[] = {
        [IMAGE_PNG] = encode_png, [IMAGE_SVG] = encode_svg, [IMAGE_PDF] = encode_pdf};
    const char *text[TEXT_LIMIT + 3];
    struct encoded encoded = {0};
    if (!image_check_size(options, error))
        return false;
    collect_text(options, text);
    if (!encoders[options->format](page, options, text, &encoded, error)) {
        free(encoded.bytes);
        return false;
    }
    *bytes = encoded.bytes;
    *size = encoded.size;
    return true;
}

bool image_page_write(const struct page *page, const struct image_options *options,
                      const char *path, bool overwrite, struct error *error) {
    unsigned char *bytes = NULL;
    size_t size = 0;
    if (!image_page_bytes(page, options, &bytes, &size, error))
        return false;
    bool good = atomic_file_write(path, bytes, size, overwrite, error);
    free(bytes);
    return good;
}

/* ---- a chart alone ---- */

static struct page alone(struct chart **chart) {
    return (struct page){.charts = chart, .chart_count = 1, .columns = 1};
}

bool image_bytes(const struct chart *chart, const struct image_options *options,
                 unsigned char **bytes, size_t *size, struct error *error) {
    struct page page = alone((struct chart *[]){(struct chart *)chart});
    return image_page_bytes(&page, options, bytes, size, error);
}

unsigned char *image_pixels(const struct chart *chart, const struct image_options *options,
                            int *width, int *height, struct error *error) {
    struct page page = alone((struct chart *[]){(struct chart *)chart});
    return image_page_pixels(&page, options, width, height, error);
}

bool image_write(const struct chart *chart, const struct image_options *options, const char *path,
                 bool overwrite, struct error *error) {
    struct page page = alone((struct chart *[]){(struct chart *)chart});
    return image_page_write(&page, options, path, overwrite, error);
}
