/* What the parts of a figure's layout share; private to draw*.c. */
#ifndef R2M_RENDER_DRAW_H
#define R2M_RENDER_DRAW_H

#include "render/canvas.h"

/* Points. */
#define DRAW_TITLE_SIZE 9.5
#define DRAW_LABEL_SIZE 8.5
#define DRAW_TICK_SIZE 8.0
#define DRAW_MARGIN 8.0
#define DRAW_LINE_SPACE 1.35 /* from row to row, in sizes */
#define DRAW_TICK_LENGTH 3.0
#define DRAW_FRAME_WIDTH 0.8
#define DRAW_CURVE_WIDTH 1.2

enum { DRAW_TEXT_ROOM = 1024 };

extern const struct rgb draw_ink;

struct box {
    double left, top, right, bottom;
};

/* Of what there is around a chart's plot. */
enum draw_parts {
    DRAW_ALL, /* title, legend, axes with numbers and labels */
    DRAW_NO_LEGEND,
    DRAW_GRID /* a small title, and ticks: what a grid of charts with the same axes and series
                  leaves to each; the page draws the rest once */
};

struct drawing {
    struct canvas *canvas;
    const struct chart *chart;
    struct box area; /* of the canvas; numbers of a shared axis stand outside */
    enum draw_parts parts;
    bool x_numbers, y_numbers; /* beside the ticks */
    struct box plot;
    struct chart_tick *x_ticks, *y_ticks;
    size_t x_count, y_count;
    char *const *categories; /* names below the axis, of bars or columns of a map */
    size_t category_count;   /* 0: ticks in their place */
    double name_length;      /* room for the names of categories below the axis */
    enum { NAMES_LEVEL, NAMES_UPRIGHT, NAMES_GROUPED } names; /* how they are drawn */
};

/* A drawing of the chart in that area, ready for draw_panel and for measuring. draw_end it. */
struct drawing draw_begin(struct canvas *canvas, const struct chart *chart, struct box area,
                          enum draw_parts parts);
void draw_panel(const struct drawing *drawing);
void draw_end(struct drawing *drawing);

/* The size at which text fits into room, or the least that can still be read. */
double draw_shrunk(const struct drawing *drawing, double size, const char *text, double room);

/* A bold line from that point of the canvas, smaller where it is long, cut where that is not
 * enough. */
void draw_heading(const struct drawing *drawing, struct point from, double size, double room,
                  const char *text);

/* Text in at most so many lines from the top of room down; measures only when draw is false.
 * Returns its height. */
double draw_paragraph(const struct drawing *drawing, struct box room, double size, int lines,
                      const char *text, bool draw);

void draw_background(struct canvas *canvas);

/* Facts and table of a page below the top of the sheet's area; return their height
 * (draw_table.c). */
struct page;
double draw_facts(const struct drawing *sheet, const struct page *page);
double draw_table(const struct drawing *sheet, const struct page *page);

/* Legend entries in rows from y down, from plot.left to area.right; measures only when draw is
 * false. Returns the height used. */
double draw_legend(const struct drawing *drawing, double y, bool draw);

/* Ticks on both axes, about so many with numbers; numbers and frame drawn (draw_axes.c). */
void draw_plan_ticks(struct drawing *drawing, double x_limit, double y_limit);
void draw_x_ticks(const struct drawing *drawing);
void draw_y_ticks(const struct drawing *drawing);
void draw_frame(const struct drawing *drawing);

/* Width of the widest number of the y axis. */
double draw_numbers_width(const struct drawing *drawing);

/* A tick's label as it is written: "1.5e-5" -> "1.5·10⁻⁵", a true minus sign. */
const char *draw_pretty(const char *label, char buffer[64]);

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

/* Names of categories below the axis: how much room they need, and drawn (draw_names.c). */
void draw_plan_names(struct drawing *drawing);
void draw_names(const struct drawing *drawing);

#endif
