#include "tui/screen/prompt.h"

#include "analysis/support/memory.h"
#include "analysis/support/utf8.h"
#include "tui/screen/app.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void prompt_open(struct prompt *prompt, struct prompt_use use, const char *text) {
    prompt->open = true;
    prompt->use = use;
    prompt->history_at = prompt->history_count;
    snprintf(prompt->text, sizeof prompt->text, "%s", text);
    prompt->cursor = strlen(prompt->text);
}

void prompt_free(struct prompt *prompt) {
    for (size_t i = 0; i < prompt->history_count; i++)
        free(prompt->history[i]);
    *prompt = (struct prompt){0};
}

static bool continues(char byte) {
    return ((unsigned char)byte & 0xc0) == 0x80;
}

static void insert(struct prompt *prompt, int key) {
    char bytes[4];
    size_t length = utf8_encode((uint32_t)key, bytes), end = strlen(prompt->text);
    if (end + length >= sizeof prompt->text)
        return;
    memmove(prompt->text + prompt->cursor + length, prompt->text + prompt->cursor,
            end - prompt->cursor + 1);
    memcpy(prompt->text + prompt->cursor, bytes, length);
    prompt->cursor += length;
}

static void erase(struct prompt *prompt, size_t from, size_t to) {
    memmove(prompt->text + from, prompt->text + to, strlen(prompt->text + to) + 1);
    prompt->cursor = from;
}

static size_t before(const struct prompt *prompt) {
    size_t at = prompt->cursor;
    while (at > 0 && continues(prompt->text[--at]))
        ;
    return at;
}

static size_t after(const struct prompt *prompt) {
    size_t at = prompt->cursor;
    if (prompt->text[at] != '\0')
        at++;
    while (continues(prompt->text[at]))
        at++;
    return at;
}

static size_t word_start(const struct prompt *prompt) {
    size_t at = prompt->cursor;
    while (at > 0 && prompt->text[at - 1] == ' ')
        at--;
    while (at > 0 && prompt->text[at - 1] != ' ')
        at--;
    return at;
}

static void recall(struct prompt *prompt, int step) {
    size_t at = prompt->history_at;
    if ((step < 0 && at == 0) || (step > 0 && at >= prompt->history_count))
        return;
    prompt->history_at = at + (size_t)step;
    const char *text =
        prompt->history_at < prompt->history_count ? prompt->history[prompt->history_at] : "";
    snprintf(prompt->text, sizeof prompt->text, "%s", text);
    prompt->cursor = strlen(prompt->text);
}

void prompt_remember(struct prompt *prompt, const char *text) {
    size_t count = prompt->history_count;
    if (text[0] == '\0' || (count > 0 && strcmp(prompt->history[count - 1], text) == 0))
        return;
    if (prompt->history_count == PROMPT_HISTORY) {
        free(prompt->history[0]);
        memmove(prompt->history, prompt->history + 1,
                (PROMPT_HISTORY - 1) * sizeof *prompt->history);
        prompt->history_count--;
    }
    prompt->history[prompt->history_count++] = memory_string(text);
}

static void edit(struct app *app, struct prompt *prompt, int key) {
    status_clear(&app->status, STATUS_ERROR);
    if (key == INPUT_LEFT || key == INPUT_CTRL('b'))
        prompt->cursor = before(prompt);
    else if (key == INPUT_RIGHT || key == INPUT_CTRL('f'))
        prompt->cursor = after(prompt);
    else if (key == INPUT_HOME || key == INPUT_CTRL('a'))
        prompt->cursor = 0;
    else if (key == INPUT_END || key == INPUT_CTRL('e'))
        prompt->cursor = strlen(prompt->text);
    else if (key == INPUT_BACKSPACE || key == INPUT_CTRL('h'))
        erase(prompt, before(prompt), prompt->cursor);
    else if (key == INPUT_DELETE || key == INPUT_CTRL('d'))
        erase(prompt, prompt->cursor, after(prompt));
    else if (key == INPUT_CTRL('u'))
        erase(prompt, 0, prompt->cursor);
    else if (key == INPUT_CTRL('w'))
        erase(prompt, word_start(prompt), prompt->cursor);
    else if (key == INPUT_UP || key == INPUT_DOWN)
        recall(prompt, key == INPUT_UP ? -1 : 1);
    else if (key == INPUT_TAB && prompt->use.complete != NULL)
        prompt->use.complete(app, prompt->text), prompt->cursor = strlen(prompt->text);
    else if (key >= ' ' && key < INPUT_UP && key != INPUT_BACKSPACE)
        insert(prompt, key);
}

unsigned prompt_key(struct app *app, struct prompt *prompt, int key) {
    bool cancel = key == INPUT_ESCAPE || key == INPUT_CTRL('c') ||
                  (prompt->text[0] == '\0' && key == INPUT_BACKSPACE);
    unsigned result = DIRTY_SCREEN;
    if (key == INPUT_ENTER) {
        prompt_remember(prompt, prompt->text);
        prompt->open = false;
        result |= prompt->use.accept(app, prompt->text);
        if ((result & PROMPT_STAYS) != 0)
            prompt->open = true;
        return result;
    }
    if (cancel) {
        prompt->open = false;
        status_clear(&app->status, STATUS_ERROR); /* nor does a refusal outlive its prompt */
    } else
        edit(app, prompt, key);
    if (prompt->use.changed != NULL)
        prompt->use.changed(app, prompt->text, cancel);
    return result;
}

void prompt_draw(const struct prompt *prompt, struct surface *surface, struct rect row) {
    int col = row.col + 1, width = row.width - 2;
    int used = surface_text(surface, row.row, col, width, ELEMENT_PROMPT, prompt->use.label);
    char *head = memory_text(prompt->text, prompt->cursor);
    int room = width - used - 1, at = text_width(head);
    const char *from = prompt->text;
    for (; at > room && *from != '\0'; from++) { /* a long text shows its end */
        if (!continues(from[1]))
            at--;
    }
    surface_text(surface, row.row, col + used, room + 1, ELEMENT_TEXT, from);
    surface->cursor_row = row.row;
    surface->cursor_col = col + used + at;
    free(head);
}

void question_open(struct question *question, unsigned (*yes)(struct app *), const char *format,
                   ...) {
    va_list list;
    va_start(list, format);
    vsnprintf(question->text, sizeof question->text, format, list);
    va_end(list);
    question->open = true;
    question->yes = yes;
}

unsigned question_key(struct app *app, struct question *question, int key) {
    question->open = false;
    if (key == 'y' || key == 'Y')
        return DIRTY_SCREEN | question->yes(app);
    return DIRTY_SCREEN;
}
