#include "render/cairo_canvas.h"

#include "analysis/support/memory.h"
#include "render/font.h"

#include <math.h>
#include <stdlib.h>

enum { DASH_LIMIT = 8 };

struct cairo_canvas {
    struct canvas canvas; /* first: a canvas is one */
    cairo_t *cairo;
    double scale;
    struct font *fonts[2]; /* regular, bold */
};

static struct cairo_canvas *own(struct canvas *canvas) {
    return (struct cairo_canvas *)canvas;
}

static void set_colour(cairo_t *cairo, struct rgb colour, double opacity) {
    cairo_set_source_rgba(cairo, colour.red / 255.0, colour.green / 255.0, colour.blue / 255.0,
                          opacity);
}

static void polyline(struct canvas *canvas, const struct point *points, size_t count, double width,
                     const double *dash, struct rgb colour) {
    cairo_t *cairo = own(canvas)->cairo;
    int dashes = 0;
    while (dash != NULL && dashes < DASH_LIMIT && dash[dashes] > 0)
        dashes++;
    cairo_set_dash(cairo, dash, dashes, 0);
    cairo_set_line_width(cairo, width);
    cairo_set_line_join(cairo, CAIRO_LINE_JOIN_ROUND);
    cairo_new_path(cairo);
    for (size_t i = 0; i < count; i++)
        cairo_line_to(cairo, points[i].x, points[i].y);
    set_colour(cairo, colour, 1);
    cairo_stroke(cairo);
}

static void rectangle(struct canvas *canvas, double x, double y, double width, double height,
                      struct rgb colour, double opacity) {
    cairo_t *cairo = own(canvas)->cairo;
    cairo_rectangle(cairo, x, y, width, height);
    set_colour(cairo, colour, opacity);
    cairo_fill(cairo);
}

static double text_width(struct canvas *canvas, struct text_style style, const char *text) {
    return font_width(own(canvas)->fonts[style.bold], style.size, text);
}

static void text(struct canvas *canvas, double x, double y, struct text_style style,
                 const char *string) {
    static const double shift[] = {[TEXT_LEFT] = 0, [TEXT_CENTRE] = -0.5, [TEXT_RIGHT] = -1};
    cairo_t *cairo = own(canvas)->cairo;
    cairo_save(cairo);
    cairo_translate(cairo, x, y);
    if (style.upright)
        cairo_rotate(cairo, -M_PI / 2);
    set_colour(cairo, style.colour, 1);
    font_show(own(canvas)->fonts[style.bold], cairo,
              shift[style.align] * text_width(canvas, style, string), 0, style.size, string);
    cairo_restore(cairo);
}

static void clip(struct canvas *canvas, double x, double y, double width, double height) {
    cairo_t *cairo = own(canvas)->cairo;
    cairo_save(cairo);
    cairo_rectangle(cairo, x, y, width, height);
    cairo_clip(cairo);
}

static void unclip(struct canvas *canvas) {
    cairo_restore(own(canvas)->cairo);
}

/* The middle of a device pixel. */
static double snap(struct canvas *canvas, double coordinate) {
    double scale = own(canvas)->scale;
    return (floor(coordinate * scale) + 0.5) / scale;
}

static const struct canvas_ops ops = {polyline, rectangle, text, text_width, clip, unclip, snap};

struct canvas *cairo_canvas_create(cairo_surface_t *surface, double width, double height,
                                   double scale) {
    struct cairo_canvas *canvas = memory_array(1, sizeof *canvas);
    canvas->canvas = (struct canvas){&ops, width, height};
    canvas->cairo = cairo_create(surface);
    canvas->scale = scale;
    cairo_scale(canvas->cairo, scale, scale);
    for (int bold = 0; bold < 2; bold++)
        canvas->fonts[bold] = font_create(bold);
    if (canvas->fonts[0] == NULL || canvas->fonts[1] == NULL) {
        cairo_canvas_free(&canvas->canvas);
        return NULL;
    }
    return &canvas->canvas;
}

void cairo_canvas_free(struct canvas *canvas) {
    if (canvas == NULL)
        return;
    cairo_destroy(own(canvas)->cairo);
    font_free(own(canvas)->fonts[0]);
    font_free(own(canvas)->fonts[1]);
    free(canvas);
}
