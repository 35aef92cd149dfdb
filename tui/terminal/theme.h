/* What things look like: code names elements, themes give them attributes, a glyph set gives the
 * characters. Monochrome is a theme; colour is never the only carrier of a meaning. */
#ifndef R2M_TUI_TERMINAL_THEME_H
#define R2M_TUI_TERMINAL_THEME_H

#include <stdbool.h>

enum element {
    ELEMENT_TEXT,
    ELEMENT_QUIET, /* secondary text */
    ELEMENT_TITLE, /* the program and the config's name */
    ELEMENT_TAB,   /* views that are not shown */
    ELEMENT_TAB_OPEN,
    ELEMENT_HEADER,  /* of tables and panels */
    ELEMENT_FOCUS,   /* header of the pane that takes the keys */
    ELEMENT_GROUP,   /* a module in the table of layers */
    ELEMENT_MARK,    /* a marked row */
    ELEMENT_CHANGED, /* a number that the last key changed */
    ELEMENT_SET,     /* a value that differs from its default */
    ELEMENT_GOOD,
    ELEMENT_WARNING,
    ELEMENT_ERROR,
    ELEMENT_KEY, /* keys in footer and help */
    ELEMENT_DISABLED,
    ELEMENT_BORDER,
    ELEMENT_AXIS,
    ELEMENT_PROMPT,
    ELEMENT_REAL,
    ELEMENT_FAKE,
    ELEMENT_CROSS,
    ELEMENT_NEUTRAL,
    ELEMENT_SPECIALIST, /* the first of eight */
    ELEMENT_COUNT = ELEMENT_SPECIALIST + 8
};

/* Flags beside the element in a style. */
enum { STYLE_BOLD = 0x100, STYLE_DIM = 0x200, STYLE_REVERSE = 0x400, STYLE_ELEMENT = 0xff };

/* Style of specialist i, and the letter that stands for it where colour fails. */
unsigned specialist_style(unsigned long specialist);

/* One element's look; colours are terminal indexes, -1 the default. */
struct look {
    char letter;     /* in dumps */
    short many, few; /* foreground with 256 and with 8 colours */
    unsigned color;  /* STYLE_ flags with colours */
    unsigned mono;   /* and without */
};
const struct look *theme_look(unsigned element);

/* Themes: "colorblind" (told apart by everybody, on black and on white; the first one), "dark" and
 * "light" (stronger, for one background), "monochrome". */
bool theme_choose(const char *name);
const char *theme_name(void);
const char *theme_names(void); /* all, for messages */
bool theme_is_monochrome(void);

/* The i-th theme's name, or NULL behind the last. */
const char *theme_listed(unsigned long i);

/* One element's colour and attributes on top of the theme, by the element's name ("header",
 * "specialist1"); color -1: the default. False when there is none of that name. */
bool theme_set(const char *element, int color, unsigned flags);

/* An element's name. */
const char *theme_element(unsigned element);

/* "bold", "dim", "reverse": the STYLE_ flag, else 0. */
unsigned theme_flag(const char *word);

/* Counts changes, so that the terminal knows when its colours are old. */
unsigned theme_version(void);

/* The characters of drawings. */
struct glyphs {
    const char *name;
    const char *pending, *ellipsis;
    const char *vertical, *horizontal;
    const char *open, *closed; /* a folded module */
    const char *marked, *arrow;
    const char *up, *down;            /* which way a table is sorted */
    const char *dominated, *balanced; /* dominance mark of a layer */
    const char *light;                /* second part of a stacked bar */
    const char *middle;               /* third part */
    const char *shades[5];            /* heat from nothing to full */
    const char *eighths[9];           /* bar ends, [0] is blank, [8] full */
    const char *times, *swatch;
    int plot; /* enum cell_glyphs */
    bool ascii;
};
enum glyph_set { GLYPHS_BRAILLE, GLYPHS_BLOCK, GLYPHS_ASCII };

/* Chosen once at the start; theme_glyphs() is what drawing code uses. */
void theme_choose_glyphs(enum glyph_set set);
const struct glyphs *theme_glyphs(void);

#endif
