/* View 5: what is written, and where. */
#include "tui/screen/app.h"
#include "tui/screen/complete.h"
#include "tui/screen/pictures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { COLUMN_KIND, COLUMN_PATH, COLUMN_STATE };

struct export_view {
    struct list list;
    char *paths[EXPORT_KINDS];
    double seconds; /* that the merge will take, about; negative: not asked for yet */
};

static const struct column columns[] = {{"Output", 18, 0, 0, false, COLUMN_KIND, 0},
                                        {"path", 20, 0, 100, false, COLUMN_PATH, 0},
                                        {"on disk", 12, 1, 0, true, COLUMN_STATE, 0}};

/* The config's path without its ending, so that outputs stand beside it. */
static char *stem_of(const char *path) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    bool ends = dot != NULL && dot > (slash != NULL ? slash + 1 : path);
    return memory_text(path, ends ? (size_t)(dot - path) : strlen(path));
}

static void *open_view(struct app *app) {
    struct export_view *view = memory_array(1, sizeof *view);
    char *stem = stem_of(app->config_path);
    view->seconds = -1;
    for (int kind = 0; kind < EXPORT_KINDS; kind++) {
        const char *ending = export_what((enum export_kind)kind)->ending;
        view->paths[kind] =
            ending == NULL ? memory_string(app->config_path) : memory_format("%s%s", stem, ending);
    }
    list_resize(&view->list, EXPORT_KINDS);
    list_select(&view->list, EXPORT_MERGED);
    free(stem);
    return view;
}

static void close_view(void *state) {
    struct export_view *view = state;
    for (int kind = 0; kind < EXPORT_KINDS; kind++)
        free(view->paths[kind]);
    free(view);
}

const char *export_path(const struct app *app, enum export_kind kind) {
    return ((const struct export_view *)app->states[VIEW_EXPORT])->paths[kind];
}

static void on_disk(const char *path, struct list_cell *cell) {
    struct stat about;
    char bytes[32];
    cell->style = ELEMENT_QUIET;
    if (stat(path, &about) != 0)
        snprintf(cell->text, sizeof cell->text, "-");
    else if (S_ISDIR(about.st_mode))
        snprintf(cell->text, sizeof cell->text, "folder");
    else
        snprintf(cell->text, sizeof cell->text, "%s", bytes_text((double)about.st_size, bytes));
}

static void fill(void *context, size_t row, int column, int width, struct list_cell *cell) {
    const struct export_view *view = context;
    char cut[TEXT_ROOM];
    if (column == COLUMN_KIND) {
        snprintf(cell->text, sizeof cell->text, "%s", export_what((enum export_kind)row)->name);
    } else if (column == COLUMN_STATE) {
        on_disk(view->paths[row], cell);
    } else {
        char *quoted = error_quote(view->paths[row], strlen(view->paths[row]));
        snprintf(cell->text, sizeof cell->text, "%s", text_shorten(quoted, width, cut));
        free(quoted);
    }
}

/* What the selected row is, and what its path may be. */
static void draw_meaning(const struct export_view *view, struct surface *surface,
                         struct rect *rect) {
    const struct export_what *what = export_what((enum export_kind)view->list.cursor);
    char text[TEXT_ROOM];
    surface_paragraph(surface, rect, ELEMENT_TEXT, what->help);
    snprintf(text, sizeof text, "Path: %s; e changes it.", what->forms);
    surface_paragraph(surface, rect, ELEMENT_QUIET, text);
}

/* Size, time, memory and disk space of the merge. */
static void draw_estimate(struct app *app, struct export_view *view, struct surface *surface,
                          struct rect *rect) {
    struct merge_estimate estimate;
    struct error error = {0};
    char text[TEXT_ROOM], size[32], room[32], memory[32];
    if (!merge_estimate(app->plan, &app->options->limits, view->paths[EXPORT_MERGED], &estimate,
                        &error)) {
        surface_paragraph(surface, rect, ELEMENT_WARNING, error.message);
        error_free(&error);
        return;
    }
    if (view->seconds < 0)
        view->seconds = merge_expected_seconds(&estimate);
    snprintf(text, sizeof text,
             "The merged checkpoint: %zu tensors, %s%s%s. Memory %s, about %.0f s.",
             estimate.tensors, bytes_text((double)estimate.output_bytes, size),
             estimate.free_bytes > 0 ? " of the free " : "",
             estimate.free_bytes > 0 ? bytes_text((double)estimate.free_bytes, room) : "",
             bytes_text((double)estimate.memory_bytes, memory), ceil(view->seconds));
    surface_paragraph(surface, rect,
                      estimate.free_bytes > 0 && estimate.free_bytes < estimate.output_bytes
                          ? ELEMENT_WARNING
                          : ELEMENT_TEXT,
                      text);
}

/* Bar, bytes, rate of what runs. */
static void draw_progress(struct app *app, struct surface *surface, struct rect *rect) {
    const struct export_job *job = &app->job;
    double total = (double)job->progress.total, done = (double)job->progress.done;
    double passed = app->now - job->started, rate = passed > 0.5 ? done / passed : 0;
    char text[TEXT_ROOM], now[32], all[32], speed[32];
    int width = rect->width < 60 ? rect->width : 60;
    if (job->state == EXPORT_NONE)
        return;
    if (job->state == EXPORT_WAITING) {
        surface_paragraph(
            surface, rect, ELEMENT_WARNING,
            "Waiting for the analysis; it is written as soon as that has ended. C-c cancels.");
        return;
    }
    surface_row(surface, rect->row, rect->col, width, ELEMENT_BORDER, theme_glyphs()->middle);
    surface_bar(surface, rect->row, rect->col, width, ELEMENT_GOOD, total > 0 ? done / total : 0);
    rect->row++, rect->height--;
    size_t length = (size_t)snprintf(text, sizeof text,
                                     total <= 0                   ? "Starting"
                                     : job->kind == EXPORT_MERGED ? "%.0f%%, %s of %s"
                                                                  : "%.0f%%",
                                     total > 0 ? 100 * done / total : 0, bytes_text(done, now),
                                     bytes_text(total, all));
    if (rate > 0 && job->kind == EXPORT_MERGED)
        length += (size_t)snprintf(text + length, sizeof text - length, ", %s/s",
                                   bytes_text(rate, speed));
    if (rate > 0)
        length += (size_t)snprintf(text + length, sizeof text - length, ", %.0f s left",
                                   ceil((total - done) / rate));
    snprintf(text + length, sizeof text - length, ". C-c stops it and leaves nothing behind.");
    surface_paragraph(surface, rect, ELEMENT_TEXT, text);
}

static void draw_results(struct app *app, struct surface *surface, struct rect *rect) {
    char text[TEXT_ROOM];
    for (int kind = 0; kind < EXPORT_KINDS && rect->height > 0; kind++) {
        const struct export_result *result = &app->job.results[kind];
        if (result->text == NULL)
            continue;
        snprintf(text, sizeof text, "%s: %s", export_what((enum export_kind)kind)->name,
                 result->text);
        surface_paragraph(surface, rect, result->good ? ELEMENT_GOOD : ELEMENT_ERROR, text);
        if (result->sha256[0] != '\0') {
            snprintf(text, sizeof text, "sha256 %s", result->sha256);
            surface_paragraph(surface, rect, ELEMENT_QUIET, text);
        }
    }
}

static void draw(struct app *app, void *state, struct surface *surface, struct rect body) {
    struct export_view *view = state;
    struct pair_layout layout = layout_stack(body, EXPORT_KINDS + 1);
    struct rect detail = layout.detail;
    layout.list.col++, layout.list.width -= 2;
    list_draw(&view->list, surface, layout.list, columns, sizeof columns / sizeof *columns, true,
              fill, view);
    surface_row(surface, layout.border_row, 0, body.width, ELEMENT_BORDER,
                theme_glyphs()->horizontal);
    detail.col++, detail.width -= 2;
    draw_progress(app, surface, &detail);
    draw_results(app, surface, &detail);
    draw_meaning(view, surface, &detail);
    detail.row++, detail.height--;
    draw_estimate(app, view, surface, &detail);
    surface_paragraph(surface, &detail, app->plan->modified ? ELEMENT_WARNING : ELEMENT_QUIET,
                      app->plan->modified ? "The config has changes that are not written."
                                          : "The config is written as it stands.");
}

static struct list *list_of(void *state) {
    return &((struct export_view *)state)->list;
}

static void row_text(struct app *app, void *state, size_t row, char text[TEXT_ROOM]) {
    const struct export_view *view = state;
    char *quoted = error_quote(view->paths[row], strlen(view->paths[row]));
    (void)app;
    snprintf(text, TEXT_ROOM, "%s  %s", export_what((enum export_kind)row)->name, quoted);
    free(quoted);
}

/* Another plan takes another time. */
static void changed(struct app *app, void *state) {
    (void)app;
    ((struct export_view *)state)->seconds = -1;
}

static unsigned accept_path(struct app *app, const char *text) {
    struct export_view *view = app->states[VIEW_EXPORT];
    if (text[0] == '\0')
        return DIRTY_SCREEN;
    free(view->paths[view->list.cursor]);
    view->paths[view->list.cursor] = memory_string(text);
    view->seconds = -1;
    return DIRTY_SCREEN;
}

static unsigned act(struct app *app, void *state, enum action action) {
    struct export_view *view = state;
    enum export_kind kind = (enum export_kind)view->list.cursor;
    if (action == ACTION_RUN)
        return export_ask(app, kind, view->paths[kind]);
    if (action != ACTION_EDIT_PATH)
        return NOT_MINE;
    prompt_open(
        &app->prompt,
        (struct prompt_use){.label = "path: ", .accept = accept_path, .complete = complete_path},
        view->paths[kind]);
    return DIRTY_SCREEN;
}

static struct page *figure(struct app *app, void *state) {
    (void)state;
    return pictures_page(app, "contributions-after");
}

const struct view_ops view_export = {.name = "export",
                                     .title = "Export",
                                     .lasts = true,
                                     .open = open_view,
                                     .close = close_view,
                                     .draw = draw,
                                     .act = act,
                                     .list = list_of,
                                     .row_text = row_text,
                                     .changed = changed,
                                     .figure = figure};
