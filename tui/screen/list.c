#include "tui/screen/list.h"

#include <math.h>

enum { COLUMN_LIMIT = 96 };

void list_resize(struct list *list, size_t count) {
    list->count = count;
    list_select(list, list->cursor);
}

void list_select(struct list *list, size_t row) {
    list->cursor = row < list->count ? row : list->count > 0 ? list->count - 1 : 0;
}

/* Rows that a movement goes back (negative) or on. */
static long long distance(const struct list *list, enum action action) {
    long long page = list->height > 1 ? (long long)list->height - 1 : 1;
    switch (action) {
    case ACTION_UP:
        return -1;
    case ACTION_DOWN:
        return 1;
    case ACTION_PAGE_UP:
        return -page;
    case ACTION_PAGE_DOWN:
        return page;
    case ACTION_HALF_UP:
        return -(page + 1) / 2;
    case ACTION_HALF_DOWN:
        return (page + 1) / 2;
    case ACTION_FIRST:
        return -(long long)list->cursor;
    case ACTION_LAST:
        return (long long)list->count;
    default:
        return 0;
    }
}

bool list_move(struct list *list, enum action action) {
    if (action < ACTION_UP || action > ACTION_LAST)
        return false;
    long long target = (long long)list->cursor + distance(list, action);
    list_select(list, target > 0 ? (size_t)target : 0);
    return true;
}

const char *list_position(const struct list *list, char text[TEXT_ROOM]) {
    snprintf(text, TEXT_ROOM, "%zu/%zu", list->count > 0 ? list->cursor + 1 : 0, list->count);
    return text;
}

size_t list_find(const struct list *list, size_t start, int step,
                 bool (*matches)(void *context, size_t row), void *context) {
    size_t row = start;
    for (size_t i = 0; i < list->count; i++) {
        row = step > 0 ? (row + 1) % list->count : (row + list->count - 1) % list->count;
        if (matches(context, row))
            return row;
    }
    return list->count;
}

/* Keeps the selected row in sight. */
static void scroll(struct list *list, int height) {
    list->height = height > 0 ? (size_t)height : 0;
    if (list->cursor < list->top)
        list->top = list->cursor;
    if (list->height > 0 && list->cursor >= list->top + list->height)
        list->top = list->cursor - list->height + 1;
    size_t last = list->count > list->height ? list->count - list->height : 0;
    if (list->top > last)
        list->top = last;
}

static void draw_cell(struct surface *surface, int row, int col, int width, bool right,
                      const struct list_cell *cell) {
    if (!isnan(cell->bar))
        surface_bar(surface, row, col, width, cell->style, cell->bar);
    else if (right)
        surface_right(surface, row, col, width, cell->style, cell->text);
    else
        surface_text(surface, row, col, width, cell->style, cell->text);
}

/* The title of the column that sorts stands out, with a mark in the gap behind it. */
static void draw_sort_mark(const struct list *list, struct surface *surface, int row, int col,
                           int width, const struct column *column) {
    int title = text_width(column->title);
    int left = column->right && title < width ? col + width - title : col;
    int behind = left + (title < width ? title : width);
    bool last = behind >= list->rect.col + list->rect.width;
    surface_highlight(surface, row, left, behind - left, STYLE_REVERSE);
    surface_text(surface, row, last ? left - 1 : behind, 1, ELEMENT_MARK,
                 list->down ? theme_glyphs()->down : theme_glyphs()->up);
}

/* Part of the selected row. A bar is left as it is: in reverse its filled part would be empty. */
static void highlight_cell(struct surface *surface, struct rect rect, int row, int col, int width,
                           bool focus, const struct list_cell *cell) {
    int end = rect.col + rect.width;
    if (isnan(cell->bar))
        surface_highlight(surface, row, col, col + width < end ? width : end - col,
                          focus ? STYLE_REVERSE : STYLE_BOLD);
}

void list_draw(struct list *list, struct surface *surface, struct rect rect,
               const struct column *columns, size_t column_count, bool focus, list_fill *fill,
               void *context) {
    int widths[COLUMN_LIMIT];
    layout_columns(columns, column_count, rect.width, widths);
    list->rect = rect;
    scroll(list, rect.height - 1);
    for (int line = 0; line < rect.height; line++) {
        size_t row = list->top + (size_t)line - 1;
        int col = rect.col;
        for (size_t c = 0; c < column_count && (line == 0 || row < list->count); c++) {
            unsigned title = focus ? ELEMENT_FOCUS : ELEMENT_HEADER;
            struct list_cell cell = {.style = columns[c].style ? columns[c].style : title,
                                     .bar = NAN};
            if (widths[c] == 0)
                continue;
            if (line == 0)
                snprintf(cell.text, sizeof cell.text, "%s", columns[c].title);
            else
                cell.style = ELEMENT_TEXT, fill(context, row, columns[c].id, widths[c], &cell);
            draw_cell(surface, rect.row + line, col, widths[c], columns[c].right, &cell);
            if (line == 0 && list->sorted == c + 1)
                draw_sort_mark(list, surface, rect.row, col, widths[c], &columns[c]);
            if (line > 0 && row == list->cursor)
                highlight_cell(surface, rect, rect.row + line, col,
                               c + 1 < column_count ? widths[c] + 1 : rect.width, focus, &cell);
            col += widths[c] + 1;
        }
    }
}

size_t list_title_at(const struct list *list, const struct column *columns, size_t column_count,
                     int line, int col) {
    int widths[COLUMN_LIMIT], left = list->rect.col;
    if (line != list->rect.row || list->rect.height == 0)
        return column_count;
    layout_columns(columns, column_count, list->rect.width, widths);
    for (size_t c = 0; c < column_count; c++) {
        if (widths[c] > 0 && col >= left && col < left + widths[c])
            return c;
        left += widths[c] > 0 ? widths[c] + 1 : 0;
    }
    return column_count;
}

size_t list_row_at(const struct list *list, int line, int col) {
    const struct rect *rect = &list->rect;
    size_t row = list->top + (size_t)(line - rect->row - 1);
    bool inside = line > rect->row && line < rect->row + rect->height && col >= rect->col &&
                  col < rect->col + rect->width;
    return inside && row < list->count ? row : list->count;
}
