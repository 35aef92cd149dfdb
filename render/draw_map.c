/* A map: cells coloured by their values, names of rows at the left, the colour bar at the right. */
#include "render/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define BAR_GAP 9.0
#define BAR_WIDTH 9.0
#define BAR_STEPS 96
#define OVERLAP 0.4 /* points by which cells reach below the next ones: no seams between them */
#define NUMBER_ROOM 1.25

static const struct rgb nothing = {0xE4, 0xE4, 0xE4}, white = {255, 255, 255};

static struct chart_axis values_axis(const struct chart_map *map) {
    return (struct chart_axis){.minimum = map->minimum, .maximum = map->maximum};
}

static double cell_size(double whole, size_t count) {
    return whole / (double)count;
}

/* ---- cells ---- */

/* Dark colours carry white numbers. */
static bool is_dark(struct rgb colour) {
    return 0.299 * colour.red + 0.587 * colour.green + 0.114 * colour.blue < 140;
}

static void draw_number(const struct drawing *drawing, struct box box, double value,
                        struct rgb colour) {
    char text[32];
    snprintf(text, sizeof text, "%s%.2f", value < 0 ? "\u2212" : "", fabs(value));
    double width = draw_text_width(drawing, DRAW_TICK_SIZE, text);
    if (width * NUMBER_ROOM > box.right - box.left ||
        DRAW_TICK_SIZE * NUMBER_ROOM > box.bottom - box.top)
        return;
    struct text_style style = draw_style(DRAW_TICK_SIZE, TEXT_CENTRE);
    style.colour = is_dark(colour) ? white : draw_ink;
    draw_text(drawing, (box.left + box.right) / 2,
              (box.top + box.bottom) / 2 + DRAW_TICK_SIZE * 0.36, style, text);
}

/* Grey and crossed out: no colour of the map. */
static void draw_nothing(const struct drawing *drawing, struct box box) {
    drawing->canvas->ops->rectangle(drawing->canvas, box.left, box.top, box.right - box.left,
                                    box.bottom - box.top, nothing, 1);
    draw_segment(drawing, (struct point){box.left, box.bottom}, (struct point){box.right, box.top},
                 0.5, NULL, draw_ink);
}

static void draw_cell(const struct drawing *drawing, size_t row, size_t column, double overlap) {
    const struct chart_map *map = &drawing->chart->map;
    const struct box *plot = &drawing->plot;
    double width = cell_size(plot->right - plot->left, map->column_count);
    double height = cell_size(plot->bottom - plot->top, map->row_count);
    struct box box = {plot->left + width * (double)column, plot->top + height * (double)row,
                      plot->left + width * (double)(column + 1),
                      plot->top + height * (double)(row + 1)};
    double value = map->values[row * map->column_count + column];
    if (!isfinite(value)) {
        draw_nothing(drawing, box);
        return;
    }
    struct chart_axis axis = values_axis(map);
    struct rgb colour = colour_map(map->colours, chart_position(&axis, value));
    drawing->canvas->ops->rectangle(drawing->canvas, box.left, box.top, width + overlap,
                                    height + overlap, colour, 1);
    draw_number(drawing, box, value, colour);
}

void draw_map_cells(const struct drawing *drawing) {
    const struct chart_map *map = &drawing->chart->map;
    for (size_t row = 0; row < map->row_count; row++)
        for (size_t column = 0; column < map->column_count; column++)
            draw_cell(drawing, row, column, OVERLAP);
}

/* ---- rows and the colour bar ---- */

static size_t bar_ticks(const struct drawing *drawing, struct chart_tick **ticks) {
    struct chart_axis axis = values_axis(&drawing->chart->map);
    return chart_ticks(&axis, (size_t)((drawing->area.bottom - drawing->area.top) / 50) + 1, ticks);
}

static double row_name_limit(const struct drawing *drawing) {
    return (drawing->area.right - drawing->area.left) * 0.2;
}

void draw_plan_map(const struct drawing *drawing, double *left, double *right) {
    const struct chart_map *map = &drawing->chart->map;
    struct chart_tick *ticks;
    size_t count = bar_ticks(drawing, &ticks);
    double widest = 0;
    char name[DRAW_TEXT_ROOM], label[64];
    *left = 0;
    for (size_t row = 0; row < map->row_count; row++)
        *left = fmax(*left, draw_text_width(drawing, DRAW_TICK_SIZE,
                                            draw_fitted(drawing, DRAW_TICK_SIZE, map->rows[row],
                                                        row_name_limit(drawing), name)));
    for (size_t t = 0; t < count; t++)
        widest = fmax(widest,
                      draw_text_width(drawing, DRAW_TICK_SIZE, draw_pretty(ticks[t].label, label)));
    *right = BAR_GAP + BAR_WIDTH + DRAW_TICK_LENGTH + 2 + widest + DRAW_LABEL_SIZE * 1.5;
    free(ticks);
}

/* Every so many rows have a name, so that none touches the next. */
static void draw_row_names(const struct drawing *drawing) {
    const struct chart_map *map = &drawing->chart->map;
    const struct box *plot = &drawing->plot;
    double height = cell_size(plot->bottom - plot->top, map->row_count);
    size_t stride = (size_t)ceil(DRAW_TICK_SIZE * 1.15 / height);
    char name[DRAW_TEXT_ROOM];
    for (size_t row = 0; row < map->row_count; row += stride)
        draw_text(
            drawing, plot->left - DRAW_TICK_LENGTH - 2,
            plot->top + height * ((double)row + 0.5) + DRAW_TICK_SIZE * 0.36,
            draw_style(DRAW_TICK_SIZE, TEXT_RIGHT),
            draw_fitted(drawing, DRAW_TICK_SIZE, map->rows[row], row_name_limit(drawing), name));
}

static void draw_bar_ticks(const struct drawing *drawing, double x) {
    const struct chart_map *map = &drawing->chart->map;
    const struct box *plot = &drawing->plot;
    struct chart_axis axis = values_axis(map);
    struct chart_tick *ticks;
    size_t count = bar_ticks(drawing, &ticks);
    char label[64];
    for (size_t t = 0; t < count; t++) {
        double y =
            plot->bottom - chart_position(&axis, ticks[t].value) * (plot->bottom - plot->top);
        double at = drawing->canvas->ops->snap(drawing->canvas, y);
        if (ticks[t].minor)
            continue;
        draw_segment(drawing, (struct point){x, at}, (struct point){x + DRAW_TICK_LENGTH, at},
                     DRAW_FRAME_WIDTH, NULL, draw_ink);
        draw_text(drawing, x + DRAW_TICK_LENGTH + 2, y + DRAW_TICK_SIZE * 0.36,
                  draw_style(DRAW_TICK_SIZE, TEXT_LEFT), draw_pretty(ticks[t].label, label));
    }
    free(ticks);
}

static void draw_colour_bar(const struct drawing *drawing) {
    const struct chart_map *map = &drawing->chart->map;
    const struct box *plot = &drawing->plot;
    struct canvas *canvas = drawing->canvas;
    double left = canvas->ops->snap(canvas, plot->right + BAR_GAP), right = left + BAR_WIDTH;
    double step = (plot->bottom - plot->top) / BAR_STEPS;
    canvas->ops->clip(canvas, left, plot->top, BAR_WIDTH, plot->bottom - plot->top);
    for (int i = 0; i < BAR_STEPS; i++)
        canvas->ops->rectangle(canvas, left, plot->top + step * i, BAR_WIDTH, step + OVERLAP,
                               colour_map(map->colours, 1 - (i + 0.5) / BAR_STEPS), 1);
    canvas->ops->unclip(canvas);
    struct point corners[] = {{left, plot->top},
                              {right, plot->top},
                              {right, plot->bottom},
                              {left, plot->bottom},
                              {left, plot->top}};
    canvas->ops->polyline(canvas, corners, 5, DRAW_FRAME_WIDTH, NULL, draw_ink);
    draw_bar_ticks(drawing, right);
    struct text_style label = draw_style(DRAW_LABEL_SIZE, TEXT_CENTRE);
    char text[DRAW_TEXT_ROOM];
    label.upright = true;
    draw_text(drawing, drawing->area.right - DRAW_MARGIN * 0.6, (plot->top + plot->bottom) / 2,
              label,
              draw_fitted(drawing, DRAW_LABEL_SIZE, map->label, plot->bottom - plot->top, text));
}

void draw_map_names(const struct drawing *drawing) {
    draw_row_names(drawing);
    draw_colour_bar(drawing);
}
