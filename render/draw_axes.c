/* Ticks, their numbers and the frame of a figure. */
#include "render/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINOR_LENGTH 1.6

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

void draw_plan_ticks(struct drawing *drawing, double x_limit, double y_limit) {
    const struct chart *chart = drawing->chart;
    draw_end(drawing);
    drawing->x_count = chart_ticks(&chart->x, (size_t)fmax(x_limit, 0), &drawing->x_ticks);
    drawing->y_count = chart_ticks(&chart->y, (size_t)fmax(y_limit, 0), &drawing->y_ticks);
    unify_labels(&chart->x, drawing->x_ticks, drawing->x_count);
    unify_labels(&chart->y, drawing->y_ticks, drawing->y_count);
}

void draw_end(struct drawing *drawing) {
    free(drawing->x_ticks);
    free(drawing->y_ticks);
}

double draw_numbers_width(const struct drawing *drawing) {
    double widest = 0;
    char buffer[64];
    for (size_t t = 0; t < drawing->y_count; t++)
        widest = fmax(widest, draw_text_width(drawing, DRAW_TICK_SIZE,
                                              draw_pretty(drawing->y_ticks[t].label, buffer)));
    return widest;
}

void draw_frame(const struct drawing *drawing) {
    struct canvas *canvas = drawing->canvas;
    double left = canvas->ops->snap(canvas, drawing->plot.left);
    double right = canvas->ops->snap(canvas, drawing->plot.right);
    double top = canvas->ops->snap(canvas, drawing->plot.top);
    double bottom = canvas->ops->snap(canvas, drawing->plot.bottom);
    struct point corners[] = {
        {left, top}, {right, top}, {right, bottom}, {left, bottom}, {left, top}};
    canvas->ops->polyline(canvas, corners, 5, DRAW_FRAME_WIDTH, NULL, draw_ink);
}

void draw_y_ticks(const struct drawing *drawing) {
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

void draw_x_ticks(const struct drawing *drawing) {
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
