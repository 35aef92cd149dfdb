#include "tui/terminal/term.h"

#include "tui/screen/preferences.h"
#include "tui/terminal/signals.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

/* Last: these two define many short names. */
#include <ncurses.h>
#include <term.h>

enum { ESCAPE_DELAY = 25, CODE_PASTE_BEGIN = KEY_MAX + 1, CODE_PASTE_END, CODE_MOUSE };

#define PASTE_ON "\033[?2004h"
#define PASTE_OFF "\033[?2004l"
/* Presses, and motion while a button is down, as numbers. Read here: ncurses merges events that
 * come together. */
#define MOUSE_ON "\033[?1002h\033[?1006h"
#define MOUSE_OFF "\033[?1006l\033[?1002l"

static struct {
    SCREEN *screen;
    bool running;
    struct termios before; /* as found */
    char leave[256];       /* what an emergency writes */
    size_t leave_length;
    bool able, colors; /* of colours, and uses them */
    unsigned theme;    /* its version */
    const char *mouse_on;
    struct mouse mouse;
    char report[24]; /* of the mouse, so far */
    size_t report_length;
    bool reporting;
} terminal;

static bool is_utf8(void) {
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static bool wants_utf8(void) {
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && *value != '\0')
            return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

/* A machine may lack the locale that ssh brought along; C.UTF-8 is always there. */
enum glyph_set term_locale(bool ascii, const char *term) {
    bool set = setlocale(LC_CTYPE, "") != NULL && is_utf8();
    if (!set && wants_utf8())
        setlocale(LC_CTYPE, "C.UTF-8");
    if (ascii || !is_utf8())
        return GLYPHS_ASCII;
    return term != NULL && strcmp(term, "linux") == 0 ? GLYPHS_BLOCK : GLYPHS_BRAILLE;
}

static const char *capability(const char *name) {
    const char *text = tigetstr(name);
    return text != NULL && text != (char *)-1 ? text : NULL;
}

/* newterm() ends the program on a bad TERM, so it is asked first. */
bool term_check(struct error *error) {
    int problem = 0;
    const char *name = getenv("TERM");
    if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
        return error_set(error, ERROR_USAGE, "the screen needs a terminal; try r2m analyze");
    bool good = setupterm(NULL, STDOUT_FILENO, &problem) == OK && capability("cup") != NULL;
    if (cur_term != NULL)
        del_curterm(cur_term); /* newterm makes its own */
    return good || error_set(error, ERROR_USAGE,
                             "the terminal \"%s\" cannot place its cursor; try r2m analyze",
                             name != NULL ? name : "");
}

static void append_leave(const char *text) {
    size_t length = text != NULL ? strlen(text) : 0;
    if (terminal.leave_length + length >= sizeof terminal.leave)
        return;
    memcpy(terminal.leave + terminal.leave_length, text != NULL ? text : "", length);
    terminal.leave_length += length;
}

/* Copies a capability without its padding, "$<5>". */
static void append_capability(const char *name) {
    const char *text = capability(name);
    char plain[64];
    size_t length = 0;
    while (text != NULL && *text != '\0' && length + 1 < sizeof plain) {
        if (text[0] == '$' && text[1] == '<') {
            const char *end = strchr(text, '>');
            text = end != NULL ? end + 1 : text + 2;
        } else {
            plain[length++] = *text++;
        }
    }
    plain[length] = '\0';
    append_leave(plain);
}

static void prepare_emergency(void) {
    tcgetattr(STDIN_FILENO, &terminal.before);
    terminal.leave_length = 0;
    append_leave(PASTE_OFF MOUSE_OFF);
}

static void complete_emergency(void) {
    append_capability("sgr0");
    append_capability("cnorm");
    append_capability("rmkx");
    append_capability("rmcup");
}

static void choose_colors(enum color_mode mode) {
    const char *no_color = getenv("NO_COLOR");
    bool refused = no_color != NULL && *no_color != '\0';
    bool wanted = mode == COLOR_ALWAYS || (mode == COLOR_AUTO && !refused);
    terminal.able = wanted && has_colors() && start_color() == OK && COLORS >= 8;
    if (terminal.able)
        use_default_colors();
}

/* Grey is there with 16 colours, not with 8. */
static short terminal_color(const struct look *look) {
    bool grey = look->few < 0 && look->many >= 232;
    return COLORS >= 256 ? look->many : COLORS >= 16 && grey ? 8 : look->few;
}

/* The theme's colours, when it changed. */
static void follow_theme(void) {
    if (terminal.theme == theme_version())
        return;
    terminal.theme = theme_version();
    terminal.colors = terminal.able && !theme_is_monochrome();
    for (int element = 0; terminal.colors && element < ELEMENT_COUNT; element++) {
        const struct look *look = theme_look((unsigned)element);
        init_pair((short)(element + 1), terminal_color(look), -1);
    }
}

static void write_text(const char *text) {
    ssize_t written = write(STDOUT_FILENO, text, strlen(text));
    (void)written; /* a terminal that is gone ends the loop elsewhere */
}

bool term_start(const struct screen_options *options, struct error *error) {
    prepare_emergency();
    terminal.screen = newterm(NULL, stdout, stdin);
    if (terminal.screen == NULL)
        return error_set(error, ERROR_USAGE, "the terminal cannot be used; try r2m analyze");
    terminal.running = true;
    complete_emergency();
    cbreak();
    noecho();
    nonl();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    set_escdelay(ESCAPE_DELAY);
    define_key("\033[200~", CODE_PASTE_BEGIN);
    define_key("\033[201~", CODE_PASTE_END);
    define_key("\033[<", CODE_MOUSE);
    choose_colors(options->color);
    terminal.mouse_on = preferences_mouse() ? MOUSE_ON : "";
    write_text(PASTE_ON);
    write_text(terminal.mouse_on);
    return true;
}

void term_stop(void) {
    if (!terminal.running)
        return;
    terminal.running = false;
    write_text(PASTE_OFF MOUSE_OFF);
    endwin();
    delscreen(terminal.screen);
}

void term_emergency(void) {
    if (!terminal.running)
        return;
    ssize_t written = write(STDOUT_FILENO, terminal.leave, terminal.leave_length);
    (void)written;
    tcsetattr(STDIN_FILENO, TCSANOW, &terminal.before);
}

void term_size(int *width, int *height) {
    getmaxyx(stdscr, *height, *width);
}

void term_resize(void) {
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        resizeterm(size.ws_row, size.ws_col);
}

static attr_t attributes(unsigned style) {
    unsigned element = style & STYLE_ELEMENT;
    const struct look *look = theme_look(element);
    unsigned flags =
        (style & ~(unsigned)STYLE_ELEMENT) | (terminal.colors ? look->color : look->mono);
    attr_t result = terminal.colors ? (attr_t)COLOR_PAIR(element + 1) : A_NORMAL;
    result |= flags & STYLE_BOLD ? A_BOLD : 0;
    result |= flags & STYLE_DIM ? A_DIM : 0;
    result |= flags & STYLE_REVERSE ? A_REVERSE : 0;
    return result;
}

/* One row, a call for each stretch of one style. */
static void paint_row(const struct surface *surface, int row) {
    const struct surface_cell *cells = &surface->cells[row * surface->width];
    char text[TEXT_ROOM];
    for (int col = 0; col < surface->width;) {
        unsigned style = cells[col].style;
        size_t length = 0;
        int from = col;
        while (col < surface->width && cells[col].style == style && length + 8 < sizeof text) {
            size_t bytes = strlen(cells[col].glyph);
            memcpy(text + length, cells[col++].glyph, bytes);
            length += bytes;
        }
        text[length] = '\0';
        attrset((int)attributes(style));
        mvaddstr(row, from, text);
    }
}

void term_paint(const struct surface *surface, bool anew) {
    follow_theme();
    if (anew)
        clearok(stdscr, TRUE);
    for (int row = 0; row < surface->height; row++)
        paint_row(surface, row);
    curs_set(surface->cursor_row >= 0 ? 1 : 0);
    if (surface->cursor_row >= 0)
        move(surface->cursor_row, surface->cursor_col);
    refresh();
}

/* A report goes on behind its first bytes: "0;12;7M", button, column and row from 1, M or m for a
 * release. Its bytes may come in several reads. Returns INPUT_MOUSE when it is whole. */
static int mouse_byte(int byte) {
    unsigned button;
    terminal.report[terminal.report_length++] = (char)byte;
    terminal.report[terminal.report_length] = '\0';
    bool ends = byte == 'M' || byte == 'm';
    bool goes_on = ((byte >= '0' && byte <= '9') || byte == ';') &&
                   terminal.report_length + 1 < sizeof terminal.report;
    if (goes_on)
        return INPUT_NONE;
    terminal.reporting = false;
    struct mouse *mouse = &terminal.mouse;
    if (!ends || sscanf(terminal.report, "%3u;%5d;%5d", &button, &mouse->col, &mouse->row) != 3)
        return INPUT_NONE;
    mouse->col--;
    mouse->row--;
    mouse->event = button == 64    ? MOUSE_WHEEL_UP
                   : button == 65  ? MOUSE_WHEEL_DOWN
                   : byte == 'm'   ? MOUSE_RELEASE
                   : button & 0x20 ? MOUSE_DRAG
                                   : MOUSE_PRESS;
    bool left = button == 64 || button == 65 || (button & 3) == 0;
    return left ? INPUT_MOUSE : INPUT_NONE;
}

struct mouse term_mouse(void) {
    return terminal.mouse;
}

static int translate(wint_t code) {
    static const struct {
        wint_t code;
        int key;
    } keys[] = {
        {KEY_UP, INPUT_UP},         {KEY_DOWN, INPUT_DOWN},
        {KEY_LEFT, INPUT_LEFT},     {KEY_RIGHT, INPUT_RIGHT},
        {KEY_PPAGE, INPUT_PAGE_UP}, {KEY_NPAGE, INPUT_PAGE_DOWN},
        {KEY_HOME, INPUT_HOME},     {KEY_END, INPUT_END},
        {KEY_DC, INPUT_DELETE},     {KEY_BTAB, INPUT_BACKTAB},
        {KEY_F(1), INPUT_F1},       {KEY_BACKSPACE, INPUT_BACKSPACE},
        {KEY_ENTER, INPUT_ENTER},   {CODE_PASTE_BEGIN, INPUT_PASTE_BEGIN},
        {KEY_RESIZE, INPUT_RESIZE}, {CODE_PASTE_END, INPUT_PASTE_END},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (keys[i].code == code)
            return keys[i].key;
    terminal.reporting = code == CODE_MOUSE;
    terminal.report_length = 0;
    return INPUT_RESIZE; /* no meaning, or not yet */
}

int term_read(void) {
    for (;;) {
        wint_t code;
        int kind = get_wch(&code);
        if (kind == ERR)
            return INPUT_NONE;
        int key = kind == KEY_CODE_YES ? translate(code)
                  : terminal.reporting ? mouse_byte((int)code)
                                       : (int)code;
        if (key != INPUT_RESIZE && key != INPUT_NONE)
            return key;
    }
}

void term_copy(const char *text) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    write_text("\033]52;c;");
    for (size_t left = strlen(text); left > 0;) {
        size_t take = left < 3 ? left : 3;
        unsigned bits = (unsigned)(unsigned char)text[0] << 16;
        bits |= take > 1 ? (unsigned)(unsigned char)text[1] << 8 : 0;
        bits |= take > 2 ? (unsigned char)text[2] : 0;
        char four[5] = {digits[bits >> 18], digits[bits >> 12 & 63],
                        take > 1 ? digits[bits >> 6 & 63] : '=',
                        take > 2 ? digits[bits & 63] : '='};
        write_text(four);
        text += take;
        left -= take;
    }
    write_text("\a");
}

void term_suspend(void) {
    write_text(PASTE_OFF MOUSE_OFF);
    endwin();
    signals_stop_here();
    term_resize();
    write_text(PASTE_ON);
    write_text(terminal.mouse_on);
}

const char *term_library(void) {
    return curses_version();
}
