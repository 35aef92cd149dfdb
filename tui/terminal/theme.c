#include "tui/terminal/theme.h"

#include "render/cells.h"

#define B STYLE_BOLD
#define D STYLE_DIM
#define R STYLE_REVERSE

/* 256 colours: fixed indexes 16 to 255 that read on black and on white (Okabe-Ito, darkened). */
static const struct look looks[ELEMENT_COUNT] = {
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

const struct look *theme_look(unsigned element) {
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
