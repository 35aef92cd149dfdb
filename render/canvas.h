/* Where a figure is drawn: a table of a few calls that every vector or pixel back end can give.
 * Units are points (1/72 inch), the origin is the top left corner. Layout asks only
 * text_width. */
#ifndef R2M_RENDER_CANVAS_H
#define R2M_RENDER_CANVAS_H

#include "render/chart.h"

struct rgb {
    unsigned char red, green, blue;
};

struct point {
    double x, y;
};

enum text_align { TEXT_LEFT, TEXT_CENTRE, TEXT_RIGHT };

struct text_style {
    double size; /* points */
    bool bold;
    enum text_align align;
    bool upright; /* turned by 90 degrees, read from below */
    struct rgb colour;
};

struct canvas;

struct canvas_ops {
    /* Line through count points; dash: NULL or pairs of on and off lengths, 0-ended. */
    void (*polyline)(struct canvas *canvas, const struct point *points, size_t count, double width,
                     const double *dash, struct rgb colour);
    /* Filled rectangle; opacity 0..1. */
    void (*rectangle)(struct canvas *canvas, double x, double y, double width, double height,
                      struct rgb colour, double opacity);
    /* Text with its baseline at (x, y). */
    void (*text)(struct canvas *canvas, double x, double y, struct text_style style,
                 const char *text);
    double (*text_width)(struct canvas *canvas, struct text_style style, const char *text);
    /* Nothing outside the rectangle is drawn until unclip. */
    void (*clip)(struct canvas *canvas, double x, double y, double width, double height);
    void (*unclip)(struct canvas *canvas);
    /* The nearest coordinate at which a thin horizontal or vertical line is sharp. */
    double (*snap)(struct canvas *canvas, double coordinate);
};

struct canvas {
    const struct canvas_ops *ops;
    double width, height; /* points */
};

/* Okabe-Ito, readable by colour-blind people, for a chart_colour; and the dash that goes with it
 * (canvas_ops form). */
struct rgb palette_colour(int chart_colour);
const double *palette_dash(int chart_colour);

/* The colour of a position in [0, 1] (values outside are taken as the ends): from dark blue over
 * green to yellow; or diverging, from dark blue over grey (0.5) to light yellow. Both grow evenly
 * in lightness. */
struct rgb colour_map(enum chart_colours colours, double position);

/* Lays the chart out over the whole canvas and draws it. */
void draw_chart(struct canvas *canvas, const struct chart *chart);

/* The same for a page of charts. */
struct page;
void draw_page(struct canvas *canvas, const struct page *page);

#endif
