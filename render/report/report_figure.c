#include "render/report/report_parts.h"

#include <ctype.h>
#include <stdlib.h>

enum { SUBJECTS_SHOWN = 12 }; /* specialists or kinds with figures of their own */
#define WIDE_INCHES 8.0       /* from here on a picture stands alone in its row */

/* Nothing is drawn once an error is set: the article comes to nothing. */
static char *draw(struct report *report, const struct page *page,
                  const struct image_options *options, size_t *size) {
    unsigned char *svg = NULL;
    if (report->progress != NULL && atomic_load(&report->progress->cancel))
        error_set(report->error, ERROR_CANCELLED, "stopped; nothing is written");
    if (report->error->kind == ERROR_NONE)
        image_page_bytes(page, options, &svg, size, report->error);
    return svg != NULL ? (char *)svg : memory_string("");
}

void report_figure(struct report *report, const struct figure *figure, size_t subject,
                   size_t number) {
    const struct figure_source source = {report->source->analysis, report->preview,
                                         report->source->plan};
    struct page *page = figure_page(figure, &source, subject);
    struct image_options options = image_options_default();
    char *name =
        number > 0 ? memory_format("%s-%zu", figure->name, number) : memory_string(figure->name);
    struct article_picture picture = {
        .name = name, .alternate = page->title != NULL ? page->title : page->charts[0]->title};
    options.format = IMAGE_SVG;
    figure_fit(page, &options);
    picture.svg = draw(report, page, &options, &picture.size);
    picture.wide = options.width_inches > WIDE_INCHES;
    article_figure(report->article, &picture);
    if (report->progress != NULL)
        atomic_fetch_add(&report->progress->done, 1);
    free(name);
    page_free(page);
}

/* How often a figure is there, single layers aside. */
static size_t subject_count(const struct report *report, enum figure_scope scope) {
    const size_t counts[] = {[FIGURE_WHOLE] = 1,
                             [FIGURE_SPECIALIST] = report->n,
                             [FIGURE_KIND] = report->kinds->count,
                             [FIGURE_LAYER] = 0};
    size_t count = report->table->matrix_count > 0 ? counts[scope] : 0;
    return count < SUBJECTS_SHOWN ? count : SUBJECTS_SHOWN;
}

static const char *subject_name(const struct report *report, enum figure_scope scope, size_t s) {
    return scope == FIGURE_SPECIALIST ? report_name(report, s) : report->kinds->kinds[s].name;
}

static void write_figure(struct report *report, const struct figure *figure) {
    bool is_single = figure->scope == FIGURE_WHOLE;
    for (size_t s = 0; s < subject_count(report, figure->scope); s++) {
        report_figure(report, figure, s, is_single ? 0 : s + 1);
        if (is_single)
            article_say(report->article, "%c%s.", toupper(figure->help[0]), figure->help + 1);
        else
            article_say(report->article, "%s: %s.", subject_name(report, figure->scope, s),
                        figure->help);
    }
}

void report_figures(struct report *report, const char *patterns, bool others) {
    size_t count;
    const struct figure *all = figures(&count);
    for (enum figure_scope scope = FIGURE_WHOLE; scope < FIGURE_LAYER; scope++)
        for (size_t f = 0; f < count; f++)
            if (all[f].scope == scope && figure_is_chosen(&all[f], NULL, patterns) != others)
                write_figure(report, &all[f]);
}

size_t report_figure_count(const struct report *report) {
    size_t count, pictures = 0;
    const struct figure *all = figures(&count);
    for (size_t f = 0; f < count; f++)
        pictures += subject_count(report, all[f].scope);
    return pictures;
}
