/* What the parts of a figure's layout share; private to draw*.c. */
#ifndef R2M_RENDER_DRAW_H
#define R2M_RENDER_DRAW_H

#include "render/canvas.h"

/* Points. */
#define DRAW_TITLE_SIZE 9.5
#define DRAW_LABEL_SIZE 8.5
#define DRAW_TICK_SIZE 8.0
#define DRAW_MARGIN 8.0
#define DRAW_TICK_LENGTH 3.0
#define DRAW_FRAME_WIDTH 0.8
#define DRAW_CURVE_WIDTH 1.2

enum { DRAW_TEXT_ROOM = 1024 };

extern const struct rgb draw_ink;

struct box {
    double left, top, right, bottom;
};

struct drawing {
    struct canvas *canvas;
    const struct chart *chart;
    struct box plot;
    struct chart_tick *x_ticks, *y_ticks;
    size_t x_count, y_count;
    char *const *categories; /* names below the axis, of bars or columns of a map */
    size_t category_count;   /* 0: ticks in their place */
    double name_length;      /* room for the names of categories below the axis */
    enum { NAMES_LEVEL, NAMES_UPRIGHT, NAMES_GROUPED } names; /* how they are drawn */
};

struct text_style draw_style(double size, enum text_align align);
double draw_text_width(const struct drawing *drawing, double size, const char *text);
void draw_text(const struct drawing *drawing, double x, double y, struct text_style style,
               const char *text);
void draw_segment(const struct drawing *drawing, struct point from, struct point to, double width,
                  const double *dash, struct rgb colour);

/* Text cut in the middle until it fits into room; returns buffer. */
const char *draw_fitted(const struct drawing *drawing, double size, const char *text, double room,
                        char buffer[DRAW_TEXT_ROOM]);

/* Where a point of the chart lies on the canvas. */
struct point draw_place(const struct drawing *drawing, double x, double y);

/* Curves and bars, with what lies behind and over them (draw_content.c, draw_lines.c). */
void draw_content(const struct drawing *drawing);
void draw_lines(const struct drawing *drawing);

/* A map's cells, the names of its rows and its colour bar: the room they need left and right of the
 * plot, and drawn (draw_map.c). */
void draw_plan_map(const struct drawing *drawing, double *left, double *right);
void draw_map_cells(const struct drawing *drawing);
void draw_map_names(const struct drawing *drawing);

/* A tick's label as it is written: "1.5e-5" -> "1.5·10⁻⁵", a true minus sign. */
const char *draw_pretty(const char *label, char buffer[64]);

/* Names of categories below the axis: how much room they need, and drawn (draw_names.c). */
void draw_plan_names(struct drawing *drawing);
void draw_names(const struct drawing *drawing);

#endif
