/* Keys and what they do: one table, from which come the dispatch, the footer, the help screen, the
 * manual's section and the test that every key works. */
#ifndef R2M_TUI_SCREEN_KEYS_H
#define R2M_TUI_SCREEN_KEYS_H

#include <stdbool.h>
#include <stddef.h>

struct app;

/* A key: a code point (control characters as they are), or one of these. */
enum input {
    INPUT_NONE = 0,
    INPUT_TAB = 9,
    INPUT_ENTER = 13,
    INPUT_ESCAPE = 27,
    INPUT_BACKSPACE = 127,
    INPUT_UP = 0x110000,
    INPUT_DOWN,
    INPUT_LEFT,
    INPUT_RIGHT,
    INPUT_PAGE_UP,
    INPUT_PAGE_DOWN,
    INPUT_HOME,
    INPUT_END,
    INPUT_DELETE,
    INPUT_BACKTAB,
    INPUT_F1,
    INPUT_RESIZE,
    INPUT_PASTE_BEGIN, /* what follows was pasted, not typed */
    INPUT_PASTE_END,
    INPUT_MOUSE /* see term_mouse() */
};

#define INPUT_CTRL(letter) ((letter)&0x1f)

/* What the pointer did, and in which cell of the screen. Between a press and its release come the
 * drags. */
enum mouse_event { MOUSE_PRESS, MOUSE_DRAG, MOUSE_RELEASE, MOUSE_WHEEL_UP, MOUSE_WHEEL_DOWN };
struct mouse {
    enum mouse_event event;
    int row, col;
};
enum { WHEEL_ROWS = 3 };

/* Views in the order of their numbers; help is opened on top of them. */
enum view_id {
    VIEW_LAYERS,
    VIEW_SPECIALISTS,
    VIEW_MAP,
    VIEW_PLAN,
    VIEW_EXPORT,
    VIEW_HISTORY,
    VIEW_HELP,
    VIEW_MATCH,
    VIEW_STEPS,
    VIEW_COUNT
};

enum action {
    ACTION_NONE,
    ACTION_UP,
    ACTION_DOWN,
    ACTION_PAGE_UP,
    ACTION_PAGE_DOWN,
    ACTION_HALF_UP,
    ACTION_HALF_DOWN,
    ACTION_FIRST,
    ACTION_LAST,
    ACTION_RANK_UP,
    ACTION_RANK_DOWN,
    ACTION_RANK_UP_10,
    ACTION_RANK_DOWN_10,
    ACTION_RANK_SET,
    ACTION_RANK_PROPOSE,
    ACTION_RANK_RESET,
    ACTION_RANK_COPY,
    ACTION_RANK_PASTE,
    ACTION_SCOPE,
    ACTION_SCOPE_SPECIALISTS,
    ACTION_SPECIALIST_PREVIOUS,
    ACTION_SPECIALIST_NEXT,
    ACTION_MARK,
    ACTION_MARK_INVERT,
    ACTION_MARK_RANGE,
    ACTION_FILTER,
    ACTION_FILTER_KIND,
    ACTION_SORT,
    ACTION_SORT_TURN,
    ACTION_FOLD,
    ACTION_FOLD_ALL,
    ACTION_LEFT,
    ACTION_RIGHT,
    ACTION_CUT_HERE,
    ACTION_SPECTRUM_OF,
    ACTION_AXIS,
    ACTION_AXIS_Y,
    ACTION_RELATIVE,
    ACTION_CUMULATIVE,
    ACTION_ZOOM_IN,
    ACTION_ZOOM_OUT,
    ACTION_EDGES,
    ACTION_VECTORS,
    ACTION_PANE,
    ACTION_PANE_BACK,
    ACTION_ZOOM,
    ACTION_WEIGHT_UP,
    ACTION_WEIGHT_DOWN,
    ACTION_WEIGHT_SET,
    ACTION_SPECIALIST_SWITCH,
    ACTION_SPECIALIST_ADD,
    ACTION_MEND,
    ACTION_PAGE,
    ACTION_SPECIALIST_REMOVE,
    ACTION_METRIC,
    ACTION_METRIC_PREVIOUS,
    ACTION_OPEN_LAYER,
    ACTION_VALUE_CHANGE,
    ACTION_VALUE_PREVIOUS,
    ACTION_VALUE_NEXT,
    ACTION_VALUE_RESET,
    ACTION_PRESET,
    ACTION_OVERRIDE_UP,
    ACTION_OVERRIDE_DOWN,
    ACTION_OVERRIDE_LAYERS,
    ACTION_COMPARE,
    ACTION_RUN,
    ACTION_EDIT_PATH,
    ACTION_SEARCH,
    ACTION_SEARCH_NEXT,
    ACTION_SEARCH_PREVIOUS,
    ACTION_COPY_TEXT,
    ACTION_UNDO,
    ACTION_REDO,
    ACTION_STEPS,
    ACTION_STEPS_TAKE,
    ACTION_RESTORE,
    ACTION_OUTPUT,
    ACTION_FORGET,
    ACTION_PLOT_SETTING,
    ACTION_PLOT_METRIC,
    ACTION_COMMAND,
    ACTION_PICTURE,
    ACTION_EVALUATE,
    ACTION_VIEW_1,
    ACTION_VIEW_2,
    ACTION_VIEW_3,
    ACTION_VIEW_4,
    ACTION_VIEW_5,
    ACTION_VIEW_6,
    ACTION_MATCH,
    ACTION_HELP,
    ACTION_BACK,
    ACTION_CANCEL,
    ACTION_REDRAW,
    ACTION_SUSPEND,
    ACTION_QUIT,
    ACTION_COUNT
};

/* One row of the table. */
struct binding {
    enum action action;
    const char *name; /* "rank-up" */
    const char *keys; /* names separated by spaces: "+ =" */
    unsigned views;   /* bit 1 << enum view_id for each view it works in */
    const char *help; /* a sentence without a full stop */
    const char *hint; /* for the footer, or NULL */
    int priority;     /* of the hint: the lowest first; 0 where hint is NULL */
    const char *(*disabled)(const struct app *app); /* the reason why not now, or NULL */
};

/* All rows, in the order of the help screen. */
const struct binding *bindings(size_t *count);

/* The row that key means in a view, or NULL. */
const struct binding *binding_find(enum view_id view, int key);

/* The row of an action in a view, or NULL. */
const struct binding *binding_of(enum view_id view, enum action action);

/* The keys of a row: the user's, or the table's. */
const char *binding_keys(const struct binding *binding);

/* Gives an action other keys ("Up +"; one of several rows of that name each). False with the reason
 * when there is no such action or key. */
bool binding_set_keys(const char *name, const char *keys, char *reason, size_t size);

/* Finds a key that means two things, says so with both names, and gives an action that has other
 * keys its own back. Returns that action's name, NULL when no key clashes. Call until then. */
const char *bindings_settle(char *clash, size_t size);

/* Names of keys: "Up", "C-r", "Space", "+". buffer of KEY_TEXT bytes is returned. */
enum { KEY_TEXT = 16 };
const char *key_text(int key, char buffer[KEY_TEXT]);

/* The key of that name (capitals do not matter in names of several letters), or INPUT_NONE. */
int key_parse(const char *name);

/* Walks a list of names: the key at *at, which moves on; INPUT_NONE at the end. */
int key_list_next(const char **at);

#endif
