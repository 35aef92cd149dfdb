#include "merge/evaluation/evaluation.h"

#include "analysis/support/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    OUT,
    ERR,
    STREAMS,
    KEPT = 64 * 1024, /* bytes of each stream, the last ones */
    HINT_KEPT = 160,
    TICK = 50 /* milliseconds between two looks at the clock */
};
#define GRACE 2.0 /* seconds from SIGTERM to SIGKILL */

extern char **environ;

static double clock_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

bool evaluation_check(const char *command, struct error *error) {
    if (strstr(command, "{}") != NULL)
        return true;
    error_set(error, ERROR_USAGE, "the evaluation has no {} for the path of the checkpoint");
    error_hint(error, "for example: --eval 'python3 evaluate.py {}'");
    return false;
}

/* ---- the command ---- */

/* 'path', with each ' in it as '\''. */
static char *shell_quoted(const char *path) {
    char *quoted = memory_array(strlen(path) * 4 + 3, 1), *to = quoted;
    *to++ = '\'';
    for (; *path != '\0'; path++) {
        if (*path == '\'')
            to = stpcpy(to, "'\\''");
        else
            *to++ = *path;
    }
    *to++ = '\'';
    *to = '\0';
    return quoted;
}

/* The path from the root on, so that the command may change its folder. */
static char *filled_in(const char *command, const char *checkpoint) {
    char *real = realpath(checkpoint, NULL);
    char *path = shell_quoted(real != NULL ? real : checkpoint), *text = memory_string("");
    for (const char *hole; (hole = strstr(command, "{}")) != NULL; command = hole + 2) {
        char *longer = memory_format("%s%.*s%s", text, (int)(hole - command), command, path);
        free(text);
        text = longer;
    }
    char *whole = memory_format("%s%s", text, command);
    free(text);
    free(path);
    free(real);
    return whole;
}

/* A group of its own; signals as a fresh program has them, whatever this thread blocks. */
static void set_attributes(posix_spawnattr_t *attributes) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(attributes);
    posix_spawnattr_setpgroup(attributes, 0);
    posix_spawnattr_setsigmask(attributes, &none);
    posix_spawnattr_setsigdefault(attributes, &all);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                             POSIX_SPAWN_SETSIGDEF);
}

/* Returns 0, or an errno. */
static int spawn(const char *command, const int *ends, pid_t *child) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *words[] = {memory_string("sh"), memory_string("-c"), memory_string(command), NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[OUT], STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, ends[ERR], STDERR_FILENO);
    set_attributes(&attributes);
    int problem = posix_spawn(child, "/bin/sh", &actions, &attributes, words, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    for (size_t i = 0; words[i] != NULL; i++)
        free(words[i]);
    return problem;
}

/* ---- its output ---- */

struct stream {
    int file; /* read end; -1: at its end */
    char *text;
    size_t length;
    bool cut; /* there was more before */
};

static void keep(struct stream *stream, const char *bytes, size_t count) {
    size_t over = stream->length + count > KEPT ? stream->length + count - KEPT : 0;
    stream->cut = stream->cut || over > 0;
    memmove(stream->text, stream->text + over, stream->length - over);
    stream->length -= over;
    memcpy(stream->text + stream->length, bytes, count);
    stream->length += count;
}

/* Bytes that were there already; 0 at the end, -1 where there are none now. */
static ssize_t read_some(struct stream *stream) {
    char bytes[4096];
    ssize_t count = read(stream->file, bytes, sizeof bytes);
    if (count > 0)
        keep(stream, bytes, (size_t)count);
    return count >= 0 || errno == EINTR || errno == EAGAIN ? count : 0;
}

/* Waits a tick at most. */
static void listen(struct stream *streams) {
    struct pollfd files[STREAMS];
    for (int s = 0; s < STREAMS; s++)
        files[s] = (struct pollfd){.fd = streams[s].file, .events = POLLIN};
    if (poll(files, STREAMS, TICK) <= 0)
        return;
    for (int s = 0; s < STREAMS; s++)
        if (files[s].revents != 0 && read_some(&streams[s]) == 0) {
            close(streams[s].file);
            streams[s].file = -1;
        }
}

/* What the command left in the pipes when it ended. */
static void drain(struct stream *streams) {
    for (int s = 0; s < STREAMS; s++) {
        int left = 0; /* not more: children that go on writing would hold it up */
        if (streams[s].file < 0 || ioctl(streams[s].file, FIONREAD, &left) != 0)
            continue;
        for (ssize_t count; left > 0 && (count = read_some(&streams[s])) > 0;)
            left -= (int)count;
    }
}

/* Where whole lines begin: of one that was cut, half a name would be left, another name. */
static size_t first_line(const struct stream *stream) {
    const char *end = stream->cut ? memchr(stream->text, '\n', stream->length) : NULL;
    return end != NULL ? (size_t)(end + 1 - stream->text) : 0;
}

/* ---- running it ---- */

enum ending { ENDED, TOO_SLOW, STOPPED };

/* Until the child has ended, of itself or because it must; its status as waitpid gives it. */
static enum ending watch(pid_t child, struct stream *streams, double limit,
                         const _Atomic bool *cancel, int *status) {
    double start = clock_now(), told = -1;
    enum ending ending = ENDED;
    while (waitpid(child, status, WNOHANG) == 0) {
        double now = clock_now();
        bool stopped = cancel != NULL && atomic_load(cancel);
        if (told < 0 && (stopped || now - start > limit)) {
            ending = stopped ? STOPPED : TOO_SLOW;
            kill(-child, SIGTERM);
            told = now;
        } else if (told >= 0 && now - told > GRACE) {
            kill(-child, SIGKILL);
        }
        listen(streams);
    }
    drain(streams);
    kill(-child, SIGKILL); /* what it left running in its group */
    return ending;
}

static bool open_pipes(struct stream *streams, int *ends, struct error *error) {
    for (int s = 0; s < STREAMS; s++) {
        int both[2];
        if (pipe2(both, O_CLOEXEC) != 0)
            return error_set(error, ERROR_INPUT, "the evaluation cannot be started: %s",
                             strerror(errno));
        fcntl(both[0], F_SETFL, O_NONBLOCK);
        streams[s].file = both[0];
        ends[s] = both[1];
    }
    return true;
}

static void close_all(int *files) {
    for (int s = 0; s < STREAMS; s++) {
        if (files[s] >= 0)
            close(files[s]);
        files[s] = -1;
    }
}

/* The last line that says something, as a hint. */
static void hint_output(const struct evaluation *result, struct error *error) {
    size_t end = strlen(result->output);
    while (end > 0 && strchr(" \t\r\n", result->output[end - 1]) != NULL)
        end--;
    size_t start = end;
    while (start > 0 && result->output[start - 1] != '\n' && end - start < HINT_KEPT)
        start--;
    char *quoted = error_quote(result->output + start, end - start);
    if (end > start)
        error_hint(error, "it ended with: %s", quoted);
    free(quoted);
}

/* Why the command counts as failed; true where it does not. */
static bool judge(enum ending ending, int status, double limit, struct error *error) {
    if (ending == STOPPED)
        return error_set(error, ERROR_CANCELLED, "the evaluation was stopped");
    if (ending == TOO_SLOW)
        return error_set(error, ERROR_INPUT, "the evaluation took more than %g seconds", limit);
    if (WIFSIGNALED(status))
        return error_set(error, ERROR_INPUT, "the evaluation was ended by signal %d (%s)",
                         WTERMSIG(status), strsignal(WTERMSIG(status)));
    if (WEXITSTATUS(status) == 127)
        return error_set(error, ERROR_INPUT, "the evaluation's command was not found");
    return WEXITSTATUS(status) == 0 ||
           error_set(error, ERROR_INPUT, "the evaluation ended with exit code %d",
                     WEXITSTATUS(status));
}

bool evaluation_run(const char *command, const char *checkpoint, double limit,
                    const _Atomic bool *cancel, struct evaluation *result, struct error *error) {
    struct stream streams[STREAMS] = {{.file = -1, .text = memory_array(KEPT, 1)},
                                      {.file = -1, .text = memory_array(KEPT, 1)}};
    int ends[STREAMS] = {-1, -1}, files[STREAMS];
    char *whole = filled_in(command, checkpoint);
    double start = clock_now();
    pid_t child = 0;
    *result = (struct evaluation){0};
    bool good = evaluation_check(command, error) && open_pipes(streams, ends, error);
    int problem = good ? spawn(whole, ends, &child) : 0;
    close_all(ends);
    if (problem != 0)
        good = error_set(error, ERROR_INPUT, "/bin/sh: %s", strerror(problem));
    if (good) {
        int status = 0;
        enum ending ending = watch(child, streams, limit, cancel, &status);
        size_t first = first_line(&streams[OUT]);
        good = judge(ending, status, limit, error) &&
               metrics_parse(streams[OUT].text + first, streams[OUT].length - first,
                             &result->metrics, error);
    }
    result->seconds = clock_now() - start;
    result->output = memory_format("%.*s%.*s", (int)streams[OUT].length, streams[OUT].text,
                                   (int)streams[ERR].length, streams[ERR].text);
    if (!good && error->kind == ERROR_INPUT)
        hint_output(result, error);
    for (int s = 0; s < STREAMS; s++) {
        files[s] = streams[s].file;
        free(streams[s].text);
    }
    close_all(files);
    free(whole);
    return good;
}

void evaluation_free(struct evaluation *evaluation) {
    metrics_free(&evaluation->metrics);
    free(evaluation->output);
    evaluation->output = NULL;
}
