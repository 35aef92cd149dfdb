/* The legend: one entry for each curve or series of bars, in as many rows as they need. */
#include "render/draw.h"

#define SWATCH 20.0    /* length of a line in the legend */
#define SWATCH_BOX 9.0 /* side of a box */

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
    double middle = baseline - DRAW_LABEL_SIZE * 0.32;
    if (entry.filled)
        drawing->canvas->ops->rectangle(drawing->canvas, x, middle - 3.5, SWATCH_BOX, 7,
                                        palette_colour(entry.colour), 1);
    else
        draw_segment(drawing, (struct point){x, middle}, (struct point){x + SWATCH, middle},
                     DRAW_CURVE_WIDTH, palette_dash(entry.colour), palette_colour(entry.colour));
}

double draw_legend(const struct drawing *drawing, double y, bool draw) {
    double left = drawing->plot.left, right = drawing->area.right - DRAW_MARGIN, x = left;
    double row = DRAW_LABEL_SIZE * DRAW_LINE_SPACE, baseline = y + row * 0.8;
    size_t count = entry_count(drawing->chart);
    char buffer[DRAW_TEXT_ROOM];
    for (size_t i = 0; i < count; i++) {
        struct entry entry = entry_at(drawing->chart, i);
        const char *name = draw_fitted(drawing, DRAW_LABEL_SIZE, entry.name,
                                       (right - left) / 2 - SWATCH - 20, buffer);
        double swatch = (entry.filled ? SWATCH_BOX : SWATCH) + 4;
        double width = swatch + draw_text_width(drawing, DRAW_LABEL_SIZE, name);
        if (x > left && x + width > right) {
            x = left;
            baseline += row;
        }
        if (draw) {
            draw_swatch(drawing, x, baseline, entry);
            draw_text(drawing, x + swatch, baseline, draw_style(DRAW_LABEL_SIZE, TEXT_LEFT), name);
        }
        x += width + 14;
    }
    return count > 0 ? baseline - y + row * 0.2 : 0;
}
