/* A text with headings, paragraphs, lists, tables and figures, as data; written as Markdown and as
 * a page of HTML.
 *
 *     struct article article = {0};
 *     article_heading(&article, 2, "Inputs");
 *     article_paragraph(&article);
 *     article_say(&article, "%zu files, see ", count);
 *     article_code(&article, "config.json");
 *     char *html = article_html(&article);
 *
 * What is said goes into what was opened last: a paragraph, an item, a cell. Every text may hold
 * anything: it passes error_quote() and is escaped by the writers. */
#ifndef R2M_RENDER_REPORT_ARTICLE_H
#define R2M_RENDER_REPORT_ARTICLE_H

#include "analysis/support/memory.h"

#include <stdbool.h>

enum span_kind { SPAN_PLAIN, SPAN_CODE, SPAN_STRONG };

struct span {
    enum span_kind kind;
    char *text;
};

/* Spans in a row: a paragraph, an item of a list, a cell of a table. */
struct passage {
    struct span *spans;
    size_t count;
};

enum block_kind {
    BLOCK_HEADING,   /* passages[0] */
    BLOCK_PARAGRAPH, /* passages[0] */
    BLOCK_LIST,      /* a passage for each item */
    BLOCK_TABLE,     /* titles, then row by row */
    BLOCK_LISTING,   /* a passage for each line */
    BLOCK_FIGURE,    /* passages[0]: its caption */
    BLOCK_KINDS
};

struct block {
    enum block_kind kind;
    unsigned level; /* of a heading, 1 is the title */
    size_t section; /* of a heading of level 2: its number, from 1 on */
    struct passage *passages;
    size_t count;
    size_t columns;  /* of a table */
    bool *numeric;   /* [columns] set flush right */
    char *name;      /* of a figure: file name without ending */
    char *alternate; /* of a figure: what it shows, for those who cannot see it */
    char *svg;       /* the picture */
    size_t svg_size;
    bool wide; /* it wants the whole width of a page */
};

/* Zero-initialised is empty. */
struct article {
    struct block *blocks;
    size_t count, sections;
};

void article_free(struct article *article);

void article_heading(struct article *article, unsigned level, const char *text);
void article_paragraph(struct article *article);

/* An item; the first one opens the list. */
void article_item(struct article *article);

/* A line of a listing, as it stands; the first one opens it. */
void article_listing(struct article *article, const char *line);

struct article_column {
    const char *title;
    bool numeric;
};

/* Cells follow row by row, each opened by article_cell. */
void article_table(struct article *article, const struct article_column *columns, size_t count);
void article_cell(struct article *article);

/* A picture; svg is taken over. */
struct article_picture {
    const char *name;      /* figures/NAME.svg for Markdown; inline for HTML */
    const char *alternate; /* what it shows, for those who cannot see it */
    char *svg;
    size_t size;
    bool wide; /* it wants the whole width of a page; others may stand side by side */
};

/* What is said next is its caption. */
void article_figure(struct article *article, const struct article_picture *picture);

/* Text, set as it is, as code, or strong. */
void article_say(struct article *article, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void article_code(struct article *article, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void article_stress(struct article *article, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The text as GitHub's Markdown; figures are links to figures/NAME.svg. free() it. */
char *article_markdown(const struct article *article);

/* One page that needs nothing beside it: no script, no address, pictures inside; light and dark,
 * for wide and narrow screens and for paper. The first heading is its title. free() it. */
char *article_html(const struct article *article);

#endif
