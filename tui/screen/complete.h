/* Tab in prompts: what all names that begin with a word go on with.
 *
 *     struct completion completion = complete_begin(word);
 *     complete_offer(&completion, name);           every name there is, once or more often
 *     complete_end(&completion, app, word, room);  the word grows; several: said */
#ifndef R2M_TUI_SCREEN_COMPLETE_H
#define R2M_TUI_SCREEN_COMPLETE_H

#include "tui/screen/prompt.h"

struct completion {
    const char *word;
    char common[PROMPT_ROOM];
    char list[PROMPT_ROOM]; /* the names, for the message */
    size_t count;
};

struct completion complete_begin(const char *word);
void complete_offer(struct completion *completion, const char *name);

/* word has room bytes. */
void complete_end(struct completion *completion, struct app *app, char *word, size_t room);

/* The rest of text from word on is a path; what a prompt for paths has as its complete. */
void complete_path_word(struct app *app, char *word, size_t room);
void complete_path(struct app *app, char text[PROMPT_ROOM]);

#endif
