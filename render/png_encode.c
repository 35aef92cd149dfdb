#include "render/png_encode.h"

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Drawing is cheap, zlib is not: this level with no filter is fast, and small for flat pictures. */
enum { COMPRESSION = 3 };

struct buffer {
    unsigned char *bytes;
    size_t size, room;
};

struct picture {
    const unsigned char *pixels;
    size_t width, height, stride;
    double dpi;
    const char *const *text;
};

/* What libpng says when it gives up; its own text may live on the stack. */
struct message {
    char text[120];
};

static void append(png_structp png, png_bytep data, size_t length) {
    struct buffer *buffer = png_get_io_ptr(png);
    if (buffer->size + length > buffer->room) {
        size_t room = 2 * (buffer->size + length);
        unsigned char *bytes = realloc(buffer->bytes, room);
        if (bytes == NULL)
            png_error(png, "out of memory");
        buffer->bytes = bytes;
        buffer->room = room;
    }
    memcpy(buffer->bytes + buffer->size, data, length);
    buffer->size += length;
}

static void flush(png_structp png) {
    (void)png;
}

static void keep_message(png_structp png, png_const_charp message) {
    struct message *kept = png_get_error_ptr(png);
    snprintf(kept->text, sizeof kept->text, "%s", message);
    longjmp(png_jmpbuf(png), 1);
}

static void ignore(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static bool is_ascii(const char *text) {
    while ((unsigned char)*text - 1u < 0x7F)
        text++;
    return *text == '\0';
}

/* tEXt is Latin-1; what has other characters goes into iTXt, which is UTF-8. */
static void write_text(png_structp png, png_infop info, const char *const *text) {
    for (; text != NULL && text[0] != NULL; text += 2) {
        png_text chunk = {.key = (char *)text[0],
                          .text = (char *)text[1],
                          .lang = "",
                          .lang_key = (char *)text[0]};
        if (is_ascii(text[1])) {
            chunk.compression = PNG_TEXT_COMPRESSION_NONE;
            chunk.text_length = strlen(text[1]);
        } else {
            chunk.compression = PNG_ITXT_COMPRESSION_NONE;
            chunk.itxt_length = strlen(text[1]);
        }
        png_set_text(png, info, &chunk, 1);
    }
}

static void write_picture(png_structp png, png_infop info, const struct picture *picture) {
    png_uint_32 per_metre = (png_uint_32)lround(picture->dpi / 0.0254);
    png_set_IHDR(png, info, (png_uint_32)picture->width, (png_uint_32)picture->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_sRGB(png, info, PNG_sRGB_INTENT_PERCEPTUAL);
    png_set_pHYs(png, info, per_metre, per_metre, PNG_RESOLUTION_METER);
    write_text(png, info, picture->text);
    png_set_compression_level(png, COMPRESSION);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, PNG_FILTER_NONE);
    png_write_info(png, info);
    png_set_filler(png, 0, PNG_FILLER_AFTER);
    png_set_bgr(png);
    for (size_t row = 0; row < picture->height; row++)
        png_write_row(png, picture->pixels + row * picture->stride);
    png_write_end(png, info);
}

/* The one function that libpng's errors jump back to; nothing local changes after setjmp. */
static bool encode(const struct picture *picture, struct buffer *buffer, struct message *message) {
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, message, keep_message, ignore);
    png_infop info = png != NULL ? png_create_info_struct(png) : NULL;
    if (info == NULL || setjmp(png_jmpbuf(png)) != 0) {
        png_destroy_write_struct(&png, &info);
        return false;
    }
    png_set_write_fn(png, buffer, append, flush);
    write_picture(png, info, picture);
    png_destroy_write_struct(&png, &info);
    return true;
}

bool png_encode(const unsigned char *pixels, size_t width, size_t height, size_t stride, double dpi,
                const char *const *text, unsigned char **bytes, size_t *size, struct error *error) {
    struct buffer buffer = {0};
    const struct picture picture = {pixels, width, height, stride, dpi, text};
    struct message message = {"out of memory"};
    if (!encode(&picture, &buffer, &message)) {
        free(buffer.bytes);
        return error_set(error, ERROR_INPUT, "the picture could not be encoded: %s", message.text);
    }
    *bytes = buffer.bytes;
    *size = buffer.size;
    return true;
}
