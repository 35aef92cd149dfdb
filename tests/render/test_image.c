/* PNG figures, judged by their pixels: decoded again by libpng. */
#include "analysis/support/memory.h"
#include "merge/version.h"
#include "render/canvas.h"
#include "render/image.h"
#include "tests/scratch.h"

#include <math.h>
#include <png.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support.h"

struct picture {
    size_t width, height;
    unsigned char *rgb;
};

static struct picture decode(const unsigned char *bytes, size_t size) {
    png_image image = {.version = PNG_IMAGE_VERSION};
    assert_true(png_image_begin_read_from_memory(&image, bytes, size));
    image.format = PNG_FORMAT_RGB;
    struct picture picture = {image.width, image.height, memory_array(PNG_IMAGE_SIZE(image), 1)};
    assert_true(png_image_finish_read(&image, NULL, picture.rgb, 0, NULL));
    return picture;
}

static struct picture drawn(const struct chart *chart, const struct image_options *options) {
    unsigned char *bytes;
    size_t size;
    struct error error = {0};
    assert_true(image_bytes(chart, options, &bytes, &size, &error));
    struct picture picture = decode(bytes, size);
    free(bytes);
    return picture;
}

static struct rgb pixel(const struct picture *picture, size_t x, size_t y) {
    const unsigned char *at = picture->rgb + 3 * (y * picture->width + x);
    return (struct rgb){at[0], at[1], at[2]};
}

static bool is_colour(struct rgb one, struct rgb other) {
    return one.red == other.red && one.green == other.green && one.blue == other.blue;
}

static bool is_white(struct rgb colour) {
    return is_colour(colour, (struct rgb){255, 255, 255});
}

static bool is_dark(struct rgb colour) {
    return colour.red < 0x60 && colour.green < 0x60 && colour.blue < 0x60;
}

/* The plot's frame: the longest dark rows and columns. */
struct frame {
    size_t left, right, top, bottom;
};

static size_t dark_run(const struct picture *picture, size_t at, bool row) {
    size_t count = 0, length = row ? picture->width : picture->height;
    for (size_t i = 0; i < length; i++)
        count += is_dark(row ? pixel(picture, i, at) : pixel(picture, at, i));
    return count;
}

static struct frame find_frame(const struct picture *picture) {
    struct frame frame = {picture->width, 0, picture->height, 0};
    for (size_t y = 0; y < picture->height; y++)
        if (dark_run(picture, y, true) > picture->width * 6 / 10) {
            frame.top = y < frame.top ? y : frame.top;
            frame.bottom = y;
        }
    for (size_t x = 0; x < picture->width; x++)
        if (dark_run(picture, x, false) > picture->height * 4 / 10) {
            frame.left = x < frame.left ? x : frame.left;
            frame.right = x;
        }
    assert_true(frame.left < frame.right && frame.top < frame.bottom);
    return frame;
}

static struct chart *line_chart(size_t curves, double (*value)(size_t curve, size_t index),
                                size_t points, const char *name) {
    struct chart *chart = chart_create("A title");
    chart->x.scale = chart->y.scale = CHART_LOG;
    chart->x.label = memory_string("index");
    chart->y.label = memory_string("value");
    for (size_t c = 0; c < curves; c++) {
        struct chart_curve *curve = chart_add_curve(chart, name, CHART_SPECIALIST + (int)c, points);
        for (size_t k = 0; k < points; k++) {
            curve->x[k] = (double)(k + 1);
            curve->y[k] = value(c, k);
        }
    }
    chart_fit(chart);
    return chart;
}

static double power_law(size_t curve, size_t index) {
    return (double)(curve + 1) / (double)(index + 1);
}

static double zero(size_t curve, size_t index) {
    return 0 * (double)(curve + index);
}

static double ten_orders(size_t curve, size_t index) {
    return pow(10, -10 * (double)index / 99) * (double)(curve + 1);
}

/* Rows of the frame's inside in which column x shows the colour: first and last. */
static bool colour_rows(const struct picture *picture, struct frame frame, size_t x,
                        struct rgb colour, double *centre) {
    size_t first = 0, last = 0;
    for (size_t y = frame.top + 4; y < frame.bottom - 3; y++)
        if (is_colour(pixel(picture, x, y), colour)) {
            first = first == 0 ? y : first;
            last = y;
        }
    *centre = (double)(first + last) / 2;
    return first > 0;
}

static void curves_pass_through_their_points(void **state) {
    (void)state;
    struct chart *chart = line_chart(1, power_law, 100, "c");
    struct image_options options = image_options_default();
    struct picture picture = drawn(chart, &options);
    struct frame frame = find_frame(&picture);
    assert_int_equal(picture.width, 1920);
    assert_int_equal(picture.height, 1200);
    for (double index = 2; index <= 64; index *= 2) {
        double across = chart_position(&chart->x, index);
        double down = 1 - chart_position(&chart->y, 1 / index), centre;
        size_t x = frame.left + (size_t)lround(across * (double)(frame.right - frame.left));
        assert_true(colour_rows(&picture, frame, x, palette_colour(CHART_SPECIALIST), &centre));
        assert_close(centre, (double)frame.top + down * (double)(frame.bottom - frame.top), 4);
    }
    free(picture.rgb);
    chart_free(chart);
}

static size_t count_colour(const struct picture *picture, struct rgb colour, size_t top,
                           size_t bottom) {
    size_t count = 0;
    for (size_t y = top; y < bottom; y++)
        for (size_t x = 0; x < picture->width; x++)
            count += is_colour(pixel(picture, x, y), colour);
    return count;
}

static void legend_and_curves_share_their_colours(void **state) {
    (void)state;
    struct chart *chart = line_chart(4, power_law, 100, "specialist");
    struct image_options options = image_options_default();
    struct picture picture = drawn(chart, &options);
    struct frame frame = find_frame(&picture);
    for (int s = 0; s < 4; s++) {
        struct rgb colour = palette_colour(CHART_SPECIALIST + s);
        assert_true(count_colour(&picture, colour, 0, frame.top) > 50);
        assert_true(count_colour(&picture, colour, frame.top, frame.bottom) > 500);
        assert_int_equal(count_colour(&picture, colour, frame.bottom, picture.height), 0);
    }
    free(picture.rgb);
    chart_free(chart);
}

/* Nothing is drawn on the outermost pixels: no text runs off the canvas. */
static void check_border(const struct chart *chart, double width, double height) {
    struct image_options options = image_options_default();
    options.width_inches = width;
    options.height_inches = height;
    options.dpi = 100;
    struct picture picture = drawn(chart, &options);
    for (size_t x = 0; x < picture.width; x++)
        assert_true(is_white(pixel(&picture, x, 1)) &&
                    is_white(pixel(&picture, x, picture.height - 2)));
    for (size_t y = 0; y < picture.height; y++)
        assert_true(is_white(pixel(&picture, 1, y)) &&
                    is_white(pixel(&picture, picture.width - 2, y)));
    free(picture.rgb);
}

static struct chart *bar_chart(size_t categories, const char *name) {
    struct chart *chart = chart_create(name);
    chart_set_bars(chart, categories, 3, true);
    chart->x.label = memory_string(name);
    chart->y.label = memory_string(name);
    for (size_t c = 0; c < categories; c++) {
        chart->bars.categories[c] = memory_string(name);
        for (size_t s = 0; s < 3; s++)
            chart->bars.values[c * 3 + s] = 0.2 * (double)s - 0.1;
    }
    for (size_t s = 0; s < 3; s++) {
        chart->bars.names[s] = memory_string(name);
        chart->bars.colours[s] = CHART_SPECIALIST + (int)s;
    }
    chart_fit(chart);
    return chart;
}

static void everything_stays_inside(void **state) {
    (void)state;
    char name[201];
    memset(name, 'W', 200);
    name[200] = '\0';
    double (*const values[])(size_t, size_t) = {power_law, zero, ten_orders};
    for (size_t curves = 1; curves <= 12; curves += 11)
        for (size_t v = 0; v < 3; v++)
            for (size_t points = 1; points <= 100; points += 99) {
                struct chart *chart = line_chart(curves, values[v], points, name);
                free(chart->title);
                chart->title = memory_string(name);
                check_border(chart, 6.4, 4);
                check_border(chart, 3, 2);
                chart_free(chart);
            }
    for (size_t categories = 1; categories <= 2000; categories *= 12) {
        struct chart *chart = bar_chart(categories, name);
        check_border(chart, 6.4, 4);
        chart_free(chart);
    }
}

static const unsigned char *find_chunk(const unsigned char *bytes, size_t size, const char *type) {
    for (size_t at = 8; at + 12 <= size;) {
        size_t length = (size_t)bytes[at] << 24 | (size_t)bytes[at + 1] << 16 |
                        (size_t)bytes[at + 2] << 8 | bytes[at + 3];
        if (memcmp(bytes + at + 4, type, 4) == 0)
            return bytes + at + 8;
        at += 12 + length;
    }
    return NULL;
}

static void chunks_tell_where_it_came_from(void **state) {
    (void)state;
    struct chart *chart = line_chart(1, power_law, 10, "c");
    struct image_options options = image_options_default();
    const char *const text[] = {"r2m.config", "{\"r2m\": 1}", NULL};
    unsigned char *bytes, *again;
    size_t size, size_again;
    struct error error = {0};
    options.text = text;
    assert_true(image_bytes(chart, &options, &bytes, &size, &error));
    const unsigned char *density = find_chunk(bytes, size, "pHYs");
    assert_non_null(density);
    assert_int_equal(density[2] << 8 | density[3], 11811); /* 300 DPI in dots a metre */
    assert_non_null(find_chunk(bytes, size, "sRGB"));
    const unsigned char *software = find_chunk(bytes, size, "tEXt");
    assert_memory_equal(software, "Software\0r2m " R2M_VERSION, 13 + strlen(R2M_VERSION));
    assert_non_null(memmem(bytes, size, "r2m.config\0{\"r2m\": 1}", 21));
    assert_true(image_bytes(chart, &options, &again, &size_again, &error));
    assert_int_equal(size, size_again);
    assert_memory_equal(bytes, again, size);
    free(bytes);
    free(again);
    chart_free(chart);
}

static void text_that_is_not_ascii_is_utf8(void **state) {
    (void)state;
    struct chart *chart = line_chart(1, power_law, 10, "c");
    struct image_options options = image_options_default();
    const char *const text[] = {"r2m.config", "{\"base\": \"maß\"}", NULL};
    unsigned char *bytes;
    size_t size;
    struct error error = {0};
    options.text = text;
    assert_true(image_bytes(chart, &options, &bytes, &size, &error));
    const unsigned char *chunk = find_chunk(bytes, size, "iTXt");
    assert_non_null(chunk); /* key, 0, not compressed, method, language, 0, key again, 0, text */
    assert_memory_equal(chunk, "r2m.config\0\0\0\0", 14);
    assert_non_null(memmem(chunk, 60, text[1], strlen(text[1])));
    free(bytes);
    chart_free(chart);
}

static void sizes_have_limits(void **state) {
    (void)state;
    struct chart *chart = line_chart(1, power_law, 10, "c");
    static const double widths[] = {0, -1, 0.1, 1e6, NAN};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        struct image_options options = image_options_default();
        unsigned char *bytes;
        size_t size;
        struct error error = {0};
        options.width_inches = widths[i];
        assert_false(image_bytes(chart, &options, &bytes, &size, &error));
        assert_int_equal(error.kind, ERROR_USAGE);
        error_free(&error);
    }
    chart_free(chart);
}

static void files_are_not_replaced_unasked(void **state) {
    (void)state;
    struct scratch scratch = scratch_make();
    struct chart *chart = line_chart(1, power_law, 10, "c");
    struct image_options options = image_options_default();
    struct error error = {0};
    char *path = scratch_write(&scratch, "a.png", "mine", 4);
    size_t length;
    assert_false(image_write(chart, &options, path, false, &error));
    unsigned char *kept = scratch_read(path, &length);
    assert_int_equal(length, 4);
    free(kept);
    error_free(&error);
    assert_true(image_write(chart, &options, path, true, &error));
    assert_int_equal(scratch_count(&scratch), 1);
    chart_free(chart);
    scratch_remove(&scratch);
}

/* Four cells side by side over four below: every colour covers its eighth of the plot, left to
 * right, and the colour bar shows the first one at its lower end and the last one at its upper. */
static void map_cells_have_the_colours_of_the_bar(void **state) {
    (void)state;
    struct chart *chart = chart_create("map");
    chart_set_map(chart, 2, 4, "value");
    for (size_t i = 0; i < 8; i++)
        chart->map.values[i] = (double)i;
    for (size_t i = 0; i < 4; i++)
        chart->map.columns[i] = memory_string("c");
    chart->map.rows[0] = memory_string("upper");
    chart->map.rows[1] = memory_string("lower");
    chart_fit(chart);
    struct image_options options = image_options_default();
    options.dpi = 100;
    struct picture picture = drawn(chart, &options);
    double centre[8] = {0}, area[8] = {0};
    size_t bar_low = 0, bar_high = picture.height;
    for (size_t y = 0; y < picture.height; y++)
        for (size_t x = 0; x < picture.width; x++)
            for (size_t i = 0; i < 8; i++)
                if (is_colour(pixel(&picture, x, y), colour_map(CHART_SEQUENTIAL, (double)i / 7))) {
                    area[i]++;
                    centre[i] += (double)x;
                }
    for (size_t i = 1; i < 7; i++) {
        centre[i] /= area[i];
        assert_close(area[i] / area[1], 1, 0.05); /* numbers cover about as much of each */
        if (i > 1 && i != 4)
            assert_true(centre[i] > centre[i - 1] + 50);
    }
    struct rgb first = colour_map(CHART_SEQUENTIAL, 0.5 / 96),
               last = colour_map(CHART_SEQUENTIAL, 95.5 / 96);
    for (size_t y = 0; y < picture.height; y++)
        for (size_t x = picture.width * 3 / 4; x < picture.width; x++) {
            if (is_colour(pixel(&picture, x, y), first))
                bar_low = y;
            if (is_colour(pixel(&picture, x, y), last) && y < bar_high)
                bar_high = y;
        }
    assert_true(bar_low > bar_high + picture.height / 3);
    free(picture.rgb);
    chart_free(chart);
}

/* Columns of the picture that begin a tall dark line: both sides of the plot, both of the bar. */
static size_t upright_lines(const struct picture *picture, size_t *at, size_t limit) {
    size_t count = 0;
    bool before = false;
    for (size_t x = 0; x < picture->width; x++) {
        bool dark = dark_run(picture, x, false) > picture->height * 4 / 10;
        if (dark && !before && count < limit)
            at[count++] = x;
        before = dark;
    }
    return count;
}

static void assert_near_colour(struct rgb one, struct rgb other, int tolerance) {
    assert_true(abs(one.red - other.red) <= tolerance);
    assert_true(abs(one.green - other.green) <= tolerance);
    assert_true(abs(one.blue - other.blue) <= tolerance);
}

/* Every cell lies where its row and column say, in the colour that the bar has at its value. */
static void cells_agree_with_the_colour_bar(void **state) {
    (void)state;
    enum { ROWS = 3, COLUMNS = 5 };
    struct chart *chart = chart_create("map");
    chart_set_map(chart, ROWS, COLUMNS, "value");
    chart->map.minimum = 0; /* values from the middle on: no dark cells, which look like lines */
    chart->map.maximum = 200;
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        chart->map.values[i] = 110 + (double)(i * 7 % 15) * 6;
    for (size_t i = 0; i < COLUMNS; i++)
        chart->map.columns[i] = memory_string("c");
    for (size_t i = 0; i < ROWS; i++)
        chart->map.rows[i] = memory_string("r");
    chart_fit(chart);
    struct image_options options = image_options_default();
    options.dpi = 200;
    struct picture picture = drawn(chart, &options);
    struct frame frame = find_frame(&picture);
    size_t lines[5];
    assert_int_equal(upright_lines(&picture, lines, 5), 4);
    double width = (double)(lines[1] - lines[0]), height = (double)(frame.bottom - frame.top);
    for (size_t i = 0; i < ROWS * COLUMNS; i++) {
        double column = (double)(i % COLUMNS), row = (double)(i / COLUMNS);
        double position = chart->map.values[i] / 200;
        size_t bar_y = frame.bottom - (size_t)(position * height);
        struct rgb bar = pixel(&picture, (lines[2] + lines[3]) / 2, bar_y);
        assert_near_colour(bar, colour_map(CHART_SEQUENTIAL, position), 8);
        for (int corner = 0; corner < 4; corner++) {
            double x = column + (corner % 2 ? 0.96 : 0.04), y = row + (corner / 2 ? 0.95 : 0.05);
            struct rgb cell = pixel(&picture, lines[0] + (size_t)(x / COLUMNS * width),
                                    frame.top + (size_t)(y / ROWS * height));
            assert_near_colour(cell, colour_map(CHART_SEQUENTIAL, position), 0);
        }
    }
    free(picture.rgb);
    chart_free(chart);
}

static void a_cell_without_value_has_no_colour_of_the_map(void **state) {
    (void)state;
    struct chart *chart = chart_create("map");
    chart_set_map(chart, 1, 1, "value");
    chart->map.values[0] = NAN;
    chart->map.columns[0] = memory_string("c");
    chart->map.rows[0] = memory_string("r");
    chart_fit(chart);
    struct image_options options = image_options_default();
    options.dpi = 100;
    struct picture picture = drawn(chart, &options);
    struct rgb colour = pixel(&picture, picture.width / 4, picture.height / 4);
    assert_true(colour.red == colour.green && colour.green == colour.blue && !is_white(colour));
    free(picture.rgb);
    chart_free(chart);
}

/* Linear light of a channel (sRGB). */
static double light(unsigned char channel) {
    double part = channel / 255.0;
    return part <= 0.04045 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4);
}

/* CIE lightness, 0 to 100, as an eye takes the colour whose cones mix red and green light by these
 * weights. */
static double lightness(struct rgb colour, const double *cones) {
    double y = cones[0] * light(colour.red) + cones[1] * light(colour.green) +
               cones[2] * light(colour.blue);
    return y > 216.0 / 24389 ? 116 * cbrt(y) - 16 : y * 24389 / 27;
}

/* In grey (NO_COLOR, paper) and to dichromats, whose red and green become one value (Vienot,
 * Brettel and Mollon 1999), maps grow in lightness without a step back, evenly to ordinary eyes. */
static void maps_grow_in_lightness(void **state) {
    (void)state;
    static const double eyes[][3] = {
        {0.2126, 0.7152, 0.0722}, /* ordinary */
        {0.1043, 0.8234, 0.0722}, /* protanope: 0.9278 of 0.11238 red and 0.88762 green */
        {0.2716, 0.6562, 0.0722}, /* deuteranope: 0.29275 and 0.70725 */
    };
    for (int map = CHART_SEQUENTIAL; map <= CHART_DIVERGING; map++)
        for (size_t eye = 0; eye < 3; eye++) {
            double first = lightness(colour_map((enum chart_colours)map, 0), eyes[eye]);
            double last = lightness(colour_map((enum chart_colours)map, 1), eyes[eye]);
            assert_true(last - first > 70);
            for (int i = 1; i <= 20; i++) {
                double step =
                    lightness(colour_map((enum chart_colours)map, i / 20.0), eyes[eye]) -
                    lightness(colour_map((enum chart_colours)map, (i - 1) / 20.0), eyes[eye]);
                assert_true(step > 0.5 * (last - first) / 20 && step < 1.6 * (last - first) / 20);
            }
        }
}

/* Zero has no hue; equal distances from it are told apart by hue and, in grey, by lightness. */
static void the_ends_of_the_diverging_map_are_told_apart(void **state) {
    (void)state;
    static const double grey[] = {0.2126, 0.7152, 0.0722};
    struct rgb zero = colour_map(CHART_DIVERGING, 0.5);
    assert_true(zero.red == zero.green && zero.green == zero.blue);
    for (int i = 1; i <= 10; i++) {
        struct rgb below = colour_map(CHART_DIVERGING, 0.5 - i / 20.0);
        struct rgb above = colour_map(CHART_DIVERGING, 0.5 + i / 20.0);
        assert_true(below.blue > below.red && above.red > above.blue);
        assert_true(lightness(above, grey) - lightness(below, grey) > 7 * i);
    }
    assert_true(is_colour(colour_map(CHART_DIVERGING, -1), colour_map(CHART_DIVERGING, 0)));
    assert_true(is_colour(colour_map(CHART_DIVERGING, 9), colour_map(CHART_DIVERGING, 1)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_cells_have_the_colours_of_the_bar),
        cmocka_unit_test(cells_agree_with_the_colour_bar),
        cmocka_unit_test(a_cell_without_value_has_no_colour_of_the_map),
        cmocka_unit_test(maps_grow_in_lightness),
        cmocka_unit_test(the_ends_of_the_diverging_map_are_told_apart),
        cmocka_unit_test(curves_pass_through_their_points),
        cmocka_unit_test(legend_and_curves_share_their_colours),
        cmocka_unit_test(everything_stays_inside),
        cmocka_unit_test(chunks_tell_where_it_came_from),
        cmocka_unit_test(text_that_is_not_ascii_is_utf8),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(files_are_not_replaced_unasked),
    };
    return cmocka_run_group_tests_name("image", tests, NULL, NULL);
}
