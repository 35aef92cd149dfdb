/* Straight lines across a figure, with their labels where they hide nothing. */
#include "analysis/support/memory.h"
#include "render/draw.h"

#include <math.h>
#include <stdlib.h>

#define SIZE (DRAW_TICK_SIZE - 0.5)
#define RISE (SIZE * 0.76) /* height of figures and capitals */
#define GAP 2.5            /* between a line and its label */
#define LINE_WIDTH 0.8

enum { SIDES = 2, STEPS = 4, SAMPLES = 8 };

/* A label at a place it could have: baseline as for draw_text. */
struct label {
    struct text_style style;
    struct point baseline;
    struct box box;
};

/* Where the line is drawn: x of a vertical one, y of a horizontal one. */
static double line_at(const struct drawing *drawing, const struct chart_line *line) {
    return line->vertical ? draw_place(drawing, line->value, drawing->chart->y.maximum).x
                          : draw_place(drawing, drawing->chart->x.maximum, line->value).y;
}

static void draw_line(const struct drawing *drawing, const struct chart_line *line) {
    static const double dotted[] = {1.2, 2.2, 0}, dashed[] = {3, 2, 0};
    const struct box *plot = &drawing->plot;
    double at = line_at(drawing, line);
    if (!isfinite(at)) /* 0 on a log axis */
        return;
    struct point from = {line->vertical ? at : plot->left, line->vertical ? plot->top : at};
    struct point to = {line->vertical ? at : plot->right, line->vertical ? plot->bottom : at};
    draw_segment(drawing, from, to, LINE_WIDTH, line->dotted ? dotted : dashed,
                 palette_colour(line->colour));
}

/* Beside a vertical line from the top, above or below a horizontal one from the right end; side is
 * 0 or 1, every step further along the line. */
static struct label candidate(const struct drawing *drawing, const struct chart_line *line,
                              int side, int step) {
    double length = draw_text_width(drawing, SIZE, line->label), along = 3 + step * (length + 6);
    double base = line_at(drawing, line) + (side == 0 ? -GAP : GAP + RISE);
    double top = base - RISE, bottom = base + SIZE * 0.24;
    struct label label = {.style = draw_style(SIZE, TEXT_RIGHT)};
    label.style.colour = palette_colour(line->colour);
    label.style.upright = line->vertical;
    if (line->vertical) {
        double end = drawing->plot.top + along;
        label.baseline = (struct point){base, end};
        label.box = (struct box){top, end, bottom, end + length};
    } else {
        double end = drawing->plot.right - along;
        label.baseline = (struct point){end, base};
        label.box = (struct box){end - length, top, end, bottom};
    }
    return label;
}

static bool overlap(const struct box *one, const struct box *other) {
    return one->left < other->right + 1 && other->left < one->right + 1 &&
           one->top < other->bottom + 1 && other->top < one->bottom + 1;
}

static bool is_free(const struct drawing *drawing, const struct box *box, const struct box *taken,
                    size_t count) {
    const struct box *plot = &drawing->plot;
    for (size_t i = 0; i < count; i++)
        if (overlap(box, &taken[i]))
            return false;
    return box->left > plot->left && box->right < plot->right && box->top > plot->top &&
           box->bottom < plot->bottom;
}

static bool lines_cross(const struct drawing *drawing, const struct box *box) {
    for (size_t i = 0; i < drawing->chart->line_count; i++) {
        const struct chart_line *line = &drawing->chart->lines[i];
        double at = line_at(drawing, line);
        if (at > (line->vertical ? box->left : box->top) - 0.5 &&
            at < (line->vertical ? box->right : box->bottom) + 0.5)
            return true;
    }
    return false;
}

/* Height of a curve on the canvas; NAN outside it. */
static double curve_height(const struct drawing *drawing, const struct chart_curve *curve,
                           double x) {
    const struct box *plot = &drawing->plot;
    double value = chart_value(&drawing->chart->x, (x - plot->left) / (plot->right - plot->left));
    return draw_place(drawing, value, chart_curve_at(drawing->chart, curve, value)).y;
}

static bool curves_cross(const struct drawing *drawing, const struct box *box) {
    double step = (box->right - box->left) / SAMPLES;
    for (size_t c = 0; c < drawing->chart->curve_count; c++) {
        const struct chart_curve *curve = &drawing->chart->curves[c];
        double before = curve_height(drawing, curve, box->left);
        for (int i = 1; i <= SAMPLES; i++) {
            double now = curve_height(drawing, curve, box->left + i * step);
            if (fmin(before, now) < box->bottom + 1 && fmax(before, now) > box->top - 1)
                return true;
            before = now;
        }
    }
    return false;
}

/* The first place that hides nothing; else the first that is not taken by another label. */
static bool find_place(const struct drawing *drawing, const struct chart_line *line,
                       const struct box *taken, size_t count, struct label *label) {
    for (int strict = 1; strict >= 0; strict--)
        for (int step = 0; step < STEPS; step++)
            for (int side = 0; side < SIDES; side++) {
                *label = candidate(drawing, line, side, step);
                if (is_free(drawing, &label->box, taken, count) &&
                    !(strict &&
                      (lines_cross(drawing, &label->box) || curves_cross(drawing, &label->box))))
                    return true;
            }
    return false;
}

void draw_lines(const struct drawing *drawing) {
    const struct chart *chart = drawing->chart;
    struct box *taken = memory_array(chart->line_count, sizeof *taken);
    size_t count = 0;
    for (size_t i = 0; i < chart->line_count; i++)
        draw_line(drawing, &chart->lines[i]);
    for (size_t i = 0; i < chart->line_count; i++) {
        struct label label;
        if (chart->lines[i].label == NULL ||
            !find_place(drawing, &chart->lines[i], taken, count, &label))
            continue;
        draw_text(drawing, label.baseline.x, label.baseline.y, label.style, chart->lines[i].label);
        taken[count++] = label.box;
    }
    free(taken);
}
