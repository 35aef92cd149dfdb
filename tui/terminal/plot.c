#include "tui/terminal/plot.h"

#include "render/cells.h"

static unsigned cell_style(const struct cell *cell) {
    static const unsigned roles[] = {[CELL_BLANK] = ELEMENT_TEXT,
                                     [CELL_TEXT] = ELEMENT_TEXT,
                                     [CELL_AXIS] = ELEMENT_AXIS,
                                     [CELL_DATA] = ELEMENT_NEUTRAL,
                                     [CELL_MARK] = ELEMENT_QUIET};
    static const unsigned colours[] = {[CHART_REAL] = ELEMENT_REAL,
                                       [CHART_FAKE] = ELEMENT_FAKE,
                                       [CHART_CROSS] = ELEMENT_CROSS,
                                       [CHART_NEUTRAL] = ELEMENT_NEUTRAL};
    static const unsigned weights[] = {
        [CELL_NORMAL] = 0, [CELL_STRONG] = STYLE_BOLD, [CELL_DIM] = STYLE_DIM};
    unsigned style = roles[cell->role];
    if (cell->colour >= CHART_SPECIALIST)
        style = specialist_style((unsigned long)cell->colour - CHART_SPECIALIST);
    else if (cell->colour >= 0 && cell->colour <= CHART_NEUTRAL)
        style = colours[cell->colour];
    return style | weights[cell->weight];
}

void plot_draw(struct surface *surface, struct rect rect, const struct chart *chart) {
    if (rect.width < 1 || rect.height < 1)
        return;
    struct cells *cells = cells_create((size_t)rect.width, (size_t)rect.height);
    cells_draw_chart(cells, chart, (enum cell_glyphs)theme_glyphs()->plot);
    for (int row = 0; row < rect.height; row++)
        for (int col = 0; col < rect.width; col++) {
            const struct cell *cell = &cells->cell[row * rect.width + col];
            const char *glyph = cell->glyph[0] != '\0' ? cell->glyph : " ";
            surface_text(surface, rect.row + row, rect.col + col, 1, cell_style(cell), glyph);
        }
    cells_free(cells);
}
