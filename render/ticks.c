/* Ticks on round numbers, and numbers and names as short text. */
#include "analysis/support/memory.h"
#include "render/chart.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MANY_DECADES = 4, /* from so many on, only decades are labelled */
    LEAST_DIGITS = 4, /* of a label on a linear axis, */
    MOST_DIGITS = 9   /* which holds 15 characters */
};

static void add_tick(struct chart_tick **ticks, size_t *count, double value, const char *label) {
    *ticks = memory_resize(*ticks, *count + 1, sizeof **ticks);
    struct chart_tick *tick = &(*ticks)[(*count)++];
    tick->value = value;
    tick->minor = label == NULL;
    snprintf(tick->label, sizeof tick->label, "%s", label != NULL ? label : "");
}

/* The smallest of 1, 2, 5 x 10^k that is at least value. */
static double round_up(double value) {
    double decade = pow(10, floor(log10(value)));
    static const double steps[] = {1, 2, 5, 10};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if (steps[i] * decade >= value * (1 - 1e-12))
            return steps[i] * decade;
    return 10 * decade;
}

/* The multiples of step from *first on that lie on the axis. */
static size_t multiples(const struct chart_axis *axis, double step, long *first) {
    *first = (long)ceil(axis->minimum / step - 1e-9);
    long last = (long)floor(axis->maximum / step + 1e-9);
    return last >= *first ? (size_t)(last - *first + 1) : 0;
}

/* Significant digits that tell neighbouring ticks apart. */
static int telling_digits(const struct chart_axis *axis, double step) {
    double largest = fmax(fabs(axis->minimum), fabs(axis->maximum));
    int digits = (int)(floor(log10(largest)) - floor(log10(step) + 1e-9)) + 1;
    return digits < LEAST_DIGITS ? LEAST_DIGITS : digits > MOST_DIGITS ? MOST_DIGITS : digits;
}

static size_t linear_ticks(const struct chart_axis *axis, size_t limit, struct chart_tick **ticks) {
    double least = axis->whole ? 1 : 0, finer;
    double step = round_up((axis->maximum - axis->minimum) / (double)(limit > 1 ? limit - 1 : 1));
    size_t count = 0;
    long first;
    step = fmax(step, least);
    while (multiples(axis, step, &first) < 2 && (finer = round_up(step * 0.4)) >= least &&
           multiples(axis, finer, &first) <= limit)
        step = finer; /* one number alone says little */
    size_t fitting = multiples(axis, step, &first);
    int digits = telling_digits(axis, step);
    for (size_t i = 0; i < fitting && i < limit; i++) {
        char label[16];
        double value = (double)(first + (long)i) * step;
        chart_number(value, digits, label, sizeof label);
        add_tick(ticks, &count, value, label);
    }
    return count;
}

static bool within(const struct chart_axis *axis, double value) {
    return value >= axis->minimum * (1 - 1e-9) && value <= axis->maximum * (1 + 1e-9);
}

/* How many powers of ten the axis shows. */
static int decade_count(const struct chart_axis *axis) {
    return (int)(floor(log10(axis->maximum) + 1e-9) - ceil(log10(axis->minimum) - 1e-9)) + 1;
}

/* Which of 1..9 get a label: all decades; 2 and 5 as well where the axis is short and has room; 5
 * where there would be one label only. */
static const char *labelled_digits(const struct chart_axis *axis, size_t limit) {
    double span = log10(axis->maximum / axis->minimum);
    if (span < MANY_DECADES && 3 * span <= (double)limit)
        return "125";
    return decade_count(axis) < 2 && limit > 1 ? "15" : "1";
}

static size_t labelled_count(const struct chart_tick *ticks, size_t count) {
    size_t labelled = 0;
    for (size_t i = 0; i < count; i++)
        labelled += !ticks[i].minor;
    return labelled;
}

/* Which powers of ten get a label: every stride-th, counted from 1; where that would leave one
 * alone, the first and the last. */
struct labelled_decades {
    int stride, from;
};

static struct labelled_decades labelled_decades(const struct chart_axis *axis, size_t limit) {
    int count = decade_count(axis), first = (int)ceil(log10(axis->minimum) - 1e-9);
    int stride = 1 + (count > 0 ? count - 1 : 0) / (int)limit, labels = 0;
    for (int decade = first; decade < first + count; decade++)
        labels += decade % stride == 0;
    return labels < 2 && count > 1 && limit > 1 ? (struct labelled_decades){count - 1, first}
                                                : (struct labelled_decades){stride, 0};
}

static size_t log_ticks(const struct chart_axis *axis, size_t limit, struct chart_tick **ticks) {
    int low = (int)floor(log10(axis->minimum) + 1e-9), high = (int)ceil(log10(axis->maximum));
    struct labelled_decades decades = labelled_decades(axis, limit);
    const char *digits = labelled_digits(axis, limit);
    size_t count = 0;
    for (int decade = low; decade <= high; decade++)
        for (int digit = 1; digit <= 9; digit++) {
            double value = digit * pow(10, decade);
            char label[16];
            if (!within(axis, value))
                continue;
            bool labelled = strchr(digits, '0' + digit) != NULL &&
                            (decade - decades.from) % decades.stride == 0;
            chart_number(value, 3, label, sizeof label);
            if (labelled || decades.stride == 1 || digit == 1)
                add_tick(ticks, &count, value, labelled ? label : NULL);
        }
    return count;
}

size_t chart_ticks(const struct chart_axis *axis, size_t limit, struct chart_tick **ticks) {
    *ticks = NULL;
    if (limit == 0)
        return 0;
    if (axis->scale == CHART_LINEAR)
        return linear_ticks(axis, limit, ticks);
    size_t count = log_ticks(axis, limit, ticks);
    if (labelled_count(*ticks, count) > 1 || axis->maximum >= 10 * axis->minimum)
        return count;
    free(*ticks); /* less than a decade: equal steps say more */
    *ticks = NULL;
    return linear_ticks(axis, limit / 2 + 1, ticks);
}

/* "1.50e-05" -> "1.5e-5": no zeros that say nothing, neither in the digits nor in the exponent. */
static void tidy_exponent(char *text) {
    char *e = strchr(text, 'e'), *digits = e, *exponent = e + 1;
    if (memchr(text, '.', (size_t)(e - text)) != NULL) {
        while (digits[-1] == '0')
            digits--;
        if (digits[-1] == '.')
            digits--;
    }
    bool negative = *exponent == '-';
    exponent += strspn(exponent, "+-0");
    char tail[16];
    snprintf(tail, sizeof tail, "e%s%s", negative ? "-" : "", *exponent ? exponent : "0");
    memcpy(digits, tail, strlen(tail) + 1);
}

char *chart_number(double value, int digits, char *buffer, size_t size) {
    char text[40];
    double magnitude = fabs(value);
    if (isnan(value))
        snprintf(text, sizeof text, "-");
    else if (value == 0)
        snprintf(text, sizeof text, "0");
    else if (magnitude < 1e-3 || magnitude >= 1e6) {
        snprintf(text, sizeof text, "%.*e", digits - 1, value);
        if (strchr(text, 'e') != NULL)
            tidy_exponent(text);
    } else {
        int after = digits - 1 - (int)floor(log10(magnitude) + 1e-12);
        snprintf(text, sizeof text, "%.*f", after > 0 ? after : 0, value);
        if (strchr(text, '.') != NULL) {
            char *end = text + strlen(text);
            while (end[-1] == '0')
                *--end = '\0';
            if (end[-1] == '.')
                end[-1] = '\0';
        }
    }
    snprintf(buffer, size, "%.15s", text);
    return buffer;
}

static bool starts_character(char byte) {
    return ((unsigned char)byte & 0xC0) != 0x80;
}

size_t chart_text_width(const char *text) {
    size_t width = 0;
    for (; *text != '\0'; text++)
        width += starts_character(*text);
    return width;
}

/* First byte of character number index. */
static const char *character(const char *text, size_t index) {
    for (;; text++)
        if (*text == '\0' || (starts_character(*text) && index-- == 0))
            return text;
}

static bool begins(const char *text, const char *with) {
    return strncmp(text, with, strlen(with)) == 0;
}

char *chart_shorten(const char *name, size_t width, bool ascii, char *buffer, size_t size) {
    const char *ellipsis = ascii ? "..." : "\u2026";
    size_t length = chart_text_width(name), gap = ascii ? 3 : 1;
    if (length <= width) {
        snprintf(buffer, size, "%s", name);
    } else if (width <= gap + 1) {
        snprintf(buffer, size, "%.*s", (int)(character(name, width) - name), name);
    } else {
        size_t tail = (width - gap) / 2 + (width - gap) % 2, head = width - gap - tail;
        if (head >= gap && begins(character(name, head - gap), ellipsis))
            head -= gap, tail += gap; /* cut before: one ellipsis is enough */
        else if (begins(character(name, length - tail), ellipsis))
            tail -= gap, head += gap;
        snprintf(buffer, size, "%.*s%s%s", (int)(character(name, head) - name), name, ellipsis,
                 character(name, length - tail));
    }
    return buffer;
}
