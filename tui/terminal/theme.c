#include "tui/terminal/theme.h"

#include "render/cells.h"

#include <stddef.h>
#include <string.h>

#define B STYLE_BOLD
#define D STYLE_DIM
#define R STYLE_REVERSE

/* 256 colours: fixed indexes 16 to 255 that read on black and on white (Okabe-Ito, darkened). */
static const struct look plain[ELEMENT_COUNT] = {
    [ELEMENT_TEXT] = {'.', -1, -1, 0, 0},
    [ELEMENT_QUIET] = {'q', 244, -1, 0, D},
    [ELEMENT_TITLE] = {'t', -1, -1, B, B},
    [ELEMENT_TAB] = {'a', 244, -1, 0, 0},
    [ELEMENT_TAB_OPEN] = {'o', -1, -1, B | R, B | R},
    [ELEMENT_HEADER] = {'h', -1, -1, B, B},
    [ELEMENT_FOCUS] = {'f', -1, -1, B, B},
    [ELEMENT_GROUP] = {'u', -1, -1, B, B},
    [ELEMENT_MARK] = {'m', 136, 3, B, B},
    [ELEMENT_CHANGED] = {'c', 136, 3, B, B | R},
    [ELEMENT_SET] = {'s', -1, -1, B, B},
    [ELEMENT_GOOD] = {'g', 29, 2, 0, 0},
    [ELEMENT_WARNING] = {'w', 136, 3, B, B},
    [ELEMENT_ERROR] = {'e', 166, 1, B, B | R},
    [ELEMENT_KEY] = {'k', -1, -1, B, B},
    [ELEMENT_DISABLED] = {'d', 244, -1, D, D},
    [ELEMENT_BORDER] = {'b', 244, -1, 0, D},
    [ELEMENT_AXIS] = {'x', 244, -1, 0, 0},
    [ELEMENT_PROMPT] = {'p', -1, -1, B, B},
    [ELEMENT_REAL] = {'r', 31, 6, 0, 0},
    [ELEMENT_FAKE] = {'l', 166, 3, 0, 0},
    [ELEMENT_CROSS] = {'y', 97, 5, 0, 0},
    [ELEMENT_NEUTRAL] = {'n', 244, -1, 0, 0},
    [ELEMENT_SPECIALIST] = {'0', 31, 6, 0, 0},
    [ELEMENT_SPECIALIST + 1] = {'1', 166, 3, 0, 0},
    [ELEMENT_SPECIALIST + 2] = {'2', 29, 2, 0, 0},
    [ELEMENT_SPECIALIST + 3] = {'3', 133, 5, 0, 0},
    [ELEMENT_SPECIALIST + 4] = {'4', 136, 1, 0, 0},
    [ELEMENT_SPECIALIST + 5] = {'5', 97, 4, 0, 0},
    [ELEMENT_SPECIALIST + 6] = {'6', 244, -1, 0, 0},
    [ELEMENT_SPECIALIST + 7] = {'7', 125, 6, B, B},
};

#undef B
#undef D
#undef R

/* The same colours stronger: (both grounds, black, white). */
static const short shades[][3] = {{31, 74, 25},   {166, 209, 130}, {29, 78, 22},    {133, 176, 90},
                                  {136, 214, 94}, {97, 141, 55},   {244, 248, 240}, {125, 204, 89}};

enum { THEME_BOTH, THEME_DARK, THEME_LIGHT, THEME_MONOCHROME, THEME_COUNT };
static const char *const themes[THEME_COUNT] = {"colorblind", "dark", "light", "monochrome"};

static const char *const element_names[ELEMENT_COUNT] = {
    [ELEMENT_TEXT] = "text",
    [ELEMENT_QUIET] = "quiet",
    [ELEMENT_TITLE] = "title",
    [ELEMENT_TAB] = "tab",
    [ELEMENT_TAB_OPEN] = "tab-open",
    [ELEMENT_HEADER] = "header",
    [ELEMENT_FOCUS] = "focus",
    [ELEMENT_GROUP] = "group",
    [ELEMENT_MARK] = "mark",
    [ELEMENT_CHANGED] = "changed",
    [ELEMENT_SET] = "set",
    [ELEMENT_GOOD] = "good",
    [ELEMENT_WARNING] = "warning",
    [ELEMENT_ERROR] = "error",
    [ELEMENT_KEY] = "key",
    [ELEMENT_DISABLED] = "disabled",
    [ELEMENT_BORDER] = "border",
    [ELEMENT_AXIS] = "axis",
    [ELEMENT_PROMPT] = "prompt",
    [ELEMENT_REAL] = "real",
    [ELEMENT_FAKE] = "fake",
    [ELEMENT_CROSS] = "cross",
    [ELEMENT_NEUTRAL] = "neutral",
    [ELEMENT_SPECIALIST] = "specialist1",
    [ELEMENT_SPECIALIST + 1] = "specialist2",
    [ELEMENT_SPECIALIST + 2] = "specialist3",
    [ELEMENT_SPECIALIST + 3] = "specialist4",
    [ELEMENT_SPECIALIST + 4] = "specialist5",
    [ELEMENT_SPECIALIST + 5] = "specialist6",
    [ELEMENT_SPECIALIST + 6] = "specialist7",
    [ELEMENT_SPECIALIST + 7] = "specialist8",
};

static struct look looks[ELEMENT_COUNT];
static unsigned theme = THEME_COUNT; /* none chosen so far */
static unsigned version;

static short shade(short color, unsigned chosen_theme) {
    for (size_t i = 0; i < sizeof shades / sizeof *shades; i++)
        if (shades[i][0] == color)
            return shades[i][chosen_theme];
    return color;
}

static void choose(unsigned wanted) {
    theme = wanted;
    version++;
    for (size_t e = 0; e < ELEMENT_COUNT; e++) {
        looks[e] = plain[e];
        if (theme != THEME_MONOCHROME)
            looks[e].many = shade(plain[e].many, theme);
    }
}

bool theme_choose(const char *name) {
    for (unsigned i = 0; i < THEME_COUNT; i++)
        if (strcmp(themes[i], name) == 0) {
            choose(i);
            return true;
        }
    return false;
}

const char *theme_listed(unsigned long i) {
    return i < THEME_COUNT ? themes[i] : NULL;
}

const char *theme_names(void) {
    return "colorblind, dark, light, monochrome";
}

const char *theme_name(void) {
    return themes[theme < THEME_COUNT ? theme : THEME_BOTH];
}

bool theme_is_monochrome(void) {
    return theme == THEME_MONOCHROME;
}

unsigned theme_version(void) {
    return version;
}

const char *theme_element(unsigned element) {
    return element_names[element];
}

unsigned theme_flag(const char *word) {
    return strcmp(word, "bold") == 0      ? STYLE_BOLD
           : strcmp(word, "dim") == 0     ? STYLE_DIM
           : strcmp(word, "reverse") == 0 ? STYLE_REVERSE
                                          : 0;
}

bool theme_set(const char *element, int color, unsigned flags) {
    for (size_t e = 0; e < ELEMENT_COUNT; e++)
        if (strcmp(element_names[e], element) == 0) {
            char letter = theme_look((unsigned)e)->letter;
            short few = (short)(color < 16 ? color : plain[e].few);
            looks[e] = (struct look){letter, (short)color, few, flags, flags};
            version++;
            return true;
        }
    return false;
}

const struct look *theme_look(unsigned element) {
    if (theme == THEME_COUNT)
        choose(THEME_BOTH);
    return &looks[element < ELEMENT_COUNT ? element : ELEMENT_TEXT];
}

unsigned specialist_style(unsigned long specialist) {
    return ELEMENT_SPECIALIST + (unsigned)(specialist % 8);
}

#define UTF8_COMMON                                                                                \
    .pending = "…", .ellipsis = "…", .vertical = "│", .horizontal = "─", .open = "▾",              \
    .closed = "▸", .marked = "•", .arrow = "→", .up = "▲", .down = "▼", .dominated = "!",          \
    .balanced = "·", .light = "▒", .middle = "░", .shades = {" ", "░", "▒", "▓", "█"},             \
    .eighths = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"}, .times = "×", .swatch = "━"

static const struct glyphs sets[] = {
    [GLYPHS_BRAILLE] = {.name = "braille", UTF8_COMMON, .plot = CELL_BRAILLE},
    [GLYPHS_BLOCK] = {.name = "block", UTF8_COMMON, .plot = CELL_BLOCK},
    [GLYPHS_ASCII] = {.name = "ascii",
                      .pending = "..",
                      .ellipsis = "...",
                      .vertical = "|",
                      .horizontal = "-",
                      .open = "-",
                      .closed = "+",
                      .marked = "*",
                      .arrow = "->",
                      .up = "^",
                      .down = "v",
                      .dominated = "!",
                      .balanced = ".",
                      .light = "-",
                      .middle = ".",
                      .shades = {" ", ".", ":", "*", "#"},
                      .eighths = {" ", " ", " ", " ", "#", "#", "#", "#", "#"},
                      .times = "x",
                      .swatch = "-",
                      .plot = CELL_ASCII,
                      .ascii = true},
};

static const struct glyphs *chosen = &sets[GLYPHS_ASCII];

void theme_choose_glyphs(enum glyph_set set) {
    chosen = &sets[set];
}

const struct glyphs *theme_glyphs(void) {
    return chosen;
}
