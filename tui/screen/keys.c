#include "tui/screen/keys.h"

#include "analysis/support/memory.h"
#include "analysis/support/utf8.h"
#include "tui/screen/app.h"
#include "tui/screen/rank_edit.h"
#include "tui/screen/screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define IN(view) (1u << (view))
#define LAYERS IN(VIEW_LAYERS)
#define SPECIALISTS IN(VIEW_SPECIALISTS)
#define MAP IN(VIEW_MAP)
#define PLAN IN(VIEW_PLAN)
#define EXPORT IN(VIEW_EXPORT)
#define HISTORY IN(VIEW_HISTORY)
#define WORK (LAYERS | SPECIALISTS | MAP | PLAN | EXPORT | HISTORY)
#define STEPS IN(VIEW_STEPS)
#define ALL (WORK | IN(VIEW_HELP) | IN(VIEW_MATCH) | STEPS)
#define ROWS (WORK | STEPS | IN(VIEW_HELP))

/* clang-format off */
static const struct binding table[] = {
    {ACTION_RANK_UP, "rank-up", "+ =", LAYERS, "Raise the rank by 1 where the scope says", "rank", 1, rank_disabled},
    {ACTION_RANK_DOWN, "rank-down", "- _", LAYERS, "Lower the rank by 1", NULL, 0, rank_disabled},
    {ACTION_RANK_UP_10, "rank-up-10", ">", LAYERS, "Raise the rank by 10", NULL, 0, rank_disabled},
    {ACTION_RANK_DOWN_10, "rank-down-10", "<", LAYERS, "Lower the rank by 10", NULL, 0, rank_disabled},
    {ACTION_RANK_SET, "rank-set", "r", LAYERS, "Set a rank rule: 64, 10%, e90, gd, mp, auto, full, zero", "set", 2, rank_disabled},
    {ACTION_RANK_PROPOSE, "rank-propose", "R", LAYERS, "Take the rank that rule auto proposes, and say why", "propose", 27, rank_disabled},
    {ACTION_RANK_RESET, "rank-reset", "d", LAYERS, "Follow the default rule again", NULL, 0, rank_disabled},
    {ACTION_SCOPE, "scope", "a", LAYERS, "What rank keys change: this layer or module, marked ones, its kind, all", "scope", 3, NULL},
    {ACTION_SCOPE_SPECIALISTS, "scope-specialists", "A", LAYERS, "Rank keys change one specialist, or all of them", NULL, 0, NULL},
    {ACTION_RANK_COPY, "rank-copy", "c", LAYERS, "Copy the ranks of what rank keys change", NULL, 0, rank_disabled},
    {ACTION_RANK_PASTE, "rank-paste", "P", LAYERS, "Paste them where rank keys reach: to the same layer, or the same kind", NULL, 0, rank_disabled},
    {ACTION_SPECIALIST_PREVIOUS, "specialist-previous", "[", LAYERS | MAP, "Select the previous specialist", NULL, 0, NULL},
    {ACTION_SPECIALIST_NEXT, "specialist-next", "]", LAYERS | MAP, "Select the next specialist", "specialist", 4, NULL},
    {ACTION_MARK, "mark", "Space", LAYERS, "Mark or unmark the layer, or all layers of a module", "mark", 6, NULL},
    {ACTION_MARK_RANGE, "mark-range", "v", LAYERS, "Begin a range of marks at this row; once more: mark it", NULL, 0, NULL},
    {ACTION_MARK_INVERT, "mark-invert", "*", LAYERS, "Mark what is not marked, and the reverse", NULL, 0, NULL},
    {ACTION_FILTER, "filter", "\\", LAYERS, "List layers by words: text, role:vector, kind:mlp.fc1, !not", "filter", 7, NULL},
    {ACTION_FILTER_KIND, "filter-kind", "K", LAYERS, "List layers of the selected one's kind only, and back", NULL, 0, NULL},
    {ACTION_SORT, "sort", "s", LAYERS | HISTORY, "Sort by the next column; after the last the rows' own order", "sort", 12, history_disabled},
    {ACTION_SORT_TURN, "sort-turn", "S", LAYERS | HISTORY, "Turn the order round", NULL, 0, history_disabled},
    {ACTION_FOLD, "fold", "z", LAYERS, "Fold or unfold the module", "fold", 8, NULL},
    {ACTION_FOLD_ALL, "fold-all", "Z", LAYERS, "Fold or unfold all modules", NULL, 0, NULL},
    {ACTION_LEFT, "left", "Left h", LAYERS | MAP, "Previous specialist; in the spectrum the cursor to the left", NULL, 0, NULL},
    {ACTION_RIGHT, "right", "Right l", LAYERS | MAP, "Next specialist; in the spectrum the cursor to the right", NULL, 0, NULL},
    {ACTION_CUT_HERE, "cut-here", ".", LAYERS, "Set the rank to the index under the spectrum's cursor", "cut here", 20, rank_disabled},
    {ACTION_SPECTRUM_OF, "spectrum-of", "t", LAYERS, "Spectrum of residuals, task vectors, the base, or all three compared", "spectrum", 9, NULL},
    {ACTION_AXIS, "axis", "x", LAYERS, "Spectrum over log or linear index", "log index", 21, NULL},
    {ACTION_AXIS_Y, "axis-y", "X", LAYERS, "Singular values on a log or linear axis", "log sigma", 26, NULL},
    {ACTION_RELATIVE, "relative", "%", LAYERS, "Singular values absolute, or relative to sigma_1", "relative", 23, NULL},
    {ACTION_CUMULATIVE, "cumulative", "E", LAYERS, "Singular values, or the energy they add up to", "energy", 22, NULL},
    {ACTION_ZOOM_IN, "zoom-in", "i", LAYERS, "Zoom into the spectrum around its cursor, or the cut", "zoom", 24, NULL},
    {ACTION_ZOOM_OUT, "zoom-out", "o", LAYERS, "Zoom out of the spectrum", NULL, 0, NULL},
    {ACTION_EDGES, "noise-edges", "e", LAYERS, "Show the noise edges GD and MP in the spectrum", "edges", 25, NULL},
    {ACTION_VECTORS, "vectors", "V", LAYERS, "Show or hide vectors (biases, gains), which have no rank", NULL, 0, NULL},
    {ACTION_PANE, "pane", "Tab", LAYERS, "Next pane; in the spectrum Left and Right move a cursor that reads values", "pane", 10, NULL},
    {ACTION_PANE_BACK, "pane-back", "S-Tab", LAYERS, "Previous pane", NULL, 0, NULL},
    {ACTION_ZOOM, "zoom", "Enter", LAYERS, "Spectrum over the whole screen, and back", NULL, 0, NULL},
    {ACTION_WEIGHT_UP, "weight-up", "+ =", SPECIALISTS, "Raise the specialist's weight by 0.1", "weight", 1, NULL},
    {ACTION_WEIGHT_DOWN, "weight-down", "- _", SPECIALISTS, "Lower the specialist's weight by 0.1", NULL, 0, NULL},
    {ACTION_WEIGHT_SET, "weight-set", "Enter e", SPECIALISTS, "Type the specialist's weight", "set", 2, NULL},
    {ACTION_SPECIALIST_SWITCH, "specialist-switch", "Space", SPECIALISTS, "Switch the specialist off, or on again", "on/off", 3, NULL},
    {ACTION_SPECIALIST_ADD, "specialist-add", "a", SPECIALISTS, "Add a specialist: a path, or NAME=PATH", "add", 4, NULL},
    {ACTION_SPECIALIST_REMOVE, "specialist-remove", "x Del", SPECIALISTS, "Take the specialist out", NULL, 0, NULL},
    {ACTION_MEND, "mend", "m", SPECIALISTS, "Change the setting that mends what is found", "mend", 7, mend_disabled},
    {ACTION_PAGE, "page", "Tab", SPECIALISTS, "What stands below the table: summary, cosines", "page", 8, NULL},
    {ACTION_METRIC, "metric", "m", MAP, "Next quantity: share, kept energy, Real share, dominance, rank", "quantity", 1, NULL},
    {ACTION_METRIC_PREVIOUS, "metric-previous", "b", MAP, "Previous quantity", NULL, 0, NULL},
    {ACTION_OPEN_LAYER, "open-layer", "Enter", MAP, "Open the layer in view 1", "open", 2, NULL},
    {ACTION_VALUE_CHANGE, "value-change", "Enter", PLAN, "Next choice, or type a number; a preset is applied", "change", 1, compared_disabled},
    {ACTION_VALUE_PREVIOUS, "value-previous", "Left h -", PLAN, "Previous choice, or a smaller number", NULL, 0, compared_disabled},
    {ACTION_VALUE_NEXT, "value-next", "Right l +", PLAN, "Next choice, or a greater number", "step", 2, compared_disabled},
    {ACTION_VALUE_RESET, "value-reset", "d", PLAN, "Back to the default; an override is dropped", "default", 3, compared_disabled},
    {ACTION_PRESET, "preset", "P", PLAN, "Apply a preset by name", "preset", 4, compared_disabled},
    {ACTION_OVERRIDE_UP, "override-up", "K", PLAN, "Move the override up; later ones win", NULL, 0, compared_disabled},
    {ACTION_OVERRIDE_DOWN, "override-down", "J", PLAN, "Move the override down", NULL, 0, compared_disabled},
    {ACTION_OVERRIDE_LAYERS, "override-layers", "e", PLAN, "Change the layers of an override, a pattern with * and ?", NULL, 0, compared_disabled},
    {ACTION_COMPARE, "compare", "c", PLAN, "Compare with a saved plan, and back", "compare", 6, NULL},
    {ACTION_RUN, "run", "Enter", EXPORT, "Write the file or the figures", "write", 1, NULL},
    {ACTION_EDIT_PATH, "edit-path", "e", EXPORT, "Change the path", "path", 2, NULL},
    {ACTION_RESTORE, "restore", "Enter", HISTORY, "Make this plan the present one; u takes it back", "restore", 1, history_disabled},
    {ACTION_PLOT_SETTING, "plot-setting", "x", HISTORY, "Plot against the next setting that differs", "against", 3, history_disabled},
    {ACTION_PLOT_METRIC, "plot-metric", "m", HISTORY, "Plot the next metric", "metric", 2, history_disabled},
    {ACTION_OUTPUT, "output", "o", HISTORY, "What the evaluation printed, or the plot", "output", 4, history_disabled},
    {ACTION_FORGET, "forget", "d Del", HISTORY, "Forget this measured plan, in later sessions too", NULL, 0, history_disabled},
    {ACTION_UP, "up", "Up k", ALL, "Previous row", NULL, 0, NULL},
    {ACTION_DOWN, "down", "Down j", ALL, "Next row", NULL, 0, NULL},
    {ACTION_PAGE_UP, "page-up", "PgUp", ALL, "A page up", NULL, 0, NULL},
    {ACTION_PAGE_DOWN, "page-down", "PgDn", ALL, "A page down", NULL, 0, NULL},
    {ACTION_HALF_UP, "half-up", "C-u", ALL, "Half a page up", NULL, 0, NULL},
    {ACTION_HALF_DOWN, "half-down", "C-d", ALL, "Half a page down", NULL, 0, NULL},
    {ACTION_FIRST, "first", "g Home", ALL, "First row", NULL, 0, NULL},
    {ACTION_LAST, "last", "G End", ALL, "Last row", NULL, 0, NULL},
    {ACTION_SEARCH, "search", "/", ROWS, "Find a row while typing", "find", 11, NULL},
    {ACTION_SEARCH_NEXT, "search-next", "n", ROWS, "Next row found", NULL, 0, search_disabled},
    {ACTION_SEARCH_PREVIOUS, "search-previous", "N", ROWS, "Previous row found", NULL, 0, search_disabled},
    {ACTION_COPY_TEXT, "copy-text", "y", ROWS, "Copy the row to the terminal's clipboard and show it", NULL, 0, NULL},
    {ACTION_UNDO, "undo", "u", WORK, "Take the last change back", "undo", 5, undo_disabled},
    {ACTION_REDO, "redo", "C-r", WORK, "Make it again", NULL, 0, redo_disabled},
    {ACTION_STEPS, "steps", "U", WORK | STEPS, "List what was done; moving in the list goes back and forward", NULL, 0, NULL},
    {ACTION_STEPS_TAKE, "steps-take", "Enter", STEPS, "Stay at this step", "stay", 1, NULL},
    {ACTION_COMMAND, "command", ":", WORK, "Type a command: set, write, export, adapters, figures, report, preset, messages", NULL, 0, NULL},
    {ACTION_PICTURE, "picture", "p", WORK, "Show the figure as a picture, where the terminal can (kitty or sixel protocol)", "picture", 27, NULL},
    {ACTION_EVALUATE, "evaluate", "!", WORK, "Measure the plan: merge it to a temporary file and run eval.command", "measure", 28, NULL},
    {ACTION_VIEW_1, "view-1", "1", ALL, "Layers: spectra, ranks, contributions", NULL, 0, NULL},
    {ACTION_VIEW_2, "view-2", "2", ALL, "Specialists: norms, shares, weights, cosines", NULL, 0, NULL},
    {ACTION_VIEW_3, "view-3", "3", ALL, "Map: one quantity over layers and specialists", NULL, 0, NULL},
    {ACTION_VIEW_4, "view-4", "4", ALL, "Plan: every hyperparameter and override", NULL, 0, NULL},
    {ACTION_VIEW_5, "view-5", "5", ALL, "Export: config, merged checkpoint, figures, report", NULL, 0, NULL},
    {ACTION_VIEW_6, "view-6", "6", ALL, "History: measured plans, their settings and metrics", NULL, 0, NULL},
    {ACTION_MATCH, "match", "M", WORK | IN(VIEW_MATCH), "How the names of the specialists met the base's, and back", "names", 13, NULL},
    {ACTION_CANCEL, "cancel", "C-c", ALL, "Stop the running export", NULL, 0, NULL},
    {ACTION_REDRAW, "redraw", "C-l", ALL, "Draw the screen anew", NULL, 0, NULL},
    {ACTION_SUSPEND, "suspend", "C-z", ALL, "Back to the shell; fg returns", NULL, 0, NULL},
    {ACTION_BACK, "back", "Esc", ALL, "Back: close help, leave the zoom, forget the message", NULL, 0, NULL},
    {ACTION_HELP, "help", "? F1", ALL, "This help, and back", "help", 90, NULL},
    {ACTION_QUIT, "quit", "q", ALL, "Leave; asks when the plan is not saved", "quit", 91, NULL},
};
/* clang-format on */

static const struct {
    const char *name;
    int key;
} names[] = {
    {"Up", INPUT_UP},         {"Down", INPUT_DOWN},    {"Left", INPUT_LEFT},
    {"Right", INPUT_RIGHT},   {"PgUp", INPUT_PAGE_UP}, {"PgDn", INPUT_PAGE_DOWN},
    {"Home", INPUT_HOME},     {"End", INPUT_END},      {"Del", INPUT_DELETE},
    {"S-Tab", INPUT_BACKTAB}, {"Tab", INPUT_TAB},      {"Enter", INPUT_ENTER},
    {"Esc", INPUT_ESCAPE},    {"F1", INPUT_F1},        {"Space", ' '},
    {"BS", INPUT_BACKSPACE},
};
enum { NAME_COUNT = sizeof names / sizeof *names };

const struct binding *bindings(size_t *count) {
    *count = sizeof table / sizeof *table;
    return table;
}

/* The user's, where not NULL. */
static char *own_keys[sizeof table / sizeof *table];

const char *binding_keys(const struct binding *binding) {
    const char *own = own_keys[binding - table];
    return own != NULL ? own : binding->keys;
}

static void take_keys(size_t row, const char *keys) {
    free(own_keys[row]);
    own_keys[row] = keys != NULL ? memory_string(keys) : NULL;
}

bool binding_set_keys(const char *name, const char *keys, char *reason, size_t size) {
    const char *at = keys;
    bool found = false;
    size_t count = 0;
    while (key_list_next(&at) != INPUT_NONE)
        count++;
    if (count == 0 || *at != '\0') {
        snprintf(reason, size, "%s takes names of keys; \"%s\" is none", name, at);
        return false;
    }
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i].name, name) == 0) {
            take_keys(i, keys);
            found = true;
        }
    if (!found)
        snprintf(reason, size, "%s is no action; r2m tui --keys lists them", name);
    return found;
}

static bool has_key(const struct binding *binding, int key) {
    const char *at = binding_keys(binding);
    for (int one; (one = key_list_next(&at)) != INPUT_NONE;)
        if (one == key)
            return true;
    return false;
}

/* The first row, of those before that one, that shares a key and a view with it. */
static const struct binding *clashing(size_t row, int *key) {
    for (size_t i = 0; i < row; i++) {
        const char *at = binding_keys(&table[row]);
        while ((table[i].views & table[row].views) != 0 && (*key = key_list_next(&at)) != 0)
            if (has_key(&table[i], *key))
                return &table[i];
    }
    return NULL;
}

const char *bindings_settle(char *clash, size_t size) {
    char name[KEY_TEXT];
    for (size_t row = 0; row < sizeof table / sizeof *table; row++) {
        int key = INPUT_NONE;
        const struct binding *other = clashing(row, &key);
        if (other == NULL)
            continue;
        size_t changed = own_keys[row] != NULL ? row : (size_t)(other - table);
        snprintf(clash, size, "%s means %s and %s; %s keeps %s", key_text(key, name), other->name,
                 table[row].name, table[changed].name, table[changed].keys);
        take_keys(changed, NULL);
        return table[changed].name;
    }
    return NULL;
}

const struct binding *binding_find(enum view_id view, int key) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((table[i].views & IN(view)) != 0 && has_key(&table[i], key))
            return &table[i];
    return NULL;
}

const struct binding *binding_of(enum view_id view, enum action action) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if ((table[i].views & IN(view)) != 0 && table[i].action == action)
            return &table[i];
    return NULL;
}

const char *key_text(int key, char buffer[KEY_TEXT]) {
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (names[i].key == key) {
            snprintf(buffer, KEY_TEXT, "%s", names[i].name);
            return buffer;
        }
    if (key > 0 && key < 27) {
        snprintf(buffer, KEY_TEXT, "C-%c", key + 'a' - 1);
    } else if (key < INPUT_UP) {
        size_t length = utf8_encode((uint32_t)key, buffer);
        buffer[length] = '\0';
    } else {
        snprintf(buffer, KEY_TEXT, "key");
    }
    return buffer;
}

int key_parse(const char *name) {
    uint32_t code = 0;
    size_t length = strlen(name);
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (strcasecmp(names[i].name, name) == 0)
            return names[i].key;
    if (length == 3 && (name[0] == 'C' || name[0] == 'c') && name[1] == '-')
        return INPUT_CTRL(name[2]);
    return length > 0 && utf8_decode(name, length, &code) == length ? (int)code : INPUT_NONE;
}

int key_list_next(const char **at) {
    char name[KEY_TEXT];
    *at += strspn(*at, " ");
    size_t length = strcspn(*at, " ");
    if (length == 0 || length >= sizeof name)
        return INPUT_NONE;
    memcpy(name, *at, length);
    name[length] = '\0';
    *at += length;
    return key_parse(name);
}

void screen_print_keys(FILE *stream) {
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const struct binding *one = &table[i];
        bool all = (one->views & WORK) == WORK;
        if (all)
            fprintf(stream, "all\t%s\t%s\t%s\n", one->keys, one->name, one->help);
        for (int view = 0; view < VIEW_COUNT && !all; view++)
            if (view != VIEW_HELP && (one->views & IN(view)) != 0)
                fprintf(stream, "%s\t%s\t%s\t%s\n", view_name((enum view_id)view), one->keys,
                        one->name, one->help);
    }
}
