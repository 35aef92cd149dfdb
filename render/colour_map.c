/* Colours of maps. The sequential one follows viridis (van der Walt and Smith, CC0), which grows
 * evenly in lightness, in grey and to colour-blind eyes too; so does the diverging one, dark blue
 * over grey to light yellow, the pair that all of them tell apart: in grey below 0 is darker, above
 * it lighter. */
#include "render/canvas.h"

#include <math.h>

static const struct rgb viridis[] = {
    {0x44, 0x01, 0x54}, {0x47, 0x2D, 0x7B}, {0x3B, 0x52, 0x8B},
    {0x2C, 0x72, 0x8E}, {0x21, 0x91, 0x8C}, {0x28, 0xAE, 0x80},
    {0x5E, 0xC9, 0x62}, {0xAD, 0xDC, 0x30}, {0xFD, 0xE7, 0x25},
};
static const struct rgb diverging[] = {
    {0x00, 0x22, 0x5E}, {0x26, 0x52, 0x9E}, {0x84, 0x84, 0x84},
    {0xD6, 0xB3, 0x3A}, {0xFF, 0xEB, 0x57},
};
static const struct {
    const struct rgb *stops;
    size_t count;
} maps[] = {[CHART_SEQUENTIAL] = {viridis, sizeof viridis / sizeof *viridis},
            [CHART_DIVERGING] = {diverging, sizeof diverging / sizeof *diverging}};

static unsigned char between(unsigned char low, unsigned char high, double part) {
    return (unsigned char)lround(low + part * (high - low));
}

struct rgb colour_map(enum chart_colours colours, double position) {
    const struct rgb *stops = maps[colours].stops;
    size_t last = maps[colours].count - 1;
    double at = fmin(fmax(position, 0), 1) * (double)last;
    size_t low = at < (double)last ? (size_t)at : last - 1;
    struct rgb from = stops[low], to = stops[low + 1];
    double part = at - (double)low;
    return (struct rgb){between(from.red, to.red, part), between(from.green, to.green, part),
                        between(from.blue, to.blue, part)};
}
