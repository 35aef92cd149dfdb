/* The layout of a figure, whatever draws it. Everything is measured before it is placed:
 *
 *     title
 *     subtitle
 *     legend entries, in as many rows as they need
 *   y +----------------------------+
 *   l |                            |
 *   a |            plot            |
 *   b |                            |
 *     +----------------------------+
 *        tick labels
 *              x label                                                                          */
#include "render/draw.h"
#include "analysis/support/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PANEL_TITLE 8.5 /* size of a title in a grid */
#define SUBTITLE 7.0
#define LEAST_SHRINKING 0.75 /* of a title that is too long, before it is cut */
#define BOLD 1.12            /* how much wider bold text is at most */
#define LEAST_X_PITCH 20.0   /* from one number to the next */
#define LEAST_Y_PITCH (DRAW_TICK_SIZE * 1.5)

const struct rgb draw_ink = {0x20, 0x20, 0x20};

struct text_style draw_style(double size, enum text_align align) {
    return (struct text_style){.size = size, .align = align, .colour = draw_ink};
}

double draw_text_width(const struct drawing *drawing, double size, const char *text) {
    return drawing->canvas->ops->text_width(drawing->canvas, draw_style(size, TEXT_LEFT), text);
}

void draw_text(const struct drawing *drawing, double x, double y, struct text_style how,
               const char *text) {
    drawing->canvas->ops->text(drawing->canvas, x, y, how, text);
}

void draw_segment(const struct drawing *drawing, struct point from, struct point to, double width,
                  const double *dash, struct rgb colour) {
    drawing->canvas->ops->polyline(drawing->canvas, (struct point[]){from, to}, 2, width, dash,
                                   colour);
}

const char *draw_fitted(const struct drawing *drawing, double size, const char *text, double room,
                        char buffer[DRAW_TEXT_ROOM]) {
    size_t length = chart_text_width(text);
    if (length > DRAW_TEXT_ROOM / 4 - 1)
        length = DRAW_TEXT_ROOM / 4 - 1;
    chart_shorten(text, length, false, buffer, DRAW_TEXT_ROOM);
    while (length > 4 && draw_text_width(drawing, size, buffer) > room)
        chart_shorten(text, --length, false, buffer, DRAW_TEXT_ROOM);
    return buffer;
}

struct point draw_place(const struct drawing *drawing, double x, double y) {
    const struct box *plot = &drawing->plot;
    return (struct point){
        plot->left + chart_position(&drawing->chart->x, x) * (plot->right - plot->left),
        plot->bottom - chart_position(&drawing->chart->y, y) * (plot->bottom - plot->top)};
}

static bool is_map(const struct drawing *drawing) {
    return drawing->chart->map.column_count > 0;
}

/* ---- margins ---- */

static void plan_margins(struct drawing *drawing) {
    const struct chart *chart = drawing->chart;
    const struct box *area = &drawing->area;
    double top = area->top + DRAW_MARGIN + DRAW_TITLE_SIZE * DRAW_LINE_SPACE;
    if (chart->subtitle != NULL)
        top += DRAW_TICK_SIZE * DRAW_LINE_SPACE;
    double left = draw_numbers_width(drawing), right = 8;
    if (is_map(drawing))
        draw_plan_map(drawing, &left, &right);
    drawing->plot.left =
        area->left + DRAW_MARGIN + DRAW_LABEL_SIZE * 1.6 + left + DRAW_TICK_LENGTH + 3;
    drawing->plot.right = area->right - DRAW_MARGIN - right;
    drawing->plot.top =
        top + 5 + (drawing->parts == DRAW_ALL ? draw_legend(drawing, top, false) : 0);
    double below = DRAW_TICK_SIZE + DRAW_TICK_LENGTH + 3;
    if (drawing->category_count > 0) {
        draw_plan_names(drawing);
        below = drawing->name_length + DRAW_TICK_LENGTH + 4;
    }
    if (chart->x.label != NULL)
        below += DRAW_LABEL_SIZE * 1.5;
    drawing->plot.bottom = area->bottom - DRAW_MARGIN - below;
}

/* In a grid the plot fills its area but for the title; numbers stand outside. */
static void plan_grid_margins(struct drawing *drawing) {
    drawing->plot = drawing->area;
    drawing->plot.top += PANEL_TITLE * DRAW_LINE_SPACE;
    if (drawing->category_count > 0)
        draw_plan_names(drawing);
}

/* ---- what stands around the plot ---- */

double draw_shrunk(const struct drawing *drawing, double size, const char *text, double room) {
    double width = draw_text_width(drawing, size, text);
    return width > room ? fmax(size * room / width, size * LEAST_SHRINKING) : size;
}

void draw_heading(const struct drawing *drawing, struct point from, double size, double room,
                  const char *text) {
    struct text_style style = draw_style(draw_shrunk(drawing, size, text, room / BOLD), TEXT_LEFT);
    char buffer[DRAW_TEXT_ROOM];
    style.bold = true;
    draw_text(drawing, from.x, from.y, style,
              draw_fitted(drawing, style.size, text, room / BOLD, buffer));
}

static void draw_title(const struct drawing *drawing) {
    const struct chart *chart = drawing->chart;
    const struct box *plot = &drawing->plot;
    double room = drawing->area.right - DRAW_MARGIN - plot->left;
    double top = drawing->area.top + DRAW_MARGIN + DRAW_TITLE_SIZE;
    char buffer[DRAW_TEXT_ROOM];
    draw_heading(drawing, (struct point){plot->left, top}, DRAW_TITLE_SIZE, room,
                 chart->title != NULL ? chart->title : "");
    if (chart->subtitle != NULL)
        draw_text(drawing, plot->left, top + DRAW_TICK_SIZE * DRAW_LINE_SPACE,
                  draw_style(DRAW_TICK_SIZE, TEXT_LEFT),
                  draw_fitted(drawing, DRAW_TICK_SIZE, chart->subtitle, room, buffer));
    if (drawing->parts == DRAW_ALL)
        draw_legend(drawing,
                    top + 2 + (chart->subtitle != NULL ? DRAW_TICK_SIZE * DRAW_LINE_SPACE : 0),
                    true);
}

static void draw_labels(const struct drawing *drawing) {
    const struct chart *chart = drawing->chart;
    const struct box *plot = &drawing->plot, *area = &drawing->area;
    struct text_style y = draw_style(DRAW_LABEL_SIZE, TEXT_CENTRE);
    char buffer[DRAW_TEXT_ROOM];
    if (chart->x.label != NULL)
        draw_text(drawing, (plot->left + plot->right) / 2, area->bottom - DRAW_MARGIN,
                  draw_style(DRAW_LABEL_SIZE, TEXT_CENTRE),
                  draw_fitted(drawing, DRAW_LABEL_SIZE, chart->x.label, plot->right - plot->left,
                              buffer));
    y.upright = true;
    double middle = (plot->top + plot->bottom) / 2;
    double reach = fmin(middle - area->top, area->bottom - middle) - DRAW_MARGIN / 2;
    if (chart->y.label != NULL)
        draw_text(drawing, area->left + DRAW_MARGIN + DRAW_LABEL_SIZE * 0.8, middle, y,
                  draw_fitted(drawing, DRAW_LABEL_SIZE, chart->y.label, 2 * reach, buffer));
}

/* Title and, where there is room, the subtitle at the right end of its row. */
static void draw_grid_title(const struct drawing *drawing) {
    const struct chart *chart = drawing->chart;
    const struct box *plot = &drawing->plot;
    double room = plot->right - plot->left, baseline = plot->top - PANEL_TITLE * 0.4;
    char buffer[DRAW_TEXT_ROOM];
    double size = draw_shrunk(drawing, PANEL_TITLE, chart->title, room);
    const char *title = draw_fitted(drawing, size, chart->title, room, buffer);
    double left = room - draw_text_width(drawing, size, title) - SUBTITLE * 0.6;
    draw_text(drawing, plot->left, baseline, draw_style(size, TEXT_LEFT), title);
    if (chart->subtitle != NULL && draw_text_width(drawing, SUBTITLE, chart->subtitle) <= left)
        draw_text(drawing, plot->right, baseline, draw_style(SUBTITLE, TEXT_RIGHT),
                  chart->subtitle);
}

struct drawing draw_begin(struct canvas *canvas, const struct chart *chart, struct box area,
                          enum draw_parts parts) {
    bool small = parts == DRAW_GRID;
    bool map = chart->map.column_count > 0;
    struct drawing drawing = {.canvas = canvas,
                              .chart = chart,
                              .categories = map ? chart->map.columns : chart->bars.categories,
                              .category_count =
                                  map ? chart->map.column_count : chart->bars.category_count,
                              .area = area,
                              .parts = parts,
                              .x_numbers = !small,
                              .y_numbers = !small};
    double x_numbers = (area.right - area.left) / (small ? 24 : 40) + 2;
    double y_numbers = (area.bottom - area.top) / (small ? 20 : 30) + 2;
    draw_plan_ticks(&drawing, x_numbers, y_numbers);
    if (small)
        plan_grid_margins(&drawing);
    else
        plan_margins(&drawing);
    const struct box *plot = &drawing.plot; /* where it is small, as many as it can take */
    draw_plan_ticks(&drawing, fmin(x_numbers, (plot->right - plot->left) / LEAST_X_PITCH),
                    fmin(y_numbers, (plot->bottom - plot->top) / LEAST_Y_PITCH));
    return drawing;
}

void draw_panel(const struct drawing *drawing) {
    if (drawing->plot.right - drawing->plot.left > 10 &&
        drawing->plot.bottom - drawing->plot.top > 10) {
        draw_content(drawing);
        if (is_map(drawing))
            draw_map_names(drawing);
        else
            draw_y_ticks(drawing);
        if (drawing->category_count == 0)
            draw_x_ticks(drawing);
        else if (drawing->x_numbers)
            draw_names(drawing);
        draw_frame(drawing);
    }
    if (drawing->parts == DRAW_GRID) {
        draw_grid_title(drawing);
        return;
    }
    draw_title(drawing);
    draw_labels(drawing);
}

void draw_background(struct canvas *canvas) {
    canvas->ops->rectangle(canvas, 0, 0, canvas->width, canvas->height, (struct rgb){255, 255, 255},
                           1);
}

void draw_chart(struct canvas *canvas, const struct chart *chart) {
    struct drawing drawing =
        draw_begin(canvas, chart, (struct box){0, 0, canvas->width, canvas->height}, DRAW_ALL);
    draw_background(canvas);
    draw_panel(&drawing);
    draw_end(&drawing);
}
