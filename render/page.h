/* A sheet of charts with what all of them have in common: a title, a legend, a table of numbers,
 * notes. One chart alone is a page too, and fills it. */
#ifndef R2M_RENDER_PAGE_H
#define R2M_RENDER_PAGE_H

#include "analysis/support/memory.h"
#include "render/chart.h"

struct page_fact {
    char *name, *value;
};

enum { PAGE_TABLE_COLUMNS = 12 };

struct page_table {
    size_t rows, columns; /* the first row holds the titles; rows 0: there is none */
    char **cells;         /* [rows x columns] */
};

struct page {
    char *title;    /* NULL where the only chart's own will do */
    char *subtitle; /* may be NULL */
    struct chart **charts;
    size_t chart_count, columns; /* row by row */
    bool shared; /* charts have the same axes and series: one legend for all, numbers and labels at
                    the left and below only */
    bool one_legend;         /* the first chart's serves all */
    struct page_fact *facts; /* side by side above the charts */
    size_t fact_count;
    struct page_table table;          /* below the facts */
    struct string_list notes;         /* sentences below the charts */
    double width, height;             /* in sizes of a single figure: 1, 1 at first */
    double least_width, least_height; /* inches that it needs to be read; 0, 0 at first */
};

struct page *page_create(const char *title);

/* The chart alone; the page has it from here. */
struct page *page_of_chart(struct chart *chart);

/* The next chart of the page, which has it from here. */
void page_add(struct page *page, struct chart *chart);

void page_add_fact(struct page *page, const char *name, const char *value);

/* At most PAGE_TABLE_COLUMNS; the cells are to be filled with new strings. */
void page_set_table(struct page *page, size_t rows, size_t columns);

/* The page has the text from here. */
void page_add_note(struct page *page, char *text);

/* Least sizes in which panels of a shared page can be read, inches each. */
void page_set_least(struct page *page, double panel_width, double panel_height);

/* Gives all charts the limits that hold the limits of each that shows something. */
void page_share_axes(struct page *page);

void page_free(struct page *page);

#endif
