#include "tui/command/progress_line.h"

#include "tui/command/interrupt.h"
#include "tui/command/text_table.h"
#include "tui/terminal/surface.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PAINT_SECONDS 0.1
#define RATE_SECONDS 1.0 /* before that a rate would only be noise */

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

struct progress_line progress_line_begin(bool quiet) {
    return (struct progress_line){.shown = !quiet && isatty(STDERR_FILENO)};
}

/* Operations are counted in the same steps as bytes: "4.2 MB", "4.2 Mflop". */
static const char *amount(double value, enum progress_unit unit, char text[32]) {
    if (unit == UNIT_ITEMS) {
        snprintf(text, 32, "%.0f", value);
        return text;
    }
    bytes_text(value, text);
    if (unit == UNIT_OPERATIONS) {
        size_t length = strcspn(text, " ") + 1 + (value >= 1000); /* number, space, prefix */
        snprintf(text + length, 32 - length, "flop");
    }
    return text;
}

void progress_text(char *text, size_t size, const char *label, enum progress_unit unit, double done,
                   double total, double elapsed) {
    char part[32], whole[32], speed[32];
    double rate = elapsed >= RATE_SECONDS ? done / elapsed : 0;
    int used = snprintf(text, size, "%s  %s of %s  %.0f%%", label, amount(done, unit, part),
                        amount(total, unit, whole), total > 0 ? 100 * done / total : 0);
    if (rate <= 0 || used < 0 || (size_t)used >= size)
        return;
    int left = (int)((total - done) / rate + 0.5);
    if (unit != UNIT_ITEMS || rate >= 1)
        used += snprintf(text + used, size - (size_t)used, "  %s/s", amount(rate, unit, speed));
    if ((size_t)used < size)
        snprintf(text + used, size - (size_t)used, "  %d:%02d left", left / 60, left % 60);
}

void progress_line_show(struct progress_line *line, const char *label, enum progress_unit unit,
                        const struct progress *progress) {
    double time = now(), total = (double)atomic_load(&progress->total);
    char text[TEXT_ROOM];
    if (line->label == NULL || strcmp(line->label, label) != 0) {
        line->label = label;
        line->started = time;
    }
    if (!line->shown || total <= 0 || (line->dirty && time - line->painted < PAINT_SECONDS))
        return;
    progress_text(text, sizeof text, label, unit, (double)atomic_load(&progress->done), total,
                  time - line->started);
    size_t length = strlen(text);
    if (*line->note != '\0')
        snprintf(text + length, sizeof text - length, "  %s", line->note);
    fprintf(stderr, "\r\033[K%.*s", stream_width(stderr) - 1, text);
    fflush(stderr);
    line->painted = time;
    line->dirty = true;
}

void progress_line_end(struct progress_line *line) {
    if (line->dirty)
        fputs("\r\033[K", stderr);
    line->dirty = false;
    line->label = NULL;
    *line->note = '\0';
}

struct running {
    const struct progress_job *job;
    struct progress progress;
    struct error *error;
    bool good;
};

static void *run(void *context) {
    struct running *running = context;
    const struct progress_job *job = running->job;
    running->good = job->work(job->context, &running->progress, running->error);
    return NULL;
}

/* Waits a tenth of a second at most; true when the thread has ended. */
static bool joined(pthread_t thread) {
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += (long)(PAINT_SECONDS * 1e9);
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_timedjoin_np(thread, NULL, &until) == 0;
}

bool progress_run(struct progress_line *line, const struct progress_job *job, struct error *error) {
    return progress_run_noted(line, job, NULL, error);
}

bool progress_run_noted(struct progress_line *line, const struct progress_job *job,
                        progress_note *note, struct error *error) {
    struct running running = {.job = job, .error = error};
    pthread_t thread;
    interrupt_stops(&running.progress);
    if (pthread_create(&thread, NULL, run, &running) != 0) {
        run(&running);
    } else {
        while (!joined(thread)) {
            interrupt_check();
            if (note != NULL)
                note(job->context, line->note);
            progress_line_show(line, job->label, job->unit, &running.progress);
        }
    }
    interrupt_stops(NULL);
    progress_line_end(line);
    return running.good;
}
