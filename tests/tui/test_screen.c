/* The real program on a real pseudo-terminal, its screen read back by libvterm: what only that can
 * show. R2M names the program (default build/r2m). */
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <vterm.h>

enum { ROW_TEXT = 2048, PATIENCE = 30000 /* milliseconds until a wait counts as a failure */ };

struct session {
    pid_t child;
    int master, slave; /* slave stays open: its settings are looked at afterwards */
    int width, height;
    VTerm *vterm;
    VTermScreen *screen;
    bool alternate, cursor;
    struct termios before;
};

static int on_property(VTermProp property, VTermValue *value, void *context) {
    struct session *session = context;
    if (property == VTERM_PROP_ALTSCREEN)
        session->alternate = value->boolean;
    if (property == VTERM_PROP_CURSORVISIBLE)
        session->cursor = value->boolean;
    return 1;
}

static const VTermScreenCallbacks callbacks = {.settermprop = on_property};

static const char *program(void) {
    const char *path = getenv("R2M");
    return path != NULL ? path : "build/r2m";
}

static const char *config = "samples/demo.json";

static char home[] = "/tmp/r2m-screen-home-XXXXXX"; /* of state and preferences */

static void exec_program(const char *setting) {
    char name[64];
    putenv("LC_ALL=C.UTF-8");
    putenv("TERM=xterm-256color");
    setenv("XDG_STATE_HOME", home, 1);
    setenv("XDG_CONFIG_HOME", home, 1);
    unsetenv("NO_COLOR");
    unsetenv("LINES");
    unsetenv("COLUMNS");
    snprintf(name, sizeof name, "%s", setting != NULL ? setting : "R2M_TEST=1");
    putenv(name);
    execl(program(), program(), config, (char *)NULL);
    _exit(127);
}

/* What a shell does: the program in a process group of its own, in the foreground; when it stops,
 * this process stops too, and continuing goes the other way. */
static void be_a_shell(void) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN);
        tcsetpgrp(STDIN_FILENO, getpid());
        signal(SIGTTOU, SIG_DFL);
        exec_program(NULL);
    }
    while (waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status)) {
        raise(SIGSTOP);
        kill(child, SIGCONT);
    }
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

static struct session *start_with(int width, int height, const char *setting, bool shell) {
    struct session *session = calloc(1, sizeof *session);
    struct winsize size = {.ws_row = (unsigned short)height, .ws_col = (unsigned short)width};
    session->width = width;
    session->height = height;
    session->cursor = true;
    session->vterm = vterm_new(height, width);
    vterm_set_utf8(session->vterm, 1);
    session->screen = vterm_obtain_screen(session->vterm);
    vterm_screen_enable_altscreen(session->screen, 1);
    vterm_screen_set_callbacks(session->screen, &callbacks, session);
    vterm_screen_reset(session->screen, 1);
    assert_int_equal(openpty(&session->master, &session->slave, NULL, NULL, &size), 0);
    tcgetattr(session->slave, &session->before);
    session->child = fork();
    if (session->child == 0) {
        setsid();
        ioctl(session->slave, TIOCSCTTY, 0);
        for (int i = 0; i < 3; i++)
            dup2(session->slave, i);
        close(session->slave);
        close(session->master);
        if (shell)
            be_a_shell();
        exec_program(setting);
    }
    return session;
}

static struct session *start(int width, int height, const char *setting) {
    return start_with(width, height, setting, false);
}

/* Takes what the program wrote; false when nothing came for that long. */
static bool pump(struct session *session, int milliseconds) {
    char bytes[4096];
    struct pollfd file = {.fd = session->master, .events = POLLIN};
    if (poll(&file, 1, milliseconds) <= 0)
        return false;
    ssize_t size = read(session->master, bytes, sizeof bytes);
    if (size <= 0)
        return false;
    vterm_input_write(session->vterm, bytes, (size_t)size);
    size_t answer = vterm_output_read(session->vterm, bytes, sizeof bytes);
    if (answer > 0 && write(session->master, bytes, answer) < 0)
        return false;
    return true;
}

static const char *row_text(struct session *session, int row) {
    static char text[ROW_TEXT];
    VTermRect rect = {row, row + 1, 0, session->width};
    text[vterm_screen_get_text(session->screen, text, sizeof text - 1, rect)] = '\0';
    return text;
}

static bool shows(struct session *session, const char *text) {
    for (int row = 0; row < session->height; row++)
        if (strstr(row_text(session, row), text) != NULL)
            return true;
    return false;
}

static long long milliseconds_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (long long)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void print_screen(struct session *session) {
    for (int row = 0; row < session->height; row++)
        print_message("%s\n", row_text(session, row));
}

static void wait_for(struct session *session, const char *text) {
    long long end = milliseconds_now() + PATIENCE;
    while (!shows(session, text) && milliseconds_now() < end)
        pump(session, 50);
    if (!shows(session, text))
        print_screen(session);
    assert_true(shows(session, text));
}

static void wait_for_row(struct session *session, int row, const char *text) {
    long long end = milliseconds_now() + PATIENCE;
    while (strstr(row_text(session, row), text) == NULL && milliseconds_now() < end)
        pump(session, 50);
    if (strstr(row_text(session, row), text) == NULL)
        print_screen(session);
    assert_non_null(strstr(row_text(session, row), text));
}

static void press(struct session *session, const char *keys) {
    assert_int_equal(write(session->master, keys, strlen(keys)), (ssize_t)strlen(keys));
}

static void resize(struct session *session, int width, int height) {
    struct winsize size = {.ws_row = (unsigned short)height, .ws_col = (unsigned short)width};
    session->width = width;
    session->height = height;
    vterm_set_size(session->vterm, height, width);
    ioctl(session->master, TIOCSWINSZ, &size);
}

/* Waits for the end; returns the status of waitpid. */
static int wait_for_end(struct session *session) {
    int status = 0;
    long long end = milliseconds_now() + PATIENCE;
    pid_t ended = 0;
    while ((ended = waitpid(session->child, &status, WNOHANG)) == 0 && milliseconds_now() < end)
        pump(session, 20);
    while (pump(session, 20))
        ;
    if (ended == 0) {
        kill(session->child, SIGKILL);
        waitpid(session->child, &status, 0);
        fail_msg("the program did not end");
    }
    return status;
}

static void assert_terminal_restored(struct session *session) {
    struct termios after;
    tcgetattr(session->slave, &after);
    assert_int_equal(after.c_lflag, session->before.c_lflag);
    assert_int_equal(after.c_iflag, session->before.c_iflag);
    assert_int_equal(after.c_oflag, session->before.c_oflag);
    assert_false(session->alternate);
    assert_true(session->cursor);
}

static void release(struct session *session) {
    close(session->master);
    close(session->slave);
    vterm_free(session->vterm);
    free(session);
}

static void a_session_from_start_to_end(void **state) {
    (void)state;
    struct session *session = start(80, 24, NULL);
    wait_for(session, "1 Layers 2 Specialists 3 Map 4 Plan 5 Export");
    wait_for(session, "kept");
    assert_true(session->alternate);
    assert_true(shows(session, "r=9"));
    press(session, "jj");
    wait_for(session, "fs in 6 layers");
    press(session, "j");
    wait_for(session, "fs in this layer");
    press(session, "+");
    wait_for(session, "r=10");
    wait_for(session, "demo.json*");
    press(session, "u");
    wait_for(session, "undo: fs 9");
    press(session, "2");
    wait_for(session, "Cosines of residuals");
    press(session, "4");
    wait_for(session, "Formula, in numbers");
    press(session, "\033[B\033[A?");
    wait_for(session, "What they do here");
    press(session, "\033"); /* Esc goes back, it never leaves */
    wait_for(session, "Formula, in numbers");
    press(session, "q");
    int status = wait_for_end(session);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_terminal_restored(session);
    release(session);
}

static void unsaved_changes_are_asked_about(void **state) {
    (void)state;
    struct session *session = start(80, 24, NULL);
    wait_for(session, "kept");
    press(session, "+");
    wait_for(session, "demo.json*");
    press(session, "q");
    wait_for(session, "Leave without saving?");
    press(session, "n");
    wait_for(session, "kept");
    press(session, "q");
    wait_for(session, "Leave without saving?");
    press(session, "y");
    assert_int_equal(wait_for_end(session), 0);
    assert_terminal_restored(session);
    release(session);
}

static void a_storm_of_resizes_ends_right(void **state) {
    (void)state;
    struct session *session = start(80, 24, NULL);
    wait_for(session, "kept");
    unsigned seed = 7;
    for (int i = 0; i < 60; i++) {
        seed = seed * 1103515245u + 12345u;
        resize(session, 20 + (int)(seed >> 16) % 200, 4 + (int)(seed >> 8) % 60);
        pump(session, 1);
    }
    resize(session, 50, 10);
    wait_for(session, "r2m needs 60x16, this is 50x10");
    resize(session, 100, 30);
    press(session, "\f"); /* Ctrl-L */
    wait_for_row(session, 29, "q:quit");
    wait_for_row(session, 0, "1 Layers");
    press(session, "q");
    assert_int_equal(wait_for_end(session), 0);
    assert_terminal_restored(session);
    release(session);
}

static void signals_give_the_terminal_back(void **state) {
    static const int numbers[] = {SIGTERM, SIGHUP, SIGSEGV, SIGABRT};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct session *session = start(80, 24, NULL);
        wait_for(session, "kept");
        kill(session->child, numbers[i]);
        assert_int_not_equal(wait_for_end(session), 0);
        assert_terminal_restored(session);
        release(session);
    }
}

/* A checkpoint that is cut short while the program maps it stops a worker: it is named, and the
 * terminal is given back. */
static void a_file_that_is_cut_short_is_named(void **state) {
    char folder[] = "/tmp/r2m-screen-XXXXXX", path[96], command[256];
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command, "cp samples/demo.json samples/*.safetensors %s", folder);
    assert_int_equal(system(command), 0);
    snprintf(path, sizeof path, "%s/demo.json", folder);
    config = path;
    struct session *session = start(80, 24, NULL);
    config = "samples/demo.json";
    wait_for(session, "kept");
    press(session, "5");
    wait_for(session, "merged checkpoint");
    snprintf(command, sizeof command, "truncate -s 4096 %s/fs.safetensors", folder);
    assert_int_equal(system(command), 0);
    press(session, "\r");
    int status = wait_for_end(session);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
    assert_terminal_restored(session);
    assert_true(shows(session, "fs.safetensors: became shorter while it was read"));
    release(session);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

/* Until the copy of the plan has been written, a second after the edit. */
static void wait_for_copy(void) {
    char pattern[96];
    glob_t found = {0};
    snprintf(pattern, sizeof pattern, "%s/r2m/session-*.json", home);
    long long end = milliseconds_now() + PATIENCE;
    while (glob(pattern, 0, NULL, &found) != 0 && milliseconds_now() < end)
        poll(NULL, 0, 20);
    assert_int_equal(found.gl_pathc, 1);
    globfree(&found);
}

/* Edits, ends by that signal, and starts again on the same files: the edit is offered. */
static void unsaved_work_survives(int number) {
    struct session *session = start(80, 24, NULL);
    wait_for(session, "kept");
    press(session, "jjj+");
    wait_for(session, "demo.json*");
    if (number == SIGKILL)
        wait_for_copy();
    kill(session->child, number);
    assert_int_not_equal(wait_for_end(session), 0);
    release(session);
    session = start(80, 24, NULL);
    wait_for(session, "Take them up? y/N");
    press(session, "y");
    wait_for(session, "demo.json*");
    press(session, "jjj");
    wait_for(session, "r=10");
    press(session, "u");
    wait_for(session, "undo: changes of the session before");
    press(session, "q");
    assert_int_equal(wait_for_end(session), 0);
    release(session);
}

static void unsaved_work_survives_signals_crashes_and_kills(void **state) {
    static const int numbers[] = {SIGHUP, SIGTERM, SIGSEGV, SIGKILL};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        unsaved_work_survives(numbers[i]);
}

static void what_was_typed_is_there_next_time(void **state) {
    (void)state;
    struct session *session = start(80, 24, NULL);
    wait_for(session, "kept");
    press(session, ":theme lig\t");
    wait_for(session, ":theme light");
    press(session, "\rq");
    assert_int_equal(wait_for_end(session), 0);
    release(session);
    session = start(80, 24, NULL);
    wait_for(session, "kept");
    press(session, ":\033OA");
    wait_for(session, ":theme light");
    press(session, "\033q");
    assert_int_equal(wait_for_end(session), 0);
    release(session);
}

static void tab_completes_paths(void **state) {
    (void)state;
    struct session *session = start(80, 24, NULL);
    wait_for(session, "kept");
    press(session, ":write samp\tdem\t");
    wait_for(session, ":write samples/demo.json");
    press(session, "\033q");
    assert_int_equal(wait_for_end(session), 0);
    release(session);
}

static void a_copied_row_is_shown(void **state) {
    (void)state;
    struct session *session = start(80, 24, NULL);
    wait_for(session, "kept");
    press(session, "jy");
    wait_for(session, "copied: ");
    press(session, "q");
    assert_int_equal(wait_for_end(session), 0);
    release(session);
}

static void control_c_does_not_kill(void **state) {
    (void)state;
    struct session *session = start(80, 24, NULL);
    wait_for(session, "kept");
    press(session, "\003");
    wait_for(session, "nothing is running; q leaves");
    press(session, "q");
    assert_int_equal(wait_for_end(session), 0);
    release(session);
}

static void stopping_and_going_on(void **state) {
    (void)state;
    struct session *session = start_with(80, 24, NULL, true);
    int status = 0;
    wait_for(session, "kept");
    press(session, "\032"); /* Ctrl-Z */
    long long end = milliseconds_now() + PATIENCE;
    while (waitpid(session->child, &status, WNOHANG | WUNTRACED) == 0 && milliseconds_now() < end)
        pump(session, 20);
    while (pump(session, 20))
        ;
    assert_true(WIFSTOPPED(status));
    assert_terminal_restored(session);
    resize(session, 90, 30);
    kill(session->child, SIGCONT);
    wait_for_row(session, 29, "q:quit");
    press(session, "q");
    assert_int_equal(wait_for_end(session), 0);
    release(session);
}

static void a_terminal_without_cursor_is_refused(void **state) {
    (void)state;
    struct session *session = start(80, 24, "TERM=dumb");
    int status = wait_for_end(session);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    assert_true(shows(session, "try r2m analyze"));
    release(session);
}

static bool any_color(struct session *session) {
    for (int row = 0; row < session->height; row++)
        for (int col = 0; col < session->width; col++) {
            VTermScreenCell cell;
            vterm_screen_get_cell(session->screen, (VTermPos){row, col}, &cell);
            if (!VTERM_COLOR_IS_DEFAULT_FG(&cell.fg))
                return true;
        }
    return false;
}

static void no_color_is_respected(void **state) {
    (void)state;
    struct session *colored = start(80, 24, NULL);
    wait_for(colored, "kept");
    assert_true(any_color(colored));
    press(colored, "q");
    wait_for_end(colored);
    release(colored);
    struct session *plain = start(80, 24, "NO_COLOR=1");
    wait_for(plain, "kept");
    assert_false(any_color(plain));
    press(plain, "q");
    wait_for_end(plain);
    release(plain);
}

static void without_utf8_nothing_else_than_ascii(void **state) {
    (void)state;
    struct session *session = start(80, 24, "LC_ALL=C");
    wait_for(session, "kept");
    for (int row = 0; row < session->height; row++)
        for (const char *c = row_text(session, row); *c != '\0'; c++)
            assert_true((unsigned char)*c < 0x80);
    press(session, "q");
    wait_for_end(session);
    release(session);
}

static void click(struct session *session, int row, int col) {
    char bytes[64];
    snprintf(bytes, sizeof bytes, "\033[<0;%d;%dM\033[<0;%d;%dm", col + 1, row + 1, col + 1,
             row + 1);
    press(session, bytes);
}

static void clicks_select_tabs_and_rows(void **state) {
    (void)state;
    struct session *session = start(80, 24, NULL);
    wait_for(session, "kept");
    click(session, 6, 5); /* below the header and four rows */
    wait_for(session, "5/31");
    press(session, "\033[<65;5;5M"); /* the wheel */
    wait_for(session, "8/31");
    const char *title = row_text(session, 0);
    click(session, 0, (int)(strstr(title, "2 Specialists") - title));
    wait_for(session, "Cosines of residuals");
    press(session, "q");
    assert_int_equal(wait_for_end(session), 0);
    assert_terminal_restored(session);
    release(session);
}

static void pasted_lines_run_nothing(void **state) {
    (void)state;
    struct session *session = start(80, 24, NULL);
    wait_for(session, "kept");
    press(session, ":\033[200~set alpha=0.5\rq\r\033[201~");
    wait_for(session, ":set alpha=0.5q");
    press(session, "\033");
    wait_for(session, "kept");
    press(session, "q");
    assert_int_equal(wait_for_end(session), 0);
    release(session);
}

static int make_home(void **state) {
    (void)state;
    return mkdtemp(home) != NULL ? 0 : -1;
}

static int remove_home(void **state) {
    char command[96];
    (void)state;
    snprintf(command, sizeof command, "rm -r %s", home);
    return system(command);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_session_from_start_to_end),
        cmocka_unit_test(unsaved_changes_are_asked_about),
        cmocka_unit_test(a_storm_of_resizes_ends_right),
        cmocka_unit_test(signals_give_the_terminal_back),
        cmocka_unit_test(a_file_that_is_cut_short_is_named),
        cmocka_unit_test(unsaved_work_survives_signals_crashes_and_kills),
        cmocka_unit_test(what_was_typed_is_there_next_time),
        cmocka_unit_test(tab_completes_paths),
        cmocka_unit_test(a_copied_row_is_shown),
        cmocka_unit_test(control_c_does_not_kill),
        cmocka_unit_test(stopping_and_going_on),
        cmocka_unit_test(a_terminal_without_cursor_is_refused),
        cmocka_unit_test(no_color_is_respected),
        cmocka_unit_test(without_utf8_nothing_else_than_ascii),
        cmocka_unit_test(clicks_select_tabs_and_rows),
        cmocka_unit_test(pasted_lines_run_nothing),
    };
    return cmocka_run_group_tests_name("screen", tests, make_home, remove_home);
}
