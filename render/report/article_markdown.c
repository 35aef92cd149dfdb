/* The article as GitHub's Markdown: CommonMark and its tables. */
#include "render/report/article.h"

#include <stdio.h>
#include <string.h>

/* What would begin a heading, a list, a quotation or a rule at the start of a line. */
static bool begins_block(const char *text) {
    size_t digits = strspn(text, "0123456789");
    if (digits == 0)
        return *text != '\0' && strchr("+-=#>", *text) != NULL;
    return (text[digits] == '.' || text[digits] == ')') && strchr(" ", text[digits + 1]) != NULL;
}

/* Characters that mean something within a line. ($ begins a formula, @ tells a user of GitHub.) */
static void put_plain(FILE *stream, const char *text, bool at_start) {
    if (at_start && begins_block(text)) {
        size_t digits = strspn(text, "0123456789");
        fprintf(stream, "%.*s\\%c", (int)digits, text, text[digits]);
        text += digits + 1;
    }
    for (; *text != '\0'; text++)
        fprintf(stream, strchr("\\`*_[]<>|~&#$@", *text) != NULL ? "\\%c" : "%c", *text);
}

/* The longest run of backticks. */
static size_t ticks_in(const char *text) {
    size_t most = 0;
    for (const char *at = strchr(text, '`'); at != NULL; at = strchr(at, '`')) {
        size_t run = strspn(at, "`");
        most = run > most ? run : most;
        at += run;
    }
    return most;
}

static void put_ticks(FILE *stream, size_t count) {
    while (count-- > 0)
        fputc('`', stream);
}

/* Between more backticks than it has. A bar ends a cell of a table even in code, so it is escaped
 * there. */
static void put_code(FILE *stream, const char *text, bool in_table) {
    size_t ticks = ticks_in(text) + 1;
    const char *pad = ticks > 1 ? " " : "";
    put_ticks(stream, ticks);
    fputs(pad, stream);
    for (; *text != '\0'; text++)
        fprintf(stream, in_table && *text == '|' ? "\\%c" : "%c", *text);
    fputs(pad, stream);
    put_ticks(stream, ticks);
}

static void put_span(FILE *stream, const struct span *span, bool at_start, bool in_table) {
    if (*span->text == '\0')
        return;
    if (span->kind == SPAN_CODE) {
        put_code(stream, span->text, in_table);
        return;
    }
    const char *mark = span->kind == SPAN_STRONG ? "**" : "";
    fputs(mark, stream);
    put_plain(stream, span->text, at_start);
    fputs(mark, stream);
}

static void put_passage(FILE *stream, const struct passage *passage, bool in_table) {
    for (size_t s = 0; s < passage->count; s++)
        put_span(stream, &passage->spans[s], s == 0 && !in_table, in_table);
}

static void put_table(FILE *stream, const struct block *block) {
    for (size_t p = 0; p < block->count; p++) {
        bool ends = (p + 1) % block->columns == 0;
        fputs("| ", stream);
        put_passage(stream, &block->passages[p], true);
        fputs(ends ? " |\n" : " ", stream);
        for (size_t c = 0; p + 1 == block->columns && c < block->columns; c++)
            fprintf(stream, "|%s%s", block->numeric[c] ? "--:" : "---",
                    c + 1 == block->columns ? "|\n" : "");
    }
}

static void put_lines(FILE *stream, const struct block *block, const char *before) {
    for (size_t p = 0; p < block->count; p++) {
        fputs(before, stream);
        put_passage(stream, &block->passages[p], false);
        fputc('\n', stream);
    }
}

/* Between a fence that no line of it ends. */
static void put_listing(FILE *stream, const struct block *block) {
    size_t fence = 3;
    for (size_t p = 0; p < block->count; p++) {
        size_t ticks = ticks_in(block->passages[p].spans[0].text);
        fence = ticks >= fence ? ticks + 1 : fence;
    }
    put_ticks(stream, fence);
    for (size_t p = 0; p < block->count; p++)
        fprintf(stream, "\n%s", block->passages[p].spans[0].text);
    fputc('\n', stream);
    put_ticks(stream, fence);
    fputc('\n', stream);
}

static void put_figure(FILE *stream, const struct block *block) {
    fputs("![", stream);
    put_plain(stream, block->alternate, false);
    fprintf(stream, "](figures/%s.svg)\n", block->name);
    if (block->passages[0].count > 0) {
        fputc('\n', stream);
        put_lines(stream, block, "");
    }
}

static void put_heading(FILE *stream, const struct block *block) {
    put_lines(stream, block, &"###### "[6 - block->level]);
}

static void put_paragraph(FILE *stream, const struct block *block) {
    put_lines(stream, block, "");
}

static void put_list(FILE *stream, const struct block *block) {
    put_lines(stream, block, "- ");
}

char *article_markdown(const struct article *article) {
    static void (*const put[BLOCK_KINDS])(FILE * stream, const struct block *block) = {
        [BLOCK_HEADING] = put_heading, [BLOCK_PARAGRAPH] = put_paragraph,
        [BLOCK_LIST] = put_list,       [BLOCK_TABLE] = put_table,
        [BLOCK_LISTING] = put_listing, [BLOCK_FIGURE] = put_figure,
    };
    char *text = NULL;
    size_t size = 0;
    FILE *stream = memory_stream(&text, &size);
    for (size_t b = 0; b < article->count; b++) {
        fputs(b > 0 ? "\n" : "", stream);
        put[article->blocks[b].kind](stream, &article->blocks[b]);
    }
    memory_stream_end(stream);
    return text;
}
