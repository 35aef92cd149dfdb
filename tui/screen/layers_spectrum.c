/* The spectrum of the selected layer: what is shown, the cursor that reads it, zoom. */
#include "tui/screen/layers.h"

#include "analysis/layer_names.h"
#include "tui/terminal/plot.h"

#include <stdlib.h>
#include <string.h>

enum { NARROWEST = 4 }; /* indexes that a zoom shows at least */

static bool is_matrix(const struct app *app) {
    return app->table->layers[app->layer].role == ROLE_MATRIX;
}

static double last_index(const struct app *app) {
    return (double)layer_max_rank(&app->table->layers[app->layer]);
}

const struct spectrum *layers_spectrum_read(const struct app *app, const struct spectrum_view *view,
                                            size_t specialist) {
    const struct spectra *spectra = app->analysis->spectra;
    if (!is_matrix(app))
        return NULL;
    if (view->of == SPECTRUM_BASE)
        return raw_spectra_base(app->raw, app->layer);
    if (view->of == SPECTRUM_TASKS)
        return raw_spectra_task(app->raw, app->layer, specialist);
    return spectra != NULL ? spectra_get(spectra, app->layer, specialist) : NULL;
}

/* ---- drawing ---- */

/* Why there is no curve yet. */
static const char *missing(const struct app *app, const struct spectrum_view *view) {
    bool raw = view->of != SPECTRUM_RESIDUALS;
    bool failed = app->analysis->stage == ANALYSIS_FAILED;
    return !is_matrix(app) ? "A vector: no spectrum, no rank, always kept whole."
           : failed        ? "No spectrum: the analysis failed, see :messages."
           : raw && raw_spectra_failed(app->raw, app->layer)
               ? "No spectrum: memory is short, or LAPACK did not converge."
               : "The spectrum is being computed.";
}

static bool any_curve(const struct app *app, const struct spectrum_view *view) {
    bool any = false;
    for (size_t i = 0; i < app->table->specialist_count; i++)
        any |= layers_spectrum_read(app, view, i) != NULL;
    return any;
}

/* What is shown where it is not the usual: "task vectors, sigma/sigma_1, linear". */
static void caption(const struct app *app, const struct spectrum_view *view, char text[TEXT_ROOM]) {
    const char *parts[6];
    size_t count = 0, used = 0;
    bool compared = view->of == SPECTRUM_COMPARED;
    bool pending = compared && (raw_spectra_base(app->raw, app->layer) == NULL ||
                                raw_spectra_task(app->raw, app->layer, app->specialist) == NULL);
    if (view->of == SPECTRUM_TASKS || compared)
        parts[count++] = compared ? "compared" : spectrum_of_text(view->of);
    if (view->cumulative)
        parts[count++] = "energy";
    else if (view->relative)
        parts[count++] = "sigma/sigma_1";
    if (view->y == CHART_LINEAR && !view->cumulative)
        parts[count++] = "linear";
    if (view->zoom_max > 0)
        parts[count++] = "zoomed";
    if (pending)
        parts[count++] = theme_glyphs()->pending;
    text[0] = '\0';
    for (size_t i = 0; i < count; i++)
        used +=
            (size_t)snprintf(text + used, TEXT_ROOM - used, "%s%s", i > 0 ? ", " : "", parts[i]);
}

/* In the corner that curves leave free: they fall, energy rises. */
static void draw_caption(const struct app *app, struct surface *surface, struct rect rect,
                         const struct spectrum_view *view) {
    char text[TEXT_ROOM];
    caption(app, view, text);
    int width = text_width(text),
        row = view->cumulative ? rect.row + rect.height - 4 : rect.row + 1;
    if (width > 0 && width + 8 < rect.width && rect.height > 6)
        surface_print(surface, row, rect.col + rect.width - width - 3, width + 2, ELEMENT_QUIET,
                      " %s ", text);
}

/* Where the legend leaves no room for the whole name, what the table calls the layer. */
static void shorten_title(struct chart *chart, int width) {
    char label[LAYER_NAME_ROOM];
    if (text_width(chart->title) * 2 <= width)
        return;
    layer_label(chart->title, label);
    free(chart->title);
    chart->title = memory_string(label);
}

void layers_draw_spectrum(struct app *app, struct layers_view *view, struct surface *surface,
                          struct rect rect, bool focus) {
    struct spectrum_view shown = view->spectrum;
    bool possible = app->analysis->core != NULL && is_matrix(app);
    double last = last_index(app);
    char text[TEXT_ROOM];
    shown.selected = (int)app->specialist;
    shown.raw = app->raw;
    shown.cursor = (double)shown.cursor > last ? (size_t)last : shown.cursor;
    if (shown.zoom_min >= last)
        shown.zoom_min = shown.zoom_max = 0;
    if (possible && shown.of != SPECTRUM_RESIDUALS)
        raw_spectra_ask(app->raw, app->layer);
    struct chart *chart = possible && any_curve(app, &shown)
                              ? figure_spectrum(app->analysis, app->preview, app->layer, &shown)
                              : NULL;
    view->chart_rect = chart != NULL ? rect : (struct rect){0};
    if (chart != NULL) {
        view->chart_axis = chart->x;
        shorten_title(chart, rect.width);
        plot_draw(surface, rect, chart);
        draw_caption(app, surface, rect, &shown);
    } else {
        const char *name = app->table->layers[app->layer].name;
        surface_text(surface, rect.row, rect.col + 1, rect.width - 1, ELEMENT_HEADER,
                     text_shorten(name, rect.width - 1, text));
        surface_wrap(surface,
                     (struct rect){rect.row + rect.height / 2, rect.col + 2, 2, rect.width - 4},
                     ELEMENT_QUIET, missing(app, &shown));
    }
    if (focus)
        surface_highlight(surface, rect.row, rect.col, rect.width, STYLE_REVERSE);
    chart_free(chart);
}

struct page *layers_figure(struct app *app, void *state) {
    struct spectrum_view shown = ((struct layers_view *)state)->spectrum;
    shown.selected = (int)app->specialist;
    shown.raw = app->raw;
    shown.noise_edges = true;
    return is_matrix(app) && any_curve(app, &shown)
               ? page_of_chart(figure_spectrum(app->analysis, app->preview, app->layer, &shown))
               : NULL;
}

/* ---- the cursor ---- */

/* Where the cursor is, or begins: at the cut. */
static double cursor_index(const struct app *app, const struct layers_view *view) {
    const struct preview_cell *cell = preview_cell_at(app->preview, app->layer, app->specialist);
    double at = view->spectrum.cursor > 0 ? (double)view->spectrum.cursor : (double)cell->rank;
    return fmin(fmax(at, 1), last_index(app));
}

/* Keeps the cursor in a zoomed range: the range moves along. */
static void follow(const struct app *app, struct spectrum_view *view) {
    double at = (double)view->cursor, last = last_index(app);
    bool log = view->x == CHART_LOG;
    if (view->zoom_max <= 0 || (at >= view->zoom_min && at <= view->zoom_max))
        return;
    double edge = at < view->zoom_min ? view->zoom_min : view->zoom_max;
    double factor = at / edge, shift = at - edge;
    view->zoom_min = fmax(1, log ? view->zoom_min * factor : view->zoom_min + shift);
    view->zoom_max = fmin(last, log ? view->zoom_max * factor : view->zoom_max + shift);
}

/* By columns of the picture, at least one index. */
static unsigned move_cursor(struct app *app, struct layers_view *view, int columns) {
    size_t left, width;
    double at = cursor_index(app, view), last = last_index(app);
    bool first_move = view->spectrum.cursor == 0;
    if (view->chart_rect.width == 0 ||
        !cells_chart_area((size_t)view->chart_rect.width, (size_t)view->chart_rect.height, &left,
                          &width))
        return DIRTY_SCREEN;
    double position = chart_position(&view->chart_axis, at) + columns / (double)width;
    double next = round(chart_value(&view->chart_axis, position));
    if (columns > 0)
        next = fmax(next, at + 1);
    else
        next = fmin(next, at - 1);
    next = first_move ? at : fmin(fmax(next, 1), last);
    view->spectrum.cursor = (size_t)next;
    follow(app, &view->spectrum);
    return DIRTY_SCREEN;
}

bool layers_cursor_text(const struct app *app, const struct layers_view *view,
                        char text[TEXT_ROOM]) {
    const struct spectrum *spectrum = layers_spectrum_read(app, &view->spectrum, app->specialist);
    size_t at = (size_t)cursor_index(app, view);
    const char *name =
        view->spectrum.of == SPECTRUM_BASE ? "base" : app->table->specialists[app->specialist].name;
    if (view->spectrum.cursor == 0 || spectrum == NULL || at > spectrum->count)
        return false;
    double first = spectrum->sigma[0], sigma = spectrum->sigma[at - 1];
    snprintf(text, TEXT_ROOM, "%s index %zu of %zu, sigma %.3g (%.3g sigma_1), kept %.1f%%", name,
             at, spectrum->count, sigma, first > 0 ? sigma / first : 0,
             100 * spectrum_kept(spectrum, at));
    return true;
}

/* ---- zoom ---- */

/* Half of what is seen around the cursor (or the cut), or twice as much. */
static unsigned zoom(struct app *app, struct layers_view *view, bool in) {
    struct spectrum_view *shown = &view->spectrum;
    double at = cursor_index(app, view), last = last_index(app);
    bool whole = shown->zoom_max <= 0, log = shown->x == CHART_LOG;
    double low = whole ? 1 : shown->zoom_min, high = whole ? last : shown->zoom_max;
    double power = in ? 0.5 : 2;
    low = fmax(1, log ? at * pow(low / at, power) : at - (at - low) * power);
    high = fmin(last, log ? at * pow(high / at, power) : at + (high - at) * power);
    low = floor(low);
    high = ceil(high);
    if (high - low < NARROWEST)
        return DIRTY_SCREEN;
    whole = low <= 1 && high >= last;
    shown->zoom_min = whole ? 0 : low;
    shown->zoom_max = whole ? 0 : high;
    if (shown->cursor == 0)
        app_say(app, STATUS_INFO, "index %.0f to %.0f of %.0f", low, high, last);
    return DIRTY_SCREEN;
}

/* ---- keys ---- */

/* Not in place of what the cursor reads. */
static unsigned say_shown(struct app *app, const struct spectrum_view *view) {
    if (view->cursor > 0)
        return DIRTY_SCREEN;
    app_say(app, STATUS_INFO, "spectrum of %s%s: %s over %s index",
            view->of == SPECTRUM_BASE ? "the " : "", spectrum_of_text(view->of),
            view->cumulative ? "energy up to the index"
            : view->relative ? "sigma/sigma_1"
                             : "sigma",
            view->x == CHART_LOG ? "log" : "linear");
    return DIRTY_SCREEN;
}

static enum chart_scale other_scale(enum chart_scale scale) {
    return scale == CHART_LOG ? CHART_LINEAR : CHART_LOG;
}

unsigned layers_spectrum_act(struct app *app, struct layers_view *view, enum action action) {
    struct spectrum_view *shown = &view->spectrum;
    switch (action) {
    case ACTION_LEFT:
    case ACTION_RIGHT:
        return move_cursor(app, view, action == ACTION_LEFT ? -1 : 1);
    case ACTION_ZOOM_IN:
    case ACTION_ZOOM_OUT:
        return zoom(app, view, action == ACTION_ZOOM_IN);
    case ACTION_AXIS:
        shown->x = other_scale(shown->x);
        break;
    case ACTION_AXIS_Y:
        shown->y = other_scale(shown->y);
        break;
    case ACTION_EDGES:
        shown->noise_edges = !shown->noise_edges;
        break;
    case ACTION_SPECTRUM_OF:
        shown->of = (enum spectrum_of)((shown->of + 1) % SPECTRUM_OF_COUNT);
        break;
    case ACTION_RELATIVE:
        shown->relative = !shown->relative;
        break;
    case ACTION_CUMULATIVE:
        shown->cumulative = !shown->cumulative;
        break;
    default:
        return NOT_MINE;
    }
    return say_shown(app, shown);
}

size_t layers_chart_index(const struct app *app, const struct layers_view *view, int row, int col) {
    size_t left, width;
    const struct rect *rect = &view->chart_rect;
    if (rect->width == 0 || row <= rect->row || row >= rect->row + rect->height ||
        !cells_chart_area((size_t)rect->width, (size_t)rect->height, &left, &width))
        return 0;
    double position = ((double)(col - rect->col) - (double)left + 0.5) / (double)width;
    if (col < rect->col || position < -1 / (double)width)
        return 0;
    double index = round(chart_value(&view->chart_axis, fmin(fmax(position, 0), 1)));
    return (size_t)fmin(fmax(index, 1), last_index(app));
}

int layers_chart_column(const struct layers_view *view, size_t index) {
    size_t left, width;
    const struct rect *rect = &view->chart_rect;
    if (!cells_chart_area((size_t)rect->width, (size_t)rect->height, &left, &width))
        return -1;
    double position = chart_position(&view->chart_axis, (double)index);
    int col = (int)(position * (double)width);
    return rect->col + (int)left + (col < (int)width ? col : (int)width - 1);
}
