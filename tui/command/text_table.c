#include "tui/command/text_table.h"

#include "merge/text.h"
#include "tui/terminal/surface.h"
#include "tui/terminal/term.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { GAP = 2 };

struct text_table {
    struct text_style style;
    const struct text_column *columns;
    size_t column_count;
    struct string_list cells;
};

static bool wants_color(const struct options *options) {
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    if (options->color != NULL && strcmp(options->color, "auto") != 0)
        return strcmp(options->color, "always") == 0;
    return isatty(STDOUT_FILENO) && (no_color == NULL || *no_color == '\0') && term != NULL &&
           strcmp(term, "dumb") != 0;
}

struct text_style text_style_choose(const struct options *options) {
    struct text_style style = {.color = wants_color(options), .width = stream_width(stdout)};
    style.aligned = isatty(STDOUT_FILENO) || style.color;
    theme_choose_glyphs(term_locale(options->ascii, NULL));
    return style;
}

int stream_width(FILE *stream) {
    struct winsize size;
    const char *columns = getenv("COLUMNS");
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return columns != NULL && atoi(columns) > 0 ? atoi(columns) : 80;
}

struct text_table *text_table_create(struct text_style style, const struct text_column *columns,
                                     size_t count) {
    struct text_table *table = memory_array(1, sizeof *table);
    *table = (struct text_table){.style = style, .columns = columns, .column_count = count};
    return table;
}

void text_table_add(struct text_table *table, const char *text) {
    string_list_add(&table->cells, text);
}

void text_table_number(struct text_table *table, double value) {
    char text[NUMBER_TEXT];
    if (isnan(value))
        snprintf(text, sizeof text, "%s", table->style.aligned ? "-" : "");
    else if (table->style.aligned)
        snprintf(text, sizeof text, "%#.3g", value);
    else
        number_text(value, text);
    size_t length = strlen(text);
    if (length > 0 && text[length - 1] == '.') /* "123." */
        text[length - 1] = '\0';
    text_table_add(table, text);
}

void text_table_count(struct text_table *table, double count) {
    char text[NUMBER_TEXT];
    if (isnan(count))
        text_table_number(table, count);
    else
        text_table_add(table, number_text(count, text));
}

void text_table_percent(struct text_table *table, double share) {
    char text[NUMBER_TEXT];
    if (isnan(share) || !table->style.aligned) {
        text_table_number(table, share);
        return;
    }
    snprintf(text, sizeof text, "%.0f%%", 100 * share);
    text_table_add(table, text);
}

void text_table_bytes(struct text_table *table, double bytes) {
    char text[32];
    if (table->style.aligned)
        text_table_add(table, bytes_text(bytes, text));
    else
        text_table_count(table, bytes);
}

static size_t row_count(const struct text_table *table) {
    return table->column_count > 0 ? table->cells.count / table->column_count : 0;
}

static const char *cell(const struct text_table *table, size_t row, size_t column) {
    return table->cells.items[row * table->column_count + column];
}

static const char *title(const struct text_table *table, size_t column) {
    return table->columns[column].title != NULL ? table->columns[column].title : "";
}

static bool has_header(const struct text_table *table) {
    for (size_t c = 0; c < table->column_count; c++)
        if (table->columns[c].title != NULL)
            return true;
    return false;
}

static int column_width(const struct text_table *table, size_t column) {
    int width = text_width(title(table, column));
    for (size_t row = 0; row < row_count(table); row++) {
        int own = text_width(cell(table, row, column));
        width = own > width ? own : width;
    }
    return width;
}

/* The columns to give up next: the largest priority still shown; 0 when none may go. */
static int least_needed(const struct text_table *table, const int *widths) {
    int least = 0;
    for (size_t c = 1; c < table->column_count; c++)
        if (widths[c] >= 0 && table->columns[c].priority > least)
            least = table->columns[c].priority;
    return least;
}

/* Widths of the columns; -1 for those left out. */
static void choose_widths(const struct text_table *table, int *widths) {
    for (size_t c = 0; c < table->column_count; c++)
        widths[c] = column_width(table, c);
    int half = table->style.width / 2, wanted = widths[0] < half ? widths[0] : half;
    for (;;) {
        int others = 0;
        for (size_t c = 1; c < table->column_count; c++)
            others += widths[c] >= 0 ? widths[c] + GAP : 0;
        int least = least_needed(table, widths);
        int left = table->style.width - others;
        if (left >= wanted || least == 0) {
            left = left < wanted ? wanted : left;
            widths[0] = widths[0] < left ? widths[0] : left;
            return;
        }
        for (size_t c = 1; c < table->column_count; c++)
            if (table->columns[c].priority == least)
                widths[c] = -1;
    }
}

const char *text_shown(const char *text, char room[TEXT_ROOM]) {
    char *out = room;
    if (!theme_glyphs()->ascii)
        return text;
    for (; *text != '\0' && out < room + TEXT_ROOM - 1; text++)
        if ((*text & 0xc0) != 0x80) /* not inside a character */
            *out++ = *text & 0x80 ? '?' : *text;
    *out = '\0';
    return room;
}

/* The end of a name, which tells more than its start: "…layers.3.mlp.fc1.weight". */
static const char *cut_start(const char *name, int width, char room[TEXT_ROOM]) {
    const char *ellipsis = theme_glyphs()->ellipsis;
    if (text_width(name) <= width)
        return name;
    while (*name != '\0' && text_width(name) + text_width(ellipsis) > width)
        do
            name++;
        while ((*name & 0xc0) == 0x80); /* inside a character */
    snprintf(room, TEXT_ROOM, "%s%s", ellipsis, name);
    return room;
}

static void print_cell(const struct text_table *table, size_t column, const char *text, int width,
                       bool last, FILE *stream) {
    char plain[TEXT_ROOM], room[TEXT_ROOM];
    const char *given = text_shown(text, plain);
    const char *shown = column == 0 ? cut_start(given, width, room) : given;
    int blanks = width - text_width(shown);
    bool left = column == 0 || table->columns[column].left;
    fprintf(stream, "%*s%s%*s", left || blanks < 0 ? 0 : blanks, "", shown,
            left && !last && blanks > 0 ? blanks : 0, "");
    if (!last)
        fprintf(stream, "%*s", GAP, "");
}

static void print_aligned(const struct text_table *table, FILE *stream) {
    int *widths = memory_array(table->column_count, sizeof *widths);
    size_t last = 0;
    choose_widths(table, widths);
    for (size_t c = 0; c < table->column_count; c++)
        last = widths[c] >= 0 ? c : last;
    for (size_t row = has_header(table) ? 0 : 1; row <= row_count(table); row++) {
        bool bold = row == 0 && table->style.color;
        fputs(bold ? "\033[1m" : "", stream);
        for (size_t c = 0; c <= last; c++)
            if (widths[c] >= 0)
                print_cell(table, c, row == 0 ? title(table, c) : cell(table, row - 1, c),
                           widths[c], c == last, stream);
        fputs(bold ? "\033[m\n" : "\n", stream);
    }
    free(widths);
}

static void print_plain(const struct text_table *table, FILE *stream) {
    for (size_t row = has_header(table) ? 0 : 1; row <= row_count(table); row++)
        for (size_t c = 0; c < table->column_count; c++)
            fprintf(stream, "%s%c", row == 0 ? title(table, c) : cell(table, row - 1, c),
                    c + 1 < table->column_count ? '\t' : '\n');
}

void text_table_print(struct text_table *table, FILE *stream) {
    if (table->style.aligned)
        print_aligned(table, stream);
    else
        print_plain(table, stream);
    string_list_free(&table->cells);
    free(table);
}
