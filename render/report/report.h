/* A merge on paper: what went in, what the method does with it, what it shows, what deserves a
 * look, how to do it again. As one folder:
 *
 *     report.md, report.html    the report; the page needs nothing beside it
 *     figures/NAME.svg          its figures
 *     analysis.json             as r2m analyze --json prints it
 *     layers.csv                a row for each layer and specialist
 *     config.json               the plan
 *     files.sha256              the files above, for sha256sum -c
 *
 * The same inputs, settings and version give the same bytes. */
#ifndef R2M_RENDER_REPORT_REPORT_H
#define R2M_RENDER_REPORT_REPORT_H

#include "merge/input_files.h"
#include "merge/preview.h"
#include "render/report/article.h"

/* What it tells of; all of it borrowed. The preview is complete. */
struct report_source {
    const struct plan *plan;
    const struct analysis *analysis;
    const struct preview *preview;
    const struct input_files *files;
};

/* The text with its figures. progress (may be NULL) counts figures. */
bool report_article(const struct report_source *source, struct article *article,
                    struct progress *progress, struct error *error);

/* Whether the report may be written there: no file in the way, and no folder with anything in it,
 * unless overwrite. */
bool report_check_folder(const char *folder, bool overwrite, struct error *error);

/* Writes the folder; where it is there already, the files of the report in it are replaced, or go
 * where the new one has no such file (file_list.h), and all others stay. Nothing is there before
 * all of it has been made. */
bool report_write(const struct report_source *source, const char *folder, bool overwrite,
                  struct progress *progress, struct error *error);

#endif
