/* The state that the views share, and the way from a key to a repaint:
 *
 *     app_key()      prompt, question, key table, view, general actions -> what became dirty
 *     app_workers()  results of background work -> what became dirty
 *     app_draw()     title, view, status, footer onto a surface
 *
 * Nothing here touches the terminal or waits: the loop (loop.c) and scripts (script.c) drive it in
 * the same way. */
#ifndef R2M_TUI_SCREEN_APP_H
#define R2M_TUI_SCREEN_APP_H

#include "render/figures/figures.h"
#include "tui/screen/compare.h"
#include "tui/screen/export_job.h"
#include "tui/screen/keys.h"
#include "tui/screen/list.h"
#include "tui/screen/prompt.h"
#include "tui/screen/roster.h"
#include "tui/screen/screen.h"
#include "tui/screen/status.h"
#include "tui/terminal/surface.h"

/* What an action changed; the loop repaints. */
enum {
    DIRTY_SCREEN = 1,  /* something on the screen */
    DIRTY_PLAN = 2,    /* the plan: preview, maybe core, then the screen */
    DIRTY_ALL = 4,     /* the terminal itself must be cleared first */
    NOT_MINE = 8,      /* a view does not handle this action */
    LEAVE = 16,        /* the user leaves */
    PROMPT_STAYS = 32, /* the text was refused; the prompt stays open */
    SUSPEND = 64,      /* back to the shell for a while */
    PICTURE = 128      /* the view's figure is shown as a picture */
};

/* A view: functions and a private state. Members that may be NULL are marked so. */
struct view_ops {
    const char *name;
    const char *title; /* of the tab */
    bool lasts; /* its state knows nothing of the table: it outlives a change of specialists */
    void *(*open)(struct app *app);
    void (*close)(void *state);
    void (*draw)(struct app *app, void *state, struct surface *surface, struct rect body);
    unsigned (*act)(struct app *app, void *state, enum action action);
    struct list *(*list)(void *state);                                 /* the rows keys move in */
    void (*row_text)(struct app *app, void *state, size_t row,         /* for searching; */
                     char text[TEXT_ROOM]);                            /* may be NULL */
    void (*moved)(struct app *app, void *state);                       /* cursor moved; NULL */
    void (*changed)(struct app *app, void *state);                     /* plan edited; NULL */
    unsigned (*click)(struct app *app, void *state, int row, int col); /* elsewhere; NULL */
    unsigned (*drag)(struct app *app, void *state,                     /* after such a click, */
                     const struct mouse *mouse);                       /* till release; NULL */
    struct page *(*figure)(struct app *app, void *state);              /* what p shows; NULL */
    bool (*hinted)(const void *state, enum action action);             /* first in the footer */
                                                                       /* as things are; NULL */
    void (*status)(struct app *app, void *state, char left[TEXT_ROOM], /* when nothing else is */
                   char right[TEXT_ROOM]);                             /* said; may be NULL */
};

struct app {
    const struct screen_options *options;
    struct tensor_table *table;
    struct tensor_table **retired; /* earlier ones: work that was abandoned may still read them */
    size_t retired_count;
    struct pool *pool;
    struct analysis *analysis;
    struct raw_spectra *raw; /* of task vectors and base, computed when looked at */
    struct plan *plan;
    struct preview *preview; /* of the plan as it is */
    struct preview *before;  /* and as it was before the last edit */
    char *config_path;       /* where the config is written; never NULL */
    bool config_known;       /* it was read from there, or written there: no question asked */

    size_t layer, specialist; /* selected */
    const struct view_ops *ops[VIEW_COUNT];
    void *states[VIEW_COUNT];
    enum view_id view, view_below;
    struct rect body; /* at the last drawing */

    struct prompt prompt;
    struct question question;
    struct status status;
    char *search; /* what / looks for, or NULL */
    size_t search_start;
    struct export_job job;
    struct compare *compare; /* with a saved plan, or NULL */
    struct roster roster;

    double now;         /* seconds, monotonic; stands still in scripts */
    double stage_start; /* when the present stage of the analysis began */
    double edited;      /* when the plan was edited last; before 0: never */
    enum analysis_stage stage;
    char *clipboard; /* text for the terminal's clipboard, taken by the loop; or NULL */
    const struct figure *picture; /* what :picture asked for; NULL: the view's own */
    bool pasting, dragging;
    int event; /* eventfd, written by workers */
};

/* Opens the files and starts the analysis. */
struct app *app_create(const struct config *config, const char *config_path,
                       const struct screen_options *options, struct error *error);
void app_free(struct app *app);

unsigned app_key(struct app *app, int key);
unsigned app_action(struct app *app, enum action action);
unsigned app_mouse(struct app *app, const struct mouse *mouse);
unsigned app_workers(struct app *app);
void app_draw(struct app *app, struct surface *surface);

/* Time passed: fading messages and highlights. */
unsigned app_tick(struct app *app);
/* Seconds until app_tick has something to do; negative: never. */
double app_deadline(const struct app *app);

/* Wakes the loop from any thread. */
void app_wake(struct app *app);

/* True when nothing runs in the background. */
bool app_idle(const struct app *app);

/* The plan changed: new preview, and new spectra where the core changed. A core that cannot be is
 * taken back and said. */
void app_plan_changed(struct app *app);

/* A notifier that wakes the loop. */
struct notifier app_notifier(struct app *app);

/* States of the views that know the table anew, for another one. */
void app_reopen_views(struct app *app);

/* True for a second after a key changed a number: those that differ stand out. */
bool app_is_fresh(const struct app *app);

/* Takes the plan to a position in its history. */
void app_jump(struct app *app, size_t position);

/* Shows a view; help, names and steps on top of what was shown. */
unsigned app_show(struct app *app, enum view_id view);
const char *view_name(enum view_id view);

/* Asks or leaves. */
unsigned app_quit(struct app *app);

/* Says how an edit went: nothing when good, else the error. Returns DIRTY_PLAN or DIRTY_SCREEN. */
unsigned app_edited(struct app *app, bool good, struct error *error);

void app_say(struct app *app, enum status_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Title, status and footer (frame.c). */
void frame_draw(struct app *app, struct surface *surface, const struct frame_layout *layout);
unsigned frame_click(struct app *app, int col);

/* Moving and searching in the view's list (browse.c); NOT_MINE for other actions. */
unsigned browse_action(struct app *app, enum action action);
const char *search_disabled(const struct app *app);

/* Why nothing is taken back, or made again. */
const char *undo_disabled(const struct app *app);
const char *redo_disabled(const struct app *app);

/* Why keys of the Plan view change nothing, while plans are compared (view_plan.c). */
const char *compared_disabled(const struct app *app);

/* Why keys of the History view do nothing, while it is shown (view_history.c). */
const char *history_disabled(const struct app *app);

/* Why m mends nothing in the Specialists view (remedy.c). */
const char *mend_disabled(const struct app *app);

/* The ':' prompt (typed_command.c). */
unsigned typed_command_open(struct app *app);
unsigned typed_command_run(struct app *app, const char *text);

/* Where the Export view writes that kind (view_export.c). */
const char *export_path(const struct app *app, enum export_kind kind);

/* The merge as a formula with the plan's present numbers (formula.c). */
void formula_draw(const struct app *app, struct surface *surface, struct rect rect);

/* Help, showing everything that was said (view_help.c). */
unsigned view_help_messages(struct app *app);

extern const struct view_ops view_layers, view_specialists, view_map, view_plan, view_export,
    view_history, view_help, view_match, view_steps;

/* The list of steps is about to be shown. */
void view_steps_begin(struct app *app);

/* Keeps what was measured of the plan of a job that has ended (error NULL: good) for the History
 * view and later sessions. */
void view_history_add(struct app *app, const struct export_job *job, const char *error);

#endif
