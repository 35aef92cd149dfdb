#include "render/png_encode.h"

#include "analysis/support/memory.h"

#include <math.h>
#include <png.h>
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

static void append(png_structp png, png_bytep data, size_t length) {
    struct buffer *buffer = png_get_io_ptr(png);
    if (buffer->size + length > buffer->room) {
        buffer->room = 2 * (buffer->size + length);
        buffer->bytes = memory_resize(buffer->bytes, buffer->room, 1);
    }
    memcpy(buffer->bytes + buffer->size, data, length);
    buffer->size += length;
}

static void flush(png_structp png) {
    (void)png;
}

static void keep_message(png_structp png, png_const_charp message) {
    const char **kept = png_get_error_ptr(png);
    *kept = message;
    longjmp(png_jmpbuf(png), 1);
}

static void ignore(png_structp png, png_const_charp message) {
    (void)png;
    (void)message;
}

static void write_text(png_structp png, png_infop info, const char *const *text) {
    for (; text != NULL && text[0] != NULL; text += 2) {
        png_text chunk = {.compression = PNG_TEXT_COMPRESSION_NONE,
                          .key = (char *)text[0],
                          .text = (char *)text[1],
                          .text_length = strlen(text[1])};
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
static bool encode(const struct picture *picture, struct buffer *buffer, const char **message) {
    png_structp png =
        png_create_write_struct(PNG_LIBPNG_VER_STRING, (void *)message, keep_message, ignore);
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
    const char *message = "out of memory";
    if (!encode(&picture, &buffer, &message)) {
        free(buffer.bytes);
        return error_set(error, ERROR_INPUT, "the picture could not be encoded: %s", message);
    }
    *bytes = buffer.bytes;
    *size = buffer.size;
    return true;
}
