/* Names of the categories below bars and maps: level where all fit side by side; else upright, one
 * a category, as long as they fit; else level, one a group ("11" for "11.mlp.fc1", "11.attn.q" and
 * their neighbours); else upright, one every few categories. */
#include "render/draw.h"

#include <math.h>
#include <string.h>

#define LINE_PITCH (DRAW_TICK_SIZE * 1.15) /* from one upright name to the next */
#define LONG_NAME 30.0                     /* points: a group's name that must fit its own group */
#define LEAST_GAP 4.0                      /* between level names */

/* Length of the part of a name that its group shares: up to the first dot. */
static size_t group_length(const char *name) {
    return strcspn(name, ".");
}

/* The first category after the group of category first. */
static size_t group_end(const struct drawing *drawing, size_t first) {
    size_t length = group_length(drawing->categories[first]), end = first + 1;
    while (end < drawing->category_count && group_length(drawing->categories[end]) == length &&
           memcmp(drawing->categories[end], drawing->categories[first], length) == 0)
        end++;
    return end;
}

static const char *group_name(const struct drawing *drawing, size_t first,
                              char buffer[DRAW_TEXT_ROOM]) {
    size_t length = group_length(drawing->categories[first]);
    length = length < DRAW_TEXT_ROOM ? length : DRAW_TEXT_ROOM - 1;
    memcpy(buffer, drawing->categories[first], length);
    buffer[length] = '\0';
    return buffer;
}

static size_t group_count(const struct drawing *drawing) {
    size_t count = 0;
    for (size_t first = 0; first < drawing->category_count; first = group_end(drawing, first))
        count++;
    return count;
}

static double plot_width(const struct drawing *drawing) {
    return drawing->plot.right - drawing->plot.left;
}

/* Every so many categories have an upright name. */
static size_t name_stride(const struct drawing *drawing) {
    double pitch = plot_width(drawing) / (double)drawing->category_count;
    return pitch > 0 ? (size_t)ceil(LINE_PITCH / pitch) : drawing->category_count;
}

/* Does every name fit between its neighbours as it is? */
static bool fit_level(const struct drawing *drawing) {
    double pitch = plot_width(drawing) / (double)drawing->category_count, widest = 0;
    for (size_t i = 0; i < drawing->category_count; i++)
        widest = fmax(widest, draw_text_width(drawing, DRAW_TICK_SIZE, drawing->categories[i]));
    return widest + LEAST_GAP <= pitch;
}

/* Length of the longest name that is drawn upright, cut where it is too long. */
static double upright_length(const struct drawing *drawing) {
    double length = 0, limit = (drawing->area.bottom - drawing->area.top) * 0.3;
    char buffer[DRAW_TEXT_ROOM];
    for (size_t i = 0; i < drawing->category_count; i += name_stride(drawing))
        length = fmax(length, draw_text_width(drawing, DRAW_TICK_SIZE,
                                              draw_fitted(drawing, DRAW_TICK_SIZE,
                                                          drawing->categories[i], limit, buffer)));
    return length;
}

void draw_plan_names(struct drawing *drawing) {
    bool crowded = name_stride(drawing) > 1;
    drawing->names = fit_level(drawing) ? NAMES_LEVEL
                     : crowded && 2 * group_count(drawing) <= drawing->category_count
                         ? NAMES_GROUPED
                         : NAMES_UPRIGHT;
    drawing->name_length =
        drawing->names == NAMES_UPRIGHT ? upright_length(drawing) : DRAW_TICK_SIZE;
}

static double edge_of(const struct drawing *drawing, size_t category) {
    return draw_place(drawing, (double)category, drawing->chart->y.maximum).x;
}

/* Short names of groups: every so many are drawn. */
static size_t group_stride(const struct drawing *drawing) {
    double widest = 0, pitch = plot_width(drawing) / (double)group_count(drawing);
    char buffer[DRAW_TEXT_ROOM];
    for (size_t first = 0; first < drawing->category_count; first = group_end(drawing, first)) {
        double width = draw_text_width(drawing, DRAW_TICK_SIZE, group_name(drawing, first, buffer));
        widest = width < LONG_NAME ? fmax(widest, width) : widest;
    }
    return (size_t)fmax(ceil((widest + LEAST_GAP) / pitch), 1);
}

static void draw_group_names(const struct drawing *drawing) {
    double bottom = drawing->plot.bottom, last = drawing->plot.left - LONG_NAME;
    size_t stride = group_stride(drawing), nth = 0, end;
    char buffer[DRAW_TEXT_ROOM];
    for (size_t first = 0; first < drawing->category_count; first = end) {
        end = group_end(drawing, first);
        double left = edge_of(drawing, first), right = edge_of(drawing, end);
        double x = drawing->canvas->ops->snap(drawing->canvas, left);
        const char *name = group_name(drawing, first, buffer);
        double width = draw_text_width(drawing, DRAW_TICK_SIZE, name), middle = (left + right) / 2;
        bool wanted = width < LONG_NAME ? nth++ % stride == 0 : width <= right - left;
        draw_segment(drawing, (struct point){x, bottom},
                     (struct point){x, bottom + DRAW_TICK_LENGTH}, DRAW_FRAME_WIDTH * 0.8, NULL,
                     draw_ink);
        if (!wanted || middle - width / 2 < last + LEAST_GAP / 2)
            continue;
        draw_text(drawing, middle, bottom + DRAW_TICK_LENGTH + DRAW_TICK_SIZE,
                  draw_style(DRAW_TICK_SIZE, TEXT_CENTRE), name);
        last = middle + width / 2;
    }
}

static void draw_upright_names(const struct drawing *drawing) {
    struct text_style style = draw_style(DRAW_TICK_SIZE, TEXT_RIGHT);
    size_t stride = name_stride(drawing);
    char buffer[DRAW_TEXT_ROOM];
    style.upright = true;
    for (size_t i = 0; i < drawing->category_count; i += stride) {
        double x = (edge_of(drawing, i) + edge_of(drawing, i + 1)) / 2;
        draw_text(drawing, x + DRAW_TICK_SIZE * 0.36, drawing->plot.bottom + DRAW_TICK_LENGTH + 2,
                  style,
                  draw_fitted(drawing, DRAW_TICK_SIZE, drawing->categories[i],
                              drawing->name_length + 0.5, buffer));
    }
}

static void draw_level_names(const struct drawing *drawing) {
    for (size_t i = 0; i < drawing->category_count; i++)
        draw_text(drawing, (edge_of(drawing, i) + edge_of(drawing, i + 1)) / 2,
                  drawing->plot.bottom + DRAW_TICK_LENGTH + DRAW_TICK_SIZE,
                  draw_style(DRAW_TICK_SIZE, TEXT_CENTRE), drawing->categories[i]);
}

void draw_names(const struct drawing *drawing) {
    static void (*const drawers[])(const struct drawing *) = {[NAMES_LEVEL] = draw_level_names,
                                                              [NAMES_UPRIGHT] = draw_upright_names,
                                                              [NAMES_GROUPED] = draw_group_names};
    drawers[drawing->names](drawing);
}
