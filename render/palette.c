#include "render/canvas.h"

enum { HUES = 8 };

/* Okabe and Ito's colours; a dark grey in place of black, which is for text, and an olive. */
static const struct rgb hues[HUES] = {
    {0x00, 0x72, 0xB2}, {0xD5, 0x5E, 0x00}, {0x00, 0x9E, 0x73}, {0xCC, 0x79, 0xA7},
    {0xE6, 0x9F, 0x00}, {0x56, 0xB4, 0xE9}, {0x55, 0x55, 0x55}, {0xA0, 0x8A, 0x00},
};

/* From the ninth specialist on the hues return mixed with black or white. */
static const struct shade {
    double pure;
    unsigned char other;
} shades[] = {{1, 0}, {0.5, 0x00}, {0.5, 0xFF}};

static const double dashes[HUES][7] = {
    {0},         {6, 2.5, 0}, {2, 2, 0},   {7, 2, 1.5, 2, 0},
    {4, 1.5, 0}, {9, 2, 0},   {1, 1.5, 0}, {6, 2, 1.5, 2, 1.5, 2, 0},
};

static const struct rgb meanings[] = {
    [CHART_REAL] = {0x00, 0x72, 0xB2},
    [CHART_FAKE] = {0xD5, 0x5E, 0x00},
    [CHART_CROSS] = {0xB0, 0xB0, 0xB0},
    [CHART_NEUTRAL] = {0x60, 0x60, 0x60},
};

static unsigned char mixed(unsigned char colour, struct shade shade) {
    return (unsigned char)(colour * shade.pure + shade.other * (1 - shade.pure) + 0.5);
}

struct rgb palette_colour(int chart_colour) {
    int specialist = chart_colour - CHART_SPECIALIST;
    if (specialist < 0)
        return meanings[chart_colour >= 0 && chart_colour <= CHART_NEUTRAL ? chart_colour
                                                                           : CHART_NEUTRAL];
    struct rgb hue = hues[specialist % HUES];
    struct shade shade = shades[specialist / HUES % (int)(sizeof shades / sizeof *shades)];
    return (struct rgb){mixed(hue.red, shade), mixed(hue.green, shade), mixed(hue.blue, shade)};
}

/* Another dash in every round of hues. */
const double *palette_dash(int chart_colour) {
    static const double neutral[] = {3, 1.5, 0};
    int specialist = chart_colour - CHART_SPECIALIST;
    if (specialist < 0)
        return chart_colour == CHART_NEUTRAL ? neutral : dashes[0];
    return dashes[(specialist + specialist / HUES) % HUES];
}
