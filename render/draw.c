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
#include "analysis/support/memory.h"
#include "render/canvas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLE_SIZE 9.5
#define LABEL_SIZE 8.5
#define TICK_SIZE 8.0
#define MARGIN 8.0
#define LINE_SPACE 1.35
#define TICK_LENGTH 3.0
#define MINOR_LENGTH 1.6
#define SWATCH 20.0    /* length of a line in the legend */
#define SWATCH_BOX 9.0 /* side of a box */
#define FRAME_WIDTH 0.8
#define GRID_WIDTH 0.5
#define CURVE_WIDTH 1.2
#define VEIL 0.06

enum { TEXT_ROOM = 1024 };

static const struct rgb ink = {0x20, 0x20, 0x20}, grid = {0xE0, 0xE0, 0xE0};

struct box {
    double left, top, right, bottom;
};

struct drawing {
    struct canvas *canvas;
    const struct chart *chart;
    struct box plot;
    struct chart_tick *x_ticks, *y_ticks;
    size_t x_count, y_count;
    double name_length; /* of the longest category label drawn, points */
    size_t name_stride; /* every so many categories carry a label */
};

static struct text_style style(double size, enum text_align align) {
    return (struct text_style){.size = size, .align = align, .colour = ink};
}

static double width_of(const struct drawing *drawing, double size, const char *text) {
    return drawing->canvas->ops->text_width(drawing->canvas, style(size, TEXT_LEFT), text);
}

static void put_text(const struct drawing *drawing, double x, double y, struct text_style how,
                     const char *text) {
    drawing->canvas->ops->text(drawing->canvas, x, y, how, text);
}

static void segment(const struct drawing *drawing, struct point from, struct point to, double width,
                    const double *dash, struct rgb colour) {
    drawing->canvas->ops->polyline(drawing->canvas, (struct point[]){from, to}, 2, width, dash,
                                   colour);
}

/* Cuts text in the middle until it fits. */
static const char *fitted(const struct drawing *drawing, double size, const char *text, double room,
                          char buffer[TEXT_ROOM]) {
    size_t length = chart_text_width(text);
    if (length > TEXT_ROOM / 4 - 1)
        length = TEXT_ROOM / 4 - 1;
    chart_shorten(text, length, false, buffer, TEXT_ROOM);
    while (length > 4 && width_of(drawing, size, buffer) > room)
        chart_shorten(text, --length, false, buffer, TEXT_ROOM);
    return buffer;
}

/* "1e-5" -> "10⁻⁵", "2e-5" -> "2·10⁻⁵"; other labels as they are. */
static const char *pretty(const char *label, char buffer[64]) {
    static const char *const raised[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    const char *e = strchr(label, 'e');
    if (e == NULL)
        return label;
    bool one = e == label + 1 && label[0] == '1';
    int length = one ? snprintf(buffer, 64, "10")
                     : snprintf(buffer, 64, "%.*s\u00b710", (int)(e - label), label);
    for (const char *c = e + 1; *c != '\0' && length < 56; c++)
        length += snprintf(buffer + length, 64 - (size_t)length, "%s",
                           *c == '-' ? "⁻" : (*c >= '0' && *c <= '9' ? raised[*c - '0'] : ""));
    return buffer;
}

static struct point place(const struct drawing *drawing, double x, double y) {
    const struct box *plot = &drawing->plot;
    return (struct point){
        plot->left + chart_position(&drawing->chart->x, x) * (plot->right - plot->left),
        plot->bottom - chart_position(&drawing->chart->y, y) * (plot->bottom - plot->top)};
}

static bool has_bars(const struct drawing *drawing) {
    return drawing->chart->bars.category_count > 0;
}

/* ---- legend ---- */

struct entry {
    const char *name;
    int colour;
    bool filled; /* a box, else a line with its dash */
};

static size_t entry_count(const struct chart *chart) {
    return chart->bars.category_count > 0 ? chart->bars.series_count : chart->curve_count;
}

static struct entry entry_at(const struct chart *chart, size_t i) {
    if (chart->bars.category_count > 0)
        return (struct entry){chart->bars.names[i], chart->bars.colours[i], true};
    return (struct entry){chart->curves[i].name, chart->curves[i].colour, false};
}

static void draw_swatch(const struct drawing *drawing, double x, double baseline,
                        struct entry entry) {
    double middle = baseline - LABEL_SIZE * 0.32;
    if (entry.filled)
        drawing->canvas->ops->rectangle(drawing->canvas, x, middle - 3.5, SWATCH_BOX, 7,
                                        palette_colour(entry.colour), 1);
    else
        segment(drawing, (struct point){x, middle}, (struct point){x + SWATCH, middle}, CURVE_WIDTH,
                palette_dash(entry.colour), palette_colour(entry.colour));
}

/* Entries in rows from y down; measures only when draw is false. Returns the height used. */
static double legend(const struct drawing *drawing, double y, bool draw) {
    double left = drawing->plot.left, right = drawing->canvas->width - MARGIN, x = left;
    double row = LABEL_SIZE * LINE_SPACE, baseline = y + row * 0.8;
    size_t count = entry_count(drawing->chart);
    char buffer[TEXT_ROOM];
    for (size_t i = 0; i < count; i++) {
        struct entry entry = entry_at(drawing->chart, i);
        const char *name =
            fitted(drawing, LABEL_SIZE, entry.name, (right - left) / 2 - SWATCH - 20, buffer);
        double swatch = (entry.filled ? SWATCH_BOX : SWATCH) + 4;
        double width = swatch + width_of(drawing, LABEL_SIZE, name);
        if (x > left && x + width > right) {
            x = left;
            baseline += row;
        }
        if (draw) {
            draw_swatch(drawing, x, baseline, entry);
            put_text(drawing, x + swatch, baseline, style(LABEL_SIZE, TEXT_LEFT), name);
        }
        x += width + 14;
    }
    return count > 0 ? baseline - y + row * 0.2 : 0;
}

/* ---- margins ---- */

static double widest_tick(const struct drawing *drawing) {
    double widest = 0;
    char buffer[64];
    for (size_t t = 0; t < drawing->y_count; t++)
        widest =
            fmax(widest, width_of(drawing, TICK_SIZE, pretty(drawing->y_ticks[t].label, buffer)));
    return widest;
}

/* Category labels stand upright; how many fit beside each other, and how long the longest is. */
static void plan_names(struct drawing *drawing) {
    const struct chart_bars *bars = &drawing->chart->bars;
    double room = drawing->plot.right - drawing->plot.left, limit = drawing->canvas->height * 0.3;
    char buffer[TEXT_ROOM];
    drawing->name_stride =
        (size_t)ceil((double)bars->category_count * TICK_SIZE * 1.15 / fmax(room, 1));
    drawing->name_length = 0;
    for (size_t i = 0; i < bars->category_count; i += drawing->name_stride) {
        const char *name = fitted(drawing, TICK_SIZE, bars->categories[i], limit, buffer);
        drawing->name_length = fmax(drawing->name_length, width_of(drawing, TICK_SIZE, name));
    }
}

static void plan_margins(struct drawing *drawing) {
    const struct chart *chart = drawing->chart;
    double top = MARGIN + TITLE_SIZE * LINE_SPACE;
    if (chart->subtitle != NULL)
        top += TICK_SIZE * LINE_SPACE;
    drawing->plot.left = MARGIN + LABEL_SIZE * 1.6 + widest_tick(drawing) + TICK_LENGTH + 3;
    drawing->plot.right = drawing->canvas->width - MARGIN - 8;
    drawing->plot.top = top + 2 + legend(drawing, top, false) + 3;
    double below = TICK_SIZE + TICK_LENGTH + 3;
    if (has_bars(drawing)) {
        plan_names(drawing);
        below = drawing->name_length + TICK_LENGTH + 4;
    }
    if (chart->x.label != NULL)
        below += LABEL_SIZE * 1.5;
    drawing->plot.bottom = drawing->canvas->height - MARGIN - below;
}

/* ---- axes ---- */

static void draw_grid(const struct drawing *drawing) {
    const struct box *plot = &drawing->plot;
    struct canvas *canvas = drawing->canvas;
    for (size_t t = 0; t < drawing->y_count; t++) {
        double y = canvas->ops->snap(
            canvas, place(drawing, drawing->chart->x.minimum, drawing->y_ticks[t].value).y);
        if (!drawing->y_ticks[t].minor)
            segment(drawing, (struct point){plot->left, y}, (struct point){plot->right, y},
                    GRID_WIDTH, NULL, grid);
    }
    for (size_t t = 0; t < drawing->x_count && !has_bars(drawing); t++) {
        double x = canvas->ops->snap(
            canvas, place(drawing, drawing->x_ticks[t].value, drawing->chart->y.maximum).x);
        if (!drawing->x_ticks[t].minor)
            segment(drawing, (struct point){x, plot->top}, (struct point){x, plot->bottom},
                    GRID_WIDTH, NULL, grid);
    }
}

static void draw_frame(const struct drawing *drawing) {
    struct canvas *canvas = drawing->canvas;
    double left = canvas->ops->snap(canvas, drawing->plot.left);
    double right = canvas->ops->snap(canvas, drawing->plot.right);
    double top = canvas->ops->snap(canvas, drawing->plot.top);
    double bottom = canvas->ops->snap(canvas, drawing->plot.bottom);
    struct point corners[] = {
        {left, top}, {right, top}, {right, bottom}, {left, bottom}, {left, top}};
    canvas->ops->polyline(canvas, corners, 5, FRAME_WIDTH, NULL, ink);
}

static void draw_y_ticks(const struct drawing *drawing) {
    struct canvas *canvas = drawing->canvas;
    double left = drawing->plot.left;
    char buffer[64];
    for (size_t t = 0; t < drawing->y_count; t++) {
        const struct chart_tick *tick = &drawing->y_ticks[t];
        double y = place(drawing, drawing->chart->x.minimum, tick->value).y;
        double at = canvas->ops->snap(canvas, y);
        segment(drawing, (struct point){left, at},
                (struct point){left - (tick->minor ? MINOR_LENGTH : TICK_LENGTH), at},
                FRAME_WIDTH * 0.8, NULL, ink);
        if (!tick->minor)
            put_text(drawing, left - TICK_LENGTH - 2, y + TICK_SIZE * 0.36,
                     style(TICK_SIZE, TEXT_RIGHT), pretty(tick->label, buffer));
    }
}

static void draw_x_ticks(const struct drawing *drawing) {
    struct canvas *canvas = drawing->canvas;
    double bottom = drawing->plot.bottom;
    char buffer[64];
    for (size_t t = 0; t < drawing->x_count; t++) {
        const struct chart_tick *tick = &drawing->x_ticks[t];
        double x = place(drawing, tick->value, drawing->chart->y.maximum).x;
        double at = canvas->ops->snap(canvas, x);
        segment(drawing, (struct point){at, bottom},
                (struct point){at, bottom + (tick->minor ? MINOR_LENGTH : TICK_LENGTH)},
                FRAME_WIDTH * 0.8, NULL, ink);
        if (!tick->minor)
            put_text(drawing, x, bottom + TICK_LENGTH + TICK_SIZE, style(TICK_SIZE, TEXT_CENTRE),
                     pretty(tick->label, buffer));
    }
}

static void draw_category_names(const struct drawing *drawing) {
    const struct chart_bars *bars = &drawing->chart->bars;
    struct text_style how = style(TICK_SIZE, TEXT_RIGHT);
    char buffer[TEXT_ROOM];
    how.upright = true;
    for (size_t i = 0; i < bars->category_count; i += drawing->name_stride) {
        double x = place(drawing, (double)i + 0.5, drawing->chart->y.maximum).x;
        put_text(
            drawing, x + TICK_SIZE * 0.36, drawing->plot.bottom + TICK_LENGTH + 2, how,
            fitted(drawing, TICK_SIZE, bars->categories[i], drawing->name_length + 0.5, buffer));
    }
}

static void draw_labels(const struct drawing *drawing) {
    const struct chart *chart = drawing->chart;
    const struct box *plot = &drawing->plot;
    struct text_style title = style(TITLE_SIZE, TEXT_LEFT), y = style(LABEL_SIZE, TEXT_CENTRE);
    double room = plot->right - plot->left, top = MARGIN + TITLE_SIZE;
    char buffer[TEXT_ROOM];
    title.bold = true;
    put_text(drawing, plot->left, top, title,
             fitted(drawing, TITLE_SIZE * 1.12, chart->title != NULL ? chart->title : "", room,
                    buffer)); /* bold is wider */
    if (chart->subtitle != NULL)
        put_text(drawing, plot->left, top + TICK_SIZE * LINE_SPACE, style(TICK_SIZE, TEXT_LEFT),
                 fitted(drawing, TICK_SIZE, chart->subtitle, room, buffer));
    legend(drawing, top + 2 + (chart->subtitle != NULL ? TICK_SIZE * LINE_SPACE : 0), true);
    if (chart->x.label != NULL)
        put_text(drawing, (plot->left + plot->right) / 2, drawing->canvas->height - MARGIN,
                 style(LABEL_SIZE, TEXT_CENTRE),
                 fitted(drawing, LABEL_SIZE, chart->x.label, room, buffer));
    y.upright = true;
    if (chart->y.label != NULL)
        put_text(
            drawing, MARGIN + LABEL_SIZE * 0.8, (plot->top + plot->bottom) / 2, y,
            fitted(drawing, LABEL_SIZE, chart->y.label, drawing->canvas->height * 0.6, buffer));
}

/* ---- contents ---- */

/* What every specialist's rank cut discards. */
static void draw_veil(const struct drawing *drawing) {
    const struct box *plot = &drawing->plot;
    double cut = -INFINITY;
    for (size_t i = 0; i < drawing->chart->curve_count; i++)
        cut = fmax(cut, drawing->chart->curves[i].cut);
    if (!isfinite(cut))
        return;
    double x = place(drawing, cut, drawing->chart->y.maximum).x;
    if (cut <= 0 || x < plot->left)
        x = plot->left;
    if (x < plot->right)
        drawing->canvas->ops->rectangle(drawing->canvas, x, plot->top, plot->right - x,
                                        plot->bottom - plot->top, ink, VEIL);
}

static void draw_curve(const struct drawing *drawing, const struct chart_curve *curve) {
    struct point *points = memory_array(curve->count, sizeof *points);
    size_t count = 0;
    for (size_t i = 0; i < curve->count; i++) {
        struct point point = place(drawing, curve->x[i], curve->y[i]);
        if (isfinite(point.x) && isfinite(point.y))
            points[count++] = point;
    }
    if (count == 1) { /* a single value is a short dash */
        points = memory_resize(points, 2, sizeof *points);
        points[1] = (struct point){points[0].x + 4, points[0].y};
        count = 2;
    }
    if (count > 1)
        drawing->canvas->ops->polyline(drawing->canvas, points, count,
                                       curve->selected ? CURVE_WIDTH * 1.5 : CURVE_WIDTH,
                                       palette_dash(curve->colour), palette_colour(curve->colour));
    free(points);
}

static void draw_curves(const struct drawing *drawing) {
    for (int selected = 0; selected <= 1; selected++)
        for (size_t i = 0; i < drawing->chart->curve_count; i++)
            if (drawing->chart->curves[i].selected == selected)
                draw_curve(drawing, &drawing->chart->curves[i]);
}

/* Labels of vertical lines stand beside them, those of horizontal ones above their right end; one
 * that would touch an earlier one is left out (the legend has the number too). */
static void draw_lines(const struct drawing *drawing) {
    static const double dotted[] = {1.2, 2.2, 0}, dashed[] = {3, 2, 0};
    const struct box *plot = &drawing->plot;
    double last_x = -INFINITY, last_y = -INFINITY;
    for (size_t i = 0; i < drawing->chart->line_count; i++) {
        const struct chart_line *line = &drawing->chart->lines[i];
        struct text_style how = style(TICK_SIZE - 0.5, TEXT_RIGHT);
        how.colour = palette_colour(line->colour);
        how.upright = line->vertical;
        struct point at = place(drawing, line->vertical ? line->value : drawing->chart->x.maximum,
                                line->vertical ? drawing->chart->y.maximum : line->value);
        struct point end =
            line->vertical ? (struct point){at.x, plot->bottom} : (struct point){plot->left, at.y};
        if (line->vertical)
            at.y = plot->top;
        segment(drawing, at, end, 0.8, line->dotted ? dotted : dashed, how.colour);
        double *last = line->vertical ? &last_x : &last_y;
        double here = line->vertical ? at.x : at.y;
        if (line->label == NULL || fabs(here - *last) < TICK_SIZE * 1.2)
            continue;
        put_text(drawing, line->vertical ? at.x - 2.5 : plot->right - 3,
                 line->vertical ? plot->top + 4 : at.y - 2.5, how, line->label);
        *last = here;
    }
}

static void draw_bar(const struct drawing *drawing, double from, double to, double low, double high,
                     int colour) {
    struct point one = place(drawing, from, low), other = place(drawing, to, high);
    drawing->canvas->ops->rectangle(drawing->canvas, one.x, fmin(one.y, other.y), other.x - one.x,
                                    fabs(one.y - other.y), palette_colour(colour), 1);
}

static void draw_category(const struct drawing *drawing, size_t category) {
    const struct chart_bars *bars = &drawing->chart->bars;
    double left = (double)category + 0.1, width = 0.8, up = 0, down = 0;
    for (size_t s = 0; s < bars->series_count; s++) {
        double value = bars->values[category * bars->series_count + s];
        double *stack = value >= 0 ? &up : &down;
        double slot = width / (double)bars->series_count;
        if (bars->stacked)
            draw_bar(drawing, left, left + width, *stack, *stack + value, bars->colours[s]);
        else
            draw_bar(drawing, left + slot * (double)s, left + slot * ((double)s + 0.92), 0, value,
                     bars->colours[s]);
        *stack += value;
    }
}

static void draw_zero_line(const struct drawing *drawing) {
    double y = place(drawing, drawing->chart->x.minimum, 0).y;
    y = drawing->canvas->ops->snap(drawing->canvas, y);
    segment(drawing, (struct point){drawing->plot.left, y}, (struct point){drawing->plot.right, y},
            FRAME_WIDTH, NULL, ink);
}

static bool shows_nothing(const struct chart *chart) {
    for (size_t c = 0; c < chart->curve_count; c++)
        for (size_t i = 0; i < chart->curves[c].count; i++)
            if (chart->curves[c].y[i] > 0)
                return false;
    return chart->bars.category_count == 0;
}

static void draw_contents(const struct drawing *drawing) {
    const struct box *plot = &drawing->plot;
    struct canvas *canvas = drawing->canvas;
    canvas->ops->clip(canvas, plot->left, plot->top, plot->right - plot->left,
                      plot->bottom - plot->top);
    draw_veil(drawing);
    draw_grid(drawing);
    draw_curves(drawing);
    for (size_t i = 0; i < drawing->chart->bars.category_count; i++)
        draw_category(drawing, i);
    if (drawing->chart->bars.category_count > 0 && drawing->chart->y.minimum < 0)
        draw_zero_line(drawing);
    draw_lines(drawing);
    if (shows_nothing(drawing->chart))
        put_text(drawing, (plot->left + plot->right) / 2, (plot->top + plot->bottom) / 2,
                 style(LABEL_SIZE, TEXT_CENTRE), "all values are zero");
    canvas->ops->unclip(canvas);
}

void draw_chart(struct canvas *canvas, const struct chart *chart) {
    struct drawing drawing = {.canvas = canvas, .chart = chart, .name_stride = 1};
    drawing.x_count = chart_ticks(&chart->x, (size_t)(canvas->width / 40) + 2, &drawing.x_ticks);
    drawing.y_count = chart_ticks(&chart->y, (size_t)(canvas->height / 30) + 2, &drawing.y_ticks);
    canvas->ops->rectangle(canvas, 0, 0, canvas->width, canvas->height, (struct rgb){255, 255, 255},
                           1);
    plan_margins(&drawing);
    if (drawing.plot.right - drawing.plot.left > 10 &&
        drawing.plot.bottom - drawing.plot.top > 10) {
        draw_contents(&drawing);
        draw_y_ticks(&drawing);
        if (has_bars(&drawing))
            draw_category_names(&drawing);
        else
            draw_x_ticks(&drawing);
        draw_frame(&drawing);
    }
    draw_labels(&drawing);
    free(drawing.x_ticks);
    free(drawing.y_ticks);
}
