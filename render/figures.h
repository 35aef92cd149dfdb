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

/* Real, Fake and cross energy of one specialist's task vector, stacked, per matrix layer. */
struct chart *figure_energy(const struct analysis *analysis, size_t specialist);

/* Share of each specialist per layer before (after = false) or after norm matching. */
struct chart *figure_contributions(const struct analysis *analysis, const struct preview *preview,
                                   bool after);

/* Writes the figures of a plan into folder (made if missing): spectrum-NAME per matrix layer
 * that the glob matches (NULL: all), energy-SPECIALIST, contributions-before and
 * contributions-after, each with the ending of image.format; image gives size and resolution too
 * (figures with many bars are half as wide again). Characters of names outside [A-Za-z0-9._-]
 * become '_', long names are cut, and figures whose file names would then be the same get -2, -3,
 * ... config (may be NULL) goes into the files' text. count (may be NULL) gets the number of files.
 */
bool figures_write(const struct analysis *analysis, const struct preview *preview,
                   const struct image_options *image, const char *config, const char *folder,
                   const char *layer_glob, bool overwrite, struct progress *progress, size_t *count,
                   struct error *error);

#endif
