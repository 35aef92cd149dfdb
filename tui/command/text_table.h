/* Tables on standard output: aligned and cut to the terminal's width for people, or plain lines
 * with tabs for programs. */
#ifndef R2M_TUI_COMMAND_TEXT_TABLE_H
#define R2M_TUI_COMMAND_TEXT_TABLE_H

#include "tui/command/options.h"
#include "tui/terminal/surface.h"

#include <stdio.h>

/* How standard output is written. */
struct text_style {
    bool aligned; /* for people; else tabs, whole names and all digits */
    bool color;   /* bold headers */
    int width;    /* columns, for aligned tables */
};

/* For stdout: aligned on a terminal, and where --color always asks for it. Chooses the glyphs of
 * theme.h too. */
struct text_style text_style_choose(const struct options *options);

/* The text where the glyphs in use can show it, else with a question mark for every character
 * beyond ASCII, in room. */
const char *text_shown(const char *text, char room[TEXT_ROOM]);

/* Columns of the terminal behind a stream; else $COLUMNS, else 80. */
int stream_width(FILE *stream);

struct text_column {
    const char *title;
    bool left;    /* aligned to the left: text */
    int priority; /* dropped together where the width does not suffice, the largest first;
                      0: never */
};

struct text_table;

/* The first column takes what the others leave; where a name in it does not fit, its end is shown.
 * columns is borrowed. */
struct text_table *text_table_create(struct text_style style, const struct text_column *columns,
                                     size_t count);

/* Cells in reading order. */
void text_table_add(struct text_table *table, const char *text);

/* Aligned: three digits, or percent; plain: every digit. NaN: "-" or nothing. */
void text_table_number(struct text_table *table, double value);
void text_table_count(struct text_table *table, double count); /* all digits in both */
void text_table_percent(struct text_table *table, double share);

/* Aligned: "1.2 GB"; plain: the number. */
void text_table_bytes(struct text_table *table, double bytes);

/* Prints the header line (unless every title is NULL) and the rows, and releases the table. */
void text_table_print(struct text_table *table, FILE *stream);

#endif
