#include "render/canvas.h"

enum { SPECIALISTS = 8 };

/* Okabe and Ito's colours; the last is a dark grey in place of black, which is for text. */
static const struct rgb specialist_colours[SPECIALISTS] = {
    {0x00, 0x72, 0xB2}, {0xD5, 0x5E, 0x00}, {0x00, 0x9E, 0x73}, {0xCC, 0x79, 0xA7},
    {0xE6, 0x9F, 0x00}, {0x56, 0xB4, 0xE9}, {0x55, 0x55, 0x55}, {0xA0, 0x8A, 0x00},
};

static const double dashes[SPECIALISTS][7] = {
    {0},         {6, 2.5, 0}, {2, 2, 0},   {7, 2, 1.5, 2, 0},
    {4, 1.5, 0}, {9, 2, 0},   {1, 1.5, 0}, {6, 2, 1.5, 2, 1.5, 2, 0},
};

static const struct rgb meanings[] = {
    [CHART_REAL] = {0x00, 0x72, 0xB2},
    [CHART_FAKE] = {0xD5, 0x5E, 0x00},
    [CHART_CROSS] = {0xB0, 0xB0, 0xB0},
    [CHART_NEUTRAL] = {0x60, 0x60, 0x60},
};

struct rgb palette_colour(int chart_colour) {
    if (chart_colour >= CHART_SPECIALIST)
        return specialist_colours[(chart_colour - CHART_SPECIALIST) % SPECIALISTS];
    return meanings[chart_colour >= 0 && chart_colour <= CHART_NEUTRAL ? chart_colour
                                                                       : CHART_NEUTRAL];
}

const double *palette_dash(int chart_colour) {
    bool specialist = chart_colour >= CHART_SPECIALIST;
    return dashes[specialist ? (chart_colour - CHART_SPECIALIST) % SPECIALISTS : 0];
}
