/* What the sections of the report share; private to report*.c. */
#ifndef R2M_RENDER_REPORT_REPORT_PARTS_H
#define R2M_RENDER_REPORT_REPORT_PARTS_H

#include "analysis/layer_kinds.h"
#include "merge/findings.h"
#include "render/figures/figures.h"
#include "render/report/report.h"

/* Figures with a place of their own: all in one, and those that tell of the specialists as wholes.
 * All others run along the layers. */
#define REPORT_OVERVIEW "overview"
#define REPORT_OF_SPECIALISTS "cosines-*,eigenvalues"

/* At most so many layers get a spectrum: one of every layer would be 144 pictures. */
enum { REPORT_SPECTRA = 6 };

/* What the sections are written from, and into. */
struct report {
    const struct report_source *source;
    const struct tensor_table *table;
    const struct preview *preview;
    const struct settings *settings; /* as the config has them */
    size_t n;                        /* N */
    bool is_r2m;                     /* the method is, so there are a core, residuals and ranks */
    struct finding_list findings;
    struct layer_kinds *kinds; /* with depth */
    struct article *article;
    struct progress *progress;
    struct error *error; /* set when a figure fails; the other figures are left out then */
};

/* One section each. */
typedef void report_section(struct report *report);
report_section report_findings, report_specialists, report_layers, report_method, report_inputs,
    report_reproduction;

const char *report_name(const struct report *report, size_t specialist);

/* Draws a figure, into the file NAME or, with a number, NAME-NUMBER. What is said next is its
 * caption. */
void report_figure(struct report *report, const struct figure *figure, size_t subject,
                   size_t number);

/* Draws every figure of the table that patterns choose or, with others, do not choose: once, for
 * each specialist or each kind of layers. Figures of single layers are left out. */
void report_figures(struct report *report, const char *patterns, bool others);

/* How many that will be, all patterns together. */
size_t report_figure_count(const struct report *report);

/* Cells with a number to four digits, a share in percent, a count, a name as code; NaN stays
 * empty. */
void report_cell_number(struct report *report, double value);
void report_cell_percent(struct report *report, double share);
void report_cell_count(struct report *report, size_t count);
void report_cell_code(struct report *report, const char *text);

#endif
