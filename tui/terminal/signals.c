#include "tui/terminal/signals.h"

#include "analysis/support/mapped_file.h"
#include "merge/version.h"
#include "tui/terminal/term.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const int told[] = {SIGWINCH, SIGTSTP, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
enum {
    TOLD_COUNT = sizeof told / sizeof *told,
    CRASH_COUNT = sizeof crashes / sizeof *crashes,
    STACK_SIZE = 1 << 16
};

static int pipe_ends[2] = {-1, -1};
static struct sigaction before_crash[CRASH_COUNT]; /* a sanitizer's, or the default */
static char *crash_stack;                          /* a full stack is a crash too */

static void (*save_work)(void);

void signals_on_crash(void (*save)(void)) {
    save_work = save;
}

static void on_signal(int number) {
    int kept = errno;
    char byte = (char)number;
    ssize_t written = write(pipe_ends[1], &byte, 1);
    (void)written; /* a full pipe holds news enough */
    errno = kept;
}

static void say(const char *text) {
    ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written;
}

/* An input that somebody has cut short is no crash: said by its name. This may call malloc, as what
 * was interrupted is a read of a mapped file; where it is none, it returns. */
static void end_of_cut_file(const void *address) {
    char *path = mapped_file(address);
    if (path == NULL)
        return;
    char *quoted = error_quote(path, strlen(path));
    say("\nr2m: ");
    say(quoted);
    say(": became shorter while it was read\n");
    _exit(EXIT_FAILURE);
}

/* Workers may meet the same trouble at the same time: the first one tells it, others wait for the
 * end. A crash within a crash goes on. */
static void wait_unless_first(void) {
    static _Atomic pid_t first;
    pid_t none = 0, self = gettid();
    if (!atomic_compare_exchange_strong(&first, &none, self) && none != self)
        for (;;)
            pause();
}

/* Only async-signal-safe calls. Afterwards whoever was there before gets the signal. */
static void on_crash(int number, siginfo_t *info, void *context) {
    (void)context;
    wait_unless_first();
    term_emergency();
    if (save_work != NULL)
        save_work();
    if (number == SIGBUS && info->si_code > 0) /* not sent by a process */
        end_of_cut_file(info->si_addr);
    say("\nr2m " R2M_VERSION " crashed: ");
    say(number == SIGABRT ? "it gave up (SIGABRT)\n"
                          : "please report what you did (SIGSEGV or alike)\n");
    for (size_t i = 0; i < CRASH_COUNT; i++)
        if (crashes[i] == number)
            sigaction(number, &before_crash[i], NULL);
    raise(number);
}

static void handle(int number, void (*handler)(int), int flags, struct sigaction *older) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = flags};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, older);
}

static void watch_crash(int number, struct sigaction *older) {
    struct sigaction action = {.sa_sigaction = on_crash,
                               .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, older);
}

bool signals_start(struct error *error) {
    if (pipe2(pipe_ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return error_set(error, ERROR_INPUT, "pipe: %s", strerror(errno));
    for (size_t i = 0; i < TOLD_COUNT; i++)
        handle(told[i], on_signal, SA_RESTART, NULL);
    crash_stack = malloc(STACK_SIZE);
    stack_t stack = {.ss_sp = crash_stack, .ss_size = STACK_SIZE};
    if (crash_stack != NULL)
        sigaltstack(&stack, NULL);
    for (size_t i = 0; i < CRASH_COUNT; i++)
        watch_crash(crashes[i], &before_crash[i]);
    handle(SIGPIPE, SIG_IGN, 0, NULL);
    return true;
}

int signals_descriptor(void) {
    return pipe_ends[0];
}

int signals_next(void) {
    char byte;
    return read(pipe_ends[0], &byte, 1) == 1 ? byte : 0;
}

void signals_stop_here(void) {
    handle(SIGTSTP, SIG_DFL, 0, NULL);
    raise(SIGTSTP);
    handle(SIGTSTP, on_signal, SA_RESTART, NULL);
}

void signals_end(void) {
    stack_t none = {.ss_flags = SS_DISABLE};
    for (size_t i = 0; i < TOLD_COUNT; i++)
        handle(told[i], SIG_DFL, 0, NULL);
    for (size_t i = 0; i < CRASH_COUNT; i++)
        sigaction(crashes[i], &before_crash[i], NULL);
    sigaltstack(&none, NULL);
    free(crash_stack);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}
