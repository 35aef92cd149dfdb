#include "tui/screen/loop.h"

#include "tui/screen/pictures.h"
#include "tui/terminal/signals.h"
#include "tui/terminal/term.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_PAUSE 0.05 /* seconds between two repaints that no key asked for */

struct loop {
    struct app *app;
    struct surface *surface;
    double workers_next; /* when results of workers are looked at again */
    int ended_by;        /* signal */
    bool left;
    bool picture; /* stands on the screen until a key */
};

static double clock_now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void repaint(struct loop *loop, bool anew) {
    if (loop->app->clipboard != NULL)
        term_copy(loop->app->clipboard);
    free(loop->app->clipboard);
    loop->app->clipboard = NULL;
    int width, height;
    term_size(&width, &height);
    bool fits =
        loop->surface != NULL && loop->surface->width == width && loop->surface->height == height;
    if (!fits) {
        surface_free(loop->surface);
        loop->surface = surface_create(width, height, theme_glyphs()->ascii);
    }
    app_draw(loop->app, loop->surface);
    term_paint(loop->surface, anew);
}

static unsigned suspend(struct loop *loop) {
    term_suspend();
    loop->app->now = clock_now();
    return DIRTY_ALL;
}

/* Also anew, in another size. */
static unsigned show_picture(struct loop *loop) {
    loop->picture = pictures_show(loop->app);
    return loop->picture ? 0 : DIRTY_ALL;
}

static unsigned end_picture(struct loop *loop) {
    loop->picture = false;
    term_picture_end();
    return DIRTY_ALL;
}

static unsigned handle_signals(struct loop *loop) {
    unsigned dirty = 0;
    for (int number; (number = signals_next()) != 0;) {
        if (number == SIGWINCH) {
            term_resize();
            dirty |= loop->picture ? end_picture(loop) | show_picture(loop) : DIRTY_SCREEN;
        } else if (number == SIGTSTP) {
            dirty |= suspend(loop);
        } else if (number == SIGINT) {
            dirty |= app_key(loop->app, INPUT_CTRL('c'));
        } else {
            loop->ended_by = number;
            loop->left = true;
        }
    }
    return dirty;
}

/* All keys that are there already: a burst is painted once. */
static unsigned handle_keys(struct loop *loop) {
    unsigned dirty = 0;
    for (int key; !loop->left && (key = term_read()) != INPUT_NONE;) {
        unsigned result;
        if (loop->picture) {
            result = end_picture(loop);
        } else if (key == INPUT_MOUSE) {
            struct mouse mouse = term_mouse();
            result = app_mouse(loop->app, &mouse);
        } else {
            result = app_key(loop->app, key);
        }
        loop->left |= (result & LEAVE) != 0;
        if (result & SUSPEND)
            result |= suspend(loop);
        if (result & PICTURE)
            result |= show_picture(loop);
        dirty |= result;
    }
    return dirty;
}

/* Waits for a key, a signal, a result, or the time to do something. Returns false when the
 * terminal is gone. */
static bool wait_for_news(struct loop *loop, bool *results) {
    double now = clock_now(), deadline = app_deadline(loop->app);
    bool resting = now < loop->workers_next;
    if (resting && (deadline < 0 || deadline > loop->workers_next - now))
        deadline = loop->workers_next - now;
    struct pollfd files[] = {{.fd = STDIN_FILENO, .events = POLLIN},
                             {.fd = signals_descriptor(), .events = POLLIN},
                             {.fd = resting ? -1 : loop->app->event, .events = POLLIN}};
    int milliseconds = deadline < 0 ? -1 : (int)(deadline * 1000) + 1;
    int ready = poll(files, 3, milliseconds);
    *results = ready > 0 && files[2].revents != 0;
    return !(ready < 0 && errno != EINTR) && !(ready > 0 && (files[0].revents & POLLHUP) != 0);
}

int loop_run(struct app *app) {
    struct loop loop = {.app = app};
    app->now = app->stage_start = clock_now();
    app_workers(app);
    repaint(&loop, false);
    while (!loop.left) {
        bool results = false;
        if (!wait_for_news(&loop, &results))
            break;
        app->now = clock_now();
        unsigned dirty = handle_signals(&loop) | handle_keys(&loop);
        if (results) {
            dirty |= app_workers(app);
            loop.workers_next = app->now + WORKERS_PAUSE;
        }
        if (dirty == 0)
            dirty = app_tick(app);
        if (dirty != 0 && !loop.left && !loop.picture)
            repaint(&loop, (dirty & DIRTY_ALL) != 0);
    }
    surface_free(loop.surface);
    return loop.ended_by;
}
