#include "merge/plan_history.h"

#include <stdlib.h>
#include <string.h>

struct step {
    struct config config;
    char *description;
};

struct note {
    size_t ticket; /* 0: none was given out */
    char *text;
};

struct plan_history {
    struct step steps[HISTORY_LIMIT];
    struct note notes[HISTORY_LIMIT + 1]; /* of the configs at positions 0 to count */
    size_t count, position, tickets;
    size_t saved; /* position at the last save; above HISTORY_LIMIT: out of reach */
};

static const size_t out_of_reach = HISTORY_LIMIT + 1;

struct plan_history *history_create(void) {
    return memory_array(1, sizeof(struct plan_history));
}

static void step_free(struct step *step) {
    config_free(&step->config);
    free(step->description);
}

void history_free(struct plan_history *history) {
    if (history == NULL)
        return;
    for (size_t i = 0; i < history->count; i++)
        step_free(&history->steps[i]);
    for (size_t i = 0; i <= HISTORY_LIMIT; i++)
        free(history->notes[i].text);
    free(history);
}

static void forget_note(struct note *note) {
    free(note->text);
    *note = (struct note){0};
}

static void forget_redo(struct plan_history *history) {
    while (history->count > history->position) {
        forget_note(&history->notes[history->count]);
        step_free(&history->steps[--history->count]);
    }
    if (history->saved > history->position)
        history->saved = out_of_reach;
}

static void forget_oldest(struct plan_history *history) {
    step_free(&history->steps[0]);
    forget_note(&history->notes[0]);
    memmove(history->notes, history->notes + 1, history->count * sizeof *history->notes);
    history->notes[history->count] = (struct note){0};
    memmove(history->steps, history->steps + 1, --history->count * sizeof *history->steps);
    history->position--;
    if (history->saved <= HISTORY_LIMIT)
        history->saved = history->saved > 0 ? history->saved - 1 : out_of_reach;
}

void history_record(struct plan_history *history, struct config *before, const char *description) {
    forget_redo(history);
    if (history->count == HISTORY_LIMIT)
        forget_oldest(history);
    history->steps[history->count++] = (struct step){*before, memory_string(description)};
    history->position = history->count;
    *before = (struct config){0};
}

static const char *cross(struct step *step, struct config *current) {
    struct config other = step->config;
    step->config = *current;
    *current = other;
    return step->description;
}

const char *history_undo(struct plan_history *history, struct config *current) {
    if (history->position == 0)
        return NULL;
    return cross(&history->steps[--history->position], current);
}

const char *history_redo(struct plan_history *history, struct config *current) {
    if (history->position == history->count)
        return NULL;
    return cross(&history->steps[history->position++], current);
}

size_t history_count(const struct plan_history *history) {
    return history->count;
}

size_t history_position(const struct plan_history *history) {
    return history->position;
}

const char *history_text(const struct plan_history *history, size_t step) {
    return history->steps[step].description;
}

size_t history_ticket(struct plan_history *history) {
    struct note *note = &history->notes[history->position];
    if (note->ticket == 0)
        note->ticket = ++history->tickets;
    return note->ticket;
}

void history_note(struct plan_history *history, size_t ticket, const char *text) {
    for (size_t i = 0; i <= history->count; i++)
        if (history->notes[i].ticket == ticket) {
            free(history->notes[i].text);
            history->notes[i].text = memory_string(text);
        }
}

const char *history_note_at(const struct plan_history *history, size_t position) {
    return history->notes[position].text;
}

void history_mark_saved(struct plan_history *history) {
    history->saved = history->position;
}

bool history_is_saved(const struct plan_history *history) {
    return history->saved == history->position;
}
