#include "tui/terminal/picture.h"

#include "analysis/support/base64.h"
#include "analysis/support/memory.h"

#include <sixel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 4096 }; /* bytes of base64 in one kitty command, by its specification */

bool picture_answer_kitty(const char *body) {
    const char *verdict = strchr(body, ';');
    return strncmp(body, "i=31", 4) == 0 && verdict != NULL && strcmp(verdict, ";OK") == 0;
}

bool picture_answer_sixel(const char *parameters) {
    char *end;
    for (const char *at = parameters;; at = end + 1) {
        long attribute = strtol(at, &end, 10);
        if (at != parameters && end > at &&
            attribute == 4) /* the first one is the terminal's kind */
            return true;
        if (*end != ';')
            return false;
    }
}

/* ---- bytes that grow ---- */

struct bytes {
    char *data;
    size_t length, room;
};

static void append(struct bytes *bytes, const char *data, size_t length) {
    if (length == 0)
        return;
    if (bytes->length + length > bytes->room) {
        bytes->room = 2 * (bytes->length + length);
        bytes->data = memory_resize(bytes->data, bytes->room, 1);
    }
    memcpy(bytes->data + bytes->length, data, length);
    bytes->length += length;
}

static void append_text(struct bytes *bytes, const char *text) {
    append(bytes, text, strlen(text));
}

/* ---- kitty ---- */

char *picture_kitty(const unsigned char *png, size_t size, int columns, int rows, size_t *length) {
    struct bytes bytes = {0};
    char *text = base64_text(png, size), head[96];
    size_t total = strlen(text);
    for (size_t at = 0; at < total; at += CHUNK) {
        size_t part = total - at < CHUNK ? total - at : CHUNK;
        int more = at + part < total;
        if (at == 0)
            snprintf(head, sizeof head, "\033_Ga=T,f=100,q=2,C=1,c=%d,r=%d,m=%d;", columns, rows,
                     more);
        else
            snprintf(head, sizeof head, "\033_Gm=%d;", more);
        append_text(&bytes, head);
        append(&bytes, text + at, part);
        append_text(&bytes, "\033\\");
    }
    free(text);
    *length = bytes.length;
    return bytes.data;
}

/* ---- sixels ---- */

static int receive(char *data, int size, void *context) {
    append(context, data, (size_t)size);
    return size;
}

/* The library's palette keeps the upper five bits of a colour, by which white is 248: the lower
 * three become what they are in white. */
static void brighten(sixel_dither_t *dither) {
    unsigned char *palette = sixel_dither_get_palette(dither);
    for (int i = 0; i < 3 * sixel_dither_get_num_of_palette_colors(dither); i++)
        palette[i] = (unsigned char)(palette[i] | palette[i] >> 5);
}

/* Figures hold few colours and their mixtures: a palette made from them, without dithering, keeps
 * lines and letters sharp. */
static SIXELSTATUS encode(unsigned char *pixels, int width, int height, sixel_output_t *output,
                          sixel_dither_t *dither) {
    SIXELSTATUS status =
        sixel_dither_initialize(dither, pixels, width, height, SIXEL_PIXELFORMAT_RGB888,
                                SIXEL_LARGE_AUTO, SIXEL_REP_AUTO, SIXEL_QUALITY_HIGH);
    if (SIXEL_FAILED(status))
        return status;
    brighten(dither);
    sixel_dither_set_diffusion_type(dither, SIXEL_DIFFUSE_NONE);
    return sixel_encode(pixels, width, height, 3, dither, output);
}

char *picture_sixel(unsigned char *pixels, int width, int height, size_t *length,
                    struct error *error) {
    struct bytes bytes = {0};
    sixel_output_t *output = NULL;
    sixel_dither_t *dither = NULL;
    SIXELSTATUS status = sixel_output_new(&output, receive, &bytes, NULL);
    if (!SIXEL_FAILED(status))
        status = sixel_dither_new(&dither, 256, NULL);
    if (!SIXEL_FAILED(status))
        status = encode(pixels, width, height, output, dither);
    sixel_dither_unref(dither);
    sixel_output_unref(output);
    *length = bytes.length;
    if (!SIXEL_FAILED(status))
        return bytes.data;
    free(bytes.data);
    error_set(error, ERROR_INPUT, "a picture of %d x %d pixels: %s", width, height,
              sixel_helper_format_error(status));
    return NULL;
}

const char *picture_library(void) {
    return LIBSIXEL_VERSION;
}
