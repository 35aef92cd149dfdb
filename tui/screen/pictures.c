#include "tui/screen/pictures.h"

#include "analysis/support/memory.h"
#include "render/image.h"
#include "tui/terminal/term.h"

#include <stdlib.h>

#define WIDTH_INCHES                                                                               \
    7.5 /* letters have the size that they have in a printed figure of this width */

/* As large as the terminal without its last row. */
static struct image_options fitting(int *rows, int *columns) {
    struct image_options image = image_options_default();
    int width, height;
    term_size(columns, rows);
    term_pixels(&width, &height);
    height = height / *rows * (*rows - 1);
    image.dpi = width / WIDTH_INCHES;
    image.width_inches = WIDTH_INCHES;
    image.height_inches = height / image.dpi;
    return image;
}

static char *kitty(const struct chart *chart, size_t *length, struct error *error) {
    int rows, columns;
    struct image_options image = fitting(&rows, &columns);
    unsigned char *png = NULL;
    size_t size;
    if (!image_bytes(chart, &image, &png, &size, error))
        return NULL;
    char *bytes = picture_kitty(png, size, columns, rows - 1, length);
    free(png);
    return bytes;
}

static char *sixel(const struct chart *chart, size_t *length, struct error *error) {
    int rows, columns, width, height;
    struct image_options image = fitting(&rows, &columns);
    unsigned char *pixels = image_pixels(chart, &image, &width, &height, error);
    char *bytes = pixels != NULL ? picture_sixel(pixels, width, height, length, error) : NULL;
    free(pixels);
    return bytes;
}

static bool show_chart(struct app *app, const struct chart *chart) {
    struct error error = {0};
    size_t length = 0;
    char *bytes = term_pictures() == PICTURE_KITTY ? kitty(chart, &length, &error)
                                                   : sixel(chart, &length, &error);
    bool good = bytes != NULL;
    if (good)
        term_picture(bytes, length, "any key: back");
    else
        status_fail(&app->status, app->now, &error);
    free(bytes);
    return good;
}

bool pictures_show(struct app *app) {
    if (term_pictures() == PICTURE_NONE) {
        app_say(app, STATUS_WARNING,
                "this terminal shows no pictures (kitty or sixel); view 5 writes figures");
        return false;
    }
    struct chart *chart = app_figure(app);
    bool shown = chart != NULL && show_chart(app, chart);
    chart_free(chart);
    return shown;
}
