/* The figures of this program, as charts: each built from an analysis and its preview. */
#ifndef R2M_RENDER_FIGURES_H
#define R2M_RENDER_FIGURES_H

#include "analysis/raw_spectra.h"
#include "merge/preview.h"
#include "render/image.h"

/* Whose spectrum: a curve for each specialist's residual or task vector, the base's, or all three
 * for one specialist. */
enum spectrum_of {
    SPECTRUM_RESIDUALS,
    SPECTRUM_TASKS,
    SPECTRUM_BASE,
    SPECTRUM_COMPARED,
    SPECTRUM_OF_COUNT
};
const char *spectrum_of_text(enum spectrum_of of);

/* How a spectrum is looked at. */
struct spectrum_view {
    enum chart_scale x, y; /* log x by default */
    int selected;          /* the specialist drawn strongest; its rank cut is labelled; -1: none,
                              every cut is drawn */
    bool noise_edges;      /* GD and MP lines of the selected (or first) specialist */
    double zoom_min, zoom_max; /* index range shown; 0, 0: all */
    enum spectrum_of of;
    const struct raw_spectra *raw; /* of task vectors and base; NULL: none are there */
    bool relative;                 /* to sigma_1 of each curve */
    bool cumulative;               /* energy up to the index in place of singular values */
    size_t cursor;                 /* a dotted line at that index; 0: none */
};

/* Log x and y, nothing selected, noise edges off. */
struct spectrum_view spectrum_view_default(void);

/* Singular values of one matrix layer: a curve per specialist, the residuals' with rank cuts,
 * discarded tails and kept energy in the legend. Curves that are not ready are absent. NULL when
 * the layer is not a matrix. */
struct chart *figure_spectrum(const struct analysis *analysis, const struct preview *preview,
                              size_t layer, const struct spectrum_view *view);

/* ---- all figures, as a table ---- */

/* What a figure is made from. */
struct figure_source {
    const struct analysis *analysis; /* done */
    const struct preview *preview;   /* complete */
    const struct plan *plan;         /* of the preview */
};

/* How often a figure is there. */
enum figure_scope {
    FIGURE_WHOLE,      /* once */
    FIGURE_SPECIALIST, /* for each specialist */
    FIGURE_KIND,       /* for each kind of matrix that has depth (layer_kinds_with_depth) */
    FIGURE_LAYER       /* for each matrix layer */
};

struct figure {
    const char *name; /* file name, followed by -SUBJECT where there is one */
    enum figure_scope scope;
    /* One of both: a new chart, or a page of them; never NULL. subject: index of the specialist,
     * the kind or the layer. */
    struct chart *(*build)(const struct figure_source *source, size_t subject);
    struct page *(*build_page)(const struct figure_source *source, size_t subject);
    const char *help; /* what it shows */
};

/* The figure as a page, whatever it is made of. */
struct page *figure_page(const struct figure *figure, const struct figure_source *source,
                         size_t subject);

/* All of them, in the order in which they are written. */
const struct figure *figures(size_t *count);

/* The one of that name, or NULL. */
const struct figure *figure_find(const char *name);

/* A figure of one subject. */
struct figure_file {
    const struct figure *figure;
    size_t subject;
    char *name; /* of its file, without ending: FIGURE or FIGURE-SUBJECT */
};

struct figure_list {
    struct figure_file *files;
    size_t count;
};

/* Everything that there is a figure of, in the order in which figures are written. Characters of
 * subjects outside [A-Za-z0-9._-] become '_', long ones are cut, and names that would then be the
 * same, be it but for case, get -2, -3, ... */
struct figure_list figure_list_make(const struct tensor_table *table);
void figure_list_free(struct figure_list *list);

/* Whether one of the comma-separated patterns (* and ?) is the figure's name or that of the file
 * (NULL: of no file); patterns NULL: true. */
bool figure_is_chosen(const struct figure *figure, const char *file, const char *patterns);

/* ERROR_USAGE, with the nearest name, where a pattern matches neither a figure nor a file. */
bool figures_check(const struct tensor_table *tensors, const char *patterns, struct error *error);

/* Makes of the size asked for a single chart the one that the page needs: that of its charts, and
 * half as wide again with many columns. */
void figure_fit(const struct page *page, struct image_options *options);

/* Which figures are written, where and how. */
struct figure_files {
    const char *folder;         /* made if missing */
    struct image_options image; /* size and resolution, fitted to each figure */
    const char *config;         /* goes into the files' text; may be NULL */
    const char *figures;        /* patterns, see figure_is_chosen; NULL: all */
    const char *layers;         /* glob on layers' names, for figures of a layer; NULL: all */
    bool overwrite;
};

/* Whether figures could be written into the folder, or it be made; asked before long work. */
bool figures_check_folder(const char *folder, struct error *error);

/* Writes the chosen figures, each called as in figure_list, with the ending .png, .svg or .pdf.
 * progress may be NULL; count (may be NULL) gets the number of files. */
bool figures_write(const struct figure_source *source, const struct figure_files *files,
                   struct progress *progress, size_t *count, struct error *error);

/* The builders of the table, for the screen (figures named by file). */

/* Real, Fake and cross energy of one specialist's task vector, stacked, per matrix layer
 * (layer_bars.c). */
struct chart *figure_energy(const struct figure_source *source, size_t specialist);

/* Share of each specialist per layer before or after norm matching (layer_bars.c). */
struct chart *figure_contributions_before(const struct figure_source *source, size_t unused);
struct chart *figure_contributions_after(const struct figure_source *source, size_t unused);

/* A quantity over layers and specialists (maps.c). */
struct chart *figure_map_share(const struct figure_source *source, size_t unused);
struct chart *figure_map_real(const struct figure_source *source, size_t unused);
struct chart *figure_map_kept(const struct figure_source *source, size_t unused);
struct chart *figure_map_dominance(const struct figure_source *source, size_t unused);

/* Cosines between specialists over all matrices (maps.c). */
struct chart *figure_cosines_tasks(const struct figure_source *source, size_t unused);
struct chart *figure_cosines_residuals(const struct figure_source *source, size_t unused);

/* Eigenvalues behind the Real core (eigenvalues.c). */
struct chart *figure_eigenvalues(const struct figure_source *source, size_t unused);

/* These with the core's weights (eigenvalues.c). */
struct page *figure_real_core(const struct figure_source *source, size_t unused);

/* Real share along depth, first of whole blocks, then a panel for each kind of matrix
 * (depth_pages.c). */
struct page *figure_real_depth(const struct figure_source *source, size_t unused);

/* Ranks kept along depth, a panel for each kind (depth_pages.c). */
struct page *figure_ranks(const struct figure_source *source, size_t unused);

/* Spectra of all layers of a kind (multiples.c). */
struct page *figure_multiples(const struct figure_source *source, size_t kind);

/* The plan's numbers beside small charts (overview.c). */
struct page *figure_overview(const struct figure_source *source, size_t unused);

/* figure_spectrum with noise edges and everything else by default (spectrum.c). */
struct chart *figure_layer_spectrum(const struct figure_source *source, size_t layer);

#endif
