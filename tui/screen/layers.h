/* The parts of the Layers view: its rows (modules that fold) and its details. */
#ifndef R2M_TUI_SCREEN_LAYERS_H
#define R2M_TUI_SCREEN_LAYERS_H

#include "render/figures.h"
#include "tui/screen/rank_edit.h"

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
};

/* Lists the matrices, and the vectors where asked; all unfolded. */
void layers_rows_build(struct layers_rows *rows, const struct tensor_table *table, bool vectors);

/* Rows anew after folding. */
void layers_rows_update(struct layers_rows *rows);
void layers_rows_free(struct layers_rows *rows);

/* The row that shows the layer (its module's where folded). */
size_t layers_row_of(const struct layers_rows *rows, size_t layer);

/* Bytes of a name that are its module ("blocks.3" of "blocks.3.attn.qkv.weight"); 0: none. */
size_t layer_module_length(const char *name);

/* What a row is called in the table: the module's label, or what the layer's name adds to it. */
void layers_row_label(const struct layers_rows *rows, const struct tensor_table *table, size_t row,
                      char label[TEXT_ROOM]);

enum { LAYERS_COLUMNS = 10 }; /* beside one for each specialist */

struct layers_view {
    struct list list;
    struct layers_rows rows;
    struct spectrum_view spectrum;
    enum rank_scope scope;
    bool *marked; /* [layer_count] */
    bool vectors, zoom;
    int pane;
    struct column columns[LAYERS_COLUMNS + SPECIALIST_LIMIT];
    size_t column_count;
    char titles[SPECIALIST_LIMIT][TEXT_ROOM];
};

/* The table on the left. */
void layers_draw_table(struct app *app, struct layers_view *view, struct surface *surface,
                       struct rect rect, bool focus);

/* The right side for app->layer. */
void layers_draw_spectrum(struct app *app, struct surface *surface, struct rect rect,
                          const struct spectrum_view *view, bool focus);
void layers_draw_bars(struct app *app, struct surface *surface, struct rect rect);
void layers_draw_values(struct app *app, struct surface *surface, struct rect rect);

/* Energy of a specialist's task vector in a layer, and whether the Gram pass has ended. */
bool layer_energy(const struct app *app, size_t layer, size_t specialist,
                  struct energy_split *split);

/* Style of a number: stands out when the last edit changed it. */
unsigned changed_style(const struct app *app, double now, double before, unsigned otherwise);

#endif
