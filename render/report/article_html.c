/* The article as one page of HTML. */
#include "merge/version.h"
#include "render/report/article.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The policy lets a browser load nothing and run nothing, whatever stands in the page. */
static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" "
    "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
    "<meta name=\"color-scheme\" content=\"light dark\">\n"
    "<meta name=\"generator\" content=\"r2m " R2M_VERSION "\">\n";

static const char style[] =
    "<style>\n"
    ":root { --ink: #1b1f24; --quiet: #57606a; --paper: #fff; --line: #d0d7de; --shade: #f6f8fa; "
    "--link: #0059b3; }\n"
    "@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --quiet: #9198a1; "
    "--paper: #0d1117; --line: #30363d; --shade: #161b22; --link: #79b8ff; } }\n"
    "* { box-sizing: border-box; }\n"
    "body { margin: 0; background: var(--paper); color: var(--ink); "
    "font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }\n"
    "main { max-width: 76rem; margin: 0 auto; padding: 1rem; }\n"
    "h1 { font-size: 1.7rem; line-height: 1.25; margin: .5rem 0; }\n"
    "h2 { font-size: 1.3rem; margin: 2.5rem 0 .75rem; padding-top: .75rem; "
    "border-top: 1px solid var(--line); }\n"
    "h3 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }\n"
    "p, ul { max-width: 44rem; }\n"
    "p { margin: .6rem 0; } ul { padding-left: 1.3rem; } li { margin: .25rem 0; }\n"
    "a { color: var(--link); }\n"
    "nav ul { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; padding: 0; "
    "max-width: none; }\n"
    "code, pre { font: .9em/1.5 ui-monospace, 'DejaVu Sans Mono', monospace; }\n"
    "pre { background: var(--shade); border: 1px solid var(--line); border-radius: .4rem; "
    "padding: .75rem; overflow-x: auto; overflow-wrap: normal; }\n"
    ".table { overflow-x: auto; margin: .9rem 0; }\n"
    "table { border-collapse: collapse; font-size: .9rem; overflow-wrap: normal; "
    "font-variant-numeric: tabular-nums; }\n"
    "th, td { padding: .3rem .7rem; border-bottom: 1px solid var(--line); text-align: left; "
    "vertical-align: top; }\n"
    "th { white-space: nowrap; color: var(--quiet); font-weight: 600; }\n"
    "th.number, td.number { text-align: right; white-space: nowrap; }\n"
    "td code { white-space: nowrap; font-size: .88em; }\n"
    ".figures { display: grid; gap: 1.25rem 1.5rem; margin: 1.25rem 0; "
    "grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }\n"
    "figure { margin: 0; min-width: 0; } .wide { grid-column: 1 / -1; }\n"
    "figure img { display: block; max-width: 100%; height: auto; background: #fff; "
    "border: 1px solid var(--line); border-radius: .3rem; }\n"
    "figcaption { color: var(--quiet); font-size: .9rem; margin-top: .4rem; max-width: 44rem; }\n"
    "@media (max-width: 40rem) { .figures::before { content: 'Tap a picture to enlarge it.'; "
    "color: var(--quiet); font-size: .9rem; } figure { cursor: zoom-in; } "
    "figure:focus { overflow-x: auto; cursor: auto; } "
    "figure:focus img { max-width: none; width: 52rem; } }\n"
    "@media print { main { max-width: none; } nav { display: none; } "
    "figure, tr { break-inside: avoid; } }\n"
    "</style>\n";

static void put_text(FILE *stream, const char *text) {
    static const char special[] = "&<>\"'";
    static const char *const entities[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    for (; *text != '\0'; text++) {
        const char *found = strchr(special, *text);
        if (text[0] == ' ' && text[1] == '%')
            fputs("&nbsp;", stream); /* a number and its unit stay together */
        else if (found != NULL)
            fputs(entities[found - special], stream);
        else
            fputc(*text, stream);
    }
}

/* <name>text</name>; name NULL: the text alone. */
static void put_element(FILE *stream, const char *name, const char *text) {
    if (name != NULL)
        fprintf(stream, "<%s>", name);
    put_text(stream, text);
    if (name != NULL)
        fprintf(stream, "</%s>", name);
}

static void put_passage(FILE *stream, const struct passage *passage) {
    static const char *const elements[] = {
        [SPAN_PLAIN] = NULL, [SPAN_CODE] = "code", [SPAN_STRONG] = "strong"};
    for (size_t s = 0; s < passage->count; s++)
        put_element(stream, elements[passage->spans[s].kind], passage->spans[s].text);
}

/* <name>...</name>, a line for each passage. */
static void put_passages(FILE *stream, const struct block *block, const char *name) {
    for (size_t p = 0; p < block->count; p++) {
        fprintf(stream, "<%s>", name);
        put_passage(stream, &block->passages[p]);
        fprintf(stream, "</%s>\n", name);
    }
}

/* Scrolls in a box of its own where it is too wide; with a keyboard, too. */
static void put_table(FILE *stream, const struct block *block) {
    fputs("<div class=\"table\" role=\"region\" aria-label=\"table\" tabindex=\"0\">\n<table>\n",
          stream);
    for (size_t p = 0; p < block->count; p++) {
        size_t column = p % block->columns;
        bool is_title = p < block->columns;
        const char *name = is_title ? "th" : "td";
        if (column == 0)
            fputs(is_title ? "<thead>\n<tr>" : "<tr>", stream);
        fprintf(stream, "<%s%s%s>", name, block->numeric[column] ? " class=\"number\"" : "",
                is_title ? " scope=\"col\"" : "");
        put_passage(stream, &block->passages[p]);
        fprintf(stream, "</%s>", name);
        if (column + 1 == block->columns)
            fputs(is_title ? "</tr>\n</thead>\n<tbody>\n" : "</tr>\n", stream);
    }
    fputs("</tbody>\n</table>\n</div>\n", stream);
}

static void put_listing(FILE *stream, const struct block *block) {
    fputs("<pre><code>", stream);
    for (size_t p = 0; p < block->count; p++) {
        put_passage(stream, &block->passages[p]);
        fputs(p + 1 < block->count ? "\n" : "", stream);
    }
    fputs("</code></pre>\n", stream);
}

/* The picture as an image of its own: names in it cannot meet those of other pictures. */
static void put_figure(FILE *stream, const struct block *block) {
    unsigned char *text = memory_array(block->svg_size / 3 * 4 + 5, 1);
    EVP_EncodeBlock(text, (const unsigned char *)block->svg, (int)block->svg_size);
    fprintf(stream, "<figure%s tabindex=\"0\">\n<img src=\"data:image/svg+xml;base64,%s\" alt=\"",
            block->wide ? " class=\"wide\"" : "", (char *)text);
    put_text(stream, block->alternate);
    fputs("\">\n", stream);
    if (block->passages[0].count > 0)
        put_passages(stream, block, "figcaption");
    fputs("</figure>\n", stream);
    free(text);
}

static void put_heading(FILE *stream, const struct block *block) {
    fprintf(stream, "<h%u", block->level);
    if (block->section > 0)
        fprintf(stream, " id=\"section-%zu\"", block->section);
    fputc('>', stream);
    put_passage(stream, &block->passages[0]);
    fprintf(stream, "</h%u>\n", block->level);
}

static void put_paragraph(FILE *stream, const struct block *block) {
    put_passages(stream, block, "p");
}

static void put_list(FILE *stream, const struct block *block) {
    fputs("<ul>\n", stream);
    put_passages(stream, block, "li");
    fputs("</ul>\n", stream);
}

/* Links to the sections. */
static void put_contents(FILE *stream, const struct article *article) {
    fputs("<nav aria-label=\"Contents\">\n<ul>\n", stream);
    for (size_t b = 0; b < article->count; b++) {
        const struct block *block = &article->blocks[b];
        if (block->section == 0)
            continue;
        fprintf(stream, "<li><a href=\"#section-%zu\">", block->section);
        put_passage(stream, &block->passages[0]);
        fputs("</a></li>\n", stream);
    }
    fputs("</ul>\n</nav>\n", stream);
}

/* The contents stand before the first section; figures that follow each other share their room. */
static void put_body(FILE *stream, const struct article *article) {
    static void (*const put[BLOCK_KINDS])(FILE * stream, const struct block *block) = {
        [BLOCK_HEADING] = put_heading, [BLOCK_PARAGRAPH] = put_paragraph,
        [BLOCK_LIST] = put_list,       [BLOCK_TABLE] = put_table,
        [BLOCK_LISTING] = put_listing, [BLOCK_FIGURE] = put_figure,
    };
    bool in_figures = false;
    for (size_t b = 0; b < article->count; b++) {
        bool is_figure = article->blocks[b].kind == BLOCK_FIGURE;
        if (is_figure != in_figures)
            fputs(is_figure ? "<div class=\"figures\">\n" : "</div>\n", stream);
        in_figures = is_figure;
        if (article->blocks[b].section == 1)
            put_contents(stream, article);
        put[article->blocks[b].kind](stream, &article->blocks[b]);
    }
    fputs(in_figures ? "</div>\n" : "", stream);
}

char *article_html(const struct article *article) {
    char *text = NULL;
    size_t size = 0;
    FILE *stream = memory_stream(&text, &size);
    fputs(head, stream);
    fputs("<title>", stream);
    if (article->count > 0)
        put_passage(stream, &article->blocks[0].passages[0]);
    fprintf(stream, "</title>\n%s</head>\n<body>\n<main>\n", style);
    put_body(stream, article);
    fputs("</main>\n</body>\n</html>\n", stream);
    memory_stream_end(stream);
    return text;
}
