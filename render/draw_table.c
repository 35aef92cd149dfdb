/* The numbers of a page as text: facts side by side, and a table. */
#include "render/draw.h"
#include "render/page.h"

#include <math.h>

#define SIZE DRAW_TICK_SIZE
#define ROW (SIZE * 1.45)
#define FACT_WIDTH 165.0 /* a column of facts is at least so wide */
#define SPACE 8.0        /* between columns */
#define COLUMN_SPACE 14.0
#define LEAST_NAME 40.0
#define RULE_WIDTH 0.5

/* Text of a cell between left and right, numbers at the right end. */
static void put(const struct drawing *sheet, double left, double right, double y,
                enum text_align align, bool bold, const char *text) {
    struct text_style style = draw_style(SIZE, align);
    char buffer[DRAW_TEXT_ROOM];
    style.bold = bold;
    draw_text(sheet, align == TEXT_RIGHT ? right : left, y, style,
              draw_fitted(sheet, bold ? SIZE * 1.12 : SIZE, text, right - left, buffer));
}

/* Width of the names in a column of facts. */
static double names_width(const struct drawing *sheet, const struct page *page, size_t first,
                          size_t end, double most) {
    double widest = 0;
    for (size_t i = first; i < end && i < page->fact_count; i++)
        widest = fmax(widest, draw_text_width(sheet, SIZE, page->facts[i].name));
    return fmin(widest, most);
}

double draw_facts(const struct drawing *sheet, const struct page *page) {
    const struct box *area = &sheet->area;
    if (page->fact_count == 0)
        return 0;
    size_t columns = (size_t)fmax(floor((area->right - area->left) / FACT_WIDTH), 1);
    size_t rows = (page->fact_count + columns - 1) / columns;
    double width = (area->right - area->left + SPACE) / (double)columns;
    for (size_t column = 0; column < columns; column++) {
        double left = area->left + (double)column * width, right = left + width - SPACE;
        double names = names_width(sheet, page, column * rows, (column + 1) * rows, width * 0.55);
        for (size_t row = 0; row < rows && column * rows + row < page->fact_count; row++) {
            const struct page_fact *fact = &page->facts[column * rows + row];
            double y = area->top + (double)(row + 1) * ROW;
            put(sheet, left, left + names, y, TEXT_LEFT, false, fact->name);
            put(sheet, left + names + SPACE, right, y, TEXT_LEFT, true, fact->value);
        }
    }
    return ((double)rows + 0.8) * ROW;
}

/* Widths of the table's columns: what their texts need; where that is too much, names give way
 * first, then all. */
static void plan_columns(const struct drawing *sheet, const struct page_table *table,
                         double *widths) {
    double room = sheet->area.right - sheet->area.left, sum = 0;
    if (table->columns == 0)
        return;
    for (size_t column = 0; column < table->columns; column++) {
        widths[column] = 0;
        for (size_t row = 0; row < table->rows; row++)
            widths[column] =
                fmax(widths[column],
                     draw_text_width(sheet, SIZE, table->cells[row * table->columns + column]) + 1);
        sum += widths[column] + (column > 0 ? COLUMN_SPACE : 0);
    }
    double names = fmax(fmin(widths[0], widths[0] - (sum - room)), LEAST_NAME);
    double spaces = COLUMN_SPACE * (double)(table->columns - 1);
    sum -= widths[0] - names;
    widths[0] = names;
    for (size_t column = 0; column < table->columns && sum > room; column++)
        widths[column] *= (room - spaces) / (sum - spaces);
}

static void draw_rule(const struct drawing *sheet, double right, double y) {
    double at = sheet->canvas->ops->snap(sheet->canvas, y);
    draw_segment(sheet, (struct point){sheet->area.left, at}, (struct point){right, at}, RULE_WIDTH,
                 NULL, draw_ink);
}

double draw_table(const struct drawing *sheet, const struct page *page) {
    const struct page_table *table = &page->table;
    double widths[PAGE_TABLE_COLUMNS], right = sheet->area.left, y = sheet->area.top;
    if (table->rows == 0)
        return 0;
    plan_columns(sheet, table, widths);
    for (size_t column = 0; column < table->columns; column++) {
        double left = right + (column > 0 ? COLUMN_SPACE : 0);
        right = left + widths[column];
        for (size_t row = 0; row < table->rows; row++)
            put(sheet, left, right, y + (double)(row + 1) * ROW,
                column == 0 ? TEXT_LEFT : TEXT_RIGHT, false,
                table->cells[row * table->columns + column]);
    }
    draw_rule(sheet, right, y + ROW * 1.28);
    return ((double)table->rows + 0.8) * ROW;
}
