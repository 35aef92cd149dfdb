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

#include <math.h>

#define PANEL_TITLE 8.5 /* size of a title in a grid */
#define PANEL_SUBTITLE 7.0
enum { SUBTITLE_LINES = 2 };
#define LEAST_X_PITCH 20.0 /* from one number to the next */
#define LEAST_Y_PITCH (DRAW_TICK_SIZE * 1.5)

const struct rgb draw_ink = {0x20, 0x20, 0x20};

void draw_segment(const struct drawing *drawing, struct point from, struct point to, double width,
                  const double *dash, struct rgb colour) {
    drawing->canvas->ops->polyline(drawing->canvas, (struct point[]){from, to}, 2, width, dash,
                                   colour);
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

static double subtitle(const struct drawing *drawing, double y, bool draw) {
    const char *text = drawing->chart->subtitle;
    struct box room = {drawing->plot.left, y, drawing->area.right - DRAW_MARGIN, y};
    return text != NULL ? draw_paragraph(drawing, room, DRAW_TICK_SIZE, SUBTITLE_LINES, text, draw)
                        : 0;
}

static void plan_margins(struct drawing *drawing) {
    const struct chart *chart = drawing->chart;
    const struct box *area = &drawing->area;
    double left = draw_numbers_width(drawing), right = 8;
    if (is_map(drawing))
        draw_plan_map(drawing, &left, &right);
    drawing->plot.left =
        area->left + DRAW_MARGIN + DRAW_LABEL_SIZE * 1.6 + left + DRAW_TICK_LENGTH + 3;
    drawing->plot.right = area->right - DRAW_MARGIN - right;
    double top = area->top + DRAW_MARGIN + DRAW_TITLE_SIZE * DRAW_LINE_SPACE;
    top += subtitle(drawing, top, false);
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

static void draw_title(const struct drawing *drawing) {
    const struct chart *chart = drawing->chart;
    double left = drawing->plot.left, room = drawing->area.right - DRAW_MARGIN - left;
    double top = drawing->area.top + DRAW_MARGIN;
    draw_heading(drawing, (struct point){left, top + DRAW_TITLE_SIZE}, DRAW_TITLE_SIZE, room,
                 chart->title != NULL ? chart->title : "");
    top += DRAW_TITLE_SIZE * DRAW_LINE_SPACE;
    top += subtitle(drawing, top, true);
    if (drawing->parts == DRAW_ALL)
        draw_legend(drawing, top, true);
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
    double left = room - draw_text_width(drawing, size, title) - PANEL_SUBTITLE * 0.6;
    draw_text(drawing, plot->left, baseline, draw_style(size, TEXT_LEFT), title);
    if (chart->subtitle != NULL &&
        draw_text_width(drawing, PANEL_SUBTITLE, chart->subtitle) <= left)
        draw_text(drawing, plot->right, baseline, draw_style(PANEL_SUBTITLE, TEXT_RIGHT),
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
