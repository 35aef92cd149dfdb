#include "tui/screen/pictures.h"

#include "analysis/layer_kinds.h"
#include "tui/terminal/term.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#define WIDTH_INCHES                                                                               \
    7.5 /* letters have the size that they have in a printed figure of this width */

/* The kind of the selected layer among those that have figures; SIZE_MAX: none. */
static size_t selected_kind(const struct app *app) {
    struct layer_kinds *kinds = layer_kinds_with_depth(app->table);
    size_t found = SIZE_MAX;
    for (size_t k = 0; k < kinds->count; k++)
        for (size_t l = 0; l < kinds->kinds[k].count; l++)
            if (kinds->kinds[k].layers[l] == app->layer)
                found = k;
    layer_kinds_free(kinds);
    return found;
}

static size_t selected_subject(const struct app *app, enum figure_scope scope) {
    bool is_matrix = app->table->layers[app->layer].role == ROLE_MATRIX;
    switch (scope) {
    case FIGURE_WHOLE:
        return 0;
    case FIGURE_SPECIALIST:
        return app->specialist;
    case FIGURE_KIND:
        return selected_kind(app);
    case FIGURE_LAYER:
        return is_matrix ? app->layer : SIZE_MAX;
    }
    return SIZE_MAX;
}

/* Pages show all layers and wait until all are known. */
struct page *pictures_page(struct app *app, const char *name) {
    const struct figure_source source = {app->analysis, app->preview, app->plan};
    const struct figure *figure = figure_find(name);
    size_t subject = selected_subject(app, figure->scope);
    bool known = figure->build_page == NULL || app->analysis->stage == ANALYSIS_DONE;
    return known && subject != SIZE_MAX ? figure_page(figure, &source, subject) : NULL;
}

/* What is to be shown, as a page to be freed; NULL, and the reason said, where there is nothing. */
static struct page *chosen_page(struct app *app) {
    const struct view_ops *ops = app->ops[app->view];
    bool known = app->analysis->core != NULL;
    struct page *page = NULL;
    if (known && app->picture != NULL)
        page = pictures_page(app, app->picture->name);
    else if (known && ops->figure != NULL)
        page = ops->figure(app, app->states[app->view]);
    if (page == NULL)
        app_say(app, STATUS_INFO,
                known && app->analysis->stage == ANALYSIS_DONE ? "there is no figure of this"
                                                               : "not computed yet");
    return page;
}

/* As large as the terminal without its last row; a page of several charts has smaller letters where
 * it needs more room. */
static struct image_options fitting(const struct page *page, int *rows, int *columns) {
    struct image_options image = image_options_default(), needed = image;
    int width, height;
    term_size(columns, rows);
    term_pixels(&width, &height);
    height = height / *rows * (*rows - 1);
    image.width_inches = WIDTH_INCHES;
    image.height_inches = WIDTH_INCHES * height / width;
    if (page->chart_count > 1) {
        figure_fit(page, &needed);
        double scale = fmax(needed.width_inches / image.width_inches,
                            needed.height_inches / image.height_inches);
        image.width_inches *= fmax(scale, 1);
        image.height_inches *= fmax(scale, 1);
    }
    image.dpi = width / image.width_inches;
    return image;
}

static char *kitty(const struct page *page, size_t *length, struct error *error) {
    int rows, columns;
    struct image_options image = fitting(page, &rows, &columns);
    unsigned char *png = NULL;
    size_t size;
    if (!image_page_bytes(page, &image, &png, &size, error))
        return NULL;
    char *bytes = picture_kitty(png, size, columns, rows - 1, length);
    free(png);
    return bytes;
}

static char *sixel(const struct page *page, size_t *length, struct error *error) {
    int rows, columns, width, height;
    struct image_options image = fitting(page, &rows, &columns);
    unsigned char *pixels = image_page_pixels(page, &image, &width, &height, error);
    char *bytes = pixels != NULL ? picture_sixel(pixels, width, height, length, error) : NULL;
    free(pixels);
    return bytes;
}

static bool show_page(struct app *app, const struct page *page) {
    struct error error = {0};
    size_t length = 0;
    char *bytes = term_pictures() == PICTURE_KITTY ? kitty(page, &length, &error)
                                                   : sixel(page, &length, &error);
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
    struct page *page = chosen_page(app);
    bool shown = page != NULL && show_page(app, page);
    page_free(page);
    return shown;
}
