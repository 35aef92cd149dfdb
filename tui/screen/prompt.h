/* One line of text entered by the user, or a question answered with a key. Both stand in the
 * status row; while one is open it takes the keys. */
#ifndef R2M_TUI_SCREEN_PROMPT_H
#define R2M_TUI_SCREEN_PROMPT_H

#include "tui/terminal/surface.h"

struct app;

enum { PROMPT_ROOM = 1024, PROMPT_HISTORY = 50 };

/* What the prompt is for. accept gets the text on Enter; changed (may be NULL) after every key,
 * with cancelled true on Esc; complete (may be NULL) may lengthen the text on Tab. */
struct prompt_use {
    const char *label;
    unsigned (*accept)(struct app *app, const char *text);
    void (*changed)(struct app *app, const char *text, bool cancelled);
    void (*complete)(struct app *app, char text[PROMPT_ROOM]);
};

struct prompt {
    bool open;
    struct prompt_use use;
    char text[PROMPT_ROOM];
    size_t cursor; /* byte */
    char *history[PROMPT_HISTORY];
    size_t history_count, history_at;
};

void prompt_open(struct prompt *prompt, struct prompt_use use, const char *text);
void prompt_free(struct prompt *prompt);

/* Puts a text behind the history, if it is not its last one. */
void prompt_remember(struct prompt *prompt, const char *text);

/* One key; returns what app_key() would. */
unsigned prompt_key(struct app *app, struct prompt *prompt, int key);

void prompt_draw(const struct prompt *prompt, struct surface *surface, struct rect row);

/* A question: y does it, every other key does not. */
struct question {
    bool open;
    char text[PROMPT_ROOM];
    unsigned (*yes)(struct app *app);
};

void question_open(struct question *question, unsigned (*yes)(struct app *), const char *format,
                   ...) __attribute__((format(printf, 3, 4)));
unsigned question_key(struct app *app, struct question *question, int key);

#endif
