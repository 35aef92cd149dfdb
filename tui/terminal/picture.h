/* Pictures inside a terminal, as bytes to be written to it: the question which protocol it speaks,
 * the answer read, and a picture in that protocol (kitty's graphics protocol, or sixels). */
#ifndef R2M_TUI_TERMINAL_PICTURE_H
#define R2M_TUI_TERMINAL_PICTURE_H

#include "analysis/support/error.h"

#include <stddef.h>

enum picture_protocol { PICTURE_NONE, PICTURE_KITTY, PICTURE_SIXEL };

/* A kitty query, which other terminals ignore, then the device attributes, which all of them
 * answer: what comes before that second answer is the first one's. */
#define PICTURE_QUESTION "\033_Gi=31,s=1,v=1,a=q,t=d,f=24;AAAA\033\\\033[c"

/* Takes a kitty picture away again. */
#define PICTURE_KITTY_DELETE "\033_Ga=d,d=A,q=2\033\\"

/* True for the body of a kitty answer ("i=31;OK") that says yes. */
bool picture_answer_kitty(const char *body);

/* True for the parameters of device attributes ("62;4;22c") that hold sixel graphics (4). */
bool picture_answer_sixel(const char *parameters);

/* A PNG over columns x rows cells from the cursor on; free() the result, *length bytes. */
char *picture_kitty(const unsigned char *png, size_t size, int columns, int rows, size_t *length);

/* width x height pixels of red, green, blue as sixels of 256 colours at most. free() the result;
 * NULL with an error when the library refuses. */
char *picture_sixel(unsigned char *pixels, int width, int height, size_t *length,
                    struct error *error);

/* Version of the sixel library. */
const char *picture_library(void);

#endif
