/* The layout of a page:
 *
 *     title
 *     subtitle
 *     facts and table
 *     legend, where the charts share one
 *     charts in rows
 *     notes                                                                                     */
#include "render/draw.h"
#include "render/page.h"

#include <math.h>

#define PAGE_TITLE 10.5
enum { PARAGRAPH_LINES = 4 };
#define NOTES_SHARE 0.33 /* of what is left of the sheet, at most */
#define GAP 11.0         /* between the columns of a grid with shared axes */
#define ROW_GAP 6.0      /* between its rows */
#define LEAST_PLOT 40.0  /* a chart that is smaller says nothing and is left out */

/* ---- text ---- */

/* Text from y down over the sheet's width; returns its height. */
static double paragraph(const struct drawing *sheet, double y, const char *text, bool draw) {
    struct box room = {sheet->area.left, y, sheet->area.right, y};
    return draw_paragraph(sheet, room, DRAW_TICK_SIZE, PARAGRAPH_LINES, text, draw);
}

/* The first count notes from y down; returns their height. */
static double notes(const struct drawing *sheet, const struct page *page, size_t count, double y,
                    bool draw) {
    double height = 0;
    for (size_t i = 0; i < count; i++)
        height += paragraph(sheet, y + height, page->notes.items[i], draw);
    return height;
}

/* The notes at the bottom of the sheet, as many as leave room for the charts; its area then ends
 * above. */
static void draw_notes(struct drawing *sheet, const struct page *page) {
    double room = (sheet->area.bottom - sheet->area.top) * NOTES_SHARE;
    size_t count = page->notes.count;
    while (count > 0 && notes(sheet, page, count, 0, false) > room)
        count--;
    sheet->area.bottom -= notes(sheet, page, count, 0, false);
    notes(sheet, page, count, sheet->area.bottom, true);
}

/* Title and subtitle at the top of the sheet, whose area then begins below. */
static void draw_top(struct drawing *sheet, const struct page *page) {
    struct box *area = &sheet->area;
    area->top += PAGE_TITLE;
    draw_heading(sheet, (struct point){area->left, area->top}, PAGE_TITLE, area->right - area->left,
                 page->title);
    area->top += PAGE_TITLE * (DRAW_LINE_SPACE - 1);
    if (page->subtitle != NULL)
        area->top += paragraph(sheet, area->top, page->subtitle, true);
}

/* ---- charts ---- */

static size_t row_count(const struct page *page) {
    return (page->chart_count + page->columns - 1) / page->columns;
}

/* Where chart i of the page goes within area. */
static struct box cell_box(const struct page *page, const struct box *area, size_t i, double gap) {
    double width = (area->right - area->left + gap) / (double)page->columns;
    double height = (area->bottom - area->top) / (double)row_count(page);
    double left = area->left + (double)(i % page->columns) * width;
    size_t row = i / page->columns;
    double top = area->top + (double)row * height;
    return (struct box){left, top, left + width - gap, top + height - (gap > 0 ? ROW_GAP : 0)};
}

/* The legend of the first chart for all of them; returns its height. */
static double draw_one_legend(const struct drawing *sheet, const struct page *page) {
    struct drawing first = draw_begin(sheet->canvas, page->charts[0], sheet->area, DRAW_GRID);
    first.plot.left = sheet->area.left;
    double height = 2 + draw_legend(&first, sheet->area.top + 2, true) + 4;
    draw_end(&first);
    return height;
}

/* Charts each with axes of its own. */
static void draw_cells(const struct drawing *sheet, const struct page *page) {
    struct box area = sheet->area;
    enum draw_parts parts = page->one_legend ? DRAW_NO_LEGEND : DRAW_ALL;
    area.top += page->one_legend ? draw_one_legend(sheet, page) : 0;
    area.left -= DRAW_MARGIN; /* a chart has margins of its own */
    area.right += DRAW_MARGIN;
    for (size_t i = 0; i < page->chart_count; i++) {
        struct drawing drawing =
            draw_begin(sheet->canvas, page->charts[i], cell_box(page, &area, i, 0), parts);
        if (drawing.plot.bottom - drawing.plot.top > LEAST_PLOT &&
            drawing.plot.right - drawing.plot.left > LEAST_PLOT)
            draw_panel(&drawing);
        draw_end(&drawing);
    }
}

/* Labels of both axes, once for the whole grid. */
static void draw_grid_labels(const struct drawing *sheet, const struct box *grid,
                             const struct chart *chart) {
    const struct box *area = &sheet->area;
    struct text_style style = draw_style(DRAW_LABEL_SIZE, TEXT_CENTRE);
    char buffer[DRAW_TEXT_ROOM];
    if (chart->x.label != NULL)
        draw_text(
            sheet, (grid->left + grid->right) / 2, area->bottom - DRAW_LABEL_SIZE * 0.3, style,
            draw_fitted(sheet, DRAW_LABEL_SIZE, chart->x.label, grid->right - grid->left, buffer));
    style.upright = true;
    double middle = (grid->top + grid->bottom) / 2;
    double reach = fmin(middle - area->top, area->bottom - middle);
    if (chart->y.label != NULL)
        draw_text(sheet, area->left + DRAW_LABEL_SIZE * 0.8, middle, style,
                  draw_fitted(sheet, DRAW_LABEL_SIZE, chart->y.label, 2 * reach, buffer));
}

/* Charts of the same axes and series: one legend; numbers at the left and below only. */
static void draw_grid(struct drawing *sheet, const struct page *page) {
    struct box grid = sheet->area;
    struct drawing first =
        draw_begin(sheet->canvas, page->charts[0], cell_box(page, &grid, 0, GAP), DRAW_GRID);
    grid.top += draw_one_legend(sheet, page);
    grid.left += DRAW_LABEL_SIZE * 1.6 + draw_numbers_width(&first) + DRAW_TICK_LENGTH + 3;
    grid.right -= DRAW_MARGIN;
    grid.bottom -= DRAW_TICK_SIZE + DRAW_TICK_LENGTH + DRAW_LABEL_SIZE * 1.6 - ROW_GAP;
    draw_end(&first);
    for (size_t i = 0; i < page->chart_count; i++) {
        struct drawing panel =
            draw_begin(sheet->canvas, page->charts[i], cell_box(page, &grid, i, GAP), DRAW_GRID);
        panel.y_numbers = i % page->columns == 0;
        panel.x_numbers = i + page->columns >= page->chart_count;
        draw_panel(&panel);
        draw_end(&panel);
    }
    draw_grid_labels(sheet, &grid, page->charts[0]);
}

void draw_page(struct canvas *canvas, const struct page *page) {
    if (page->title == NULL && page->chart_count == 1) {
        draw_chart(canvas, page->charts[0]);
        return;
    }
    struct drawing sheet = {.canvas = canvas,
                            .area = {DRAW_MARGIN, DRAW_MARGIN, canvas->width - DRAW_MARGIN,
                                     canvas->height - DRAW_MARGIN}};
    draw_background(canvas);
    draw_top(&sheet, page);
    sheet.area.top += draw_facts(&sheet, page);
    sheet.area.top += draw_table(&sheet, page);
    draw_notes(&sheet, page);
    if (page->chart_count == 0)
        return;
    if (page->shared)
        draw_grid(&sheet, page);
    else
        draw_cells(&sheet, page);
}
