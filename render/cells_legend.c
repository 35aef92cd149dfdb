/* The title row of a chart in cells. */
#include "render/cells_plot.h"

#include <stdio.h>
#include <string.h>

enum {
    NAME_ROOM = 200, /* characters of a name in a row */
    LEAST_TITLE = 8  /* columns a title keeps beside the whole legend */
};

char plot_letter(size_t i) {
    static const char letters[] = "*+ox#@%&=~^$";
    return letters[i % (sizeof letters - 1)];
}

/* One line of the legend: a curve, or a series of bars. */
struct entry {
    const char *name, *mark;
    int colour;
    bool selected;
};

static size_t entry_count(const struct chart *chart) {
    return chart->bars.category_count > 0 ? chart->bars.series_count : chart->curve_count;
}

/* letter: room for the mark in ASCII. */
static struct entry entry_at(const struct plot *plot, size_t i, char letter[2]) {
    const struct chart *chart = plot->chart;
    bool bars = chart->bars.category_count > 0;
    letter[0] = plot_letter(i);
    letter[1] = '\0';
    const char *drawn = bars ? plot->lines->fills[i % 4] : plot->lines->swatch;
    if (bars)
        return (struct entry){chart->bars.names[i], plot->cells->ascii ? letter : drawn,
                              chart->bars.colours[i], false};
    const struct chart_curve *curve = &chart->curves[i];
    return (struct entry){curve->name, plot->cells->ascii ? letter : drawn, curve->colour,
                          curve->selected};
}

/* Mark, name, space. */
static size_t entry_width(const struct plot *plot, size_t i) {
    char letter[2];
    return 2 + chart_text_width(entry_at(plot, i, letter).name);
}

/* Draws entry i in at most width columns; returns those used. */
static size_t draw_entry(const struct plot *plot, size_t col, size_t i, size_t width) {
    char letter[2], name[NAME_ROOM * 4 + 4];
    struct entry entry = entry_at(plot, i, letter);
    size_t room = width - 2 < NAME_ROOM ? width - 2 : NAME_ROOM;
    chart_shorten(entry.name, room, plot->cells->ascii, name, sizeof name);
    cells_put(plot->cells, 0, col, entry.mark, CELL_DATA, CELL_STRONG, entry.colour);
    cells_draw_text(plot->cells, 0, col + 1, name, CELL_TEXT,
                    entry.selected ? CELL_STRONG : CELL_NORMAL, -1);
    return 2 + chart_text_width(name);
}

/* Columns for a legend beside the title: at least half of them, what the title leaves, and never
 * more than three quarters. */
static size_t legend_limit(const struct plot *plot) {
    size_t width = plot->cells->width, most = width * 3 / 4;
    size_t title = plot->chart->title != NULL ? chart_text_width(plot->chart->title) + 1 : 0;
    size_t left = title < width / 2 ? width - title : width / 2;
    return left < most ? left : most;
}

/* The selected entry, else the first, and the number of the others: "━fs r=102 91% +11". */
static size_t draw_chosen(const struct plot *plot, size_t count) {
    size_t width = plot->cells->width, chosen = 0;
    char others[24] = "", letter[2];
    for (size_t i = 0; i < count; i++)
        chosen = entry_at(plot, i, letter).selected ? i : chosen;
    if (count > 1)
        snprintf(others, sizeof others, "+%zu", count - 1);
    size_t tail = strlen(others) + 1, whole = entry_width(plot, chosen);
    size_t limit = legend_limit(plot);
    limit = limit > tail ? limit - tail : 0;
    size_t room = whole < limit ? whole : limit;
    if (room < 4)
        return width;
    size_t col = width - room - tail;
    col += draw_entry(plot, col, chosen, room);
    cells_draw_text(plot->cells, 0, col, others, CELL_TEXT, CELL_NORMAL, -1);
    return width - room - tail - 1;
}

/* Legend at the right of row 0: all entries where they leave room for a title. Returns the columns
 * left for it. */
static size_t draw_legend(const struct plot *plot) {
    size_t width = plot->cells->width, count = entry_count(plot->chart), all = 0;
    for (size_t i = 0; i < count; i++)
        all += entry_width(plot, i);
    if (count == 0)
        return width;
    if (all + LEAST_TITLE > width)
        return draw_chosen(plot, count);
    for (size_t i = 0, col = width - all; i < count; i++)
        col += draw_entry(plot, col, i, width);
    return width - all - 1;
}

void plot_draw_title(const struct plot *plot) {
    char title[NAME_ROOM * 4 + 4];
    size_t room = draw_legend(plot);
    const char *name = plot->chart->title != NULL ? plot->chart->title : "";
    chart_shorten(name, room < NAME_ROOM ? room : NAME_ROOM, plot->cells->ascii, title,
                  sizeof title);
    cells_draw_text(plot->cells, 0, 0, title, CELL_TEXT, CELL_STRONG, -1);
}
