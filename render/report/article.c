#include "render/report/article.h"

#include "analysis/support/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct block *last_block(const struct article *article) {
    return &article->blocks[article->count - 1];
}

static struct block *add_block(struct article *article, enum block_kind kind) {
    article->blocks = memory_resize(article->blocks, article->count + 1, sizeof *article->blocks);
    article->blocks[article->count++] = (struct block){.kind = kind};
    return last_block(article);
}

static void add_passage(struct block *block) {
    block->passages = memory_resize(block->passages, block->count + 1, sizeof *block->passages);
    block->passages[block->count++] = (struct passage){0};
}

/* The block of that kind that stands last, or a new one. */
static struct block *continue_block(struct article *article, enum block_kind kind) {
    bool there = article->count > 0 && last_block(article)->kind == kind;
    return there ? last_block(article) : add_block(article, kind);
}

/* Into the passage opened last. */
static void add_span(struct article *article, enum span_kind kind, const char *text) {
    struct block *block = last_block(article);
    struct passage *passage = &block->passages[block->count - 1];
    passage->spans = memory_resize(passage->spans, passage->count + 1, sizeof *passage->spans);
    passage->spans[passage->count++] = (struct span){kind, error_quote(text, strlen(text))};
}

void article_heading(struct article *article, unsigned level, const char *text) {
    struct block *block = add_block(article, BLOCK_HEADING);
    block->level = level;
    block->section = level == 2 ? ++article->sections : 0;
    add_passage(block);
    add_span(article, SPAN_PLAIN, text);
}

void article_paragraph(struct article *article) {
    add_passage(add_block(article, BLOCK_PARAGRAPH));
}

void article_item(struct article *article) {
    add_passage(continue_block(article, BLOCK_LIST));
}

void article_listing(struct article *article, const char *line) {
    add_passage(continue_block(article, BLOCK_LISTING));
    add_span(article, SPAN_PLAIN, line);
}

void article_table(struct article *article, const struct article_column *columns, size_t count) {
    struct block *block = add_block(article, BLOCK_TABLE);
    block->columns = count;
    block->numeric = memory_array(count, sizeof *block->numeric);
    for (size_t c = 0; c < count; c++) {
        block->numeric[c] = columns[c].numeric;
        article_cell(article);
        article_say(article, "%s", columns[c].title);
    }
}

void article_cell(struct article *article) {
    add_passage(last_block(article));
}

void article_figure(struct article *article, const struct article_picture *picture) {
    struct block *block = add_block(article, BLOCK_FIGURE);
    block->name = memory_string(picture->name);
    block->alternate = error_quote(picture->alternate, strlen(picture->alternate));
    block->svg = picture->svg;
    block->svg_size = picture->size;
    block->wide = picture->wide;
    add_passage(block);
}

static void add_format(struct article *article, enum span_kind kind, const char *format,
                       va_list arguments) {
    char *text = NULL;
    if (vasprintf(&text, format, arguments) < 0)
        memory_exhausted(0);
    add_span(article, kind, text);
    free(text);
}

void article_say(struct article *article, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add_format(article, SPAN_PLAIN, format, arguments);
    va_end(arguments);
}

void article_code(struct article *article, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add_format(article, SPAN_CODE, format, arguments);
    va_end(arguments);
}

void article_stress(struct article *article, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add_format(article, SPAN_STRONG, format, arguments);
    va_end(arguments);
}

static void block_free(struct block *block) {
    for (size_t p = 0; p < block->count; p++) {
        for (size_t s = 0; s < block->passages[p].count; s++)
            free(block->passages[p].spans[s].text);
        free(block->passages[p].spans);
    }
    free(block->passages);
    free(block->numeric);
    free(block->name);
    free(block->alternate);
    free(block->svg);
}

void article_free(struct article *article) {
    for (size_t b = 0; b < article->count; b++)
        block_free(&article->blocks[b]);
    free(article->blocks);
    *article = (struct article){0};
}
