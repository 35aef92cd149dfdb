#include "tui/terminal/term.h"

#include "analysis/support/base64.h"
#include "tui/screen/preferences.h"
#include "tui/terminal/signals.h"

#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* Last: these two define many short names. */
#include <ncurses.h>
#include <term.h>

enum {
    ESCAPE_DELAY = 25,
    CODE_PASTE_BEGIN = KEY_MAX + 1,
    CODE_PASTE_END,
    CODE_MOUSE,
    CODE_DEVICE,
    CODE_KITTY
};

enum { REPORT_ROOM = 80, EARLY_ROOM = 32, PATIENCE = 200 /* milliseconds for an answer */ };

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
    wint_t reporting; /* CODE_MOUSE, CODE_DEVICE, CODE_KITTY: its report is coming in; or 0 */
    char report[REPORT_ROOM];
    size_t report_length;
    bool asked, answered; /* which pictures it shows */
    enum picture_protocol pictures;
    int early[EARLY_ROOM]; /* keys that came before the answer */
    size_t early_count, early_taken;
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

/* A terminal that is gone ends the loop elsewhere. */
static void write_bytes(const char *bytes, size_t length) {
    while (length > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes, length);
        if (written < 0 && errno != EINTR)
            return;
        bytes += written > 0 ? written : 0;
        length -= written > 0 ? (size_t)written : 0;
    }
}

static void write_text(const char *text) {
    write_bytes(text, strlen(text));
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
    define_key("\033[?", CODE_DEVICE);
    define_key("\033_G", CODE_KITTY);
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

/* "0;12;7M": button, column and row from 1, M or m for a release. */
static int mouse_report(char last) {
    unsigned button;
    struct mouse *mouse = &terminal.mouse;
    if (sscanf(terminal.report, "%3u;%5d;%5d", &button, &mouse->col, &mouse->row) != 3)
        return INPUT_NONE;
    mouse->col--;
    mouse->row--;
    mouse->event = button == 64    ? MOUSE_WHEEL_UP
                   : button == 65  ? MOUSE_WHEEL_DOWN
                   : last == 'm'   ? MOUSE_RELEASE
                   : button & 0x20 ? MOUSE_DRAG
                                   : MOUSE_PRESS;
    bool left = button == 64 || button == 65 || (button & 3) == 0;
    return left ? INPUT_MOUSE : INPUT_NONE;
}

/* Device attributes come last, whatever else was asked. */
static int device_report(char last) {
    terminal.answered = last == 'c';
    if (terminal.pictures == PICTURE_NONE && picture_answer_sixel(terminal.report))
        terminal.pictures = PICTURE_SIXEL;
    return INPUT_NONE;
}

static int kitty_report(char last) {
    (void)last;
    if (picture_answer_kitty(terminal.report))
        terminal.pictures = PICTURE_KITTY;
    return INPUT_NONE;
}

/* Reports go on behind their first bytes, which may come in several reads. A byte of one; returns
 * the key that it means once it is whole. */
static int report_byte(int byte) {
    static const struct {
        wint_t code;
        const char *body; /* what it may hold before its end; NULL: anything */
        const char *ends; /* its last byte */
        int (*whole)(char last);
    } reports[] = {{CODE_MOUSE, "0123456789;", "Mm", mouse_report},
                   {CODE_DEVICE, "0123456789;", "cnuy$", device_report},
                   {CODE_KITTY, NULL, "\\", kitty_report}};
    size_t kind = 0;
    while (reports[kind].code != terminal.reporting)
        kind++;
    bool escape = byte == INPUT_ESCAPE && reports[kind].body == NULL; /* of the end, ESC and \ */
    bool ends = byte < 128 && strchr(reports[kind].ends, byte) != NULL;
    bool goes_on =
        byte < 128 && (reports[kind].body == NULL || strchr(reports[kind].body, byte) != NULL);
    if (escape)
        return INPUT_NONE;
    if (!ends && goes_on && terminal.report_length + 1 < sizeof terminal.report) {
        terminal.report[terminal.report_length++] = (char)byte;
        return INPUT_NONE;
    }
    terminal.report[terminal.report_length] = '\0';
    terminal.reporting = 0;
    return ends ? reports[kind].whole((char)byte) : INPUT_NONE;
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
    terminal.reporting = code >= CODE_MOUSE && code <= CODE_KITTY ? code : 0;
    terminal.report_length = 0;
    return INPUT_RESIZE; /* no meaning, or not yet */
}

static int read_key(void) {
    for (;;) {
        wint_t code;
        int kind = get_wch(&code);
        if (kind == ERR)
            return INPUT_NONE;
        int key = kind == KEY_CODE_YES      ? translate(code)
                  : terminal.reporting != 0 ? report_byte((int)code)
                                            : (int)code;
        if (key != INPUT_RESIZE && key != INPUT_NONE)
            return key;
    }
}

int term_read(void) {
    if (terminal.early_taken < terminal.early_count)
        return terminal.early[terminal.early_taken++];
    terminal.early_count = terminal.early_taken = 0;
    return read_key();
}

static double milliseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

/* Keys that come before the answer are kept; an answer that comes too late is read as one all the
 * same, and never as keys. */
enum picture_protocol term_pictures(void) {
    if (terminal.asked)
        return terminal.pictures;
    terminal.asked = true;
    write_text(PICTURE_QUESTION);
    double end = milliseconds() + PATIENCE;
    while (!terminal.answered && milliseconds() < end) {
        struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
        poll(&input, 1, (int)(end - milliseconds()) + 1);
        for (int key; (key = read_key()) != INPUT_NONE;)
            if (terminal.early_count < EARLY_ROOM)
                terminal.early[terminal.early_count++] = key;
    }
    return terminal.pictures;
}

void term_pixels(int *width, int *height) {
    struct winsize size = {0};
    ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
    bool known = size.ws_xpixel >= size.ws_col && size.ws_ypixel >= size.ws_row && size.ws_row > 0;
    *width = known ? size.ws_xpixel : 10 * COLS;
    *height = known ? size.ws_ypixel : 20 * LINES;
}

void term_picture(const char *bytes, size_t length, const char *hint) {
    erase();
    attrset(A_NORMAL);
    mvaddstr(LINES - 1, 0, hint);
    curs_set(0);
    clearok(stdscr, TRUE);
    refresh();
    write_text("\0337\033[H"); /* saved and restored: ncurses knows where it left the cursor */
    write_bytes(bytes, length);
    write_text("\0338");
}

void term_picture_end(void) {
    if (terminal.pictures == PICTURE_KITTY)
        write_text(PICTURE_KITTY_DELETE);
}

void term_copy(const char *text) {
    char *encoded = base64_text(text, strlen(text));
    write_text("\033]52;c;");
    write_text(encoded);
    write_text("\a");
    free(encoded);
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
