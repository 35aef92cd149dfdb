/* What surrounds every view: title with tabs and progress, status, footer. */
#include "tui/screen/app.h"

#include <stdlib.h>
#include <string.h>

enum { HINT_LIMIT = 32, HINTED_FIRST = 1000, TAB_GAP = 1, PROGRESS_ROOM = 64, PROGRESS_SHORT = 14 };

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static int tab_text(const struct app *app, int view, char text[40]) {
    return snprintf(text, 40, "%d %s", view + 1, app->ops[view]->title);
}

static int tabs_width(const struct app *app) {
    char text[40];
    int width = 0;
    for (int v = 0; v < VIEW_HELP; v++)
        width += tab_text(app, v, text) + TAB_GAP;
    return width;
}

/* Seconds left as "0:12"; empty while too little is known. */
static void eta_text(const struct app *app, const struct progress *progress, double started,
                     char *text, size_t size) {
    double passed = app->now - started;
    double done = (double)progress->done, total = (double)progress->total;
    text[0] = '\0';
    if (passed < 3 || done <= 0 || total <= done)
        return;
    int left = (int)(passed * (total - done) / done + 0.5);
    snprintf(text, size, " ETA %d:%02d", left / 60, left % 60);
}

static void percent_text(const struct app *app, const char *what, const struct progress *progress,
                         double started, char *text, size_t size) {
    char eta[24];
    double total = (double)progress->total, done = (double)progress->done;
    eta_text(app, progress, started, eta, sizeof eta);
    snprintf(text, size, "%s %.0f%%%s", what, total > 0 ? 100 * done / total : 0.0, eta);
}

/* What runs in the background, in the order of interest. */
static void progress_text(const struct app *app, char *text, size_t size) {
    const struct analysis *analysis = app->analysis;
    char eta[24];
    text[0] = '\0';
    if (app->job.state == EXPORT_RUNNING) {
        percent_text(app, "export", &app->job.progress, app->job.started, text, size);
    } else if (analysis->stage == ANALYSIS_GRAM) {
        percent_text(app, "reading", &analysis->progress, app->stage_start, text, size);
    } else if (analysis->stage == ANALYSIS_SPECTRA && analysis->spectra != NULL) {
        eta_text(app, &analysis->progress, app->stage_start, eta, sizeof eta);
        snprintf(text, size, "spectra %zu/%zu%s", spectra_ready(analysis->spectra),
                 spectra_total(analysis->spectra), eta);
    } else if (analysis->stage == ANALYSIS_FAILED) {
        snprintf(text, size, "analysis failed");
    }
}

/* Where the tabs begin: right of the name, further left where the row is short. */
static int tabs_col(const struct app *app, int width) {
    int col = width / 4;
    int room = width - tabs_width(app);
    return col < room ? col : room > 0 ? room : 0;
}

/* "37/144" as "26%", in its place. */
static void make_percent(char *text) {
    size_t done, total;
    if (sscanf(text, "%zu/%zu", &done, &total) == 2 && total > 0)
        snprintf(text, strlen(text) + 1, "%zu%%", 100 * done / total);
}

/* "spectra 37/144 ETA 0:12" in as many columns: without the word, without the time left, as a
 * percentage, or not at all. */
static const char *fit_progress(char *text, int width) {
    char *time = strstr(text, " ETA ");
    const char *space = strchr(text, ' ');
    if (text_width(text) > width && space != NULL && space != time)
        text += space - text + 1;
    if (text_width(text) > width && time != NULL)
        memmove(time + 1, time + 5, strlen(time + 5) + 1);
    if (text_width(text) > width && time != NULL)
        *time = '\0';
    if (text_width(text) > width)
        make_percent(text);
    return text_width(text) <= width ? text : "";
}

/* The progress, as much of it as there is room for behind the tabs. */
static const char *title_progress(const struct app *app, int width, char text[PROGRESS_ROOM]) {
    progress_text(app, text, PROGRESS_ROOM);
    return fit_progress(text, width - tabs_col(app, width) - tabs_width(app) - 2);
}

static void draw_title(struct app *app, struct surface *surface, struct rect title) {
    char text[TEXT_ROOM], progress[PROGRESS_ROOM], tab[40];
    int tabs = tabs_col(app, title.width), col = tabs;
    char *name = error_quote(base_name(app->config_path), strlen(base_name(app->config_path)));
    surface_text(surface, title.row, 1, 4, ELEMENT_TITLE, "r2m");
    int used = surface_text(surface, title.row, 6, tabs - 8, ELEMENT_TEXT,
                            text_shorten(name, tabs - 8, text));
    surface_text(surface, title.row, used > 0 ? 6 + used : 4, 1, ELEMENT_WARNING,
                 app->plan->modified ? "*" : "");
    free(name);
    for (int v = 0; v < VIEW_HELP; v++) {
        unsigned style = v == (int)app->view ? ELEMENT_TAB_OPEN | STYLE_REVERSE : ELEMENT_TAB;
        tab_text(app, v, tab);
        col += surface_text(surface, title.row, col, title.width - col, style, tab) + TAB_GAP;
    }
    surface_right(surface, title.row, col, title.width - col - 1, ELEMENT_WARNING,
                  title_progress(app, title.width, progress));
}

unsigned frame_click(struct app *app, int col) {
    char tab[40];
    int left = tabs_col(app, app->body.width);
    for (int v = 0; v < VIEW_HELP; v++) {
        int width = tab_text(app, v, tab);
        if (col >= left && col < left + width)
            return app_show(app, (enum view_id)v);
        left += width + TAB_GAP;
    }
    return 0;
}

/* Before the right end of the status where it has no room in the title, and in place of that where
 * both have none. */
static void add_progress(const struct app *app, int width, const char *left,
                         char right[TEXT_ROOM]) {
    char text[PROGRESS_ROOM], both[TEXT_ROOM];
    int room = width - 4 - text_width(left);
    if (*title_progress(app, width, text) != '\0')
        return;
    progress_text(app, text, sizeof text);
    const char *progress = fit_progress(text, room < PROGRESS_SHORT ? room : PROGRESS_SHORT);
    if (*progress == '\0')
        return;
    snprintf(both, sizeof both, "%s  %.900s", progress, right);
    snprintf(right, TEXT_ROOM, "%s", text_width(both) <= room && *right != '\0' ? both : progress);
}

/* What is asked or was said last; false when nothing is. */
static bool said(const struct app *app, char text[TEXT_ROOM], unsigned *style) {
    static const struct {
        unsigned style;
        const char *sign;
    } levels[] = {[STATUS_INFO] = {ELEMENT_TEXT, ""},
                  [STATUS_WARNING] = {ELEMENT_WARNING, "! "},
                  [STATUS_ERROR] = {ELEMENT_ERROR, "error: "}};
    if (app->prompt.open || (!app->question.open && app->status.text == NULL))
        return false;
    *style = app->question.open ? ELEMENT_PROMPT : levels[app->status.level].style;
    snprintf(text, TEXT_ROOM, "%s%s", app->question.open ? "" : levels[app->status.level].sign,
             app->question.open ? app->question.text : app->status.text);
    return true;
}

/* What has no room in its row goes on in the foot's, and ends there. */
static bool takes_foot(const struct app *app, int width) {
    char text[TEXT_ROOM];
    unsigned style;
    return said(app, text, &style) && text_width(text) > width - 2;
}

static void draw_long(struct surface *surface, struct rect row, unsigned style, const char *text) {
    char cut[TEXT_ROOM], *first = memory_text(text, text_line(text, row.width - 2));
    const char *rest = text + strlen(first);
    surface_text(surface, row.row, 1, row.width - 2, style, first);
    surface_text(surface, row.row + 1, 1, row.width - 2, style,
                 text_shorten(rest + strspn(rest, " "), row.width - 2, cut));
    free(first);
}

static void draw_status(struct app *app, struct surface *surface, struct rect row) {
    char left[TEXT_ROOM] = "", right[TEXT_ROOM] = "", cut[TEXT_ROOM];
    const struct view_ops *ops = app->ops[app->view];
    unsigned style = ELEMENT_QUIET;
    if (app->prompt.open) {
        prompt_draw(&app->prompt, surface, row);
        return;
    }
    if (ops->status != NULL)
        ops->status(app, app->states[app->view], left, right);
    said(app, left, &style);
    add_progress(app, row.width, left, right);
    if (takes_foot(app, row.width)) {
        draw_long(surface, row, style, left);
        return;
    }
    int width = row.width - 2, need = text_width(left);
    int gap = need + text_width(right) + 2 <= width ? text_width(right) + 2 : 0;
    surface_text(surface, row.row, 1, width - gap, style, text_shorten(left, width - gap, cut));
    if (gap > 0)
        surface_right(surface, row.row, 1, width, ELEMENT_TEXT, right);
}

/* The place of a hint in the footer: what the view wants first, then by the table. */
static int hint_place(const struct app *app, const struct binding *binding) {
    const struct view_ops *ops = app->ops[app->view];
    bool first = ops->hinted != NULL && ops->hinted(app->states[app->view], binding->action);
    return first ? binding->priority - HINTED_FIRST : binding->priority;
}

/* What the footer says of a binding here and now, or NULL. From what lies over a view q leads back,
 * as does the key that opened it, which is not said twice. */
static const char *hint_text(const struct app *app, const struct binding *binding) {
    static const enum action openers[VIEW_COUNT] = {
        [VIEW_HELP] = ACTION_HELP, [VIEW_MATCH] = ACTION_MATCH, [VIEW_STEPS] = ACTION_STEPS};
    bool here = (binding->views & (1u << app->view)) != 0;
    if (!here || openers[app->view] == binding->action ||
        (binding->disabled != NULL && binding->disabled(app) != NULL))
        return NULL;
    return app->view >= VIEW_HELP && binding->action == ACTION_QUIT ? "back" : binding->hint;
}

/* The hints of this view in the order of priority; returns their number. */
static size_t collect_hints(const struct app *app, const struct binding **hints) {
    size_t count, found = 0;
    const struct binding *all = bindings(&count);
    for (size_t i = 0; i < count && found < HINT_LIMIT; i++) {
        if (hint_text(app, &all[i]) == NULL)
            continue;
        size_t at = found++;
        for (; at > 0 && hint_place(app, hints[at - 1]) > hint_place(app, &all[i]); at--)
            hints[at] = hints[at - 1];
        hints[at] = &all[i];
    }
    return found;
}

/* "+:rank": the first key of the binding and the hint. */
static int hint_width(const struct app *app, const struct binding *binding, char key[KEY_TEXT]) {
    const char *at = binding_keys(binding);
    return text_width(key_text(key_list_next(&at), key)) + 1 + text_width(hint_text(app, binding));
}

static int draw_hint(const struct app *app, struct surface *surface, int row, int col,
                     const struct binding *binding) {
    char key[KEY_TEXT];
    int width = hint_width(app, binding, key);
    int used = surface_text(surface, row, col, width, ELEMENT_KEY, key);
    surface_print(surface, row, col + used, width - used, ELEMENT_QUIET, ":%s",
                  hint_text(app, binding));
    return width + 2;
}

/* Why the text was refused, or which keys end the prompt. */
static void draw_prompt_help(const struct app *app, struct surface *surface, struct rect row) {
    bool refused = app->status.text != NULL && app->status.level == STATUS_ERROR;
    bool said = app->prompt.open && app->status.text != NULL;
    const char *text = said ? app->status.text
                       : app->prompt.open
                           ? app->prompt.use.complete != NULL
                                 ? "Enter:accept  Tab:complete  Up:history  Esc:cancel"
                                 : "Enter:accept  Esc:cancel"
                           : "y:yes  any other key:no";
    char cut[TEXT_ROOM];
    surface_text(surface, row.row, 1, row.width - 2, refused ? ELEMENT_ERROR : ELEMENT_QUIET,
                 text_shorten(text, row.width - 2, cut));
}

/* Whole hints only; the last two (help and quit) are always kept. */
static void draw_footer(struct app *app, struct surface *surface, struct rect row) {
    const struct binding *hints[HINT_LIMIT];
    char key[KEY_TEXT];
    if (takes_foot(app, row.width))
        return;
    if (app->prompt.open || app->question.open) {
        draw_prompt_help(app, surface, row);
        return;
    }
    size_t count = collect_hints(app, hints), kept = count < 2 ? count : 2;
    int col = 1, reserved = 0;
    for (size_t i = count - kept; i < count; i++)
        reserved += hint_width(app, hints[i], key) + 2;
    for (size_t i = 0; i < count; i++) {
        bool last = i >= count - kept;
        if (!last && col + hint_width(app, hints[i], key) + 2 + reserved > row.width)
            continue;
        col += draw_hint(app, surface, row.row, col, hints[i]);
    }
}

void frame_draw(struct app *app, struct surface *surface, const struct frame_layout *layout) {
    draw_title(app, surface, layout->title);
    draw_status(app, surface, layout->status);
    draw_footer(app, surface, layout->footer);
}
