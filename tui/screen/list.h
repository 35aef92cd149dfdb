/* A table to walk through: which row is selected and which rows are seen, and its drawing. What
 * the rows hold stays with the view, which fills one cell at a time. */
#ifndef R2M_TUI_SCREEN_LIST_H
#define R2M_TUI_SCREEN_LIST_H

#include "tui/screen/keys.h"
#include "tui/terminal/surface.h"

struct list {
    size_t count;     /* rows */
    size_t cursor;    /* selected one; 0 when count is 0 */
    size_t top;       /* first row seen */
    size_t height;    /* rows seen at the last drawing */
    struct rect rect; /* where that was, header included */
    size_t sorted;    /* the column that the rows are in the order of, from 1; 0: none */
    bool down;        /* the greatest first */
};

/* The number of rows changed. */
void list_resize(struct list *list, size_t count);

/* Selects a row, clipped to the list. */
void list_select(struct list *list, size_t row);

/* Moves by one of the movement actions; false when it is none. */
bool list_move(struct list *list, enum action action);

/* "3/26", the selected row among all; "0/0" where there is none. */
const char *list_position(const struct list *list, char text[TEXT_ROOM]);

/* The row after (step 1) or before (step -1) start, around the ends, for which matches is true;
 * count when there is none. start itself is looked at last. */
size_t list_find(const struct list *list, size_t start, int step,
                 bool (*matches)(void *context, size_t row), void *context);

/* What stands in one cell; bar in 0..1 draws a bar (NAN: text). */
struct list_cell {
    char text[TEXT_ROOM];
    unsigned style;
    double bar;
};

typedef void list_fill(void *context, size_t row, int column_id, int width, struct list_cell *cell);

/* Header and rows over rect; the selected row is reversed (underlined by position only when the
 * pane does not take the keys: focus false dims it). */
void list_draw(struct list *list, struct surface *surface, struct rect rect,
               const struct column *columns, size_t column_count, bool focus, list_fill *fill,
               void *context);

/* The column whose title is drawn at that line and column of the screen, or column_count. */
size_t list_title_at(const struct list *list, const struct column *columns, size_t column_count,
                     int line, int col);

/* The row drawn at that line and column of the screen, or count. */
size_t list_row_at(const struct list *list, int line, int col);

#endif
