/* A canvas that only writes down what it is asked to draw, with the boxes of all texts.
 *
 *     struct recorder recorder = recorder_of_page(page, 461, 288);
 *     recorder_check_texts(&recorder);
 *     recorder_end(&recorder); */
#ifndef R2M_TESTS_RECORDER_H
#define R2M_TESTS_RECORDER_H

#include "render/canvas.h"
#include "render/page.h"

struct area {
    double left, top, right, bottom;
};

struct drawn_text {
    char *text;
    struct area area;
    struct point baseline;
    bool upright;
};

struct drawn_line {
    struct point *points;
    size_t count;
    const double *dash;
    struct rgb colour;
    struct area clip; /* nothing is seen outside */
};

struct drawn_box {
    struct area area;
    struct rgb colour;
    double opacity;
};

struct recorder {
    struct canvas canvas; /* first: a canvas is one */
    struct drawn_text *texts;
    struct drawn_line *lines;
    struct drawn_box *boxes;
    size_t text_count, line_count, box_count;
    struct area clip;
    size_t clips;
};

/* Width and height in points. Coordinates that are no numbers fail the test. */
struct recorder recorder_of_chart(const struct chart *chart, double width, double height);
struct recorder recorder_of_page(const struct page *page, double width, double height);
void recorder_end(struct recorder *recorder);

/* Fails where a text runs off the canvas or touches another. */
void recorder_check_texts(const struct recorder *recorder);

/* How often the text was drawn. */
size_t recorder_count(const struct recorder *recorder, const char *text);

/* The first text that reads so, or NULL. */
const struct drawn_text *recorder_find(const struct recorder *recorder, const char *text);

#endif
