/* Curves as dots. */
#include "render/cells_dots.h"
#include "render/cells_plot.h"

#include <math.h>

/* Height of y in dots from the top of the plot; beyond the plot no further than its edges. */
static double height_of(const struct plot *plot, const struct dots *dots, double y) {
    double height = (double)dots_height(dots);
    double down = (1 - chart_position(&plot->chart->y, y)) * height - 0.5;
    return fmax(fmin(down, height), -1);
}

/* A walk along a curve, a dot column at a time. */
struct walk {
    const struct plot *plot;
    const struct chart_curve *curve;
    struct dots *dots;
    size_t next;             /* the first point not passed yet */
    double height;           /* where the walk is */
    double entry;            /* where it came into the column */
    double highest, deepest; /* within the column */
};

static void go_to(struct walk *walk, double y) {
    if (isnan(y))
        return;
    walk->height = height_of(walk->plot, walk->dots, y);
    if (walk->deepest < walk->highest)
        walk->entry = walk->height;
    walk->highest = fmin(walk->highest, walk->height);
    walk->deepest = fmax(walk->deepest, walk->height);
}

/* Walks from left to right (values of x) through every point between, so that none is lost where
 * many share a column. False where the curve has no part there. */
static bool cross_column(struct walk *walk, double left, double right) {
    const struct chart_curve *curve = walk->curve;
    walk->highest = INFINITY;
    walk->deepest = -INFINITY;
    while (walk->next < curve->count && curve->x[walk->next] < left)
        walk->next++;
    go_to(walk, chart_curve_at(walk->plot->chart, curve, left));
    while (walk->next < curve->count && curve->x[walk->next] <= right)
        go_to(walk, curve->y[walk->next++]);
    go_to(walk, chart_curve_at(walk->plot->chart, curve, right));
    return walk->deepest >= walk->highest;
}

/* Draws the column. Half a dot less at both ends: columns join without a dot in common, and a
 * curve that falls slowly has one dot in each. Where the curve begins there is nothing to join. */
static void draw_column(const struct walk *walk, size_t x, bool begins, bool discarded) {
    double middle = (walk->highest + walk->deepest) / 2;
    dots_span(walk->dots, x, fmin(walk->highest + 0.5, middle), fmax(walk->deepest - 0.5, middle),
              discarded);
    if (begins && walk->deepest - walk->highest > 1)
        dots_span(walk->dots, x, walk->entry, walk->entry, discarded);
}

/* The curve has left the plot through the bottom. */
static void draw_arrow(const struct plot *plot, size_t dot_col, const struct dots *dots,
                       int colour) {
    size_t col = dot_col * plot->width / dots_width(dots);
    cells_put(plot->cells, plot->row + plot->height - 1, plot->col + col, plot->lines->arrow,
              CELL_DATA, CELL_DIM, colour);
}

/* The points themselves, where there are few; at the foot those without value, in a row of their
 * curve's own. */
static void draw_marks(const struct plot *plot, size_t index, enum cell_weight weight) {
    const struct chart_curve *curve = &plot->chart->curves[index];
    for (size_t i = 0; i < curve->count; i++) {
        bool missing = isnan(curve->y[i]);
        long col = plot_cell_of(chart_position(&plot->chart->x, curve->x[i]), plot->width);
        long above = missing
                         ? (long)(index % plot->height)
                         : plot_cell_of(chart_position(&plot->chart->y, curve->y[i]), plot->height);
        if (col >= 0 && above >= 0)
            cells_put(plot->cells, plot->row + plot->height - 1 - (size_t)above,
                      plot->col + (size_t)col, missing ? plot->lines->missing : plot->lines->mark,
                      CELL_DATA, weight, curve->colour);
    }
}

static void draw_curve(const struct plot *plot, size_t index, enum cell_weight weight) {
    const struct chart_curve *curve = &plot->chart->curves[index];
    const struct chart_axis *axis = &plot->chart->x;
    struct dots *dots = dots_create(plot->width, plot->height, plot->glyphs);
    struct walk walk = {.plot = plot, .curve = curve, .dots = dots};
    double width = (double)dots_width(dots), bottom = (double)dots_height(dots) - 0.5;
    bool begins = true, inside = false;
    long left_at = -1; /* the column from which on the curve stays below the plot */
    for (size_t x = 0; x < dots_width(dots); x++) {
        double left = chart_value(axis, (double)x / width);
        double right =
            x + 1 < dots_width(dots) ? chart_value(axis, (double)(x + 1) / width) : axis->maximum;
        if (!cross_column(&walk, left, right)) {
            begins = true;
            continue;
        }
        draw_column(&walk, x, begins, chart_value(axis, ((double)x + 0.5) / width) > curve->cut);
        begins = false;
        bool below = walk.height >= bottom;
        inside |= walk.highest < bottom;
        left_at = below ? (left_at < 0 ? (long)x : left_at) : -1;
    }
    struct dots_style style = {curve->colour, weight, plot_letter(index)};
    dots_paint(dots, plot->cells, plot->row, plot->col, style);
    if (curve->marked)
        draw_marks(plot, index, weight);
    if (inside && left_at >= 0)
        draw_arrow(plot, (size_t)left_at, dots, curve->colour);
    dots_free(dots);
}

void plot_draw_curves(const struct plot *plot) {
    for (int selected = 0; selected <= 1; selected++)
        for (size_t i = 0; i < plot->chart->curve_count; i++)
            if (plot->chart->curves[i].selected == selected)
                draw_curve(plot, i, selected ? CELL_STRONG : CELL_NORMAL);
}
