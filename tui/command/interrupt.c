#include "tui/command/interrupt.h"

#include "analysis/support/mapped_file.h"
#include "tui/command/complain.h"

#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PARTIAL ".r2m-part" /* ending of the names of atomic_file.h */

static _Atomic(struct progress *) running;
static _Atomic int stopped_by; /* signal, or 0 */
static _Atomic(void *) cut_at; /* where a worker met a file that ends before that */
static pthread_t main_thread;

static void on_stop(int number) {
    struct progress *progress = atomic_load(&running);
    atomic_store(&stopped_by, number);
    if (progress != NULL)
        atomic_store(&progress->cancel, true);
}

/* From a handler too: what was interrupted is a read of a mapped file, never malloc or stdio. */
static _Noreturn void say_cut(const void *address) {
    char *path = mapped_file(address);
    char *quoted = path != NULL ? error_quote(path, strlen(path)) : memory_string("an input file");
    fprintf(stderr, "r2m: %s: became shorter while it was read\n", quoted);
    _exit(EXIT_FAILED);
}

/* A worker waits for the main thread, which may tidy up; the read cannot go on. */
static void on_cut(int number, siginfo_t *info, void *context) {
    (void)number;
    (void)context;
    if (pthread_equal(pthread_self(), main_thread))
        say_cut(info->si_addr);
    atomic_store(&cut_at, info->si_addr);
    for (;;)
        pause();
}

static void watch_cut(void) {
    struct sigaction action = {.sa_sigaction = on_cut, .sa_flags = SA_SIGINFO};
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

static void handle(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigemptyset(&action.sa_mask);
    sigaction(number, &action, NULL);
}

/* What the caller ignores (nohup, a background job) stays ignored. Without SA_RESTART: a blocked
 * read or write ends too. */
static void stop_on(int number) {
    struct sigaction before;
    if (sigaction(number, NULL, &before) == 0 && before.sa_handler != SIG_IGN)
        handle(number, on_stop);
}

void interrupt_watch(void) {
    main_thread = pthread_self();
    stop_on(SIGINT);
    stop_on(SIGTERM);
    stop_on(SIGHUP);
    watch_cut();
    handle(SIGPIPE, SIG_DFL);
    handle(SIGXFSZ, SIG_IGN); /* the write fails and the error is told */
}

void interrupt_stops(struct progress *progress) {
    atomic_store(&running, progress);
    if (progress != NULL && atomic_load(&stopped_by) != 0)
        atomic_store(&progress->cancel, true);
}

int interrupt_code(void) {
    int number = atomic_load(&stopped_by);
    return number != 0 ? 128 + number : 0;
}

void interrupt_check(void) {
    const void *address = atomic_load(&cut_at);
    if (address == NULL)
        return;
    interrupt_remove_outputs();
    say_cut(address);
}

static bool is_partial(const char *path) {
    size_t length = strlen(path), ending = sizeof PARTIAL - 1;
    return length > ending && strcmp(path + length - ending, PARTIAL) == 0;
}

/* With the folder in the making that it was the last file of. */
static void remove_partial(char *path) {
    if (!is_partial(path))
        return;
    unlink(path);
    *strrchr(path, '/') = '\0';
    if (is_partial(path))
        rmdir(path);
}

void interrupt_remove_outputs(void) {
    DIR *descriptors = opendir("/proc/self/fd");
    for (struct dirent *entry; descriptors != NULL && (entry = readdir(descriptors)) != NULL;) {
        char path[PATH_MAX];
        ssize_t length = readlinkat(dirfd(descriptors), entry->d_name, path, sizeof path - 1);
        path[length > 0 ? length : 0] = '\0';
        if (path[0] == '/')
            remove_partial(path);
    }
    if (descriptors != NULL)
        closedir(descriptors);
}
