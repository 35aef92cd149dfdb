/* A chart as data: axes, curves, bars and marks, with no idea of what draws it. The back ends are
 * cells.h (terminal) and image.h (cairo and libpng); both share ticks, number formats and name
 * shortening from here.
 *
 * A chart holds curves over a continuous x, bars over named categories, or a map of coloured cells,
 * one of them. */
#ifndef R2M_RENDER_CHART_H
#define R2M_RENDER_CHART_H

#include <stdbool.h>
#include <stddef.h>

enum chart_scale { CHART_LINEAR, CHART_LOG };

/* Colours by meaning; the palette proper (Okabe-Ito, readable by colour-blind people) belongs to
 * the back ends. Specialist i uses CHART_SPECIALIST + i, and a dash or letter of its own, so that
 * colour is never the only carrier. Eight hues; pictures go on with darker and lighter ones. */
enum chart_colour { CHART_REAL, CHART_FAKE, CHART_CROSS, CHART_NEUTRAL, CHART_SPECIALIST = 16 };

struct chart_axis {
    char *label; /* with the unit, may be NULL */
    enum chart_scale scale;
    double minimum, maximum; /* minimum < maximum; > 0 on a log scale */
    bool whole;              /* ticks on whole numbers only */
};

struct chart_curve {
    char *name;
    int colour;
    size_t count;
    double *x, *y; /* y NAN: no value at x, where the line is broken */
    double cut;    /* points with x > cut are the discarded tail; INFINITY: none */
    bool selected; /* drawn last and strongest */
    bool marked;   /* a mark at every point, where there are few; a cross at the foot of the chart
                      for one without value */
};

struct chart_line { /* a straight line across the chart */
    bool vertical;  /* at x = value, else at y = value */
    double value;
    char *label; /* "r=102", "GD"; may be NULL */
    int colour;
    bool dotted;
};

struct chart_bars {
    bool stacked; /* else grouped side by side */
    size_t category_count, series_count;
    char **categories; /* names along the axis (layers) */
    char **names;      /* of the series */
    int *colours;      /* of the series */
    double *values;    /* [category_count x series_count]; negative values allowed; NAN: no value,
                          grouped bars have a cross in its place */
};

enum chart_colours { CHART_SEQUENTIAL, CHART_DIVERGING }; /* low to high, or from 0 both ways */

struct chart_map { /* cells whose colour is their value */
    size_t row_count, column_count;
    char **rows, **columns; /* names; the first row is on top */
    double *values;         /* [row_count x column_count]; NAN: no value */
    enum chart_colours colours;
    char *label; /* of the values, with the unit */
    double minimum, maximum;
    int decimals; /* of the numbers in cells */
};

struct chart {
    char *title;
    char *subtitle;         /* numbers that belong to the picture; may be NULL */
    struct chart_axis x, y; /* bars: y is the value axis */
    struct chart_curve *curves;
    size_t curve_count;
    struct chart_line *lines;
    size_t line_count;
    struct chart_bars bars; /* category_count 0: none */
    struct chart_map map;   /* column_count 0: none */
};

struct chart *chart_create(const char *title);
struct chart_curve *chart_add_curve(struct chart *chart, const char *name, int colour,
                                    size_t count);
void chart_add_line(struct chart *chart, bool vertical, double value, const char *label, int colour,
                    bool dotted);
void chart_set_bars(struct chart *chart, size_t categories, size_t series, bool stacked);
void chart_set_map(struct chart *chart, size_t rows, size_t columns, const char *label);
void chart_free(struct chart *chart);

/* Sets min..max of both axes to what the curves or bars need; bars stand at 0.5, 1.5, ... on x. The
 * floor of a log y axis is robust: 0.8 x the value at 98 % of the points, not the smallest. Equal
 * limits are spread. Values of a map keep the range that is set, and get theirs where none is. */
void chart_fit(struct chart *chart);

/* What to say in place of a picture: "nothing to show yet" or "all values are zero"; NULL where
 * there is something to see. */
const char *chart_remark(const struct chart *chart);

/* Position of value on the axis in [0, 1] (outside it beyond the limits; -INFINITY for what a log
 * axis cannot show), and the value at a position. */
double chart_position(const struct chart_axis *axis, double value);
double chart_value(const struct chart_axis *axis, double position);

/* Interpolated y of a curve at x, in the axes' own scales (log-log on log axes); NAN outside and
 * where the line is broken. */
double chart_curve_at(const struct chart *chart, const struct chart_curve *curve, double x);

struct chart_tick {
    double value;
    char label[16]; /* "" for a minor tick */
    bool minor;
};

/* Ticks on round numbers: 1-2-5 steps, decades always on a log axis (equal steps where it covers
 * less than a decade and 1-2-5 would leave it bare); about limit labelled ones at most. *ticks is
 * a new array to free(); returns its length. */
size_t chart_ticks(const struct chart_axis *axis, size_t limit, struct chart_tick **ticks);

/* "0.00123", "1.2e-5", "12345", "1.5e6": digits significant digits, no idle zeros, whole numbers
 * below a million in full; "-" for NAN. At most 15 characters. Returns buffer. */
char *chart_number(double value, int digits, char *buffer, size_t size);

/* Number of UTF-8 characters. */
size_t chart_text_width(const char *text);

/* "blocks.11.attn.in_proj_weight" -> "blocks.11...proj_weight": at most width characters (not
 * bytes), cut in the middle, whole UTF-8 characters; ellipsis "…" or, when ascii, "...". Returns
 * buffer. */
char *chart_shorten(const char *name, size_t width, bool ascii, char *buffer, size_t size);

#endif
