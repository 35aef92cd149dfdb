/* The parts of the Layers view: its rows (modules that fold) and its details. */
#ifndef R2M_TUI_SCREEN_LAYERS_H
#define R2M_TUI_SCREEN_LAYERS_H

#include "render/cells.h"
#include "render/figures/figures.h"
#include "tui/screen/rank_edit.h"

#include <math.h>
#include <stdint.h>

/* Layers with a common start of their names, such as one block. */
struct module {
    char *label;
    size_t first, count; /* of shown[] */
    bool folded;
};

/* A line of the table: a module, or a layer. */
struct layers_row {
    bool is_module;
    size_t module;       /* index */
    size_t first, count; /* of shown[]: what rank keys reach */
};

struct layers_rows {
    size_t *shown; /* layers of the table that are listed */
    size_t shown_count;
    struct module *modules;
    size_t module_count;
    struct layers_row *rows;
    size_t row_count;
    bool flat; /* in the order of a column, without modules */
};

/* Lists the matrices, and the vectors where asked, that the filter lets through (NULL: all).
 * Modules of an earlier list that were folded stay so. */
void layers_rows_build(struct layers_rows *rows, const struct tensor_table *table, bool vectors,
                       const char *filter);

/* Rows anew after folding, in the order of the model. */
void layers_rows_update(struct layers_rows *rows);

/* One row for each layer in the order of values[shown_count], upwards or down; NAN comes last. */
void layers_rows_sort(struct layers_rows *rows, const double *values, bool down);
void layers_rows_free(struct layers_rows *rows);

/* The row that shows the layer (its module's where folded). */
size_t layers_row_of(const struct layers_rows *rows, size_t layer);

/* Whether every word of the filter fits: text anywhere in the name, role:vector, kind:mlp.fc1; a
 * word after '!' must not fit. */
bool layer_fits(const struct layer *layer, const char *filter);

/* A matrix, or a vector where vectors are shown or the filter names that role, and it fits. */
bool layer_is_listed(const struct layer *layer, bool vectors, const char *filter);

/* Tab in the filter's prompt: roles and kinds. */
void layers_filter_complete(struct app *app, char text[PROMPT_ROOM]);

/* What a row is called in the table: the module's label, or what the layer's name adds to it. */
void layers_row_label(const struct layers_rows *rows, const struct tensor_table *table, size_t row,
                      char label[TEXT_ROOM]);

/* What a number of the table is of. */
struct measuring {
    const struct app *app;
    const struct preview *preview; /* the present one, or that before the last edit */
    const struct layers_rows *rows;
    const struct layers_row *row;
};

/* Numbers of a row for the selected specialist; NAN: there is none, MEASURE_PENDING: not yet. */
#define MEASURE_PENDING INFINITY
typedef double measure(const struct measuring *of);
measure measure_real, measure_kept, measure_share;       /* in per cent */
measure measure_task_norm, measure_residual_norm;        /* ||tau||, ||T(R)|| */
measure measure_stable, measure_dominance, measure_size; /* size: elements */
double measure_dominance_of(const struct measuring *of, size_t *specialist);

/* Lowest and highest rank for specialists [first, end); false while one is pending, or where
 * nothing has a rank. */
bool measure_ranks(const struct measuring *of, size_t first, size_t end, size_t *low, size_t *high);

#define NO_ANCHOR SIZE_MAX
enum { LAYERS_COLUMNS = 14 }; /* beside one for each specialist */

enum layers_pane { PANE_TABLE, PANE_SPECTRUM, PANE_COUNT };

struct layers_view {
    struct list list;
    struct layers_rows rows;
    struct spectrum_view spectrum;
    enum rank_scope scope;
    bool every; /* rank keys change every specialist, not only the selected one */
    struct rank_clip clip;
    bool *marked;         /* [layer_count] */
    size_t anchor;        /* the layer from which a range is being marked, or NO_ANCHOR */
    char *filter;         /* or NULL */
    size_t filtered_from; /* the layer selected when it was asked for */
    int sort_column;      /* what the view calls it; 0, the name: the order of the model */
    bool vectors, zoom;
    bool dragging_cut;
    size_t drag_from;             /* position in the history where the drag began */
    struct rect chart_rect;       /* where the spectrum was drawn last; width 0: nowhere */
    struct chart_axis chart_axis; /* its x axis then; no label */
    int pane;
    struct column columns[LAYERS_COLUMNS + SPECIALIST_LIMIT];
    size_t column_count;
    char titles[SPECIALIST_LIMIT + 1][TEXT_ROOM]; /* of the specialists, and of the names */
};

const struct layers_row *layers_cursor_row(const struct layers_view *view); /* or NULL */

/* The layer under the cursor becomes the selected one. */
void layers_follow_cursor(struct app *app, struct layers_view *view);

/* Marks, folds and the filter (layers_choose.c); each returns what became dirty. */
size_t layers_marked_count(const struct app *app, const struct layers_view *view);
unsigned layers_mark(struct app *app, struct layers_view *view);
unsigned layers_mark_invert(struct app *app, struct layers_view *view);
unsigned layers_mark_range(struct app *app, struct layers_view *view);
unsigned layers_fold(struct app *app, struct layers_view *view, bool all);
void layers_set_filter(struct app *app, struct layers_view *view, const char *filter);
unsigned layers_ask_filter(struct app *app, struct layers_view *view);
unsigned layers_filter_kind(struct app *app, struct layers_view *view);
unsigned layers_show_vectors(struct app *app, struct layers_view *view);

/* Drops a range that is being marked, else the filter; false when there is neither. */
bool layers_drop(struct app *app, struct layers_view *view);

/* The order in which s goes through the columns that are seen. */
void layers_sort_next(struct app *app, struct layers_view *view);
void layers_sort_by(struct app *app, struct layers_view *view, int column);

/* Rows in the order of the numbers as they are now. */
void layers_order(struct app *app, struct layers_view *view);

/* Whether a mark stands at the layer, or is about to: the range from anchor to cursor. */
bool layers_is_marked(const struct layers_view *view, size_t layer);

/* The table on the left. */
void layers_draw_table(struct app *app, struct layers_view *view, struct surface *surface,
                       struct rect rect, bool focus);

/* The spectrum of app->layer as a figure (view_ops.figure), on the screen, and what its keys do
 * (NOT_MINE for other actions). */
struct page *layers_figure(struct app *app, void *state);
void layers_draw_spectrum(struct app *app, struct layers_view *view, struct surface *surface,
                          struct rect rect, bool focus);
unsigned layers_spectrum_act(struct app *app, struct layers_view *view, enum action action);

/* The spectrum that the view shows for a specialist, or NULL: not ready. */
const struct spectrum *layers_spectrum_read(const struct app *app, const struct spectrum_view *view,
                                            size_t specialist);

/* What the cursor reads; false where there is none. */
bool layers_cursor_text(const struct app *app, const struct layers_view *view,
                        char text[TEXT_ROOM]);

/* The index drawn at that place of the screen; 0 outside the chart. */
size_t layers_chart_index(const struct app *app, const struct layers_view *view, int row, int col);

/* The column of the screen where an index is drawn. */
int layers_chart_column(const struct layers_view *view, size_t index);

/* What the pointer does (layers_mouse.c). */
unsigned layers_click(struct app *app, struct layers_view *view, int row, int col);
unsigned layers_drag(struct app *app, struct layers_view *view, const struct mouse *mouse);

/* What rank keys change. */
struct rank_selection layers_selection(const struct layers_view *view);

/* The rest of the right side. */
void layers_draw_bars(struct app *app, struct surface *surface, struct rect rect);
void layers_draw_values(struct app *app, const struct layers_view *view, struct surface *surface,
                        struct rect rect);

/* Energy of a specialist's task vector in a layer, and whether the Gram pass has ended. */
bool layer_energy(const struct app *app, size_t layer, size_t specialist,
                  struct energy_split *split);

/* Style of a number: stands out when the last edit changed it. */
unsigned changed_style(const struct app *app, double now, double before, unsigned otherwise);

#endif
