#include "tests/recorder.h"

#include "analysis/support/memory.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct recorder *own(struct canvas *canvas) {
    return (struct recorder *)canvas;
}

/* Bold and wide letters count as any other: wider than DejaVu's mean. */
static double text_width(struct canvas *canvas, struct text_style style, const char *text) {
    (void)canvas;
    return 0.62 * style.size * (double)chart_text_width(text);
}

static void text(struct canvas *canvas, double x, double y, struct text_style style,
                 const char *string) {
    struct recorder *recorder = own(canvas);
    double length = text_width(canvas, style, string);
    double start = style.align == TEXT_LEFT ? 0 : style.align == TEXT_RIGHT ? -length : -length / 2;
    struct area level = {x + start, y - 0.73 * style.size, x + start + length,
                         y + 0.2 * style.size};
    struct area upright = {x - 0.73 * style.size, y - start - length, x + 0.2 * style.size,
                           y - start};
    assert_true(isfinite(x) && isfinite(y));
    recorder->texts =
        memory_resize(recorder->texts, recorder->text_count + 1, sizeof *recorder->texts);
    recorder->texts[recorder->text_count++] =
        (struct drawn_text){memory_string(string), style.upright ? upright : level,
                            (struct point){x, y}, style.upright};
}

static void polyline(struct canvas *canvas, const struct point *points, size_t count, double width,
                     const double *dash, struct rgb colour) {
    struct recorder *recorder = own(canvas);
    (void)width;
    for (size_t i = 0; i < count; i++)
        assert_true(isfinite(points[i].x) && isfinite(points[i].y));
    struct point *copy = memory_array(count, sizeof *copy);
    memcpy(copy, points, count * sizeof *copy);
    recorder->lines =
        memory_resize(recorder->lines, recorder->line_count + 1, sizeof *recorder->lines);
    recorder->lines[recorder->line_count++] =
        (struct drawn_line){copy, count, dash, colour, recorder->clip};
}

static void rectangle(struct canvas *canvas, double x, double y, double width, double height,
                      struct rgb colour, double opacity) {
    struct recorder *recorder = own(canvas);
    assert_true(isfinite(x) && isfinite(y) && width >= 0 && height >= 0);
    recorder->boxes =
        memory_resize(recorder->boxes, recorder->box_count + 1, sizeof *recorder->boxes);
    recorder->boxes[recorder->box_count++] =
        (struct drawn_box){{x, y, x + width, y + height}, colour, opacity};
}

static void clip(struct canvas *canvas, double x, double y, double width, double height) {
    own(canvas)->clip = (struct area){x, y, x + width, y + height};
    own(canvas)->clips++;
}

static void unclip(struct canvas *canvas) {
    assert_true(own(canvas)->clips-- > 0);
    own(canvas)->clip = (struct area){0, 0, canvas->width, canvas->height};
}

static double snap(struct canvas *canvas, double coordinate) {
    (void)canvas;
    return coordinate;
}

static const struct canvas_ops ops = {polyline, rectangle, text, text_width, clip, unclip, snap};

struct recorder recorder_of_page(const struct page *page, double width, double height) {
    struct recorder recorder = {.canvas = {&ops, width, height}, .clip = {0, 0, width, height}};
    draw_page(&recorder.canvas, page);
    assert_int_equal(recorder.clips, 0);
    return recorder;
}

struct recorder recorder_of_chart(const struct chart *chart, double width, double height) {
    struct chart *charts[] = {(struct chart *)chart};
    struct page page = {.charts = charts, .chart_count = 1, .columns = 1};
    return recorder_of_page(&page, width, height);
}

void recorder_end(struct recorder *recorder) {
    for (size_t i = 0; i < recorder->text_count; i++)
        free(recorder->texts[i].text);
    for (size_t i = 0; i < recorder->line_count; i++)
        free(recorder->lines[i].points);
    free(recorder->texts);
    free(recorder->lines);
    free(recorder->boxes);
}

static bool touch(struct area one, struct area other) {
    return one.left < other.right && other.left < one.right && one.top < other.bottom &&
           other.top < one.bottom;
}

void recorder_check_texts(const struct recorder *recorder) {
    for (size_t i = 0; i < recorder->text_count; i++) {
        struct area area = recorder->texts[i].area;
        if (area.left < 0 || area.top < 0 || area.right > recorder->canvas.width ||
            area.bottom > recorder->canvas.height)
            fail_msg("'%s' runs off the canvas", recorder->texts[i].text);
        for (size_t k = 0; k < i; k++)
            if (touch(area, recorder->texts[k].area))
                fail_msg("'%s' touches '%s'", recorder->texts[i].text, recorder->texts[k].text);
    }
}

size_t recorder_count(const struct recorder *recorder, const char *text_wanted) {
    size_t count = 0;
    for (size_t i = 0; i < recorder->text_count; i++)
        count += strcmp(recorder->texts[i].text, text_wanted) == 0;
    return count;
}

const struct drawn_text *recorder_find(const struct recorder *recorder, const char *text_wanted) {
    for (size_t i = 0; i < recorder->text_count; i++)
        if (strcmp(recorder->texts[i].text, text_wanted) == 0)
            return &recorder->texts[i];
    return NULL;
}
