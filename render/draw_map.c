/* A map: cells coloured by their values, names of rows at the left, the colour bar at the right. */
#include "render/draw.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BAR_GAP 9.0
#define BAR_WIDTH 9.0
#define BAR_STEPS 96
#define OVERLAP 0.4     /* points by which cells reach below the next ones: no seams between them */
#define NUMBER_ROOM 1.2 /* of a cell to its number */
#define NUMBER_LEAST 5.0
#define NOTHING_HEIGHT 9.0 /* of the swatch for cells without value, below the bar */
#define NOTHING_GAP 6.0
static const char *const nothing_name = "none";

static const struct rgb nothing = {0xE4, 0xE4, 0xE4}, white = {255, 255, 255};

static struct chart_axis values_axis(const struct chart_map *map) {
    return (struct chart_axis){.minimum = map->minimum, .maximum = map->maximum};
}

static double cell_size(double whole, size_t count) {
    return whole / (double)count;
}

/* ---- cells ---- */

/* Light as the eye takes it, from 0 to 1. */
static double luminance(struct rgb colour) {
    return 0.2126 * pow(colour.red / 255.0, 2.2) + 0.7152 * pow(colour.green / 255.0, 2.2) +
           0.0722 * pow(colour.blue / 255.0, 2.2);
}

/* Whether white stands out more from it than ink: the quotient of luminances, 0.05 added to each.
 */
static bool is_dark(struct rgb colour) {
    double back = luminance(colour) + 0.05;
    return 1.05 / back > back / (luminance(draw_ink) + 0.05);
}

/* A whole or decimal number with a true minus sign; none before what rounds to 0. */
static const char *number_text(const struct chart_map *map, double value, char text[32]) {
    char digits[24];
    snprintf(digits, sizeof digits, "%.*f", map->decimals, fabs(value));
    bool negative = value < 0 && strspn(digits, "0.") < strlen(digits);
    snprintf(text, 32, "%s%s", negative ? "\u2212" : "", digits);
    return text;
}

/* The size at which every number fits into its cell; 0 where that would be too small to read. */
static double number_size(const struct drawing *drawing) {
    const struct chart_map *map = &drawing->chart->map;
    const struct box *plot = &drawing->plot;
    double width = cell_size(plot->right - plot->left, map->column_count);
    double height = cell_size(plot->bottom - plot->top, map->row_count), widest = 0;
    char text[32];
    for (size_t i = 0; i < map->row_count * map->column_count; i++)
        if (isfinite(map->values[i]))
            widest = fmax(widest, draw_text_width(drawing, DRAW_TICK_SIZE,
                                                  number_text(map, map->values[i], text)));
    double size = fmin(DRAW_TICK_SIZE, height / NUMBER_ROOM);
    size = fmin(size, DRAW_TICK_SIZE * width / (widest * NUMBER_ROOM));
    return size >= NUMBER_LEAST ? size : 0;
}

static void draw_number(const struct drawing *drawing, struct box box, double value,
                        struct rgb colour, double size) {
    struct text_style style = draw_style(size, TEXT_CENTRE);
    char text[32];
    style.colour = is_dark(colour) ? white : draw_ink;
    draw_text(drawing, (box.left + box.right) / 2, (box.top + box.bottom) / 2 + size * 0.36, style,
              number_text(&drawing->chart->map, value, text));
}

/* Grey and crossed out: no colour of the map. */
static void draw_nothing(const struct drawing *drawing, struct box box) {
    drawing->canvas->ops->rectangle(drawing->canvas, box.left, box.top, box.right - box.left,
                                    box.bottom - box.top, nothing, 1);
    draw_segment(drawing, (struct point){box.left, box.bottom}, (struct point){box.right, box.top},
                 0.5, NULL, draw_ink);
}

static void draw_cell(const struct drawing *drawing, size_t row, size_t column, double number) {
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
    drawing->canvas->ops->rectangle(drawing->canvas, box.left, box.top, width + OVERLAP,
                                    height + OVERLAP, colour, 1);
    if (number > 0)
        draw_number(drawing, box, value, colour, number);
}

void draw_map_cells(const struct drawing *drawing) {
    const struct chart_map *map = &drawing->chart->map;
    double number = number_size(drawing);
    for (size_t row = 0; row < map->row_count; row++)
        for (size_t column = 0; column < map->column_count; column++)
            draw_cell(drawing, row, column, number);
}

/* ---- rows and the colour bar ---- */

static size_t bar_ticks(const struct drawing *drawing, struct chart_tick **ticks) {
    struct chart_axis axis = values_axis(&drawing->chart->map);
    return chart_ticks(&axis, (size_t)((drawing->area.bottom - drawing->area.top) / 50) + 1, ticks);
}

static bool has_holes(const struct chart_map *map) {
    bool found = false;
    for (size_t i = 0; i < map->row_count * map->column_count; i++)
        found |= !isfinite(map->values[i]);
    return found;
}

static struct box bar_box(const struct drawing *drawing) {
    const struct box *plot = &drawing->plot;
    double left = drawing->canvas->ops->snap(drawing->canvas, plot->right + BAR_GAP);
    double below = has_holes(&drawing->chart->map) ? NOTHING_HEIGHT + NOTHING_GAP : 0;
    return (struct box){left, plot->top, left + BAR_WIDTH, plot->bottom - below};
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
    if (has_holes(map))
        widest = fmax(widest, draw_text_width(drawing, DRAW_TICK_SIZE, nothing_name));
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

static void draw_bar_ticks(const struct drawing *drawing, const struct box *bar) {
    struct chart_axis axis = values_axis(&drawing->chart->map);
    struct chart_tick *ticks;
    size_t count = bar_ticks(drawing, &ticks);
    char label[64];
    for (size_t t = 0; t < count; t++) {
        double y = bar->bottom - chart_position(&axis, ticks[t].value) * (bar->bottom - bar->top);
        double at = drawing->canvas->ops->snap(drawing->canvas, y), x = bar->right;
        if (ticks[t].minor)
            continue;
        draw_segment(drawing, (struct point){x, at}, (struct point){x + DRAW_TICK_LENGTH, at},
                     DRAW_FRAME_WIDTH, NULL, draw_ink);
        draw_text(drawing, x + DRAW_TICK_LENGTH + 2, y + DRAW_TICK_SIZE * 0.36,
                  draw_style(DRAW_TICK_SIZE, TEXT_LEFT), draw_pretty(ticks[t].label, label));
    }
    free(ticks);
}

static void draw_outline(const struct drawing *drawing, const struct box *box) {
    struct point corners[] = {{box->left, box->top},
                              {box->right, box->top},
                              {box->right, box->bottom},
                              {box->left, box->bottom},
                              {box->left, box->top}};
    drawing->canvas->ops->polyline(drawing->canvas, corners, 5, DRAW_FRAME_WIDTH, NULL, draw_ink);
}

/* What a cell without value looks like, below the bar. */
static void draw_nothing_swatch(const struct drawing *drawing, const struct box *bar) {
    double bottom = drawing->plot.bottom;
    struct box swatch = {bar->left, bottom - NOTHING_HEIGHT, bar->right, bottom};
    draw_nothing(drawing, swatch);
    draw_outline(drawing, &swatch);
    draw_text(drawing, swatch.right + DRAW_TICK_LENGTH + 2,
              bottom - NOTHING_HEIGHT / 2 + DRAW_TICK_SIZE * 0.36,
              draw_style(DRAW_TICK_SIZE, TEXT_LEFT), nothing_name);
}

static void draw_colour_bar(const struct drawing *drawing) {
    const struct chart_map *map = &drawing->chart->map;
    const struct box bar = bar_box(drawing), *plot = &drawing->plot;
    struct canvas *canvas = drawing->canvas;
    double step = (bar.bottom - bar.top) / BAR_STEPS;
    canvas->ops->clip(canvas, bar.left, bar.top, BAR_WIDTH, bar.bottom - bar.top);
    for (int i = 0; i < BAR_STEPS; i++)
        canvas->ops->rectangle(canvas, bar.left, bar.top + step * i, BAR_WIDTH, step + OVERLAP,
                               colour_map(map->colours, 1 - (i + 0.5) / BAR_STEPS), 1);
    canvas->ops->unclip(canvas);
    draw_outline(drawing, &bar);
    draw_bar_ticks(drawing, &bar);
    if (has_holes(map))
        draw_nothing_swatch(drawing, &bar);
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
