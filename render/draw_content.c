/* What a figure shows inside its frame. */
#include "analysis/support/memory.h"
#include "render/draw.h"

#include <math.h>
#include <stdlib.h>

#define VEIL 0.06
#define GRID_WIDTH 0.5
#define SEAM 0.6
#define MARK 2.6       /* side of a dot */
#define MARK_PITCH 4.5 /* from one dot to the next at least */
#define CROSS 4.0      /* side of a cross */
#define CROSS_PITCH 5.5

static const struct rgb grid = {0xE0, 0xE0, 0xE0};

static void draw_grid(const struct drawing *drawing) {
    const struct box *plot = &drawing->plot;
    struct canvas *canvas = drawing->canvas;
    for (size_t t = 0; t < drawing->y_count; t++) {
        double y = canvas->ops->snap(
            canvas, draw_place(drawing, drawing->chart->x.minimum, drawing->y_ticks[t].value).y);
        if (!drawing->y_ticks[t].minor)
            draw_segment(drawing, (struct point){plot->left, y}, (struct point){plot->right, y},
                         GRID_WIDTH, NULL, grid);
    }
    for (size_t t = 0; t < drawing->x_count && drawing->chart->bars.category_count == 0; t++) {
        double x = canvas->ops->snap(
            canvas, draw_place(drawing, drawing->x_ticks[t].value, drawing->chart->y.maximum).x);
        if (!drawing->x_ticks[t].minor)
            draw_segment(drawing, (struct point){x, plot->top}, (struct point){x, plot->bottom},
                         GRID_WIDTH, NULL, grid);
    }
}

/* What every specialist's rank cut discards. */
static void draw_veil(const struct drawing *drawing) {
    const struct box *plot = &drawing->plot;
    double cut = -INFINITY;
    for (size_t i = 0; i < drawing->chart->curve_count; i++)
        cut = fmax(cut, drawing->chart->curves[i].cut);
    if (!isfinite(cut))
        return;
    double x = draw_place(drawing, cut, drawing->chart->y.maximum).x;
    if (cut <= 0 || x < plot->left)
        x = plot->left;
    if (x < plot->right)
        drawing->canvas->ops->rectangle(drawing->canvas, x, plot->top, plot->right - x,
                                        plot->bottom - plot->top, draw_ink, VEIL);
}

/* Dots where they do not run together. */
static void draw_marks(const struct drawing *drawing, const struct point *points, size_t count,
                       struct rgb colour) {
    struct canvas *canvas = drawing->canvas;
    if ((double)count * MARK_PITCH > drawing->plot.right - drawing->plot.left)
        return;
    for (size_t i = 0; i < count; i++)
        canvas->ops->rectangle(canvas, points[i].x - MARK / 2, points[i].y - MARK / 2, MARK, MARK,
                               colour, 1);
}

/* In place of a value that is missing. */
static void draw_cross(const struct drawing *drawing, struct point middle, int colour) {
    for (int side = -1; side <= 1; side += 2) {
        struct point from = {middle.x - CROSS / 2, middle.y - side * CROSS / 2};
        struct point to = {middle.x + CROSS / 2, middle.y + side * CROSS / 2};
        draw_segment(drawing, from, to, DRAW_CURVE_WIDTH, NULL, palette_colour(colour));
    }
}

/* At the foot, a row for each curve: several may lack a value at the same x. */
static void draw_crosses(const struct drawing *drawing, size_t index) {
    const struct chart_curve *curve = &drawing->chart->curves[index];
    double foot = drawing->plot.bottom - CROSS_PITCH * ((double)index + 0.5);
    for (size_t i = 0; i < curve->count; i++)
        if (isnan(curve->y[i])) {
            double x = draw_place(drawing, curve->x[i], drawing->chart->y.minimum).x;
            draw_cross(drawing, (struct point){x, foot}, curve->colour);
        }
}

/* Part of a curve, without a break; a single value is a short dash. */
static void draw_piece(const struct drawing *drawing, const struct chart_curve *curve,
                       const struct point *points, size_t count) {
    double width = curve->selected ? DRAW_CURVE_WIDTH * 1.5 : DRAW_CURVE_WIDTH;
    const double *dash = palette_dash(curve->colour);
    struct rgb colour = palette_colour(curve->colour);
    if (count > 1)
        drawing->canvas->ops->polyline(drawing->canvas, points, count, width, dash, colour);
    else if (count == 1)
        draw_segment(drawing, points[0], (struct point){points[0].x + 4, points[0].y}, width, dash,
                     colour);
}

static void draw_curve(const struct drawing *drawing, size_t index) {
    const struct chart_curve *curve = &drawing->chart->curves[index];
    struct point *points = memory_array(curve->count, sizeof *points);
    size_t count = 0, begin = 0;
    for (size_t i = 0; i < curve->count; i++) {
        struct point point = draw_place(drawing, curve->x[i], curve->y[i]);
        if (isfinite(point.x) && isfinite(point.y))
            points[count++] = point;
        if (isnan(curve->y[i])) {
            draw_piece(drawing, curve, points + begin, count - begin);
            begin = count;
        }
    }
    draw_piece(drawing, curve, points + begin, count - begin);
    if (curve->marked) {
        draw_marks(drawing, points, count, palette_colour(curve->colour));
        draw_crosses(drawing, index);
    }
    free(points);
}

static void draw_curves(const struct drawing *drawing) {
    for (int selected = 0; selected <= 1; selected++)
        for (size_t i = 0; i < drawing->chart->curve_count; i++)
            if (drawing->chart->curves[i].selected == selected)
                draw_curve(drawing, i);
}

static void draw_bar(const struct drawing *drawing, double from, double to, double low, double high,
                     int colour) {
    struct point one = draw_place(drawing, from, low), other = draw_place(drawing, to, high);
    drawing->canvas->ops->rectangle(drawing->canvas, one.x, fmin(one.y, other.y), other.x - one.x,
                                    fabs(one.y - other.y), palette_colour(colour), 1);
}

/* A part of a stack, with a pale line where it stands on another: parts are told apart without
 * their colours. */
static void draw_part(const struct drawing *drawing, double from, double to, double low,
                      double high, int colour) {
    static const struct rgb white = {255, 255, 255};
    struct point left = draw_place(drawing, from, low), right = draw_place(drawing, to, low);
    draw_bar(drawing, from, to, low, high, colour);
    if (low > 0 || low < 0)
        draw_segment(drawing, left, right, SEAM, NULL, white);
}

static void draw_missing_bar(const struct drawing *drawing, double at, int colour) {
    struct point foot = draw_place(drawing, at, 0);
    draw_cross(drawing, (struct point){foot.x, foot.y - CROSS_PITCH / 2}, colour);
}

static void draw_category(const struct drawing *drawing, size_t category) {
    const struct chart_bars *bars = &drawing->chart->bars;
    double left = (double)category + 0.1, width = 0.8, up = 0, down = 0;
    for (size_t s = 0; s < bars->series_count; s++) {
        double value = bars->values[category * bars->series_count + s];
        double *stack = value >= 0 ? &up : &down;
        double slot = width / (double)bars->series_count, from = left + slot * (double)s;
        if (bars->stacked)
            draw_part(drawing, left, left + width, *stack, *stack + value, bars->colours[s]);
        else if (isnan(value))
            draw_missing_bar(drawing, from + slot * 0.46, bars->colours[s]);
        else
            draw_bar(drawing, from, from + slot * 0.92, 0, value, bars->colours[s]);
        *stack += value;
    }
}

static void draw_zero_line(const struct drawing *drawing) {
    double y = draw_place(drawing, drawing->chart->x.minimum, 0).y;
    y = drawing->canvas->ops->snap(drawing->canvas, y);
    draw_segment(drawing, (struct point){drawing->plot.left, y},
                 (struct point){drawing->plot.right, y}, DRAW_FRAME_WIDTH, NULL, draw_ink);
}

void draw_content(const struct drawing *drawing) {
    const struct box *plot = &drawing->plot;
    struct canvas *canvas = drawing->canvas;
    const char *remark = chart_remark(drawing->chart);
    canvas->ops->clip(canvas, plot->left, plot->top, plot->right - plot->left,
                      plot->bottom - plot->top);
    if (drawing->chart->map.column_count > 0)
        draw_map_cells(drawing);
    else
        draw_grid(drawing);
    draw_veil(drawing);
    draw_curves(drawing);
    for (size_t i = 0; i < drawing->chart->bars.category_count; i++)
        draw_category(drawing, i);
    if (drawing->chart->bars.category_count > 0 && drawing->chart->y.minimum < 0)
        draw_zero_line(drawing);
    draw_lines(drawing);
    if (remark != NULL)
        draw_text(drawing, (plot->left + plot->right) / 2, (plot->top + plot->bottom) / 2,
                  draw_style(DRAW_LABEL_SIZE, TEXT_CENTRE), remark);
    canvas->ops->unclip(canvas);
}
