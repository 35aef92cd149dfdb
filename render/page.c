#include "render/page.h"

#include <math.h>
#include <stdlib.h>

struct page *page_create(const char *title) {
    struct page *page = memory_array(1, sizeof *page);
    page->title = memory_string(title);
    page->columns = 1;
    page->width = page->height = 1;
    return page;
}

struct page *page_of_chart(struct chart *chart) {
    struct page *page = page_create(NULL);
    page_add(page, chart);
    return page;
}

void page_add(struct page *page, struct chart *chart) {
    page->charts = memory_resize(page->charts, page->chart_count + 1, sizeof(struct chart *));
    page->charts[page->chart_count++] = chart;
}

void page_add_fact(struct page *page, const char *name, const char *value) {
    page->facts = memory_resize(page->facts, page->fact_count + 1, sizeof *page->facts);
    page->facts[page->fact_count++] = (struct page_fact){memory_string(name), memory_string(value)};
}

void page_set_table(struct page *page, size_t rows, size_t columns) {
    page->table = (struct page_table){rows, columns, memory_array(rows * columns, sizeof(char *))};
}

void page_add_note(struct page *page, char *text) {
    string_list_add(&page->notes, text);
    free(text);
}

#define AROUND_WIDTH 0.5 /* inches that numbers, labels, title and legend take */
#define AROUND_HEIGHT 1.1

void page_set_least(struct page *page, double panel_width, double panel_height) {
    size_t rows = (page->chart_count + page->columns - 1) / page->columns;
    page->least_width = AROUND_WIDTH + panel_width * (double)page->columns;
    page->least_height = AROUND_HEIGHT + panel_height * (double)rows;
}

static void widen(struct chart_axis *axis, const struct chart_axis *other) {
    axis->minimum = fmin(axis->minimum, other->minimum);
    axis->maximum = fmax(axis->maximum, other->maximum);
}

static void limit(struct chart_axis *axis, const struct chart_axis *other) {
    axis->minimum = other->minimum;
    axis->maximum = other->maximum;
}

void page_share_axes(struct page *page) {
    struct chart_axis x = {.minimum = INFINITY, .maximum = -INFINITY}, y = x;
    page->shared = true;
    for (size_t i = 0; i < page->chart_count; i++)
        if (chart_remark(page->charts[i]) == NULL) {
            widen(&x, &page->charts[i]->x);
            widen(&y, &page->charts[i]->y);
        }
    for (size_t i = 0; i < page->chart_count && x.minimum < x.maximum; i++) {
        limit(&page->charts[i]->x, &x);
        limit(&page->charts[i]->y, &y);
    }
}

void page_free(struct page *page) {
    if (page == NULL)
        return;
    for (size_t i = 0; i < page->chart_count; i++)
        chart_free(page->charts[i]);
    for (size_t i = 0; i < page->fact_count; i++) {
        free(page->facts[i].name);
        free(page->facts[i].value);
    }
    for (size_t i = 0; i < page->table.rows * page->table.columns; i++)
        free(page->table.cells[i]);
    free(page->table.cells);
    string_list_free(&page->notes);
    free(page->charts);
    free(page->facts);
    free(page->title);
    free(page->subtitle);
    free(page);
}
