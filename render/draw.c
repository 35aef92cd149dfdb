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

#define MINOR_LENGTH 1.6
#define PANEL_TITLE 8.5 /* size of a title in a grid */
#define SUBTITLE 7.0

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

/* "1.5e-5" -> "1.5·10⁻⁵", "1e-5" -> "10⁻⁵"; a true minus sign. */
const char *draw_pretty(const char *label, char buffer[64]) {
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    const char *e = strchr(label, 'e'), *sign = label[0] == '-' ? "\u2212" : "";
    const char *digits = label + (label[0] == '-');
    int mantissa = (int)(e != NULL ? e - digits : (long)strlen(digits));
    bool one = e != NULL && mantissa == 1 && digits[0] == '1';
    int length = snprintf(buffer, 64, "%s%.*s%s", sign, one ? 0 : mantissa, digits,
                          e == NULL ? ""
                          : one     ? "10"
                                    : "\u00b710");
    for (const char *c = e != NULL ? e + 1 : ""; *c != '\0' && length < 56; c++)
        length += snprintf(buffer + length, 64 - (size_t)length, "%s",
                           *c == '-' ? "⁻" : (*c >= '0' && *c <= '9' ? raised[*c - '0'] : ""));
    return buffer;
}

/* One style an axis: where one decade needs a power of ten, all are written so. */
static void unify_labels(const struct chart_axis *axis, struct chart_tick *ticks, size_t count) {
    bool powers = false;
    for (size_t t = 0; t < count; t++)
        powers |= strchr(ticks[t].label, 'e') != NULL;
    for (size_t t = 0; t < count && powers && axis->scale == CHART_LOG; t++) {
        int exponent = (int)floor(log10(ticks[t].value) + 1e-9);
        if (!ticks[t].minor)
            snprintf(ticks[t].label, sizeof ticks[t].label, "%.3ge%d",
                     ticks[t].value / pow(10, exponent), exponent);
    }
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

double draw_numbers_width(const struct drawing *drawing) {
    double widest = 0;
    char buffer[64];
    for (size_t t = 0; t < drawing->y_count; t++)
        widest = fmax(widest, draw_text_width(drawing, DRAW_TICK_SIZE,
                                              draw_pretty(drawing->y_ticks[t].label, buffer)));
    return widest;
}

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

/* ---- axes ---- */

static void draw_frame(const struct drawing *drawing) {
    struct canvas *canvas = drawing->canvas;
    double left = canvas->ops->snap(canvas, drawing->plot.left);
    double right = canvas->ops->snap(canvas, drawing->plot.right);
    double top = canvas->ops->snap(canvas, drawing->plot.top);
    double bottom = canvas->ops->snap(canvas, drawing->plot.bottom);
    struct point corners[] = {
        {left, top}, {right, top}, {right, bottom}, {left, bottom}, {left, top}};
    canvas->ops->polyline(canvas, corners, 5, DRAW_FRAME_WIDTH, NULL, draw_ink);
}

static void draw_y_ticks(const struct drawing *drawing) {
    struct canvas *canvas = drawing->canvas;
    double left = drawing->plot.left;
    char buffer[64];
    for (size_t t = 0; t < drawing->y_count; t++) {
        const struct chart_tick *tick = &drawing->y_ticks[t];
        double y = draw_place(drawing, drawing->chart->x.minimum, tick->value).y;
        double at = canvas->ops->snap(canvas, y);
        draw_segment(drawing, (struct point){left, at},
                     (struct point){left - (tick->minor ? MINOR_LENGTH : DRAW_TICK_LENGTH), at},
                     DRAW_FRAME_WIDTH * 0.8, NULL, draw_ink);
        if (!tick->minor && drawing->y_numbers)
            draw_text(drawing, left - DRAW_TICK_LENGTH - 2, y + DRAW_TICK_SIZE * 0.36,
                      draw_style(DRAW_TICK_SIZE, TEXT_RIGHT), draw_pretty(tick->label, buffer));
    }
}

static void draw_x_ticks(const struct drawing *drawing) {
    struct canvas *canvas = drawing->canvas;
    double bottom = drawing->plot.bottom;
    char buffer[64];
    for (size_t t = 0; t < drawing->x_count; t++) {
        const struct chart_tick *tick = &drawing->x_ticks[t];
        double x = draw_place(drawing, tick->value, drawing->chart->y.maximum).x;
        double at = canvas->ops->snap(canvas, x);
        draw_segment(drawing, (struct point){at, bottom},
                     (struct point){at, bottom + (tick->minor ? MINOR_LENGTH : DRAW_TICK_LENGTH)},
                     DRAW_FRAME_WIDTH * 0.8, NULL, draw_ink);
        if (!tick->minor && drawing->x_numbers)
            draw_text(drawing, x, bottom + DRAW_TICK_LENGTH + DRAW_TICK_SIZE,
                      draw_style(DRAW_TICK_SIZE, TEXT_CENTRE), draw_pretty(tick->label, buffer));
    }
}

static void draw_title(const struct drawing *drawing) {
    const struct chart *chart = drawing->chart;
    const struct box *plot = &drawing->plot;
    struct text_style title = draw_style(DRAW_TITLE_SIZE, TEXT_LEFT);
    double room = drawing->area.right - DRAW_MARGIN - plot->left;
    double top = drawing->area.top + DRAW_MARGIN + DRAW_TITLE_SIZE;
    char buffer[DRAW_TEXT_ROOM];
    title.bold = true;
    draw_text(drawing, plot->left, top, title,
              draw_fitted(drawing, DRAW_TITLE_SIZE * 1.12, chart->title != NULL ? chart->title : "",
                          room, buffer)); /* bold is wider */
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
    const char *title = draw_fitted(drawing, PANEL_TITLE, chart->title, room, buffer);
    double left = room - draw_text_width(drawing, PANEL_TITLE, title) - PANEL_TITLE;
    draw_text(drawing, plot->left, baseline, draw_style(PANEL_TITLE, TEXT_LEFT), title);
    if (chart->subtitle != NULL && draw_text_width(drawing, SUBTITLE, chart->subtitle) <= left)
        draw_text(drawing, plot->right, baseline, draw_style(SUBTITLE, TEXT_RIGHT),
                  chart->subtitle);
}

struct drawing draw_begin(struct canvas *canvas, const struct chart *chart, struct box area,
                          enum draw_parts parts) {
    bool small = parts == DRAW_GRID;
    double x_pitch = small ? 24 : 40, y_pitch = small ? 20 : 30; /* points a number */
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
    drawing.x_count =
        chart_ticks(&chart->x, (size_t)((area.right - area.left) / x_pitch) + 2, &drawing.x_ticks);
    drawing.y_count =
        chart_ticks(&chart->y, (size_t)((area.bottom - area.top) / y_pitch) + 2, &drawing.y_ticks);
    unify_labels(&chart->x, drawing.x_ticks, drawing.x_count);
    unify_labels(&chart->y, drawing.y_ticks, drawing.y_count);
    if (small)
        plan_grid_margins(&drawing);
    else
        plan_margins(&drawing);
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

void draw_end(struct drawing *drawing) {
    free(drawing->x_ticks);
    free(drawing->y_ticks);
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
