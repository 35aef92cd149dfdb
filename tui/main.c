/* r2m: Real-aware Residual Model Merging. */
#include "analysis/support/ranks.h"
#include "tui/command/command.h"
#include "tui/command/complain.h"
#include "tui/command/interrupt.h"
#include "tui/terminal/term.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* May run in any thread. */
void memory_exhausted(size_t bytes) {
    char text[80];
    term_emergency();
    int length = snprintf(text, sizeof text, "r2m: out of memory (%zu bytes more)\n", bytes);
    ssize_t written = write(STDERR_FILENO, text, (size_t)length);
    (void)written; /* nobody left to tell */
    interrupt_remove_outputs();
    _exit(EXIT_FAILED);
}

/* A standard stream that is closed must not become the descriptor of an output file. It is opened
 * the wrong way round, so that using it stays an error. */
static void guard_streams(void) {
    static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};
    for (int stream = 0; stream <= 2; stream++)
        if (fcntl(stream, F_GETFD) < 0 && open("/dev/null", modes[stream]) != stream)
            _exit(EXIT_FAILED);
}

/* What was printed has to have arrived: a full disk is a failure. */
static int close_output(int code) {
    bool failed = ferror(stdout) != 0;
    errno = 0;
    if ((fclose(stdout) == 0 && !failed) || code == EXIT_INTERRUPTED)
        return code;
    fprintf(stderr, "r2m: standard output: %s\n", errno != 0 ? strerror(errno) : "cannot write");
    return code != EXIT_DONE ? code : EXIT_FAILED;
}

/* With others, the first rank speaks for all. */
static int run(int argc, char **argv) {
    struct error error = {0};
    if (!ranks_begin(&error) || (ranks_own() > 0 && freopen("/dev/null", "w", stdout) == NULL))
        return complain(&error);
    int code = close_output(command_main(argc, argv));
    ranks_end();
    return code;
}

int main(int argc, char **argv) {
    guard_streams();
    term_locale(false, NULL); /* characters as the user has them; all else stays in "C" */
    return run(argc, argv);
}
