#include "tui/terminal/layout.h"

enum {
    SIDE_BY_SIDE = 80, /* columns from which the table has its details beside it */
    WIDE = 150,        /* and from which a panel of values is shown */
    TABLE_NARROW = 37, /* below 100 columns */
    TABLE_LIMIT = 96,
    VALUES_WIDTH = 34,
    VALUE_ROWS = 16,
    BAR_ROWS_LIMIT = 9, /* header and eight specialists */
    PLOT_MIN_HEIGHT = 5
};

static int at_least(int value, int minimum) {
    return value > minimum ? value : minimum;
}

static int at_most(int value, int maximum) {
    return value < maximum ? value : maximum;
}

struct frame_layout layout_frame(int width, int height) {
    struct frame_layout layout = {.too_small =
                                      width < SCREEN_MIN_WIDTH || height < SCREEN_MIN_HEIGHT};
    if (layout.too_small)
        return layout;
    layout.title = (struct rect){0, 0, 1, width};
    layout.body = (struct rect){1, 0, height - 3, width};
    layout.status = (struct rect){height - 2, 0, 1, width};
    layout.footer = (struct rect){height - 1, 0, 1, width};
    return layout;
}

/* Spectrum above, bars below; on wide screens values beside the bars. */
static void split_details(struct layers_layout *layout, struct rect side, size_t specialists,
                          bool wide) {
    int wanted = at_most((int)specialists + 1, BAR_ROWS_LIMIT);
    int bars = at_most(wanted, at_least(side.height - PLOT_MIN_HEIGHT, 2));
    if (wide)
        bars = at_least(bars, at_most(VALUE_ROWS, side.height / 3));
    layout->spectrum = (struct rect){side.row, side.col, side.height - bars, side.width};
    layout->bars = (struct rect){side.row + side.height - bars, side.col, bars, side.width};
    if (wide) {
        layout->values = layout->bars;
        layout->bars.width -= VALUES_WIDTH + 2;
        layout->values.col += layout->bars.width + 2;
        layout->values.width = VALUES_WIDTH;
    }
}

struct layers_layout layout_layers(struct rect body, size_t specialists) {
    struct layers_layout layout = {.border_col = -1, .border_row = -1};
    if (body.width >= SIDE_BY_SIDE) {
        int share = body.width >= WIDE ? 48 : 42; /* per cent */
        int table = at_most(at_least(TABLE_NARROW, body.width * share / 100), TABLE_LIMIT);
        if (body.width < 100)
            table = TABLE_NARROW;
        struct rect side = {body.row, table + 1, body.height, body.width - table - 1};
        layout.table = (struct rect){body.row, 0, body.height, table};
        layout.border_col = table;
        split_details(&layout, side, specialists, body.width >= WIDE);
        return layout;
    }
    int table = at_least(body.height * 2 / 5, 4);
    struct rect below = {body.row + table + 1, 0, body.height - table - 1, body.width};
    layout.table = (struct rect){body.row, 0, table, body.width};
    layout.border_row = body.row + table;
    split_details(&layout, below, specialists, false);
    return layout;
}

struct pair_layout layout_pair(struct rect body, int list_width) {
    if (body.width < list_width + 30)
        return layout_stack(body, body.height / 2);
    struct pair_layout layout = {.border_col = list_width, .border_row = -1};
    layout.list = (struct rect){body.row, 0, body.height, list_width};
    layout.detail =
        (struct rect){body.row, list_width + 2, body.height, body.width - list_width - 2};
    return layout;
}

struct pair_layout layout_stack(struct rect body, int list_height) {
    struct pair_layout layout = {.border_col = -1};
    int height = at_most(list_height, body.height - 2);
    layout.list = (struct rect){body.row, body.col, height, body.width};
    layout.border_row = body.row + height;
    layout.detail =
        (struct rect){body.row + height + 1, body.col, body.height - height - 1, body.width};
    return layout;
}

static int columns_total(const int *widths, size_t count) {
    int total = 0;
    for (size_t i = 0; i < count; i++)
        total += widths[i] > 0 ? widths[i] + 1 : 0;
    return total - 1;
}

void layout_columns(const struct column *columns, size_t count, int width, int *widths) {
    for (size_t i = 0; i < count; i++)
        widths[i] = columns[i].width;
    while (columns_total(widths, count) > width) {
        size_t drop = count;
        for (size_t i = 0; i < count; i++) {
            bool worse = drop == count || columns[i].priority >= columns[drop].priority;
            if (widths[i] > 0 && columns[i].priority > 0 && worse)
                drop = i;
        }
        if (drop == count)
            break;
        widths[drop] = 0;
    }
    for (size_t i = 0; i < count; i++) {
        int spare = width - columns_total(widths, count);
        if (widths[i] > 0 && columns[i].stretch > widths[i] && spare > 0)
            widths[i] = at_most(columns[i].stretch, widths[i] + spare);
    }
}
